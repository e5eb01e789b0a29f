/** Subscribers that never read. */
import { Violations } from '../load/sequence.js';
import { WampSession, openMany, webSocketOf } from '../load/wamp-session.js';

export class Stuck {
  #url;
  #violations = new Violations();
  /** @type {WampSession[]} */
  #sessions = [];

  /** @param {URL} url */
  constructor(url) {
    this.#url = url;
  }

  /**
   * @param {string} topic
   * @param {number} count
   */
  async open(topic, count) {
    this.#sessions = await openMany(count, () => WampSession.open(this.#url, 'realm1', this.#violations));
    for (const session of this.#sessions) {
      await session.subscribe(topic);
      session.handlers.set(36, () => undefined);
      webSocketOf(session).pause();
    }
  }
}
