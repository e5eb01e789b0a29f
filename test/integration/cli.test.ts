/** The command line as a user meets it: real processes, exit codes, output. */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';

import { nodeDirectory, runCli, spawnDaemon, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon, DaemonOptions } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';
import { itNeeds } from '../support/needs.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BIN = path.join(ROOT, 'bin/crossbar-ts.js');
const INVALID = path.join(ROOT, 'test/fixtures/config/invalid');

const daemons: Daemon[] = [];
const children: ChildProcess[] = [];
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  for (const daemon of daemons.splice(0)) await daemon.dispose();
});

async function started(options: DaemonOptions): Promise<Daemon> {
  const daemon = await startDaemon(options);
  daemons.push(daemon);
  return daemon;
}

/** A daemon that is expected to end by itself. */
async function ended(options: DaemonOptions): Promise<Daemon> {
  const daemon = spawnDaemon(options);
  daemons.push(daemon);
  await daemon.exited;
  return daemon;
}

describe('the commands', () => {
  it('no argument: usage on standard output, exit 0', async () => {
    const { code, stdout, stderr } = await runCli([]);
    expect([code, stderr]).toEqual([0, '']);
    for (const command of ['start', 'check', 'upgrade', 'init', 'version'])
      expect(stdout).toMatch(new RegExp(`^ +${command} `, 'm'));
  });

  it.each(['version', '--version', '-V'])('%s', async (word) => {
    const { version } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as { version: string };
    const { code, stdout } = await runCli([word]);
    expect([code, stdout]).toEqual([0, `crossbar-ts ${version} (Node.js ${process.versions.node})\n`]);
  });

  it.each([
    [['strat'], "error: unknown command 'strat'\n(Did you mean start?)"],
    [['start', '--cbdri', 'x'], "error: unknown option '--cbdri'\n(Did you mean --cbdir?)"],
    [['start', '--loglevel', 'loud'], 'Allowed choices are none, error, warn, info, debug, trace.'],
    [['start', '--logformat', 'xml'], 'Allowed choices are text, json, none, standard, syslogd.'],
    [['start', '--color', 'green'], 'Allowed choices are true, false, auto.'],
    [['check', '--loglevel', 'info'], "error: unknown option '--loglevel'"],
  ])('%j is refused with exit 1', async (args, expected) => {
    const { code, stdout, stderr } = await runCli(args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toContain(expected);
  });

  it('without dist the program says what to do', async () => {
    const bin = path.join(temporaryDirectory(), 'bin');
    mkdirSync(bin);
    copyFileSync(BIN, path.join(bin, 'crossbar-ts.mjs'));
    const child = spawn(process.execPath, [path.join(bin, 'crossbar-ts.mjs'), 'version'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
    expect(await once(child, 'close')).toEqual([1, null]);
    expect(stderr).toBe('crossbar-ts: dist/ is missing; run `npm run build` in the project directory first\n');
  });
});

describe('the node directory', () => {
  it.each(['start', 'check'])('%s: a missing one is an error naming init, and is not made', async (command) => {
    const missing = path.join(temporaryDirectory(), 'typo');
    const { code, stdout, stderr } = await runCli([command, '--cbdir', missing]);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toBe(
      `crossbar-ts: the node directory ${missing} does not exist; \`crossbar-ts init\` makes a new node\n`,
    );
    expect(existsSync(missing)).toBe(false);
  });

  it.each(['start', 'check'])('%s: one without a config is an error naming init', async (command) => {
    const cwd = temporaryDirectory();
    const { code, stdout, stderr } = await runCli([command], { cwd });
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^crossbar-ts: there is no config.json or config.yaml in .*crossbar-ts init.*\n$/);
    expect(readdirSync(cwd)).toEqual([]);
  });

  it('is found through $CROSSBAR_DIR and ./.crossbar', async () => {
    const cbdir = nodeDirectory(nodeConfig({ websocket: { options: { allowed_origins: ['self'] } } }));
    const expected = `OK: ${path.join(cbdir, 'config.json')}\n`;
    const byEnv = await runCli(['check'], { env: { CROSSBAR_DIR: cbdir }, cwd: temporaryDirectory() });
    expect(byEnv).toMatchObject({ code: 0, stdout: expected, stderr: '' });
    const byPlace = await runCli(['check'], { cwd: path.dirname(cbdir) });
    expect(byPlace).toMatchObject({ code: 0, stdout: expected, stderr: '' });
  });
});

const invalid = existsSync(INVALID) ? readdirSync(INVALID).filter((name) => /\.(json|yaml)$/.test(name)) : [];

describe('a config that is wrong', () => {
  it('has its fixtures', () => {
    expect(invalid.length).toBeGreaterThanOrEqual(30);
  });

  const linesOf = (name: string): string =>
    readFileSync(path.join(INVALID, `${name.replace(/\.\w+$/, '')}.expected.txt`), 'utf8').trimEnd();

  // What `start` and `check` call, with all of the files in one process: a process for each would take a minute and a half.
  it('is refused by the built node: every problem is a line, nothing starts', async () => {
    const script = `
      import { mkdtempSync, readdirSync } from 'node:fs';
      import { startNode } from ${JSON.stringify(pathToFileURL(path.join(ROOT, 'dist/index.js')).href)};
      const [top, ...configs] = process.argv.slice(1);
      for (const config of configs) {
        const cbdir = mkdtempSync(top + '/');
        const end = await startNode({ cbdir, config }).then(() => 'it started', (error) => error.code + '\\n' + error.message);
        console.log(JSON.stringify({ config, cbdir, end, left: readdirSync(cbdir) }));
      }`;
    const configs = invalid.map((name) => path.join(INVALID, name));
    const args = ['--input-type=module', '--eval', script, temporaryDirectory(), ...configs];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const ends = stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as Record<string, string>); // prettier-ignore
    expect(ends).toEqual(
      ends.map(({ cbdir }, index) => {
        const config = configs[index] ?? '';
        // The lines were written down for a node in `/node`.
        const lines = linesOf(path.basename(config)).replaceAll('"/node/', `"${cbdir}/`);
        return { config, cbdir, end: `ERR_CONFIG_INVALID\n${lines}`, left: [] };
      }),
    );
    expect(ends).toHaveLength(invalid.length);
  });

  const cases = invalid.filter((_name, index) => index % 8 === 0);
  it.concurrent.each(cases)('%s: `check` and `start` print the lines, exit 1', async (name) => {
    for (const command of ['check', 'start']) {
      const cbdir = temporaryDirectory();
      const expected = linesOf(name).replaceAll('"/node/', `"${cbdir}/`);
      const { code, stdout, stderr } = await runCli([command, '--cbdir', cbdir, '--config', path.join(INVALID, name)]);
      expect({ command, code, stdout, stderr }).toEqual({ command, code: 1, stdout: '', stderr: `${expected}\n` });
      expect(readdirSync(cbdir)).toEqual([]);
    }
  });
});

describe('start', () => {
  it('tells in JSON lines what runs', async () => {
    const cookie = { store: { type: 'file', filename: 'cookies.dat' } };
    const daemon = await started({
      config: nodeConfig({ websocket: { cookie }, transports: [{ type: 'websocket', endpoint: LOOPBACK }] }),
    });
    const [web, websocket] = daemon.listening();
    const common = { level: 'info', worker: 'worker001', address: '127.0.0.1', port: expect.any(Number) as number };
    expect(web).toMatchObject({
      ...common,
      transport: 'transport001',
      type: 'web',
      url: daemon.url('/'),
      paths: [
        { path: '/', type: 'json' },
        { path: '/ws', type: 'websocket' },
      ],
    });
    expect(websocket).toMatchObject({ ...common, transport: 'transport002', type: 'websocket', paths: [] });
    expect(await daemon.waitForLog('realm started')).toMatchObject({ realm: 'realm1', roles: ['anonymous'] });
    expect(await daemon.waitForLog('cookie store opened')).toMatchObject({
      type: 'file',
      filename: path.join(daemon.cbdir, 'cookies.dat'),
    });
    expect(await daemon.waitForLog('node started')).toMatchObject({
      pid: daemon.pid,
      config: path.join(daemon.cbdir, 'config.json'),
    });
    expect(daemon.stderr).toBe('');
  });

  it('serves a plain websocket transport on every path', async () => {
    const daemon = await started({ config: nodeConfig({ transports: [{ type: 'websocket', endpoint: LOOPBACK }] }) });
    const { port } = daemon.listening()[1]!;
    const client = await WampClient.join(`ws://127.0.0.1:${String(port)}/any/path`);
    await client.leave();
  });

  it('keeps the realms of two workers apart, also those of one name', async () => {
    const { workers } = nodeConfig() as { workers: object[] };
    const daemon = await started({ config: { version: 2, workers: [...workers, ...workers] } });
    const [one, two] = daemon.listening().map(({ port }) => `ws://127.0.0.1:${String(port)}/ws`);
    const subscriber = await WampClient.join(one!);
    await subscriber.ask([32, 1, {}, 'com.example.topic']);
    const stranger = await WampClient.join(two!);
    await stranger.ask([16, 1, { acknowledge: true }, 'com.example.topic', ['from the other worker']]);
    const neighbour = await WampClient.join(one!);
    await neighbour.ask([16, 1, { acknowledge: true }, 'com.example.topic', ['from the same worker']]);
    expect((await subscriber.next())[4]).toEqual(['from the same worker']);
  });

  it('leaves a disabled worker out', async () => {
    const { workers } = nodeConfig() as { workers: object[] };
    const disabled = { ...workers[0], options: { disabled: true } };
    const daemon = await started({ config: { version: 2, workers: [disabled, ...workers] } });
    expect(daemon.listening()).toMatchObject([{ worker: 'worker002' }]);
  });

  itNeeds('/usr/bin/script (bsdutils)', existsSync('/usr/bin/script'))(
    'tells a person at a terminal in a few lines',
    async () => {
      const cbdir = nodeDirectory(nodeConfig({ websocket: { options: { allowed_origins: ['self'] } } }));
      // "exec": a shell that stays in between would be interrupted as well, and answer 130 whatever the node did.
      const command = `exec ${process.execPath} ${BIN} start --cbdir ${cbdir} --color false`;
      const terminal = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      children.push(terminal);
      let text = '';
      await new Promise<void>((resolve) => {
        terminal.stdout.on('data', (data: Buffer) => {
          text += data.toString().replaceAll('\r', '');
          if (/^realm .*\n/m.test(text)) resolve();
        });
      });
      terminal.stdin.write('\u0003'); // Ctrl-C
      expect(await once(terminal, 'close')).toEqual([0, null]);
      const lines = text.trim().split('\n');
      expect(lines.slice(0, 4)).toEqual([
        expect.stringMatching(/^node {6}pid \d+, .*config\.json$/),
        expect.stringMatching(/^listening http:\/\/127\.0\.0\.1:\d+\/ {2}json$/),
        expect.stringMatching(/^listening ws:\/\/127\.0\.0\.1:\d+\/ws {2}websocket$/),
        'realm     realm1, roles anonymous',
      ]);
      expect(text).toMatch(/\d\d:\d\d:\d\d info {2}node stopped/);
    },
  );

  it('takes the port back when a later transport cannot have its own', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const config = nodeConfig({ transports: [{ type: 'websocket', id: 'second', endpoint: { ...LOOPBACK, port } }] });
    const daemon = await ended({ config });
    expect(await daemon.exited).toEqual({ code: 1, signal: null });
    expect(daemon.stderr).toBe(
      `crossbar-ts: transport second (/workers/0/transports/1): cannot listen on 127.0.0.1, port ${port}: ` +
        'the port is in use by another program (EADDRINUSE)\n',
    );
    // The log tells that the first transport was up and that everything was stopped again, in this order.
    const told = daemon.logs
      .map(({ msg }) => msg)
      .filter((msg) => ['transport started', 'node started', 'node stopped'].includes(msg));
    expect([told[0], told.at(-1)]).toEqual(['transport started', 'node stopped']);
    expect(told).not.toContain('node started');
    expect(readdirSync(daemon.cbdir)).toEqual(['config.json']);
    taken.close();
  });
});

describe('node.pid', () => {
  const pidFile = (daemon: Daemon): string => path.join(daemon.cbdir, 'node.pid');

  it('names the process while it runs', async () => {
    const daemon = await started({ config: nodeConfig() });
    const text = readFileSync(pidFile(daemon), 'utf8');
    expect(text).toMatch(/^\{\n {4}"pid": \d+,\n {4}"argv": \[/);
    expect(JSON.parse(text)).toMatchObject({ pid: daemon.pid, options: { cbdir: daemon.cbdir, logformat: 'json' } });
    await daemon.stop();
    expect(existsSync(pidFile(daemon))).toBe(false);
  });

  it('keeps a second node out of the directory, and the first one running', async () => {
    const daemon = await started({ config: nodeConfig() });
    const second = await ended({ cbdir: daemon.cbdir });
    expect(await second.exited).toEqual({ code: 1, signal: null });
    expect(second.stderr).toBe(
      `crossbar-ts: a node is already running on ${daemon.cbdir} (pid ${daemon.pid}, see ${pidFile(daemon)})\n`,
    );
    expect(JSON.parse(readFileSync(pidFile(daemon), 'utf8'))).toMatchObject({ pid: daemon.pid });
    await (await WampClient.join(daemon.url('/ws', 'ws'))).leave();
  });

  it('left by kill -9 does not keep the node from starting again', async () => {
    const daemon = await started({
      config: nodeConfig({ websocket: { cookie: { store: { type: 'file', filename: 'c.dat' } } } }),
    });
    await daemon.kill();
    expect(existsSync(pidFile(daemon))).toBe(true);
    const again = await started({ cbdir: daemon.cbdir });
    expect(await again.waitForLog('stale pid file removed')).toMatchObject({ level: 'warn', pid: daemon.pid });
    expect(await again.stop()).toBe(0);
  });
});

describe('the end of the node', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s: every session ended, stores closed, exit 0', async (signal) => {
    const daemon = await started({
      config: nodeConfig({
        websocket: { cookie: { store: { type: 'file', filename: 'cookies.dat' } } },
        transports: [{ type: 'websocket', endpoint: LOOPBACK }],
      }),
    });
    const urls = [
      daemon.url('/ws', 'ws'),
      daemon.url('/ws', 'ws'),
      `ws://127.0.0.1:${String(daemon.listening()[1]!['port'])}/`,
    ];
    const clients = await Promise.all(urls.map((url) => WampClient.join(url)));
    daemon.signal(signal);
    for (const client of clients) expect((await client.closed).code).toBe(1001);
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    expect(daemon.logs.at(-1)).toMatchObject({ msg: 'node stopped' });
    // The pid file and the lock of the store are gone, the cookies are not.
    expect(readdirSync(daemon.cbdir).sort()).toEqual(['config.json', 'cookies.dat']);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('a second signal, %s, ends it at once with %i', async (second, code) => {
    const daemon = await started({ config: nodeConfig() });
    // A client that does not read holds the orderly end up.
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    client.socket.pause();
    daemon.signal('SIGTERM');
    await daemon.waitForLog('signal received');
    daemon.signal(second);
    expect(await daemon.exited).toEqual({ code, signal: null });
    expect(daemon.logs.some(({ msg }) => msg === 'node stopped')).toBe(false);
  });

  it('a client that answers nothing does not keep the node from ending', async () => {
    const daemon = await started({ config: nodeConfig() });
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    client.socket.pause();
    expect(await daemon.stop()).toBe(0);
  });

  it('SIGHUP in the background reads the config again, and ends nothing', async () => {
    const daemon = await started({ config: nodeConfig() });
    daemon.signal('SIGHUP');
    expect(await daemon.waitForLog(({ msg }) => msg === 'config reloaded')).toMatchObject({ changes: 0, pending: 0 });
    await (await WampClient.join(daemon.url('/ws', 'ws'))).leave();
    expect(await daemon.stop()).toBe(0);
  });

  it.each([
    ['throw new Error("a bug")', 'uncaughtException'],
    ['Promise.reject(new Error("a bug"))', 'unhandledRejection'],
  ])('a bug (%s) is fatal: logged, exit 1, no listener left', async (code, origin) => {
    // A preloaded module stands for the bug.
    const bug = path.join(temporaryDirectory(), 'bug.mjs');
    writeFileSync(bug, `process.on('SIGUSR2', () => { ${code} });\n`);
    const daemon = await started({ config: nodeConfig(), env: { NODE_OPTIONS: `--import ${bug}` } });
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    daemon.signal('SIGUSR2');
    expect(await daemon.exited).toEqual({ code: 1, signal: null });
    expect(daemon.logs.at(-1)).toMatchObject({ level: 'fatal', origin, err: { message: 'a bug' } });
    await client.closed;
    await expect(WampClient.connect(daemon.url('/ws', 'ws'))).rejects.toThrow('ECONNREFUSED');
  });

  it('a reader of the log that goes away does not end it', async () => {
    const cbdir = nodeDirectory(nodeConfig());
    const node = spawn(process.execPath, [BIN, 'start', '--cbdir', cbdir], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(node);
    const port = await new Promise<number>((resolve) => {
      let text = '';
      node.stdout.on('data', (data: Buffer) => {
        text += data.toString();
        const line = text.split('\n').find((candidate) => candidate.includes('"msg":"transport started"'));
        if (line !== undefined && text.includes('node started')) resolve((JSON.parse(line) as { port: number }).port);
      });
    });
    node.stdout.destroy();
    // Each session is a log line into the broken pipe.
    for (let i = 0; i < 3; i += 1) await (await WampClient.join(`ws://127.0.0.1:${port}/ws`)).leave();
    node.kill('SIGTERM');
    expect(await once(node, 'exit')).toEqual([0, null]);
  });
});
