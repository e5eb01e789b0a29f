/**
 * `npm run bench:bridge`, `bench:proxy` and `bench:longpoll` themselves: every row is measured on a node that complains about nothing.
 * What the figures are, a quiet machine says.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { describeNeeds } from '../support/needs.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

async function run(
  name: string,
  ...flags: readonly string[]
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const args = [`bench/${name}.js`, ...flags];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

/** What stands in the first column of the table, below its head. */
function rowsIn(stdout: string): string[] {
  const lines = stdout.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(2).map((line) => line.split('|')[1]?.trim() ?? '');
}

const ROWS = {
  bridge: ['a page of a few bytes', 'a publication', 'a signed publication', 'a call'],
  proxy: [
    'a page of a few bytes, of the node itself',
    ...['a page of a few bytes, through the node', 'a page of a few bytes, through a bare proxy'],
    ...['64 KiB, through the node', '64 KiB, through a bare proxy'],
  ],
  longpoll: ['an event to', 'a call through'].flatMap((load) =>
    ['WebSocket', 'long-poll', 'long-poll with batches'].map((transport) => `${load} ${transport}`),
  ),
};

describeNeeds('Linux', process.platform === 'linux')('a bench of requests', () => {
  it.each(Object.entries(ROWS))(
    'npm run bench:%s measures all its rows',
    async (name, rows) => {
      const { code, stdout, stderr } = await run(name, '--requests', '40', '--runs', '1');

      expect(stdout + stderr).not.toContain('PROBLEM');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      // The rows of nginx are there where nginx is.
      expect(rowsIn(stdout).filter((title) => !title.endsWith('nginx'))).toEqual(rows);
    },
    120_000,
  );

  it.each(Object.keys(ROWS))('npm run bench:%s refuses what it cannot do with the usage', async (name) => {
    const { code, stdout, stderr } = await run(name, '--requests', '100000');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`${name}: --requests is a whole number from 1 to 80000, not "100000"`);
    expect(stderr).toContain(`usage: npm run bench:${name}`);
  });
});
