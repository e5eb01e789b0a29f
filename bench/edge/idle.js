/** What sessions that say nothing cost: memory, and the pings that keep them. */
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { usage } from '../proc.js';
import { bar, withNode } from './bars.js';
import { Crew } from './crew.js';

const MAX_RSS_MIB = 200;
const MAX_CPU_SHARE = 0.01;
const MAX_P99_MS = 20;
/** So that what is made once, and the garbage of the start, is not counted. */
const EARLY_SESSIONS = 50;
const MIB = 1_048_576;

/**
 * @param {import('./bars.js').Sizes} sizes
 * @returns {Promise<import('./bars.js').Bar[]>}
 */
export function idle({ connections, idleSeconds, quietSeconds }) {
  return withNode({}, async ({ pid, url, probe }) => {
    if (probe === undefined) throw new Error('the node has no probe');
    const crew = new Crew(url);
    try {
      const clients = crew.start('IdleClients');
      await clients('open', EARLY_SESSIONS);
      await sleep(quietSeconds * 1000);
      const rssBefore = usage([pid]).rssBytes;
      await clients('open', connections - EARLY_SESSIONS);
      await sleep(quietSeconds * 1000);

      // First, because the node still tidies up: V8 collects the garbage of the opening when it has been quiet for a while.
      await probe.loopDelay({ resolution: 1 });
      await sleep(idleSeconds * 1000);
      const delay = await probe.loopDelay({ resolution: 1, stop: true });
      // Not watched meanwhile: that costs something, too.
      const before = { ...usage([pid]), at: performance.now() };
      await sleep(idleSeconds * 1000);
      const after = { ...usage([pid]), at: performance.now() };
      const { total, examples } = await clients('violations');

      const micros = (after.schedMicros ?? after.tickMicros) - (before.schedMicros ?? before.tickMicros);
      const share = micros / 1000 / (after.at - before.at);
      const kibEach = (after.rssBytes - rssBefore) / 1024 / (connections - EARLY_SESSIONS);
      const name = `${connections} idle sessions`;
      return [
        bar({
          bar: `${name}: at most ${MAX_RSS_MIB} MiB`,
          measured: `${(after.rssBytes / MIB).toFixed(1)} MiB, ${(rssBefore / MIB).toFixed(1)} without them, ${kibEach.toFixed(1)} KiB each`,
          held: after.rssBytes <= MAX_RSS_MIB * MIB,
          details: { rssBefore, rssAfter: after.rssBytes, kibEach },
        }),
        bar({
          bar: `${name}, pinged every 30 s: below ${MAX_CPU_SHARE * 100} % of a core, event loop delay p99 below ${MAX_P99_MS} ms`,
          measured: `${(share * 100).toFixed(2)} % over ${idleSeconds} s; delay p99 ${delay.p99.toFixed(1)}, worst ${delay.max.toFixed(1)} ms; ${total} lost${total > 0 ? ` (${examples[0]})` : ''}`,
          held: share < MAX_CPU_SHARE && delay.p99 < MAX_P99_MS && total === 0,
          details: { share, delay },
        }),
      ];
    } finally {
      crew.dismiss();
    }
  });
}
