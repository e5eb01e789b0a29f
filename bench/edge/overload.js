/**
 * More than the node can do: twice the rate that it sustains, and one client that writes as fast as the system lets it.
 * The node slows publishers and callers down by reading less (TCP tells them), so nothing has to be thrown away as long as
 * subscribers read; pings and new sessions of others must not notice.
 */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { usage } from '../proc.js';
import { bar, inMs, sustainableRate, withNode } from './bars.js';
import { Crew } from './crew.js';

const SUBSCRIBERS = 100;
const PUBLISHERS = 10;
const CALLERS = 10;
const OVER = 2;
const MAX_ANSWER_MS = 250;
/** When it is over: little to do, and everything as quick as ever. */
const LIGHT_PER_SECOND = 50;
/** Nothing came for so long: nothing more will. */
const SILENCE_MS = 2000;
const POLL_MS = 50;

/**
 * @typedef {import('./bars.js').Bar} Bar
 * @typedef {import('./bars.js').Sizes} Sizes
 * @typedef {(method: string, ...args: unknown[]) => Promise<any>} Ask
 *
 * @typedef {object} Load what is too much, and how it is seen that all of it has arrived
 * @property {string} name
 * @property {() => Promise<{ sent: number, heldBack: number, seconds: number }>} run
 * @property {(sent: number) => number} arrivals how many there are in all for so many messages
 * @property {() => Promise<{ received: number, refused?: number, latency: { p50: number, p99: number, max: number } | undefined, violations: { total: number, examples: string[] } }>} account
 * @property {(perSecond: number, seconds: number) => Promise<unknown>} runLightly
 */

/**
 * @param {Sizes} sizes
 * @returns {Promise<Bar[]>}
 */
export async function overload(sizes) {
  return [
    ...(await dropping((server) => fanOut(server, sizes))),
    ...(await withNode({}, (server) => calls(server, sizes))),
    ...(await dropping((server) => flood(server, sizes))),
  ];
}

/**
 * With events of slow subscribers dropped, and counted: a generator that is not as fast as the node is one.
 *
 * @param {(server: import('../servers.js').Server) => Promise<{ bars: Bar[], missing: number }>} measure
 */
function dropping(measure) {
  let missing = 0;
  return withNode(
    { slow_consumer: 'drop_events' },
    async (server) => {
      const outcome = await measure(server);
      missing = outcome.missing;
      return outcome.bars;
    },
    (log) => {
      /** @type {Map<number | undefined, number>} */
      const bySession = new Map();
      for (const { sessionId, droppedInAll = 0 } of log) bySession.set(sessionId, droppedInAll);
      const dropped = [...bySession.values()].reduce((sum, count) => sum + count, 0);
      const measured = `${missing} did not arrive, the log says ${dropped}`;
      return [bar({ bar: 'every event that was dropped is counted', measured, held: missing === dropped })];
    },
  );
}

/**
 * @param {import('../servers.js').Server} server
 * @param {Sizes} sizes
 */
async function fanOut(server, sizes) {
  const events = await sustainableRate(server, sizes, [
    '--kind',
    'publish',
    '--subscribers',
    `${SUBSCRIBERS}`,
    '--window',
    '8',
  ]);
  const rate = events / SUBSCRIBERS;
  return withCrew(server, async (crew) => {
    const [audience, publishers, prober] = [crew.start('Audience'), crew.start('Publishers'), crew.start('Prober')];
    await audience('open', 'bench.edge.topic', SUBSCRIBERS);
    await publishers('open', 'bench.edge.topic', PUBLISHERS);
    const title = `${OVER} x ${Math.round(rate)} publications/s to ${SUBSCRIBERS} subscribers`;
    return push(server, sizes, prober, {
      name: title,
      run: () => publishers('publish', OVER * rate, sizes.seconds),
      runLightly: (perSecond, seconds) => publishers('publish', perSecond, seconds),
      arrivals: (sent) => sent * SUBSCRIBERS,
      account: () => audience('account'),
    });
  });
}

/**
 * @param {import('../servers.js').Server} server
 * @param {Sizes} sizes
 */
async function calls(server, sizes) {
  const rate = await sustainableRate(server, sizes, ['--kind', 'rpc', '--window', '64']);
  return withCrew(server, async (crew) => {
    const [callers, prober] = [crew.start('Callers'), crew.start('Prober')];
    await callers('open', CALLERS);
    const { bars, missing } = await push(server, sizes, prober, {
      name: `${OVER} x ${Math.round(rate)} calls/s`,
      run: () => callers('call', OVER * rate, sizes.seconds),
      runLightly: (perSecond, seconds) => callers('call', perSecond, seconds),
      arrivals: (sent) => sent,
      account: () => callers('account'),
    });
    const answered = bar({ bar: 'every call is answered', measured: `${missing} are not`, held: missing === 0 });
    return [...bars, answered];
  });
}

/**
 * @param {import('../servers.js').Server} server
 * @param {Sizes} sizes
 */
async function flood(server, sizes) {
  return withCrew(server, async (crew) => {
    const [audience, flooder] = [crew.start('Audience'), crew.start('Flooder')];
    const [publishers, prober] = [crew.start('Publishers'), crew.start('Prober')];
    await audience('open', 'bench.edge.flood', SUBSCRIBERS);
    // The flooder calls itself 0.
    await publishers('open', 'bench.edge.flood', 1, { firstId: 1 });
    return push(server, sizes, prober, {
      name: `one publisher that floods ${SUBSCRIBERS} subscribers`,
      run: () => flooder('flood', 'bench.edge.flood', sizes.seconds),
      runLightly: (perSecond, seconds) => publishers('publish', perSecond, seconds),
      arrivals: (sent) => sent * SUBSCRIBERS,
      account: () => audience('account'),
    });
  });
}

/**
 * @param {import('../servers.js').Server} server
 * @param {Sizes} sizes
 * @param {Ask} prober
 * @param {Load} load
 * @returns {Promise<{ bars: Bar[], missing: number }>}
 */
async function push(server, { quietSeconds }, prober, load) {
  await prober('start');
  const before = { ...usage([server.pid]), at: performance.now() };
  const { sent, heldBack, seconds } = await load.run();
  const after = { ...usage([server.pid]), at: performance.now() };
  const during = await prober('stop');

  const { account, drainSeconds } = await drained(load, sent);
  const missing = load.arrivals(sent) - account.received;
  await load.account();
  await prober('start');
  await load.runLightly(LIGHT_PER_SECOND, quietSeconds);
  const { latency } = await load.account();
  const afterwards = await prober('stop');

  const busy = (after.tickMicros - before.tickMicros) / 1000 / (after.at - before.at);
  const worst = (/** @type {any} */ of) => Math.max(of.pings?.max ?? Infinity, of.sessions?.max ?? Infinity);
  const isAnswered = (/** @type {any} */ of) => of.unanswered === 0 && worst(of) <= MAX_ANSWER_MS;
  const offered = Math.round((sent + heldBack) / seconds);
  const bars = [
    bar({
      bar: `${load.name}: pings and new sessions of others within ${MAX_ANSWER_MS} ms`,
      measured: `pings ${inMs(during.pings)}, sessions ${inMs(during.sessions)}${during.unanswered > 0 ? `, ${during.unanswered} unanswered` : ''}; node busy ${busy.toFixed(2)}, took ${Math.round(sent / seconds)} of ${offered}/s`,
      held: isAnswered(during),
      details: { during, sent, heldBack, busy, rssBytes: after.rssBytes },
    }),
    bar({
      bar: `${load.name}: what is sent arrives in order, and then all is as before`,
      measured: `${account.received} arrived${account.refused === undefined ? '' : ` (${account.refused} refusals)`}, ${missing} missing, ${account.violations.total} out of order, drained in ${drainSeconds.toFixed(1)} s; then messages ${inMs(latency)}, pings ${inMs(afterwards.pings)}`,
      held:
        account.violations.total === 0 &&
        isAnswered(afterwards) &&
        latency !== undefined &&
        latency.max <= MAX_ANSWER_MS,
      details: { account, missing, afterwards, latency, drainSeconds },
    }),
  ];
  return { bars, missing };
}

/**
 * Waits until all has arrived, or nothing comes any more.
 *
 * @param {Load} load
 * @param {number} sent
 */
async function drained({ account: ask, arrivals }, sent) {
  const startedAt = performance.now();
  let account = await ask();
  let lastAt = startedAt;
  while (account.received < arrivals(sent) && performance.now() - lastAt < SILENCE_MS) {
    await sleep(POLL_MS);
    const { received } = account;
    account = await ask();
    if (account.received > received) lastAt = performance.now();
  }
  return { account, drainSeconds: (lastAt - startedAt) / 1000 };
}

/**
 * @template T
 * @param {import('../servers.js').Server} server
 * @param {(crew: Crew) => Promise<T>} play
 * @returns {Promise<T>}
 */
async function withCrew(server, play) {
  const crew = new Crew(server.url);
  try {
    return await play(crew);
  } finally {
    crew.dismiss();
  }
}
