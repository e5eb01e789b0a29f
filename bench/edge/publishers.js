/** Publishers in an open loop. What they publish tells who sent it, when, and which of theirs it is. */
import { performance } from 'node:perf_hooks';
import { Violations } from '../load/sequence.js';
import { PUBLISH, WampSession, openMany, webSocketOf } from '../load/wamp-session.js';
import { stamp } from './stamp.js';
import { pace } from './pace.js';

export class Publishers {
  #url;
  #violations = new Violations();
  /** @type {import('./pace.js').Sender[]} */
  #senders = [];

  /** @param {URL} url */
  constructor(url) {
    this.#url = url;
  }

  /**
   * @param {string} topic
   * @param {number} count
   * @param {{ firstId?: number, fillerBytes?: number }} [options] how they call themselves; what makes events larger
   */
  async open(topic, count, { firstId = 0, fillerBytes = 0 } = {}) {
    const filler = fillerBytes === 0 ? [] : ['x'.repeat(fillerBytes)];
    const sessions = await openMany(count, () => WampSession.open(this.#url, 'realm1', this.#violations));
    this.#senders = sessions.map((session, publisher) => {
      const { codec } = session;
      let number = 0;
      const next = () => {
        const text = stamp({
          publisher: firstId + publisher,
          number: number++,
          at: performance.timeOrigin + performance.now(),
        });
        return codec.encode([PUBLISH, number, {}, topic, [...filler, text]]);
      };
      return { client: webSocketOf(session), next };
    });
  }

  /**
   * @param {number} perSecond
   * @param {number} seconds
   */
  publish(perSecond, seconds) {
    return pace(this.#senders, perSecond, seconds);
  }

  violations() {
    return this.#violations;
  }
}
