/** What the bar of the abuse tests is measured with. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';

const PROBE = pathToFileURL(path.resolve(import.meta.dirname, '../../bench/probe.js')).href;
const BUSY = 'const end = process.cpuUsage().user + 200_000; while (process.cpuUsage().user < end);';
const IDLE = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);';

/** The longest turn of a process that does something once. */
async function longestTurn(what: string): Promise<number> {
  // The probe does not keep a process alive.
  const script = `setInterval(() => {}, 1000); process.on('message', ({ go }) => { if (!go) return; ${what} setTimeout(() => process.send('done'), 50); });`;
  const child = spawn(process.execPath, ['--import', PROBE, '-e', script], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const answer = async (message: object): Promise<unknown> => {
    child.send(message);
    const [reply] = (await once(child, 'message')) as [unknown];
    return reply;
  };
  try {
    await answer({ probe: 1, ask: 'longest-turn' });
    await answer({ go: true });
    return ((await answer({ probe: 2, ask: 'longest-turn' })) as { answer: number }).answer;
  } finally {
    child.kill();
    await once(child, 'exit');
  }
}

it('sees a loop that is kept busy, and not one that only waits its turn for a processor', async () => {
  expect(await longestTurn(BUSY)).toBeGreaterThan(150);
  expect(await longestTurn(IDLE)).toBeLessThan(100);
});
