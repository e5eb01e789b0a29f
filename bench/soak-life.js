/**
 * The life of one client in the soak: it comes, with or without a cookie, does a few things that clients do, in any order,
 * and goes, politely or not. Whatever the router answers must be one of the answers that fit.
 */
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ERROR, EVENT, INTERRUPT, INVOCATION, RequestError, WampSession, YIELD } from './load/wamp-session.js';
import { WebSocketClient } from './load/websocket.js';

const REALM = 'realm1';
export const TOPICS = 50;
/** Few, so that most calls find somebody. */
const PROCEDURES = 4;
const MOST_ACTIONS = 12;
/** A life that takes longer hangs. */
const LIFE_SECONDS = 20;
const CALL_TIMEOUT_MS = 50;
const MOST_REST_MS = 100;
const CANCELED = 'wamp.error.canceled';

const ROLES = {
  caller: { features: { progressive_call_results: true, call_canceling: true, call_timeout: true } },
  callee: {
    features: { progressive_call_results: true, call_canceling: true, shared_registration: true, call_timeout: true },
  },
  publisher: { features: { publisher_exclusion: true, subscriber_blackwhite_listing: true } },
  subscriber: { features: { pattern_based_subscription: true } },
};

/** ERRORs that somebody else's doings can lead to. */
const FITTING_ERRORS = [
  CANCELED,
  'wamp.error.timeout',
  'wamp.error.no_such_procedure',
  'wamp.error.procedure_already_exists',
  'wamp.error.procedure_exists_with_different_invocation_policy',
  'wamp.error.procedure_exists_invocation_policy_conflict',
  'bench.error.refused',
];

/**
 * @typedef {object} Place where lives take place
 * @property {URL} url
 * @property {import('./load/sequence.js').Violations} violations
 * @property {Map<string, number>} counts how often what was done
 */

/** A browser: it keeps its cookie from life to life. */
export class Guest {
  #place;
  /** @type {string | undefined} */
  #cookie;

  /** @param {Place} place */
  constructor(place) {
    this.#place = place;
  }

  /** Never rejects: what goes wrong is a violation. */
  async live() {
    try {
      const chance = Math.random();
      if (chance < 0.03) await knock(this.#place);
      else if (chance < 0.06) await this.#openAndLeave();
      else await this.#visit();
    } catch (error) {
      this.#place.violations.add('life', error instanceof Error ? error.message : String(error));
    }
  }

  /** A handshake, and gone before the HELLO. */
  async #openAndLeave() {
    count(this.#place, 'handshakes only');
    (await WebSocketClient.open(this.#place.url, 'wamp.2.json')).drop();
  }

  async #visit() {
    const { url, violations } = this.#place;
    if (Math.random() < 0.2) this.#cookie = undefined;
    const serializer = oneOf(/** @type {const} */ (['json', 'msgpack', 'cbor']));
    const session = await WampSession.open(url, REALM, violations, { serializer, cookie: this.#cookie, roles: ROLES });
    this.#cookie = session.client.setCookies[0]?.split(';', 1)[0] ?? this.#cookie;
    count(this.#place, 'sessions');
    const stay = new Stay(session, this.#place);
    const late = new AbortController();
    const patience = sleep(LIFE_SECONDS * 1000, 'late', { signal: late.signal }).catch(() => 'on time');
    const end = await Promise.race([stay.spend(), stay.gone, patience]);
    late.abort();
    if (end === 'late') violations.add('life', `nothing came back for ${LIFE_SECONDS} s after ${stay.last}`);
    session.client.drop();
  }
}

/** A connection without a word. @param {Place} place */
function knock(place) {
  count(place, 'connections without a word');
  return new Promise((resolve, reject) => {
    const socket = net.connect({ host: place.url.hostname, port: Number(place.url.port) });
    socket.once('error', reject).once('connect', () => resolve(void socket.destroy()));
  });
}

/** What a session does between WELCOME and its end. */
class Stay {
  /** Resolves when it has left in the middle of something. */
  gone;
  /** What it did last. */
  last = '';
  #session;
  #place;
  #leave = /** @type {() => void} */ (() => undefined);
  #subscriptions = /** @type {unknown[]} */ ([]);
  #registrations = /** @type {unknown[]} */ ([]);
  /** Invocations that will get no answer, unless they are interrupted. */
  #ignored = new Set();

  /** @type {Record<string, () => Promise<unknown>>} */
  #actions = {
    'exact subscriptions': () => this.#subscribe(topic(), 'exact'),
    'prefix subscriptions': () => this.#subscribe(`bench.soak.${oneOf(['topic', 'topic.1', 'nobody'])}`, 'prefix'),
    'wildcard subscriptions': () => this.#subscribe(`bench...${number(TOPICS)}`, 'wildcard'),
    'subscriptions with retained events': () => this.#subscribe(topic(), 'exact', { get_retained: true }),
    'subscriptions to meta events': () => this.#subscribe('wamp.session.on_join', 'exact'),
    unsubscriptions: () => this.#takeBack(this.#subscriptions, (id) => this.#session.unsubscribe(id)),
    registrations: () => this.#register(procedure('single')),
    'shared registrations': () => this.#register(procedure('shared'), { invoke: oneOf(['roundrobin', 'random']) }),
    'pattern registrations': () => this.#register(procedure('pattern'), { match: 'prefix' }),
    unregistrations: () => this.#takeBack(this.#registrations, (id) => this.#session.unregister(id)),
    publications: () => this.#session.publish(topic(), { exclude_me: Math.random() < 0.5 }, [filler()]),
    'publications for some': () =>
      this.#session.publish(topic(), { eligible_authrole: ['anonymous', 'x'] }, [filler()]),
    'retained publications': () => this.#session.publish(topic(), { retain: true }, [filler()]),
    calls: () => this.#call({}),
    'calls with progressive results': () => this.#call({ receive_progress: true }),
    'canceled calls': () => this.#callAndCancel(),
    rests: () => sleep(number(MOST_REST_MS)),
    testaments: () => this.#session.call('wamp.session.add_testament', [topic(), [filler()], {}]),
  };

  /**
   * @param {WampSession} session
   * @param {Place} place
   */
  constructor(session, place) {
    this.#session = session;
    this.#place = place;
    this.gone = new Promise((resolve) => (this.#leave = () => resolve(undefined)));
    session.handlers.set(EVENT, () => count(place, 'events'));
    session.handlers.set(INVOCATION, ([, id, , details]) => this.#onInvocation(id, details));
    session.handlers.set(INTERRUPT, ([, id]) => this.#onInterrupt(id));
  }

  async spend() {
    const names = Object.keys(this.#actions);
    for (let left = 1 + number(MOST_ACTIONS); left > 0; left--) {
      this.last = oneOf(names);
      count(this.#place, this.last);
      await this.#allowed(this.#actions[this.last]?.());
    }
    await this.#end();
  }

  async #end() {
    const { client } = this.#session;
    const chance = Math.random();
    this.last = 'leaving';
    if (chance < 0.4) {
      count(this.#place, 'polite ends');
      // Nothing may be sent after a GOODBYE, also not the answer to what was under way.
      for (const type of [INVOCATION, INTERRUPT]) this.#session.handlers.set(type, () => undefined);
      return this.#session.leave();
    }
    count(this.#place, 'brutal ends');
    // A call is under way: nobody will be there for its answer.
    if (chance < 0.7) void this.#call({}).catch(() => undefined);
    if (chance < 0.85) client.reset();
    else client.drop();
  }

  /** @param {Promise<unknown> | undefined} action */
  async #allowed(action) {
    try {
      await action;
    } catch (error) {
      if (!(error instanceof RequestError && FITTING_ERRORS.includes(String(error.uri)))) throw error;
      count(this.#place, `errors ${String(error.uri)}`);
    }
  }

  /**
   * @param {string} uri
   * @param {'exact' | 'prefix' | 'wildcard'} match
   * @param {object} [options]
   */
  async #subscribe(uri, match, options = {}) {
    this.#subscriptions.push(await this.#session.subscribe(uri, { match, ...options }));
  }

  /**
   * @param {string} uri
   * @param {object} [options]
   */
  async #register(uri, options) {
    this.#registrations.push(await this.#session.register(uri, options));
  }

  /**
   * @param {unknown[]} ids
   * @param {(id: unknown) => Promise<void>} takeBack
   */
  async #takeBack(ids, takeBack) {
    const id = ids.pop();
    // One that was subscribed to twice has one id, and goes with the first.
    if (id !== undefined && !ids.includes(id)) await takeBack(id);
  }

  /** @param {object} options */
  #call(options) {
    const uri = oneOf([procedure('single'), procedure('shared'), `${procedure('pattern')}.below`]);
    return this.#session.call(uri, [filler()], { timeout: CALL_TIMEOUT_MS, ...options });
  }

  async #callAndCancel() {
    const answer = this.#call({});
    this.#session.cancel(oneOf(/** @type {const} */ (['skip', 'kill', 'killnowait'])));
    await answer;
  }

  /**
   * @param {unknown} id
   * @param {unknown} details
   */
  #onInvocation(id, details) {
    const session = this.#session;
    const chance = Math.random();
    if (chance < 0.05) {
      count(this.#place, 'callees that died');
      session.client.reset();
      this.#leave();
    } else if (chance < 0.15) {
      count(this.#place, 'calls that are not answered');
      this.#ignored.add(id);
    } else if (chance < 0.25) {
      session.send([ERROR, INVOCATION, id, {}, 'bench.error.refused']);
    } else {
      const { receive_progress: progressive } = /** @type {{ receive_progress?: boolean }} */ (details);
      if (progressive === true) session.send([YIELD, id, { progress: true }, [filler()]]);
      session.send([YIELD, id, {}, [filler()]]);
    }
  }

  /** @param {unknown} id */
  #onInterrupt(id) {
    count(this.#place, 'interrupts');
    if (this.#ignored.delete(id)) this.#session.send([ERROR, INVOCATION, id, {}, CANCELED]);
  }
}

/** @param {number} [n] which of them; else any */
export function topic(n = number(TOPICS)) {
  return `bench.soak.topic.${n}`;
}

/** @param {string} kind */
function procedure(kind) {
  return `bench.soak.${kind}.${number(PROCEDURES)}`;
}

function filler() {
  return 'x'.repeat(20 + number(200));
}

/** @param {number} end */
function number(end) {
  return Math.floor(Math.random() * end);
}

/**
 * @template T
 * @param {readonly T[]} choices
 * @returns {T}
 */
function oneOf(choices) {
  return /** @type {T} */ (choices[number(choices.length)]);
}

/**
 * @param {Place} place
 * @param {string} what
 */
function count({ counts }, what) {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}
