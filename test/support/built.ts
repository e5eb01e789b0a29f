/**
 * What this build of the router is held to. A feature that is not listed here has no test over the wire yet; one that
 * is listed and does not work makes the suite fail. `CONFORMANCE=all` in the environment runs everything, listed or
 * not: to see what may be added.
 */
import type { SerializerName } from './codec.js';

const everything = process.env['CONFORMANCE'] === 'all';

/** Serializers of both transports. */
const serializers: readonly SerializerName[] = ['json', 'msgpack', 'cbor'];
/** The `.batched` subprotocols of these serializers. */
const batched: readonly SerializerName[] = ['json', 'msgpack', 'cbor'];
/** Serializers of wampy. */
const wampy: readonly SerializerName[] = ['json', 'msgpack', 'cbor'];
/** Scenarios of the Advanced Profile; those of the Basic Profile are always played. */
const advancedScenarios = { first: 22, last: 46 };
/** Advanced features as they stand in WELCOME. */
const brokerFeatures: readonly string[] = [
  'event_retention',
  'pattern_based_subscription',
  'publisher_identification',
  'publisher_exclusion',
  'subscriber_blackwhite_listing',
  'subscription_meta_api',
];
const dealerFeatures: readonly string[] = [
  'call_canceling',
  'call_timeout',
  'caller_identification',
  'pattern_based_registration',
  'progressive_call_invocations',
  'progressive_call_results',
  'registration_meta_api',
  'session_meta_api',
  'shared_registration',
  'testament_meta_api',
];

const ALL: readonly SerializerName[] = ['json', 'msgpack', 'cbor'];

export const BUILT = {
  serializers: everything ? ALL : serializers,
  batched: everything ? ALL : batched,
  wampy: everything ? ALL : wampy,
  brokerFeatures,
  dealerFeatures,
  hasScenario: (id: string): boolean => {
    const number = Number(id.slice('SC-'.length));
    return everything || (number >= advancedScenarios.first && number <= advancedScenarios.last);
  },
  hasBroker: (feature: string): boolean => everything || brokerFeatures.includes(feature),
  hasDealer: (feature: string): boolean => everything || dealerFeatures.includes(feature),
} as const;
