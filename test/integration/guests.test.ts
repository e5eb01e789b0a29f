/** Guests: programs that the real daemon starts, watches and ends. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { spawnDaemon, startDaemon } from '../support/daemon.js';
import type { Daemon, DaemonOptions, LogRecord } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import { directoryWith } from '../support/node-directory.js';
import { descendantsOf, untilGone } from '../support/processes.js';
import { WampClient } from '../support/wamp-client.js';

const CLIENTS = path.resolve(import.meta.dirname, '../clients');
const PYTHON = '/usr/bin/python3';
const hasAutobahn = spawnSync(PYTHON, ['-c', 'import autobahn']).status === 0;

const daemons: Daemon[] = [];
afterAll(() => Promise.all(daemons.map((daemon) => daemon.dispose())));

type Guest = Readonly<Record<string, unknown>>;

/** A node with guests before its router, which starts them last all the same. */
function configOf(guests: readonly Guest[], controller: object = {}, transport: object = {}): object {
  const config = nodeConfig({ transport }) as { workers: object[] };
  return {
    ...config,
    controller,
    workers: [...guests.map((guest) => ({ type: 'guest', ...guest })), ...config.workers],
  };
}

/** A guest that runs a script of the shell. */
const shell = (script: string, options: object = {}, more: Guest = {}): Guest => ({
  executable: 'sh',
  arguments: ['-c', script],
  options,
  ...more,
});

/** Runs JavaScript. */
const script = (code: string, options: object = {}): Guest => ({
  executable: process.execPath,
  arguments: ['--input-type=module', '-e', code],
  options,
});

async function started(
  guests: readonly Guest[],
  options: DaemonOptions & { controller?: object } = {},
): Promise<Daemon> {
  const { controller, ...rest } = options;
  const daemon = await startDaemon({ config: configOf(guests, controller), ...rest });
  daemons.push(daemon);
  return daemon;
}

const said = (line: string) => (record: LogRecord) => record['line'] === line;
const linesOf = (daemon: Daemon): unknown[] =>
  daemon.logs.filter(({ msg }) => msg === 'output of the process').map(({ line }) => line);
const messagesOf = (daemon: Daemon): string[] => daemon.logs.map(({ msg }) => msg);
/** The number behind a word that the guest said. */
async function numberAfter(daemon: Daemon, word: string): Promise<number> {
  const { line } = await daemon.waitForLog((record) => String(record['line']).startsWith(`${word} `));
  return Number(String(line).slice(word.length + 1));
}

describe('a guest', () => {
  it('gets its arguments, directory and environment, and its output is in the log', async () => {
    const files = { 'work/tool': '#!/bin/sh\necho "$1" "$PWD" "$OWN" "${HOME-none}" >&2; echo "$PYTHONUNBUFFERED"' };
    const cbdir = directoryWith(files);
    spawnSync('chmod', ['755', path.join(cbdir, 'work/tool')]);
    const options = { workdir: 'work', env: { inherit: ['PATH'], vars: { OWN: 'a b' } } };
    const guest = { id: 'tool', executable: 'tool', arguments: ['$HOME *'], options };
    const daemon = await started([guest], { cbdir, config: configOf([guest]) });
    const ended = await daemon.waitForLog('guest ended');
    const { pid } = await daemon.waitForLog('guest started');
    expect(ended).toMatchObject({ level: 'info', worker: 'tool', pid, code: 0 });
    const line = `$HOME * ${realpathSync(path.join(cbdir, 'work'))} a b none`;
    expect(daemon.logs).toContainEqual(expect.objectContaining({ worker: 'tool', pid, stream: 'stderr', line }));
    expect(daemon.logs).toContainEqual(expect.objectContaining({ worker: 'tool', pid, stream: 'stdout', line: '1' }));
  });

  it.each([
    ['an open pipe', undefined, 'waits'],
    ['closed', 'close', 'ended with ""'],
    ['a value', { type: 'json', value: { a: [1, 'ü'] } }, 'ended with "{\\"a\\":[1,\\"ü\\"]}"'],
    ['a value in an open pipe', { type: 'json', value: 1, close: false }, 'got "1"'],
  ])('has as its input %s', async (_, stdin, line) => {
    const code = `
      let text = ''; process.stdin.setEncoding('utf8');
      process.stdin.on('data', (data) => { text += data; if (text === '1') console.log('got ' + JSON.stringify(text)); });
      process.stdin.on('end', () => console.log('ended with ' + JSON.stringify(text)));
      ${stdin === undefined ? "console.log('waits')" : ''}`;
    const daemon = await started([script(code, stdin === undefined ? {} : { stdin })]);
    await daemon.waitForLog(said(line));
    expect(await daemon.stop()).toBe(0);
    expect(linesOf(daemon).filter((one) => String(one).startsWith('ended'))).toEqual(
      line.startsWith('ended') ? [line] : [],
    );
  });

  it('writes to /dev/stdout and /dev/stderr, too, and says its last words', async () => {
    const daemon = await started([shell('echo out > /dev/stdout; echo err > /dev/stderr; printf "last words"')]);
    await daemon.waitForLog('guest ended');
    expect(linesOf(daemon).sort()).toEqual(['err', 'last words', 'out']);
  });

  it('is heard where the directory for temporary files cannot be written to', async () => {
    const daemon = await started([shell('echo here')], { env: { TMPDIR: '/no/such/directory' } });
    await daemon.waitForLog(said('here'));
  });

  it('is heard by nobody, or gets SIGPIPE, where the config says so', async () => {
    const dropped = shell('echo dropped; echo dropped >&2', { stdout: 'drop', stderr: 'drop' }, { id: 'dropped' });
    const code = `process.stdout.on('error', ({ code }) => console.error(code)); process.stdout.write('closed');`;
    const daemon = await started([dropped, { ...script(code, { stdout: 'close' }), id: 'closed' }]);
    await daemon.waitForLog(said('EPIPE'));
    await daemon.waitForLog(({ msg, worker }) => msg === 'guest ended' && worker === 'dropped');
    expect(linesOf(daemon)).toEqual(['EPIPE']);
  });

  it('cannot fill the log, and its long lines are cut between the characters', async () => {
    const code = `console.log('ü'.repeat(9000)); for (let n = 0; n < 30000; n += 1) console.log('flood ' + n);`;
    const daemon = await started([script(code)]);
    await daemon.waitForLog('guest ended');
    const lines = linesOf(daemon).map(String);
    expect(lines.slice(0, 3).map((line) => line.length)).toEqual([4096, 4096, 808]);
    expect(lines.filter((line) => line.includes('\ufffd'))).toEqual([]);
    expect(lines.length).toBeLessThan(15_000);
    await daemon.waitForLog(() => omittedBy(daemon) + linesOf(daemon).length === 30_003);
    const times = daemon.logs.filter(({ msg }) => msg.startsWith('lines of the process left out'));
    expect(times.length).toBeLessThan(100);
  });

  it.each([
    ['is not there', { executable: 'no-such-program' }, 'there is no program "no-such-program"'],
    ['has no directory', { executable: 'sh', options: { workdir: 'no/such' } }, 'there is no directory '],
  ])('that %s is told, and nobody else ends', async (_, guest, problem) => {
    const daemon = await started([guest]);
    const record = await daemon.waitForLog('guest could not be started');
    expect(record).toMatchObject({ level: 'error', worker: 'worker001' });
    expect(record['problem']).toContain(problem);
    await WampClient.join(daemon.url('/ws', 'ws'));
  });

  it('that is disabled does not start', async () => {
    const daemon = await started([shell('echo here', { disabled: true })]);
    expect(await daemon.stop()).toBe(0);
    expect(messagesOf(daemon)).not.toContain('guest started');
  });
});

function omittedBy(daemon: Daemon): number {
  const told = daemon.logs.filter(({ msg }) => msg.startsWith('lines of the process left out'));
  return told.reduce((sum, { lines }) => sum + Number(lines), 0);
}

describe('a guest that ends', () => {
  it('is not started again by default', async () => {
    const daemon = await started([shell('exit 3')]);
    expect(await daemon.waitForLog('guest ended')).toMatchObject({ level: 'warn', code: 3 });
    expect(await daemon.stop()).toBe(0);
    expect(messagesOf(daemon)).not.toContain('guest will be started again');
  });

  it('is started again after it has failed, each time later, until it does not fail', async () => {
    const failing = shell('echo x >> runs; [ $(wc -l < runs) -lt 3 ] && kill -9 $$; exit 0', { restart: 'on-failure' });
    const daemon = await started([failing]);
    await daemon.waitForLog((record) => record.msg === 'guest ended' && record['code'] === 0);
    const told = daemon.logs.filter(({ msg }) => /^guest (started|ended|will)/.test(msg));
    expect(told.map(({ msg, signal, code, waitMs }) => [msg, signal ?? code ?? waitMs])).toEqual([
      ['guest started', undefined],
      ['guest ended', 'SIGKILL'],
      ['guest will be started again', 500],
      ['guest started', undefined],
      ['guest ended', 'SIGKILL'],
      ['guest will be started again', 1000],
      ['guest started', undefined],
      ['guest ended', 0],
    ]);
  });

  it('is started again in any case where the config says always, and a stop does not wait for that', async () => {
    const daemon = await started([shell('exit 0', { restart: 'always' })]);
    await daemon.waitForLog((record) => record['waitMs'] === 1000);
    expect(await daemon.stop()).toBe(0);
  });

  it('leaves nobody of its group behind', async () => {
    const daemon = await started([shell('sleep 1000 & echo child $!; exit 0')]);
    const child = await numberAfter(daemon, 'child');
    await daemon.waitForLog('guest ended');
    await untilGone([child]);
  });

  it.each([
    ['shutdown_on_worker_exit', 0, 0],
    ['shutdown_on_worker_exit', 5, 1],
    ['shutdown_on_worker_exit_with_error', 5, 1],
    [['shutdown_on_last_worker_exit', 'shutdown_on_worker_exit_with_error'], 5, 1],
  ])('ends the node by %j, where it counts: %i', async (shutdown, code, expected) => {
    const daemon = spawnDaemon({
      config: configOf([shell(`exit ${code}`, { shutdown: true })], { options: { shutdown } }),
    });
    daemons.push(daemon);
    expect((await daemon.exited).code).toBe(expected);
    expect(daemon.logs).toContainEqual(
      expect.objectContaining({ msg: 'a worker has ended, and the node ends with it', worker: 'worker001' }),
    );
    expect(messagesOf(daemon).at(-1)).toBe('node stopped');
  });

  it.each([
    ['shutdown_on_worker_exit_with_error', 0, true],
    ['shutdown_on_last_worker_exit', 5, true],
    ['shutdown_on_shutdown_requested', 5, true],
    ['shutdown_on_worker_exit', 5, false],
  ])('does not by %s with %i, counted: %s', async (word, code, counts) => {
    const guest = shell(`exit ${code}`, { shutdown: counts });
    const daemon = await started([guest], { controller: { options: { shutdown: word } } });
    await daemon.waitForLog('guest ended');
    await WampClient.join(daemon.url('/ws', 'ws'));
  });

  it('ends the node also when it cannot be started', async () => {
    const guest = { executable: 'no-such-program', options: { shutdown: true } };
    const daemon = spawnDaemon({ config: configOf([guest]) });
    daemons.push(daemon);
    expect((await daemon.exited).code).toBe(1);
  });
});

describe('a guest that watches files', () => {
  it('is started again when one has changed, also when it had ended; never two at a time', async () => {
    const cbdir = directoryWith({ 'src/a.txt': 'one', 'src/.hidden': '', 'src/node_modules/b.txt': '' });
    const guest = shell('cat src/a.txt; echo; exec sleep 1000', { watch: { directories: ['src'], action: 'restart' } });
    const daemon = await started([guest], { cbdir, config: configOf([guest]) });
    await daemon.waitForLog(said('one'));
    appendFileSync(path.join(cbdir, 'src/.hidden'), 'x');
    appendFileSync(path.join(cbdir, 'src/node_modules/b.txt'), 'x');
    writeFileSync(path.join(cbdir, 'src/a.txt'), 'two');
    await daemon.waitForLog(said('two'));
    const told = messagesOf(daemon).filter((msg) => /^guest (started|ended|restarts)/.test(msg));
    expect(told).toEqual(['guest started', 'guest restarts: a file has changed', 'guest ended', 'guest started']);
    const second = daemon.logs.filter(({ msg }) => msg === 'guest started')[1]?.['pid'];
    process.kill(Number(second), 'SIGKILL');
    await daemon.waitForLog(({ msg, pid }) => msg === 'guest ended' && pid === second);
    writeFileSync(path.join(cbdir, 'src/a.txt'), 'three');
    await daemon.waitForLog(said('three'));
  });
});

describe('when the node ends', () => {
  const TREE = 'sleep 1000 & echo child $!; echo self $$; wait';
  const DEAF = `process.on('SIGTERM', () => console.log('heard')); setInterval(() => {}, 1000); console.log('deaf ' + process.pid);`;

  it('its guests end with all that they have started, those that ignore SIGTERM after a grace', async () => {
    const daemon = await started([shell(TREE), script(DEAF)]);
    const pids = [await numberAfter(daemon, 'child'), await numberAfter(daemon, 'self')];
    pids.push(await numberAfter(daemon, 'deaf'));
    expect(await daemon.stop()).toBe(0);
    await untilGone(pids);
    expect(linesOf(daemon)).toContain('heard');
    const killed = daemon.logs.filter(({ msg }) => msg.startsWith('guest killed'));
    expect(killed).toEqual([expect.objectContaining({ level: 'warn', worker: 'worker002' })]);
    expect(messagesOf(daemon).at(-1)).toBe('node stopped');
    expect(daemon.stderr).toBe('');
  });

  it('by kill -9, no process is left', async () => {
    const daemon = await started([shell(TREE), script(DEAF)]);
    const pids = [await numberAfter(daemon, 'child'), await numberAfter(daemon, 'self')];
    pids.push(await numberAfter(daemon, 'deaf'), ...descendantsOf(daemon.pid));
    expect(new Set(pids).size).toBe(4); // and the warden
    await daemon.kill();
    await untilGone(pids);
  });
});

describe('a guest that is a WAMP client', () => {
  const clients = [
    { language: 'node', executable: process.execPath, file: 'guest.js' },
    ...(hasAutobahn ? [{ language: 'python', executable: PYTHON, file: 'guest.py' }] : []),
  ];

  describeNeeds('python3-autobahn', hasAutobahn)('written in Python, too', () => {
    it('is among them', () => expect(clients).toHaveLength(2));
  });

  it.each(clients)('joins at its first try, wherever it stands in the config: $language', async (client) => {
    const { language, executable, file } = client;
    const port = await freePort();
    const guest = { executable, arguments: [path.join(CLIENTS, file), `ws://127.0.0.1:${port}/ws`] };
    const endpoint = { type: 'tcp', port, interface: '127.0.0.1' };
    const daemon = await startDaemon({ config: configOf([guest], {}, { endpoint }) });
    daemons.push(daemon);
    await daemon.waitForLog(said('joined'));
    expect(messagesOf(daemon).indexOf('transport started')).toBeLessThan(messagesOf(daemon).indexOf('guest started'));
    const caller = await WampClient.join(daemon.url('/ws', 'ws'));
    const result = await caller.ask([48, 1, {}, `com.example.from_${language}`, ['me']]);
    expect(result[3]).toEqual([`${language} heard me`]);
    const { pid } = await daemon.waitForLog('guest started');
    expect(await daemon.stop()).toBe(0);
    await untilGone([Number(pid)]);
  });
});

describe('the example', () => {
  it('of docs/guests.md works as it stands there', async () => {
    const text = readFileSync(path.resolve(import.meta.dirname, '../../docs/guests.md'), 'utf8');
    const guest = JSON.parse(/^```json\n([^]*?)^```/m.exec(text)?.[1] ?? '') as Guest;
    const cbdir = directoryWith({ 'notes.txt': '', '../greeter/greeter.js': 'console.log(process.argv[2])' });
    const daemon = await started([guest], { cbdir, config: configOf([guest]) });
    expect(await daemon.waitForLog(said('hello'))).toMatchObject({ worker: 'greeter', stream: 'stdout' });
  });
});

/** A port that a guest can be told before the node starts. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
