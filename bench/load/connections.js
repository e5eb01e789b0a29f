/**
 * Connections: how dear it is to come in (TCP, upgrade, HELLO, WELCOME, then gone), and how much memory one that stays
 * takes. A baseline that answers the first text with a WELCOME is driven by the same code.
 */
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { usage } from '../proc.js';
import { percentiles } from './closed-loop.js';
import { measure } from './measure.js';
import { WampSession, openMany } from './wamp-session.js';

/** The part of the sessions that is there when memory is first read. */
const FIRST_SHARE = 0.2;
/** A server that refuses everything is not asked for ever. */
const MAX_FAILURES = 50;

/** @typedef {import('../load.js').LoadContext} LoadContext */

/** @param {LoadContext} context */
export async function connect(context) {
  const { options, violations, url } = context;
  const cookies = new CookieAccount(options.cookie, violations);
  const open = (/** @type {string | undefined} */ cookie) =>
    WampSession.open(url, options.realm, violations, { cookie });
  let latencies = /** @type {number[]} */ ([]);
  let opened = 0;
  let failures = 0;
  let running = true;
  const comeAndGo = async () => {
    const cookie = options.cookie === 'known' ? await firstVisit(open, cookies) : undefined;
    while (running && failures < MAX_FAILURES) {
      const startedAt = performance.now();
      try {
        const session = await open(cookie);
        latencies.push(performance.now() - startedAt);
        opened++;
        cookies.note(session.client.setCookies);
        session.client.drop();
      } catch (error) {
        failures++;
        violations.add('connection failed', error instanceof Error ? error.message : String(error));
      }
    }
  };
  const clients = Array.from({ length: options.concurrency }, comeAndGo);
  const stretch = await measure(
    context.stretch,
    () => opened,
    () => (latencies = []),
  );
  running = false;
  await Promise.all(clients);
  if (options['cookie-file'] !== undefined) cookies.checkFile(options['cookie-file']);
  return { unit: 'connection', ...stretch, latencyMs: percentiles(latencies) };
}

/**
 * A browser that comes back again and again.
 *
 * @param {(cookie: undefined) => Promise<WampSession>} open
 * @param {CookieAccount} cookies
 * @returns {Promise<string | undefined>} what it sends along from then on
 */
async function firstVisit(open, cookies) {
  const { client } = await open(undefined);
  client.drop();
  cookies.noteFirst(client.setCookies);
  return client.setCookies[0]?.split(';', 1)[0];
}

/**
 * A crowd comes and goes first, so that what a process makes once and then keeps is not counted. Then a fifth of the
 * sessions comes, and the rest; memory is read after each, when the garbage of the opening has gone.
 *
 * @param {LoadContext} context
 */
export async function idle(context) {
  const { options, violations, url, stretch } = context;
  const open = () => WampSession.open(url, options.realm, violations);
  const settle = () => sleep(stretch.warmupSeconds * 1000);
  const leave = (/** @type {WampSession[]} */ some) => some.forEach(({ client }) => client.drop());
  const first = Math.ceil(options.connections * FIRST_SHARE);
  leave(await openMany(first, open));
  await settle();
  const early = await openMany(first, open);
  await settle();
  await stretch.onPause?.();
  const before = usage(stretch.pids);
  const openedAt = performance.now();
  const sessions = await openMany(options.connections - first, open);
  const openingSeconds = (performance.now() - openedAt) / 1000;
  const measured = await measure(stretch, () => 0);
  await stretch.onPause?.();
  const { rssBytes } = usage(stretch.pids);
  leave([...early, ...sessions]);
  await settle();
  return {
    ...measured,
    unit: 'session',
    units: sessions.length,
    perSecond: sessions.length / openingSeconds,
    cpuMicrosPerUnit: undefined,
    tickMicrosPerUnit: undefined,
    rssBytes,
    kibPerSession: (rssBytes - before.rssBytes) / 1024 / sessions.length,
    rssBeforeBytes: before.rssBytes,
    rssAfterBytes: usage(stretch.pids).rssBytes,
  };
}

/** Which cookies were handed out: one to every connection, each one new; one to every browser; or none at all. */
class CookieAccount {
  #expected;
  #violations;
  /** @type {Set<string>} */
  #ids = new Set();

  /**
   * @param {'none' | 'new' | 'known' | 'any'} expected `any` for a server that is not ours
   * @param {Violations} violations
   * @typedef {import('./sequence.js').Violations} Violations
   */
  constructor(expected, violations) {
    this.#expected = expected;
    this.#violations = violations;
  }

  /** @param {readonly string[]} setCookies of one connection */
  note(setCookies) {
    if (this.#expected !== 'any') this.#take(setCookies, this.#expected === 'new' ? 1 : 0);
  }

  /** @param {readonly string[]} setCookies of the first connection of a browser that will come back */
  noteFirst(setCookies) {
    this.#take(setCookies, 1);
  }

  /**
   * @param {readonly string[]} setCookies
   * @param {number} wanted how many there must be
   */
  #take(setCookies, wanted) {
    if (setCookies.length !== wanted) {
      this.#violations.add('cookie', `${setCookies.length} cookies were set where ${wanted} should be`);
    }
    for (const text of setCookies) {
      const id = text.slice(text.indexOf('=') + 1).split(';', 1)[0] ?? '';
      if (this.#ids.has(id)) this.#violations.add('cookie', 'one cookie was given to two connections');
      this.#ids.add(id);
    }
  }

  /**
   * Every cookie that a client got must be in the store, exactly once.
   *
   * @param {string} file JSON lines
   */
  checkFile(file) {
    const created = new Map();
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      if (line === '') continue;
      const { cbtid, status, returned } = JSON.parse(line);
      // Another line says that a browser came back for the first time.
      if (status === 'created' && returned === false) created.set(cbtid, (created.get(cbtid) ?? 0) + 1);
    }
    for (const id of this.#ids) {
      const times = created.get(id) ?? 0;
      if (times !== 1) this.#violations.add('cookie', `a cookie that a client got is in the file ${times} times`);
    }
  }
}
