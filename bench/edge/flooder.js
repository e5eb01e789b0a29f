/** One publisher that wants the whole server: it writes as much as the system takes, in large pieces. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { performance } from 'node:perf_hooks';
import { Violations } from '../load/sequence.js';
import { PUBLISH, WampSession, webSocketOf } from '../load/wamp-session.js';
import { stamp } from './stamp.js';

/** As many messages as one of the server's reads holds. */
const PIECE = 1000;
const MAX_UNSENT_BYTES = 524_288;

export class Flooder {
  #url;
  #violations = new Violations();
  #number = 0;

  /** @param {URL} url */
  constructor(url) {
    this.#url = url;
  }

  /**
   * @param {string} topic
   * @param {number} seconds
   */
  async flood(topic, seconds) {
    const session = await WampSession.open(this.#url, 'realm1', this.#violations);
    const { codec } = session;
    const client = webSocketOf(session);
    const until = performance.now() + seconds * 1000;
    while (performance.now() < until) {
      if (client.unsentBytes < MAX_UNSENT_BYTES)
        client.sendAll(Array.from({ length: PIECE }, () => this.#next(topic, codec)));
      await nextTurn();
    }
    // The connection stays: what it has sent would be lost with it.
    return { sent: this.#number, heldBack: 0, seconds };
  }

  violations() {
    return this.#violations;
  }

  /**
   * @param {string} topic
   * @param {import('../load/codec.js').Codec} codec
   */
  #next(topic, codec) {
    const text = stamp({ publisher: 0, number: this.#number++, at: performance.timeOrigin + performance.now() });
    return codec.encode([PUBLISH, this.#number, {}, topic, [text]]);
  }
}
