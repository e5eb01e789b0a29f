/**
 * Subscribers that read all they get: each event once and in order of its publisher. Numbers may be missing, as some
 * events may have been dropped; how many is in the account.
 */
import { performance } from 'node:perf_hooks';
import { percentiles } from '../load/closed-loop.js';
import { Violations } from '../load/sequence.js';
import { WampSession, openMany } from '../load/wamp-session.js';
import { readStamp, stampedAt } from './stamp.js';

/** `36`, behind the bracket. */
const EVENT_CODE = [0x33, 0x36];
const MAX_LATENCIES = 500_000;

export class Audience {
  #url;
  #violations = new Violations();
  #received = 0;
  /** @type {number[]} */
  #latencies = [];
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
    for (const [index, session] of this.#sessions.entries()) {
      await session.subscribe(topic);
      session.intercept = this.#listener(`subscriber ${index}`, index === 0);
    }
  }

  /** @returns how many events came in all, how long they took since the last question (one subscriber is asked), in ms */
  account() {
    const account = {
      received: this.#received,
      latency: percentiles(this.#latencies),
      violations: this.#violations,
    };
    this.#latencies = [];
    return account;
  }

  /** Leaves, so that the next topic has listeners of its own. */
  leave() {
    for (const { client } of this.#sessions) client.drop();
  }

  /**
   * @param {string} name
   * @param {boolean} isTimed
   * @returns {(bytes: Buffer, start: number, end: number) => boolean}
   */
  #listener(name, isTimed) {
    /** @type {number[]} the next number of each publisher, at least */
    const next = [];
    return (bytes, start, end) => {
      if (bytes[start + 1] !== EVENT_CODE[0] || bytes[start + 2] !== EVENT_CODE[1]) return false;
      const { publisher, number } = readStamp(bytes, end);
      if (!(number >= (next[publisher] ?? 0))) {
        this.#violations.add('order', `${name} got ${number} of publisher ${publisher} after ${next[publisher]}`);
        return true;
      }
      next[publisher] = number + 1;
      this.#received += 1;
      if (isTimed && this.#latencies.length < MAX_LATENCIES)
        this.#latencies.push(performance.timeOrigin + performance.now() - stampedAt(bytes, end));
      return true;
    };
  }
}
