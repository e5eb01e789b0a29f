/**
 * What the scripts of real clients run: the features by the names that the scripts give them, and what of the router
 * each of them needs. A script of one client may leave out what that client cannot do.
 */
import { BUILT } from './built.js';

const FEATURES: Readonly<Record<string, boolean>> = {
  session: true,
  pubsub: true,
  rpc: true,
  bytes_and_integers: true,
  eligibility: true,
  disclosure: true,
  pattern_subscriptions: BUILT.hasBroker('pattern_based_subscription'),
  retention: BUILT.hasBroker('event_retention'),
  pattern_registrations: BUILT.hasDealer('pattern_based_registration'),
  shared_registrations: BUILT.hasDealer('shared_registration'),
  force_reregister: BUILT.hasDealer('shared_registration'),
  progressive_results: BUILT.hasDealer('progressive_call_results'),
  progressive_invocations: BUILT.hasDealer('progressive_call_invocations'),
  timeout: BUILT.hasDealer('call_timeout'),
  cancel: BUILT.hasDealer('call_canceling'),
  session_meta: BUILT.hasDealer('session_meta_api'),
  registration_meta: BUILT.hasDealer('registration_meta_api'),
  subscription_meta: BUILT.hasBroker('subscription_meta_api'),
  testaments: BUILT.hasDealer('testament_meta_api'),
};

/** Of the features that a script has, those that this build is held to. */
export function builtFeatures(script: readonly string[]): readonly string[] {
  for (const name of script) if (!(name in FEATURES)) throw new Error(`no feature is called '${name}'`);
  return script.filter((name) => FEATURES[name]);
}
