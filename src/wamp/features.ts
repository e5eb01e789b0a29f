/**
 * The features that a client may announce in its HELLO and that the router heeds, as bits of one number: that is all a
 * session keeps of `HELLO.Details.roles`, however much a client puts there (section "Advanced Profile: Feature Announcement").
 */
import type { RoleFeatures } from './message.js';

const PASSTHRU = 'payload_passthru_mode';

const ROLE_FEATURES = {
  publisher: [PASSTHRU],
  subscriber: ['subscription_revocation'],
  caller: ['progressive_call_invocations', PASSTHRU],
  callee: [
    'call_canceling',
    'call_timeout',
    'progressive_call_invocations',
    'progressive_call_results',
    'registration_revocation',
    PASSTHRU,
  ],
} as const;

/** What a callee may announce. */
export const CALLEE_FEATURES = ROLE_FEATURES.callee;

/** A role that a client announces in HELLO. */
export type ClientRole = keyof typeof ROLE_FEATURES;
/** A feature that a client announces under a role (section "Feature Announcement"). */
export type ClientFeature = (typeof ROLE_FEATURES)[ClientRole][number];

/** In any order; at least one of them must be there. */
export const CLIENT_ROLES = Object.keys(ROLE_FEATURES) as readonly ClientRole[];

/** What a client announced: a set, to be asked with {@link hasFeature}. */
export type FeatureSet = number;

/** role -> feature -> its bit */
const BITS = bitsOf();

function bitsOf(): Readonly<Record<ClientRole, Readonly<Partial<Record<ClientFeature, number>>>>> {
  let next = 1;
  const bits: Partial<Record<ClientRole, Partial<Record<ClientFeature, number>>>> = {};
  for (const role of CLIENT_ROLES) {
    const ofRole: Partial<Record<ClientFeature, number>> = (bits[role] = {});
    for (const feature of ROLE_FEATURES[role]) {
      ofRole[feature] = next;
      next *= 2;
    }
  }
  return bits as Record<ClientRole, Partial<Record<ClientFeature, number>>>;
}

/** @param roles checked: what is there is of the right type. */
export function featureSet(roles: RoleFeatures): FeatureSet {
  let set = 0;
  for (const role of CLIENT_ROLES) {
    const features = roles[role]?.features;
    if (features === undefined) continue;
    for (const feature of ROLE_FEATURES[role]) if (features[feature] === true) set |= BITS[role][feature] ?? 0;
  }
  return set;
}

/** @returns whether `role` announced `feature`; a feature that the role does not have was not announced. */
export function hasFeature(set: FeatureSet, role: ClientRole, feature: ClientFeature): boolean {
  return (set & (BITS[role][feature] ?? 0)) !== 0;
}
