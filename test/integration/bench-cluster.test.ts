/** `npm run bench:cluster -- --order` itself, for a short time: over three real nodes, every event comes once and in order. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { hasNats } from '../support/nats.js';
import { describeNeeds } from '../support/needs.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

async function run(...flags: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const args = ['bench/cluster.js', '--order', ...flags];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

describeNeeds('nats-server and Linux', hasNats && process.platform === 'linux')('npm run bench:cluster', () => {
  it('counts the events of four publishers at twenty subscribers, and none is lost, doubled or late', async () => {
    const { code, stdout } = await run('--events', '8000');
    expect(stdout).not.toContain('PROBLEM');
    expect(stdout).toContain('8,000 events of 4 publishers over 3 nodes, 160,000 of 160,000 deliveries');
    expect(stdout).toContain('violations: {"total":0,');
    expect(code).toBe(0);
  });

  it('refuses a wrong flag with the usage', async () => {
    const { code, stdout, stderr } = await run('--events', 'many');
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('cluster: --events is a whole number from 4, not "many"');
    expect(stderr).toContain('usage: npm run bench:cluster -- --order');
  });
});
