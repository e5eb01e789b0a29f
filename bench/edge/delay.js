/** How late timers come in the node at half of the rate that it sustains. */
import { bar, sustainableRate, withNode } from './bars.js';
import { Crew } from './crew.js';

const SUBSCRIBERS = 100;
const PUBLISHERS = 10;
const SHARE = 0.5;
const MAX_P99_MS = 20;

/** @typedef {import('./bars.js').Sizes} Sizes */

/**
 * @param {Sizes} sizes
 * @returns {Promise<import('./bars.js').Bar[]>}
 */
export async function delay(sizes) {
  const fanOut = await withNode({}, async (server) => {
    const flags = ['--kind', 'publish', '--subscribers', `${SUBSCRIBERS}`, '--window', '8'];
    const rate = (await sustainableRate(server, sizes, flags)) / SUBSCRIBERS;
    const crew = new Crew(server.url);
    const [audience, publishers] = [crew.start('Audience'), crew.start('Publishers')];
    await audience('open', 'bench.edge.delay', SUBSCRIBERS);
    await publishers('open', 'bench.edge.delay', PUBLISHERS);
    const title = `${Math.round(SHARE * rate)} publications/s to ${SUBSCRIBERS} subscribers`;
    return watched(server, crew, title, () => publishers('publish', SHARE * rate, sizes.seconds));
  });
  const calls = await withNode({}, async (server) => {
    const rate = await sustainableRate(server, sizes, ['--kind', 'rpc', '--window', '64']);
    const crew = new Crew(server.url);
    const callers = crew.start('Callers');
    await callers('open', PUBLISHERS);
    return watched(server, crew, `${Math.round(SHARE * rate)} calls/s`, () =>
      callers('call', SHARE * rate, sizes.seconds),
    );
  });
  return [...fanOut, ...calls];
}

/**
 * @param {import('../servers.js').Server} server
 * @param {Crew} crew
 * @param {string} title
 * @param {() => Promise<{ sent: number, heldBack: number, seconds: number }>} run
 */
async function watched({ probe }, crew, title, run) {
  if (probe === undefined) throw new Error('the node has no probe');
  try {
    await probe.loopDelay();
    const { sent, heldBack, seconds } = await run();
    const { p50, p99, max } = await probe.loopDelay({ stop: true });
    return [
      bar({
        bar: `half the rate, ${title}: event loop delay p99 below ${MAX_P99_MS} ms`,
        measured: `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, worst ${max.toFixed(1)} ms at ${Math.round(sent / seconds)}/s`,
        held: p99 < MAX_P99_MS && heldBack === 0,
        details: { p50, p99, max, sent, heldBack, seconds },
      }),
    ];
  } finally {
    crew.dismiss();
  }
}
