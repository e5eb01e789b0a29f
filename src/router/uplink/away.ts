/** A realm that the node may not serve for a while, because it has lost the other nodes. */
import { CALL, PUBLISH, REGISTER, SUBSCRIBE } from '../../wamp/message.js';
import { ErrorUri, WampError } from '../../wamp/error.js';
import type { ClientMessage } from '../../wamp/message.js';
import type { Uplink } from '../uplink.js';

/** Said to clients that are part of the node, and to those whose connection is closed for that reason. */
export const AWAY = 'this node has no connection to the cluster';

/**
 * What only gives up, or answers, does no harm.
 * @throws WampError for a message that asks for something while the node may not serve the realm.
 */
export function checkServed(uplink: Uplink, { type }: ClientMessage): void {
  if (uplink.mayServe?.() !== false) return;
  if (type === PUBLISH || type === CALL || type === SUBSCRIBE || type === REGISTER) {
    throw new WampError(ErrorUri.UNAVAILABLE, AWAY);
  }
}
