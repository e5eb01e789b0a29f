/** What of the bench needs NATS, for a short time: `npm run bench:cluster -- --order`, and browsers whose cookies are there. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { hasNats } from '../support/nats.js';
import { describeNeeds } from '../support/needs.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...flags: readonly string[]): Promise<Outcome> {
  return runBench('bench/cluster.js', '--order', ...flags);
}

async function runBench(...args: readonly string[]): Promise<Outcome> {
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

describeNeeds('nats-server and Linux', hasNats && process.platform === 'linux')('npm run bench', () => {
  it('knows browsers that come back when their cookies are in NATS', async () => {
    const flags = ['--quick', '--seconds', '0.2', '--warmup', '0.1', '--scenario', 'connect-nats-known'];
    const { code, stdout, stderr } = await runBench('bench/run.js', ...flags);
    expect(stdout + stderr).not.toContain('PROBLEM');
    expect(stdout).toContain('connect, known cookie, NATS');
    expect(code).toBe(0);
  }, 60_000);
});
