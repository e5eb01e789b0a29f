/** Subscribers that never read: each may cost its bound and no more, and nobody waits for them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { usage } from '../proc.js';
import { bar, inMs, withNode } from './bars.js';
import { Crew } from './crew.js';

const STUCK = 4;
const READERS = 5;
const PUBLISHERS = 2;
const FILLER_BYTES = 16_384;
/** Each stuck one is sent: more than its bound and what the system keeps for it. */
const SENT_BYTES = 50_331_648;
const MAX_UNSENT = 16_777_216;
const EVENT_SHARE = 4;
/** Beside what waits for the stuck ones: garbage. */
const SLACK = 1.1;
const MAX_P99_RATIO = 2;
/** Below that a ratio says nothing. */
const MIN_P99_MS = 10;
const MIB = 1_048_576;
const SETTLE_MS = 500;
const WATCH_EVERY_MS = 100;
const TOPIC = 'bench.edge.slow';

/**
 * @typedef {import('./bars.js').Bar} Bar
 * @typedef {import('./bars.js').Sizes} Sizes
 */

/**
 * @param {Sizes} sizes
 * @returns {Promise<Bar[]>}
 */
export async function slow(sizes) {
  const policies = /** @type {const} */ ([
    ['disconnect', MAX_UNSENT, 'slow consumer disconnected'],
    ['drop_events', MAX_UNSENT / EVENT_SHARE, 'slow consumer, events dropped'],
  ]);
  const bars = [];
  for (const [policy, bound, warning] of policies) {
    const options = { max_unsent_bytes: MAX_UNSENT, slow_consumer: policy };
    bars.push(...(await withNode(options, (server) => stuck(server, sizes, { policy, bound }), said(warning))));
  }
  return bars;
}

/**
 * @param {import('../servers.js').Server} server
 * @param {Sizes} sizes
 * @param {{ policy: string, bound: number }} policy
 * @returns {Promise<Bar[]>}
 */
async function stuck({ url, pid }, { seconds }, { policy, bound }) {
  const crew = new Crew(url);
  try {
    const [audience, publishers, neverReads] = [crew.start('Audience'), crew.start('Publishers'), crew.start('Stuck')];
    await audience('open', TOPIC, READERS);
    await publishers('open', TOPIC, PUBLISHERS, { fillerBytes: FILLER_BYTES });
    const load = async () => {
      const { sent } = await publishers('publish', SENT_BYTES / FILLER_BYTES / seconds, seconds);
      await sleep(SETTLE_MS);
      return { sent, ...(await audience('account')) };
    };
    const alone = await load();
    const before = usage([pid]).rssBytes;
    await neverReads('open', TOPIC, STUCK);
    let peak = before;
    const watch = setInterval(() => (peak = Math.max(peak, usage([pid]).rssBytes)), WATCH_EVERY_MS);
    const beside = await load();
    clearInterval(watch);

    const growth = peak - before;
    const allowed = bound * STUCK * SLACK;
    const missing = (alone.sent + beside.sent) * READERS - beside.received;
    const name = `${STUCK} subscribers that never read, "${policy}"`;
    return [
      bar({
        bar: `${name}: at most ${(allowed / MIB).toFixed(0)} MiB more`,
        measured: `${(growth / MIB).toFixed(1)} MiB at most`,
        held: growth <= allowed,
        details: { growth, allowed },
      }),
      bar({
        bar: `${name}: ${READERS} others get everything in order, p99 at most doubled`,
        measured: `${missing} missing, ${beside.violations.total} out of order; events ${inMs(beside.latency)}, before ${inMs(alone.latency)}`,
        held: missing === 0 && beside.violations.total === 0 && isAsQuick(alone.latency, beside.latency),
        details: { alone, beside },
      }),
    ];
  } finally {
    crew.dismiss();
  }
}

/**
 * @param {{ p99: number } | undefined} alone undefined where nothing arrived: then nobody can say
 * @param {{ p99: number } | undefined} beside
 */
function isAsQuick(alone, beside) {
  if (alone === undefined || beside === undefined) return false;
  return beside.p99 <= Math.max(MIN_P99_MS, MAX_P99_RATIO * alone.p99);
}

/** @param {string} warning */
function said(warning) {
  return (/** @type {readonly import('./bars.js').Line[]} */ log) => {
    const times = log.filter(({ msg }) => msg === warning).length;
    return [bar({ bar: `the log says "${warning}"`, measured: `${times} times`, held: times >= STUCK })];
  };
}
