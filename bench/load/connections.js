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

/** Sessions opened before memory is first read, so that what is made once is not counted per session. */
const EARLY_SESSIONS = 20;
/** A server that refuses everything is not asked for ever. */
const MAX_FAILURES = 50;

/** @typedef {import('../load.js').LoadContext} LoadContext */

/** @param {LoadContext} context */
export async function connect(context) {
  const { options, violations, url } = context;
  const cookies = new CookieAccount(options.cookie, violations);
  let latencies = /** @type {number[]} */ ([]);
  let opened = 0;
  let failures = 0;
  let running = true;
  const comeAndGo = async () => {
    while (running && failures < MAX_FAILURES) {
      const startedAt = performance.now();
      try {
        const session = await WampSession.open(url, options.realm, violations);
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

/** @param {LoadContext} context */
export async function idle(context) {
  const { options, violations, url, stretch } = context;
  const open = () => WampSession.open(url, options.realm, violations);
  const settle = () => sleep(stretch.warmupSeconds * 1000);
  const early = await openMany(EARLY_SESSIONS, open);
  await settle();
  const before = usage(stretch.pids);
  const openedAt = performance.now();
  const sessions = await openMany(options.connections, open);
  const openingSeconds = (performance.now() - openedAt) / 1000;
  const measured = await measure(stretch, () => 0);
  for (const session of [...early, ...sessions]) session.client.drop();
  await settle();
  return {
    ...measured,
    unit: 'session',
    units: sessions.length,
    perSecond: sessions.length / openingSeconds,
    cpuMicrosPerUnit: undefined,
    tickMicrosPerUnit: undefined,
    kibPerSession: (measured.rssBytes - before.rssBytes) / 1024 / sessions.length,
    rssEmptyBytes: before.rssBytes,
    rssAfterBytes: usage(stretch.pids).rssBytes,
  };
}

/** Which cookies were handed out: one to every connection, each one new, or none at all. */
class CookieAccount {
  #expected;
  #violations;
  /** @type {Set<string>} */
  #ids = new Set();

  /**
   * @param {'none' | 'new' | 'any'} expected `any` for a server that is not ours
   * @param {Violations} violations
   * @typedef {import('./sequence.js').Violations} Violations
   */
  constructor(expected, violations) {
    this.#expected = expected;
    this.#violations = violations;
  }

  /** @param {readonly string[]} setCookies of one connection */
  note(setCookies) {
    if (this.#expected === 'any') return;
    const wanted = this.#expected === 'new' ? 1 : 0;
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
      const { cbtid, status } = JSON.parse(line);
      if (status === 'created') created.set(cbtid, (created.get(cbtid) ?? 0) + 1);
    }
    for (const id of this.#ids) {
      const times = created.get(id) ?? 0;
      if (times !== 1) this.#violations.add('cookie', `a cookie that a client got is in the file ${times} times`);
    }
  }
}
