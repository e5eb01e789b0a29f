/**
 * How long the server leaves others waiting while it is busy: pings on a connection that does nothing else, and new
 * sessions (TCP, upgrade, HELLO, WELCOME). Both are due at fixed times, whether the ones before were answered or not, and
 * count from then: a server that stands still for a second is not asked only once.
 */
import { performance } from 'node:perf_hooks';
import { percentiles } from '../load/closed-loop.js';
import { Violations } from '../load/sequence.js';
import { WampSession, webSocketOf } from '../load/wamp-session.js';

const PING_EVERY_MS = 10;
const SESSION_EVERY_MS = 50;
/** For what is still under way when the account is asked for. */
const LAST_ANSWERS_MS = 5000;

export class Prober {
  #url;
  #violations = new Violations();
  /** @type {WampSession | undefined} */
  #idle;
  /** @type {{ pings: number[], sessions: number[] }} */
  #took = { pings: [], sessions: [] };
  #underWay = 0;
  /** @type {NodeJS.Timeout[]} */
  #timers = [];

  /** @param {URL} url */
  constructor(url) {
    this.#url = url;
  }

  async start() {
    this.#idle ??= await WampSession.open(this.#url, 'realm1', this.#violations);
    const idle = webSocketOf(this.#idle);
    idle.onPong = (sentAt) => this.#answered('pings', Number(sentAt));
    this.#took = { pings: [], sessions: [] };
    this.#timers = [
      everyMs(PING_EVERY_MS, (dueAt) => {
        this.#underWay += 1;
        idle.ping(String(dueAt));
      }),
      everyMs(SESSION_EVERY_MS, (dueAt) => void this.#openSession(dueAt)),
    ];
  }

  /** @returns {Promise<{ pings: object | undefined, sessions: object | undefined, unanswered: number, violations: object }>} ms, since the start */
  async stop() {
    this.#timers.forEach(clearInterval);
    const deadline = performance.now() + LAST_ANSWERS_MS;
    while (this.#underWay > 0 && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
    const { pings, sessions } = this.#took;
    const unanswered = this.#underWay;
    this.#underWay = 0;
    return { pings: percentiles(pings), sessions: percentiles(sessions), unanswered, violations: this.#violations };
  }

  /** @param {number} dueAt */
  async #openSession(dueAt) {
    this.#underWay += 1;
    try {
      const session = await WampSession.open(this.#url, 'realm1', this.#violations);
      this.#answered('sessions', dueAt);
      session.client.drop();
    } catch (error) {
      this.#underWay -= 1;
      this.#violations.add('no session', error instanceof Error ? error.message : String(error));
    }
  }

  /**
   * @param {'pings' | 'sessions'} kind
   * @param {number} dueAt
   */
  #answered(kind, dueAt) {
    this.#underWay -= 1;
    this.#took[kind].push(performance.now() - dueAt);
  }
}

/**
 * @param {number} ms
 * @param {(dueAt: number) => void} act called late rather than not at all
 */
function everyMs(ms, act) {
  let dueAt = performance.now();
  return setInterval(() => {
    for (const now = performance.now(); dueAt <= now; dueAt += ms) act(dueAt);
  }, ms);
}
