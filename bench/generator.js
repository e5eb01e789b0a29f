/** Runs the load generator (load.js) in a process of its own. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';

/**
 * @typedef {object} Load
 * @property {readonly string[]} flags of the scenario
 * @property {number} seconds
 * @property {number} warmup
 * @property {number} connections
 *
 * @typedef {object} Outcome
 * @property {import('./table.js').Result | undefined} result
 * @property {string | undefined} problem what went wrong; with a result, what the server did wrong
 *
 * @typedef {'warm' | 'measured' | 'pause'} Phase the measured stretch begins; it has ended; the generator waits, for the
 *   server to collect its garbage
 *
 * @callback OnPhase
 * @param {Phase} phase
 * @returns {Promise<unknown> | undefined} what a pause lasts for
 */

/**
 * @param {import('./servers.js').Server} server
 * @param {Load} load
 * @param {OnPhase} [onPhase]
 * @returns {Promise<Outcome>}
 */
export async function generate(server, { flags, seconds, warmup, connections }, onPhase) {
  const own = ['--url', server.url, '--pid', server.pid, '--seconds', seconds, '--warmup', warmup];
  if (server.cookieFile !== undefined) own.push('--cookie-file', server.cookieFile);
  const args = [
    path.join(import.meta.dirname, 'load.js'),
    '--connections',
    String(connections),
    ...flags,
    ...own.map(String),
  ];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  child.on('message', (message) => {
    const { phase } = /** @type {{ phase: Phase }} */ (message);
    const acted = Promise.resolve(onPhase?.(phase)).catch(() => undefined);
    if (phase === 'pause') void acted.then(() => child.connected && child.send('go on', () => undefined));
  });
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the load generator has no output');
  const [printed, complaint, [code]] = await Promise.all([text(stdout), text(stderr), once(child, 'close')]);
  if (code !== 0 && code !== 1) {
    return { result: undefined, problem: `the load generator failed: ${complaint.trim()}` };
  }
  const result = JSON.parse(printed);
  const { total, counts, examples } = result.violations;
  const problem = total > 0 ? `${total} violations ${JSON.stringify(counts)}, e.g. ${examples.join('; ')}` : undefined;
  return { result, problem };
}
