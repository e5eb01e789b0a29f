/** The bench of fronts: that it measures every process of a node, and finds what is lost. Times are not looked at. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, it, onTestFinished } from 'vitest';
import { describeNeeds } from '../support/needs.js';

const ROOT = path.resolve(import.meta.dirname, '../..');

interface Report {
  readonly problems: readonly string[];
  readonly rows: readonly {
    readonly load: string;
    readonly fronts: number;
    readonly isApart: boolean;
    readonly runs: readonly {
      readonly micros: Readonly<Record<'main' | 'router' | 'fronts' | 'node', number>>;
      readonly perSecond: number;
      readonly idle: readonly { readonly rssBytes: number; readonly pssBytes: number }[];
    }[];
  }[];
}

async function bench(...flags: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const args = [path.join(ROOT, 'bench/run.js'), '--scenario', 'fronts', ...flags];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

describeNeeds('Linux', process.platform === 'linux')('npm run bench -- --scenario fronts', () => {
  it('measures one process, one front and two, and a router with a process of its own', async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'bench-test-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const json = path.join(directory, 'fronts.json');

    const { code, stdout, stderr } = await bench('--quick', '--only', 'call', '--json', json);

    expect(stdout + stderr).not.toContain('PROBLEM');
    expect(code).toBe(0);
    const { rows, problems }: Report = JSON.parse(readFileSync(json, 'utf8'));
    expect(problems).toEqual([]);
    expect(rows.map(({ load, fronts, isApart }) => [load, fronts, isApart])).toEqual([
      ...[0, 1, 2].map((fronts) => ['call', fronts, false]),
      ...[0, 1].map((fronts) => ['call', fronts, true]),
    ]);
    for (const { fronts, isApart, runs } of rows) {
      const [run] = runs;
      expect(runs).toHaveLength(1);
      expect(run?.perSecond).toBeGreaterThan(0);
      expect(run?.micros.main).toBeGreaterThan(0);
      expect(run?.micros.router).toBeGreaterThanOrEqual(run?.micros.main ?? Infinity);
      if (fronts === 0) expect(run?.micros.fronts).toBe(0);
      else expect(run?.micros.fronts).toBeGreaterThan(0);
      if (!isApart) expect(run?.micros.node).toBe(0);
      expect(run?.idle).toHaveLength(Math.max(1, fronts));
      for (const { rssBytes, pssBytes } of run?.idle ?? []) {
        expect(pssBytes).toBeGreaterThan(0);
        expect(rssBytes).toBeGreaterThanOrEqual(pssBytes);
      }
    }
    expect(stdout).toMatch(/^(kept|MISSED): call, 20 B, 2 fronts: router [\d.]+ x alone, bar 0.6 x$/m);
    expect(stdout).toMatch(/^\| call, 20 B +\| router process +\|/m);
  }, 120_000);

  it.each([
    [['--only', 'nonsense'], 'there is no "nonsense"'],
    [['--seconds', 'soon'], '--seconds is a number above 0, not "soon"'],
    [['--scenario', 'rpc'], 'the scenario fronts is measured alone'],
  ])('refuses %j with the usage', async (flags, message) => {
    const { code, stderr } = await bench(...flags);
    expect(code).toBe(2);
    expect(stderr).toContain(`fronts: ${message}`);
    expect(stderr).toContain('usage: npm run bench -- --scenario fronts');
  });
});
