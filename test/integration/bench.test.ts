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
const MEMORY = path.join(ROOT, 'bench/memory.js');
const LOGINS = path.join(ROOT, 'bench/logins.js');
const SOAK = path.join(ROOT, 'bench/soak.js');
const SHORT = ['--quick', '--seconds', '0.2', '--warmup', '0.1'];

const cleanups: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function run(...args: readonly string[]): Promise<Outcome> {
  return runWith({}, ...args);
}

async function runWith(env: Record<string, string>, ...args: readonly string[]): Promise<Outcome> {
  const child = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { code: child.exitCode, stdout, stderr };
}

/** The cells of a Markdown table, line by line, head and rule included. */
function tableIn(stdout: string): string[][] {
  const lines = stdout.split('\n').filter((line) => line.startsWith('| '));
  return lines.map((line) => line.split('|').slice(1, -1)).map((cells) => cells.map((cell) => cell.trim()));
}

/** A directory that goes when the test has ended. */
function temporaryDirectory(): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'bench-test-'));
  cleanups.push(() => rmSync(directory, { recursive: true }));
  return directory;
}

describeNeeds('Linux', process.platform === 'linux')('npm run bench', () => {
  it('measures the built node beside its baseline and prints one row each', async () => {
    const json = path.join(temporaryDirectory(), 'bench.json');

    const { code, stdout, stderr } = await run(RUN, ...SHORT, '--scenario', 'rpc,connect-file', '--json', json);

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

  it('compares what differs by one thing, and profiles', async () => {
    const directory = temporaryDirectory();
    const flags = ['--scenario', 'rpc,rpc-cbor', '--profile', directory];

    const { code, stdout, stderr } = await run(RUN, ...SHORT, ...flags);

    expect(stdout + stderr).not.toContain('PROBLEM');
    expect(code).toBe(0);
    const ours = tableIn(stdout).filter(([, server]) => server === 'crossbar-ts');
    expect(ours.map((cells) => [cells[0], cells.at(-1)])).toEqual([
      ['call, 20 B', ''],
      ['call, 20 B, CBOR', expect.stringMatching(/^[\d.]+ x rpc$/)],
    ]);
    const profile: { nodes: unknown[] } = JSON.parse(readFileSync(path.join(directory, 'rpc-cbor.cpuprofile'), 'utf8'));
    expect(profile.nodes.length).toBeGreaterThan(0);
    expect(stdout).toMatch(/rpc-cbor: .*\n\| function /);
  }, 60_000);

  it('delivers to three serializers, past patterns, and knows browsers that come back', async () => {
    const scenarios = 'pubsub1-patterns10,pubsub100-mixed,connect-file-known';
    const { code, stdout, stderr } = await run(RUN, ...SHORT, '--scenario', scenarios);
    expect(stdout + stderr).not.toContain('PROBLEM');
    expect(code).toBe(0);
  }, 60_000);

  it('says in words what another router cannot do, and does not fail for it', async () => {
    const flags = ['--scenario', 'rpc', '--peer', 'ws://127.0.0.1:1/', '--pid', String(process.pid)];
    const { code, stdout } = await run(RUN, ...SHORT, ...flags);
    const [row] = tableIn(stdout).filter(([, server]) => server?.startsWith('peer '));
    expect(row?.[2]).toMatch(/^no: .*ECONNREFUSED/);
    expect(code).toBe(0);
  }, 60_000);

  it('measures another router beside ours', async () => {
    const url = await startRouter(faithful);
    const { code, stdout } = await run(RUN, ...SHORT, '--scenario', 'rpc', '--peer', url, '--pid', String(process.pid));
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

describeNeeds('Linux', process.platform === 'linux')('npm run bench:memory', () => {
  it('prints a row for each kind of thing, none of them for nothing', async () => {
    const json = path.join(temporaryDirectory(), 'memory.json');
    const flags = ['--only', 'session,subscription,cookie-file', '--share', '0.05', '--json', json];

    const { code, stdout } = await run(MEMORY, ...flags);

    expect(stdout).not.toContain('PROBLEM');
    expect(code).toBe(0);
    expect(stdout).toMatch(/empty node: \d+ MiB resident after the start, \d+ when its garbage has gone/);
    expect(tableIn(stdout).map(([title]) => title)).toEqual([
      'one more',
      expect.stringMatching(/^-+$/),
      'idle session, no cookie',
      'subscription',
      'cookie, file',
    ]);
    const { results }: { results: { name: string; each: { heapBytes: number } }[] } = JSON.parse(
      readFileSync(json, 'utf8'),
    );
    expect(results.find(({ name }) => name === 'session')?.each.heapBytes).toBeGreaterThan(0);
  }, 60_000);

  it.each([
    [['--only', 'nonsense'], 'there is no "nonsense"'],
    [['--share', '2'], '--share is a number up to 1, not "2"'],
  ])('refuses %j with the usage', async (flags, message) => {
    const { code, stderr } = await run(MEMORY, ...flags);
    expect(code).toBe(2);
    expect(stderr).toContain(`memory: ${message}`);
    expect(stderr).toContain('usage: npm run bench:memory');
  });
});

describeNeeds('Linux', process.platform === 'linux')('npm run bench:logins', () => {
  it('prints a row for each method, compared with WAMP-CRA', async () => {
    const json = path.join(temporaryDirectory(), 'logins.json');
    const flags = ['--only', 'anonymous,wampcra,one_time', '--logins', '40', '--runs', '1', '--json', json];

    const { code, stdout } = await run(LOGINS, ...flags);

    expect(stdout).not.toContain('PROBLEM');
    expect(code).toBe(0);
    const rows = new Map(tableIn(stdout).map(([login, ...cells]) => [login, cells]));
    expect([...rows.keys()].slice(2)).toEqual(['anonymous', 'WAMP-CRA', 'one-time ticket']);
    expect(rows.get('WAMP-CRA')?.[1]).toBe('1.00');
    const { results }: { results: { micros: number[] }[] } = JSON.parse(readFileSync(json, 'utf8'));
    expect(results.every(({ micros: [micros = 0] }) => micros > 0)).toBe(true);
  }, 60_000);

  it.each([
    [['--only', 'nonsense'], 'there is no "nonsense"'],
    [['--logins', '100000'], '--logins is a whole number from 1 to 80000, not "100000"'],
  ])('refuses %j with the usage', async (flags, message) => {
    const { code, stderr } = await run(LOGINS, ...flags);
    expect(code).toBe(2);
    expect(stderr).toContain(`logins: ${message}`);
    expect(stderr).toContain('usage: npm run bench:logins');
  });
});

describeNeeds('Linux', process.platform === 'linux')('npm run bench:soak', () => {
  // Memory of a node that has just started grows for other reasons than leaks; objects that are left are leaks at once.
  const short = ['--minutes', '0.05', '--clients', '8', '--limit', '50'];

  it('finds nothing left of clients that have gone', async () => {
    const { code, stdout } = await run(SOAK, ...short);
    expect(stdout).not.toContain('PROBLEM');
    expect(code).toBe(0);
    const rows = new Map(tableIn(stdout).map(([what, count]) => [what, count]));
    expect([...rows.keys()]).toEqual(
      expect.arrayContaining(['heap and buffers', 'resident', 'sessions', 'calls', 'brutal ends', 'polite ends']),
    );
  }, 60_000);

  it('notices objects that somebody keeps, and a warning in the log', async () => {
    // Loaded into all processes of the bench, but only the node has such objects.
    const keep = `const add = Map.prototype.set, kept = [];
      Map.prototype.set = function (key, value) {
        if (value?.constructor?.name === 'Subscription') kept.push(value);
        return add.call(this, key, value);
      };
      if (process.argv.includes('start')) console.log('{"level":"warn","msg":"told by the test"}');`;
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(keep)}`;
    const { code, stdout } = await runWith({ NODE_OPTIONS }, SOAK, ...short);
    expect(stdout).toMatch(/PROBLEM \d+ objects of class Subscription are left/);
    expect(stdout).toMatch(/PROBLEM .* wrote warnings:\n.*told by the test/);
    expect(code).toBe(1);
  }, 60_000);

  it('refuses a wrong flag with the usage', async () => {
    const { code, stderr } = await run(SOAK, '--minutes', 'many');
    expect(code).toBe(2);
    expect(stderr).toContain('usage: npm run bench:soak');
  });
});

it.each(['mqtt', 'logins', 'memory', 'soak'])(
  'npm run bench:%s --help prints the usage, and nothing else',
  async (name) => {
    const { code, stdout, stderr } = await run(path.join(ROOT, `bench/${name}.js`), '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(new RegExp(`^usage: npm run bench:${name} -- \\[flags\\]\n( {2,}.*\n)+$`));
    const wrong = await run(path.join(ROOT, `bench/${name}.js`), '--nonsense');
    expect(wrong).toEqual({ code: 2, stdout: '', stderr: `${name}: Unknown option '--nonsense'\n${stdout}` });
  },
);

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
