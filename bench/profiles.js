/**
 * `--profile DIR`: a CPU profile of our node for each scenario, from a run that is not part of the table, and the functions
 * that cost most. A profile opens in the developer tools of a browser.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate } from './generator.js';
import { startNode } from './servers.js';
import { markdownTable } from './table.js';

const ROOT = path.dirname(import.meta.dirname);
const SHOWN = 12;
/** What the profiler calls time in which nothing runs. */
const IDLE = '(idle)';

/**
 * @param {import('./options.js').Options} options
 * @param {string} directory
 * @returns {Promise<string[]>} what went wrong
 */
export async function takeProfiles({ scenarios, seconds, warmup, connections }, directory) {
  mkdirSync(directory, { recursive: true });
  const problems = /** @type {string[]} */ ([]);
  for (const { name, load: flags, node } of scenarios) {
    process.stderr.write(`${name}, profile\n`);
    const file = path.resolve(directory, `${name}.cpuprofile`);
    const server = await startNode(node);
    const { probe } = server;
    const asked = /** @type {Promise<void>[]} */ ([]);
    const { problem } = await generate(server, { flags, seconds, warmup, connections }, (phase) => {
      if (phase === 'pause') return probe?.memory();
      const question = phase === 'warm' ? probe?.startProfile() : probe?.stopProfile(file);
      if (question !== undefined) asked.push(question);
      return undefined;
    });
    const failures = (await Promise.allSettled(asked)).flatMap((one) =>
      one.status === 'rejected' ? [one.reason] : [],
    );
    const found = [problem ?? [], failures.map(String), (await server.stop()) ?? []].flat();
    problems.push(...found.map((text) => `${name}, profile: ${text}`));
    if (failures.length === 0 && asked.length === 2) process.stdout.write(`\n${name}: ${file}\n${hottest(file)}`);
  }
  return problems;
}

/**
 * @typedef {{ id: number, callFrame: { functionName: string, url: string, lineNumber: number } }} ProfileNode
 *
 * @param {string} file
 * @returns {string} a table
 */
function hottest(file) {
  /** @type {{ nodes: ProfileNode[], samples: number[], timeDeltas: number[] }} */
  const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, 'utf8'));
  const names = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const micros = /** @type {Map<string, { frame: ProfileNode['callFrame'], micros: number }>} */ (new Map());
  let total = 0;
  for (const [index, id] of samples.entries()) {
    const frame = names.get(id);
    const spent = timeDeltas[index] ?? 0;
    if (frame === undefined || frame.functionName === IDLE) continue;
    const key = `${frame.functionName} ${frame.url} ${frame.lineNumber}`;
    const entry = micros.get(key) ?? { frame, micros: 0 };
    entry.micros += spent;
    total += spent;
    micros.set(key, entry);
  }
  const rows = [...micros.values()]
    .sort((a, b) => b.micros - a.micros)
    .slice(0, SHOWN)
    .map(({ frame, micros: own }) => [
      frame.functionName || '(anonymous)',
      placeOf(frame),
      ((own / total) * 100).toFixed(1),
    ]);
  return markdownTable(['function', 'file', '% self'], rows);
}

/** @param {ProfileNode['callFrame']} frame */
function placeOf({ url, lineNumber }) {
  if (url === '') return '';
  const file = url.startsWith('file:') ? path.relative(ROOT, fileURLToPath(url)) : url;
  return `${file}:${lineNumber + 1}`;
}
