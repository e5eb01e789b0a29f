/**
 * `npm run bench:strangers` in short: one stranger after the other does what is known to have hurt a node once, for a second each, on
 * one node with a heap of 256 MiB and 1024 files. It lives, no honest client is refused or cut, and memory has a bound. How long
 * pings take meanwhile is for a quiet machine to say.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, expect, it } from 'vitest';
import { temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
/** The heap, and as much again for what is outside of it. */
const MAX_RSS_BYTES = 2 * 256 * 1_048_576;

const ATTACKS = [
  ...['upgrades', 'pipelines', 'unread', 'together', 'hello', 'authid', 'wildcards', 'history', 'calls', 'authorizer'],
  ...[
    'behind',
    'components',
    'meta',
    'testaments',
    'endless',
    'guesses',
    'vanished',
    'log',
    'waiting',
    'cookies',
    'readers',
  ],
  ...['translation', 'retained'],
];

interface Outcome {
  readonly attack: string;
  readonly rounds: number;
  readonly honest: { readonly calls: number; readonly connected: number; readonly refused: readonly string[] };
  readonly peakRssBytes: number;
  readonly alive: boolean;
}

async function strangers(...flags: readonly string[]) {
  const child = spawn(process.execPath, ['bench/strangers.js', ...flags], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

describeNeeds('Linux', process.platform === 'linux')('npm run bench:strangers', () => {
  let outcomes: readonly Outcome[];
  let run: Awaited<ReturnType<typeof strangers>>;
  beforeAll(async () => {
    const json = path.join(temporaryDirectory(), 'strangers.json');
    run = await strangers('--seconds', '1', '--settle', '0.2', '--json', json);
    ({ outcomes } = JSON.parse(readFileSync(json, 'utf8')) as { outcomes: readonly Outcome[] });
  }, 300_000);

  it('plays every attack, and says of each whether it is held', () => {
    expect(run.stderr).toBe('');
    expect(outcomes.map(({ attack }) => attack)).toEqual(ATTACKS);
    expect(run.stdout.split('\n').filter((line) => /\| (held|NOT HELD) *\|$/.test(line))).toHaveLength(ATTACKS.length);
    expect(run.code).toBe(run.stdout.includes('NOT HELD') ? 1 : 0);
  });

  it.each(ATTACKS)('%s: the node lives, nobody honest is refused or cut, memory has a bound', (name) => {
    const { rounds, alive, honest, peakRssBytes } = outcomes.find(({ attack }) => attack === name)!;
    expect(rounds).toBeGreaterThan(0);
    expect(alive).toBe(true);
    expect(honest.refused).toEqual([]);
    expect(honest.calls).toBeGreaterThan(0);
    expect(peakRssBytes).toBeLessThan(MAX_RSS_BYTES);
  });

  it.each([
    [['--only', 'nonsense'], 'there is no attack "nonsense"'],
    [['--seconds', 'soon'], '--seconds is a number above 0, not "soon"'],
    [['--fast'], "Unknown option '--fast'"],
  ])('refuses %j', async (flags, message) => {
    const { code, stdout, stderr } = await strangers(...flags);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});
