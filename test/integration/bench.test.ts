/**
 * The bench tool itself: its table, its exit codes, and that it notices a router which loses, doubles, swaps or damages
 * messages. Times are not looked at: what they are worth is for a quiet machine to say.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { describeNeeds } from '../support/needs.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const RUN = path.join(ROOT, 'bench/run.js');
const LOAD = path.join(ROOT, 'bench/load.js');

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(...args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

describeNeeds('Linux', process.platform === 'linux')('npm run bench', () => {
  it('measures the built node beside its baseline and prints one row each', async () => {
    const directory = mkdtempSync(path.join(os.tmpdir(), 'bench-test-'));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    const json = path.join(directory, 'bench.json');

    const { code, stdout, stderr } = await run(RUN, '--quick', '--scenario', 'rpc,connect-file', '--json', json);

    expect(stdout + stderr).not.toContain('PROBLEM');
    expect(code).toBe(0);
    const rows = stdout.split('\n').filter((line) => line.startsWith('| '));
    expect(
      rows.map((row) =>
        row
          .split('|')
          .slice(1, 3)
          .map((cell) => cell.trim()),
      ),
    ).toEqual([
      ['scenario', 'server'],
      [expect.stringMatching(/^-+$/), expect.stringMatching(/^-+$/)],
      ['call, 20 B', 'crossbar-ts'],
      ['call, 20 B', 'ws, two echoes'],
      ['connect, new cookie, durable file', 'crossbar-ts'],
      ['connect, new cookie, durable file', 'ws, accept'],
    ]);
    expect(rows[2]).toMatch(
      /\| [\d.]+ \([\d.]+-[\d.]+\) \/ call +\| [\d,]+ +\| \d+ +\| [\d.]+ +\| [\d.]+, [\d.]+( \*)? +\| [\d.]+ +\| +\|$/,
    );

    const report: { rows: { server: string; runs: { units: number; violations: { total: number } }[] }[] } = JSON.parse(
      readFileSync(json, 'utf8'),
    );
    expect(report.rows).toHaveLength(4);
    for (const { runs } of report.rows) {
      expect(runs).toHaveLength(1);
      expect(runs[0]?.units).toBeGreaterThan(0);
      expect(runs[0]?.violations.total).toBe(0);
    }
  }, 60_000);

  it('measures another router beside ours', async () => {
    const url = await startRouter(faithful);
    const { code, stdout } = await run(
      RUN,
      '--quick',
      '--scenario',
      'rpc',
      '--peer',
      url,
      '--pid',
      String(process.pid),
    );
    expect(code).toBe(0);
    expect(stdout).toContain(`| peer ${new URL(url).host} `);
  }, 60_000);

  it.each([
    [['--scenario', 'nonsense'], 'there is no scenario "nonsense"'],
    [['--seconds', 'soon'], '--seconds is a number above 0, not "soon"'],
    [['--peer', 'ws://127.0.0.1:1/'], '--peer with an address and --pid belong together'],
    [['--peer', 'nonsense'], '--peer is a ws: address or one of fox-wamp, wamp.rt, not "nonsense"'],
    [['--fast'], "Unknown option '--fast'"],
  ])('refuses %j with the usage', async (flags, message) => {
    const { code, stderr } = await run(RUN, ...flags);
    expect(code).toBe(2);
    expect(stderr).toContain(`bench: ${message}`);
    expect(stderr).toContain('usage: npm run bench');
  });
});

it('says on another system than Linux what is missing', async () => {
  const pretend = 'data:text/javascript,Object.defineProperty(process,"platform",{value:"darwin"})';
  const { code, stdout, stderr } = await run('--import', pretend, RUN, '--quick');
  expect({ code, stdout, stderr }).toEqual({
    code: 2,
    stdout: '',
    stderr: 'bench: the bench reads CPU time and memory from /proc, which only Linux has (this is darwin)\n',
  });
});

/** What a router does with the 10th message that it hands on: the texts to send now. */
type Fault = (message: string, previous: string) => readonly string[];
const faithful: Fault = (message) => [message];
const FAULTS: readonly (readonly [string, Fault])[] = [
  ['lost', () => []],
  ['duplicate', (message) => [message, message]],
  ['duplicate', (message, previous) => [previous, message]],
  ['damaged', (message) => [message.replace('xxx', 'xyx')]],
];

describeNeeds('Linux', process.platform === 'linux')('the load generator', () => {
  const quick = ['--pid', String(process.pid), '--seconds', '0.3', '--warmup', '0.1'];
  // How long a missing message is waited for: only where one is missing on purpose.
  const impatient = ['--drain', '0.3'];

  it.each(['rpc', 'publish'])('finds nothing wrong with a faithful router: %s', async (kind) => {
    const { code, stdout } = await run(LOAD, '--kind', kind, '--url', await startRouter(faithful), ...quick);
    expect(JSON.parse(stdout).violations).toEqual({ total: 0, counts: {}, examples: [] });
    expect(code).toBe(0);
  });

  describe.each(['rpc', 'publish'])('%s', (kind) => {
    it.each(FAULTS)('notices what is %s', async (name, fault) => {
      const flags = ['--kind', kind, '--subscribers', '2', '--acknowledge', ...quick, ...impatient];
      const { code, stdout } = await run(LOAD, '--url', await startRouter(fault), ...flags);
      expect(JSON.parse(stdout).violations.counts).toHaveProperty([name]);
      expect(code).toBe(1);
    });

    it('notices what comes out of order', async () => {
      let held: string | undefined;
      const swap: Fault = (message) => ((held = message), []);
      const url = await startRouter(swap, (message) => {
        const late = held;
        held = undefined;
        return late === undefined ? [message] : [message, late];
      });
      const { code, stdout } = await run(LOAD, '--kind', kind, '--url', url, ...quick, ...impatient);
      expect(JSON.parse(stdout).violations.counts).toHaveProperty(['out of order']);
      expect(code).toBe(1);
    });
  });

  it('fails when the router closes the connection', async () => {
    const url = await startRouter(() => {
      throw new Error('close');
    });
    const { code, stdout } = await run(LOAD, '--kind', 'rpc', '--url', url, ...quick, ...impatient);
    expect(JSON.parse(stdout).violations.counts).toHaveProperty(['connection lost']);
    expect(code).toBe(1);
  });

  it('fails when a cookie is missing', async () => {
    const flags = ['--kind', 'connect', '--cookie', 'new', ...quick];
    const { code, stdout } = await run(LOAD, '--url', await startRouter(faithful), ...flags);
    expect(JSON.parse(stdout).violations.counts).toHaveProperty(['cookie']);
    expect(code).toBe(1);
  });
});

/**
 * The least that a WAMP router can be: one procedure, one topic. Every 10th RESULT or EVENT goes through `fault`.
 *
 * @returns its address
 */
async function startRouter(fault: Fault, otherwise: Fault = faithful): Promise<string> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  cleanups.push(async () => {
    for (const client of server.clients) client.terminate();
    server.close();
    await once(server, 'close');
  });

  const procedures = new Map<unknown, WebSocket>();
  const subscribers = new Set<WebSocket>();
  const calls = new Map<number, { caller: WebSocket; requestId: unknown }>();
  const handedOn = new Map<WebSocket, { count: number; previous: string }>();
  let nextId = 1;
  const send = (peer: WebSocket, message: readonly unknown[]) => peer.send(JSON.stringify(message));
  const handOn = (peer: WebSocket, message: readonly unknown[]) => {
    const state = handedOn.get(peer) ?? { count: 0, previous: '' };
    handedOn.set(peer, state);
    const encoded = JSON.stringify(message);
    const treat = ++state.count % 10 === 0 ? fault : otherwise;
    try {
      for (const out of treat(encoded, state.previous)) peer.send(out);
    } catch {
      peer.close();
    }
    state.previous = encoded;
  };

  server.on('connection', (peer) => {
    peer.on('message', (data: Buffer) => {
      const [type, ...rest] = JSON.parse(data.toString()) as [number, ...unknown[]];
      if (type === 1) send(peer, [2, nextId++, { roles: { broker: {}, dealer: {} } }]);
      if (type === 64) {
        procedures.set(rest[2], peer);
        send(peer, [65, rest[0], 1]);
      }
      if (type === 32) {
        subscribers.add(peer);
        send(peer, [33, rest[0], 1]);
      }
      const callee = type === 48 ? procedures.get(rest[2]) : undefined;
      if (callee !== undefined) {
        calls.set(nextId, { caller: peer, requestId: rest[0] });
        send(callee, [68, nextId++, 1, {}, rest[3]]);
      }
      const call = type === 70 ? calls.get(rest[0] as number) : undefined;
      if (call !== undefined) handOn(call.caller, [50, call.requestId, {}, rest[2]]);
      if (type === 16) {
        for (const subscriber of subscribers) handOn(subscriber, [36, 1, rest[0], {}, rest[3]]);
        if ((rest[1] as { acknowledge?: boolean }).acknowledge === true) send(peer, [17, rest[0], nextId++]);
      }
    });
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
