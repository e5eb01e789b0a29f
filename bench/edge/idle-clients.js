/** Many sessions that say nothing, but answer pings. */
import { Violations } from '../load/sequence.js';
import { WampSession, openMany } from '../load/wamp-session.js';

export class IdleClients {
  #url;
  #violations = new Violations();
  /** @type {WampSession[]} */
  #sessions = [];

  /** @param {URL} url */
  constructor(url) {
    this.#url = url;
  }

  /** @param {number} count @returns {Promise<number>} how many are open in all */
  async open(count) {
    this.#sessions.push(...(await openMany(count, () => WampSession.open(this.#url, 'realm1', this.#violations))));
    return this.#sessions.length;
  }

  leave() {
    for (const { client } of this.#sessions.splice(0)) client.drop();
  }

  violations() {
    return this.#violations;
  }
}
