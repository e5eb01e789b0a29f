/**
 * `npm run bench:edge` itself: every part runs, its bars are in the table and in the report, and what does not depend on the
 * machine is held: order, and the account of what was dropped. Whether times and sizes are held, a quiet machine says.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface Bar {
  readonly bar: string;
  readonly held: boolean;
  readonly details?: {
    readonly account?: { readonly received: number; readonly violations: { readonly total: number } };
  };
}

async function edge(...flags: readonly string[]) {
  const child = spawn(process.execPath, ['bench/edge.js', ...flags], { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

describeNeeds('Linux', process.platform === 'linux')('npm run bench:edge', () => {
  it('plays every part, and says of every bar whether it is held', async () => {
    const json = path.join(temporaryDirectory(), 'edge.json');
    const { code, stdout, stderr } = await edge('--quick', '--seconds', '0.7', '--connections', '100', '--json', json);
    expect(stderr).toBe('');
    const { bars } = JSON.parse(readFileSync(json, 'utf8')) as { bars: readonly Bar[] };
    const rows = stdout.split('\n').filter((line) => /\| (held|NOT HELD) *\|$/.test(line));
    expect(rows).toHaveLength(bars.length);
    expect(code).toBe(bars.every(({ held }) => held) ? 0 : 1);

    const names = bars.map(({ bar }) => bar).join('\n');
    for (const part of [
      /publications\/s to 100 subscribers: pings and new sessions/,
      /calls\/s: pings and new sessions/,
      /one publisher that floods 100 subscribers: pings and new sessions/,
      /never read, "disconnect": at most 70 MiB/,
      /never read, "drop_events": 5 others get everything/,
      /100 idle sessions: at most 200 MiB/,
      /100 idle sessions, pinged every 30 s/,
      /half the rate, \d+ publications\/s/,
      /half the rate, \d+ calls\/s/,
    ]) {
      expect(names).toMatch(part);
    }
    const untimed = bars.filter(({ bar }) => /^every (event|call) /.test(bar));
    expect(untimed.map(({ held }) => held)).toEqual([true, true, true]);
    const accounts = bars.flatMap(({ details }) => details?.account ?? []);
    expect(accounts).toHaveLength(3);
    for (const { received, violations } of accounts) {
      expect(received).toBeGreaterThan(0);
      expect(violations).toMatchObject({ total: 0 });
    }
    expect(names).not.toContain('complain');
  }, 180_000);

  it.each([
    [['--only', 'nonsense'], 'there is no part "nonsense"'],
    [['--seconds', 'soon'], '--seconds is a number above 0, not "soon"'],
    [['--fast'], "Unknown option '--fast'"],
    [['--only', 'idle', '--connections', '100000000'], 'raise it (ulimit -n) or lower --connections'],
  ])('refuses %j', async (flags, message) => {
    const { code, stdout, stderr } = await edge(...flags);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});
