/** Who is told of the callees of other nodes. */
import type { RegistrationClaim } from '../../router/uplink.js';
import type { HeldEntry } from './entry.js';

/** What a realm of this node is told. None of it throws. */
export interface RegistrationListener {
  /** A session of another node is a callee from now on. */
  added(entry: HeldEntry): void;
  /** It is one no more. */
  removed(entry: HeldEntry): void;
  /** A session of this node is one no more: another one took its place by force. */
  superseded(claim: RegistrationClaim): void;
}

/** For realms that this node does not have. */
export const NO_LISTENER: RegistrationListener = {
  added: () => undefined,
  removed: () => undefined,
  superseded: () => undefined,
};
