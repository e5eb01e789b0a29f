/** A node as a service of systemd: what it says to it, the sockets that it gets, and the unit that we ship. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeDirectory, runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import { itNeeds, describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import { freePorts } from '../support/ports.js';
import { heldSocket, notifySocket } from '../support/systemd.js';
import { WampClient, within } from '../support/wamp-client.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BIN = path.join(ROOT, 'bin/crossbar-ts.js');
const has = (program: string): boolean => spawnSync(program, ['--version']).error === undefined;
const hasPython = spawnSync('/usr/bin/python3', ['--version']).status === 0;

const ends: (() => unknown)[] = [];
afterEach(() => Promise.all(ends.splice(0).map((end) => end())));

describeNeeds('systemd-notify and Python', has('systemd-notify') && hasPython)('a node with NOTIFY_SOCKET', () => {
  it('says when it is ready, when it stops, and how long that may take', async () => {
    const { file, said } = await notifySocket();
    ends.push(() => said.end());
    const config = { ...nodeConfig(), controller: { options: { drain: { spread: 30, calls: 60 } } } };
    const daemon = await startDaemon({ config, env: { NOTIFY_SOCKET: file } });
    ends.push(() => daemon.dispose());
    const ready = await said.next((words) => words.includes('READY=1'));
    expect(ready).toEqual(expect.arrayContaining([`MAINPID=${daemon.pid}`, 'STATUS=1']));
    daemon.signal('SIGTERM');
    const stopping = await said.next((words) => words.includes('STOPPING=1'));
    expect(stopping).toContain('EXTEND_TIMEOUT_USEC=100000000');
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
  });
});

it('a node ends when it has said all, however long systemd takes to listen', async () => {
  const directory = temporaryDirectory();
  const [heard, listens] = [path.join(directory, 'heard'), path.join(directory, 'listens')];
  const script = `#!/bin/sh\nuntil [ -e ${listens} ]; do sleep 0.05; done\necho "$@" >> ${heard}\n`;
  writeFileSync(path.join(directory, 'systemd-notify'), script, { mode: 0o755 });
  const env = { NOTIFY_SOCKET: '/nowhere/notify', PATH: `${directory}:${process.env['PATH'] ?? ''}` };
  const daemon = await startDaemon({ config: nodeConfig(), env });
  ends.push(() => daemon.dispose());
  daemon.signal('SIGTERM');
  await daemon.waitForLog('node stopped');
  writeFileSync(listens, '');
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
  const [ready, stopping] = readFileSync(heard, 'utf8').split('\n');
  expect(ready).toContain('READY=1');
  expect(stopping).toContain('STOPPING=1');
});

it('a node goes on where nobody takes what it says, and tells its log', async () => {
  const daemon = await startDaemon({ config: nodeConfig(), env: { NOTIFY_SOCKET: '/nowhere/notify' } });
  ends.push(() => daemon.dispose());
  expect(await daemon.waitForLog('systemd cannot be told what the node does')).toMatchObject({ level: 'warn' });
});

const started = (line: Readonly<Record<string, unknown>>): boolean => line['msg'] === 'node started';
const onSocket = (): string => nodeDirectory(nodeConfig({ transport: { endpoint: { type: 'systemd', name: 'web' } } }));

describeNeeds('Python', hasPython)('a transport on a socket of systemd', () => {
  it('loses no client when the node starts again: they wait in the socket', async () => {
    const start = [process.execPath, BIN, 'start', '--cbdir', onSocket()];
    const { place, held } = await heldSocket('0', 'web', start);
    ends.push(() => held.end());
    const port = (place as [string, number])[1];
    held.send();
    const first = Number((await held.next((line) => 'pid' in line))['pid']);
    ends.push(() => void spawnSync('kill', ['-9', String(first)]));
    await held.next(started);
    const client = await WampClient.join(`ws://127.0.0.1:${port}/ws`);
    process.kill(first, 'SIGTERM');
    expect((await client.closed).code).toBe(1001);
    expect((await held.next((line) => 'code' in line))['code']).toBe(0);
    // Nobody is there, and nobody is refused.
    const early = WampClient.join(`ws://127.0.0.1:${port}/ws`);
    held.send();
    const second = Number((await held.next((line) => 'pid' in line))['pid']);
    ends.push(() => void spawnSync('kill', ['-9', String(second)]));
    await (await early).close();
    process.kill(second, 'SIGTERM');
    expect((await held.next((line) => 'code' in line))['code']).toBe(0);
  });

  it('leaves the socket file where it is', async () => {
    const file = path.join(temporaryDirectory(), 'web.sock');
    const { held } = await heldSocket(file, 'web', [process.execPath, BIN, 'start', '--cbdir', onSocket()]);
    ends.push(() => held.end());
    held.send();
    const pid = Number((await held.next((line) => 'pid' in line))['pid']);
    ends.push(() => void spawnSync('kill', ['-9', String(pid)]));
    const { address } = await held.next((line) => line['msg'] === 'transport started');
    expect(address).toBe(file);
    await held.next(started);
    process.kill(pid, 'SIGTERM');
    expect((await held.next((line) => 'code' in line))['code']).toBe(0);
    expect(existsSync(file)).toBe(true);
  });

  it('is told when nobody listens on a socket', async () => {
    const start = [process.execPath, BIN, 'start', '--cbdir', nodeDirectory(nodeConfig())];
    const { held } = await heldSocket('0', 'forgotten', start);
    ends.push(() => held.end());
    held.send();
    const pid = Number((await held.next((line) => 'pid' in line))['pid']);
    ends.push(() => void spawnSync('kill', ['-9', String(pid)]));
    const text = 'systemd listens on sockets that no transport has: clients wait there';
    expect(await held.next(({ msg }) => msg === text)).toMatchObject({ level: 'warn', sockets: ['forgotten'] });
  });
});

describe('a transport without its socket says why', () => {
  const failing = async (env: Readonly<Record<string, string>>): Promise<string> => {
    const { code, stderr } = await runCli(['start', '--cbdir', onSocket()], { env });
    expect(code).toBe(1);
    return stderr;
  };

  it.each([
    [{}, 'cannot listen on the socket "web" of systemd: systemd has passed no sockets: start the .socket unit'],
    [{ LISTEN_FDS: '1', LISTEN_PID: '1' }, 'systemd has passed its sockets to process 1, and this is '],
  ])('%j', async (env, text) => expect(await failing(env)).toContain(text));
});

itNeeds('systemd-socket-activate', has('systemd-socket-activate'))(
  'systemd-socket-activate starts a node for the first client',
  async () => {
    const [port = 0] = await freePorts(1);
    const args = ['-l', `127.0.0.1:${port}`, '--fdname=web', process.execPath, BIN, 'start', '--cbdir', onSocket()];
    const child = spawn('systemd-socket-activate', args, { stdio: ['ignore', 'ignore', 'pipe'] });
    ends.push(() => void child.kill('SIGKILL'));
    await within(once(child.stderr.setEncoding('utf8'), 'data'), 'systemd-socket-activate listens');
    child.stderr.resume();
    const client = await WampClient.join(`ws://127.0.0.1:${port}/ws`);
    await client.close();
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  },
);

describeNeeds('systemd-analyze', has('systemd-analyze'))('contrib/crossbar-ts.service', () => {
  const unit = readFileSync(path.join(ROOT, 'contrib/crossbar-ts.service'), 'utf8');
  const [program = '', ...args] = /^ExecStart=(.*)$/m.exec(unit)?.[1]?.split(' ') ?? [];
  const file = path.join(temporaryDirectory(), 'crossbar-ts.service');
  writeFileSync(file, unit.replace(program, BIN));

  it('is a unit', () => {
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', file], { encoding: 'utf8' });
    expect(stderr.split('\n').filter((line) => line.includes('crossbar-ts.service'))).toEqual([]);
    expect(status).toBe(0);
  });

  it('gives away little: its exposure is 1.8 of 10 at most', () => {
    const asked = ['security', '--offline=true', '--threshold=18', '--no-pager', file];
    const { status, stdout } = spawnSync('systemd-analyze', asked, { encoding: 'utf8' });
    expect(stdout).toMatch(/Overall exposure level for \S+: 1\.[0-8]/);
    expect(status).toBe(0);
  });

  it('names options that there are', async () => {
    const { stdout } = await runCli(['start', '--help']);
    expect(args[0]).toBe('start');
    for (const option of args.filter((word) => word.startsWith('--'))) expect(stdout).toContain(option);
  });
});
