/**
 * Callers in an open loop, and one callee that hands the arguments back. Each call gets one answer: its result, in order
 * with the others of the same caller, or the error by which a router refuses calls while too many wait.
 */
import { performance } from 'node:perf_hooks';
import { percentiles } from '../load/closed-loop.js';
import { Violations } from '../load/sequence.js';
import { CALL, ERROR, INVOCATION, RESULT, WampSession, YIELD, openMany, webSocketOf } from '../load/wamp-session.js';
import { pace } from './pace.js';

const PROCEDURE = 'bench.edge.echo';
/** What a router may refuse a call with that is too much: ours, and what Crossbar.io calls it. */
const TOO_MANY = 'crossbar.error.max_concurrency_reached';
const MAX_LATENCIES = 500_000;

export class Callers {
  #url;
  #violations = new Violations();
  #received = 0;
  #refused = 0;
  /** @type {number[]} */
  #latencies = [];
  /** @type {import('./pace.js').Sender[]} */
  #senders = [];

  /** @param {URL} url */
  constructor(url) {
    this.#url = url;
  }

  /** @param {number} count */
  async open(count) {
    const open = () => WampSession.open(this.#url, 'realm1', this.#violations);
    const callee = await open();
    await callee.register(PROCEDURE);
    callee.handlers.set(INVOCATION, ([, requestId, , , args]) => callee.send([YIELD, requestId, {}, args ?? []]));
    this.#senders = (await openMany(count, open)).map((session) => this.#caller(session));
  }

  /**
   * @param {number} perSecond
   * @param {number} seconds
   */
  call(perSecond, seconds) {
    return pace(this.#senders, perSecond, seconds);
  }

  /** @returns how many answers came in all, and how long results took since the last question, in ms */
  account() {
    const account = {
      received: this.#received + this.#refused,
      refused: this.#refused,
      latency: percentiles(this.#latencies),
      violations: this.#violations,
    };
    this.#latencies = [];
    return account;
  }

  /** @param {WampSession} session */
  #caller(session) {
    let last = 0;
    session.handlers.set(ERROR, ([, , requestId, , uri]) => {
      if (uri === TOO_MANY) this.#refused += 1;
      else this.#violations.add('error', `call ${String(requestId)} failed with ${String(uri)}`);
    });
    session.handlers.set(RESULT, ([, requestId, , args]) => {
      if (!(Number(requestId) > last))
        this.#violations.add('order', `the result of ${String(requestId)} came after ${last}`);
      last = Number(requestId);
      this.#received += 1;
      const [sentAt] = /** @type {number[]} */ (args);
      if (this.#latencies.length < MAX_LATENCIES) this.#latencies.push(performance.now() - Number(sentAt));
    });
    const next = () => session.codec.encode([CALL, session.nextRequestId(), {}, PROCEDURE, [performance.now()]]);
    return { client: webSocketOf(session), next };
  }
}
