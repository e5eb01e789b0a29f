/** An open loop: so many messages a second are due, whatever became of the ones before. */
import { performance } from 'node:perf_hooks';

const TICK_MS = 5;
/** A client that has so much to send is held back by TCP: what it would have sent is not sent later, but not at all. */
const MAX_UNSENT_BYTES = 262_144;

/**
 * @typedef {object} Sender
 * @property {import('../load/websocket.js').WebSocketClient} client
 * @property {() => string | Uint8Array} next makes the next message
 *
 * @typedef {{ sent: number, heldBack: number, seconds: number }} Account
 */

/**
 * @param {readonly Sender[]} senders take turns
 * @param {number} perSecond of all together
 * @param {number} seconds
 * @returns {Promise<Account>}
 */
export function pace(senders, perSecond, seconds) {
  const account = { sent: 0, heldBack: 0, seconds };
  const startedAt = performance.now();
  let turn = 0;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const elapsed = Math.min((performance.now() - startedAt) / 1000, seconds);
      const due = Math.floor(elapsed * perSecond) - account.sent - account.heldBack;
      const share = Math.ceil(due / senders.length);
      for (let left = due; left > 0; left -= share) {
        const count = Math.min(share, left);
        const { client, next } = /** @type {Sender} */ (senders[turn++ % senders.length]);
        if (client.unsentBytes > MAX_UNSENT_BYTES) {
          account.heldBack += count;
        } else {
          client.sendAll(Array.from({ length: count }, next));
          account.sent += count;
        }
      }
      if (elapsed < seconds) return;
      clearInterval(timer);
      resolve(account);
    }, TICK_MS);
  });
}
