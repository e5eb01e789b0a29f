/** The log of a node in a file: where it lies, that it can be rotated by others, and by the node itself. */
import { existsSync, readFileSync, readdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { connect } from 'node:net';
import { once } from 'node:events';
import { afterEach, expect, it } from 'vitest';
import { nodeDirectory, runCli, spawnDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';

const running: Daemon[] = [];
afterEach(() => Promise.all(running.splice(0).map((daemon) => daemon.dispose())));

interface Logged {
  readonly msg: string;
  readonly port?: number;
}

const linesOf = (file: string): Logged[] =>
  existsSync(file)
    ? readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Logged)
    : [];

/** Waits until a line is in the file. */
async function lineIn(file: string, msg: string): Promise<Logged> {
  for (;;) {
    const found = linesOf(file).find((line) => line.msg === msg);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function started(...args: string[]): { daemon: Daemon; cbdir: string } {
  const cbdir = nodeDirectory(nodeConfig());
  const daemon = spawnDaemon({ cbdir, args });
  running.push(daemon);
  return { daemon, cbdir };
}

it('--logtofile writes node.log in the node directory, and SIGUSR1 reopens it, without a debugger', async () => {
  const { daemon, cbdir } = started('--logtofile');
  const file = path.join(cbdir, 'node.log');
  await lineIn(file, 'node started');
  renameSync(file, `${file}.old`);
  daemon.signal('SIGUSR1');
  await lineIn(file, 'log file reopened');
  expect(linesOf(`${file}.old`).map(({ msg }) => msg)).toContain('node started');
  // The debugger of Node.js would listen there.
  const debuggers = connect(9229, '127.0.0.1');
  expect(await once(debuggers, 'error')).toEqual([expect.objectContaining({ code: 'ECONNREFUSED' })]);
  expect(await daemon.stop()).toBe(0);
  expect(linesOf(file).at(-1)).toMatchObject({ msg: 'node stopped' });
  expect([daemon.stdout, daemon.stderr]).toEqual(['', '']);
});

it('--logdir is relative to the node directory; --logmaxsize sets files aside, and no line is lost', async () => {
  const { daemon, cbdir } = started(
    ...['--logdir', 'logs', '--logmaxsize', '4K', '--logkeep', '99', '--loglevel', 'debug'],
  );
  const directory = path.join(cbdir, 'logs');
  const file = path.join(directory, 'node.log');
  const all = (): Logged[] => readdirSync(directory).flatMap((name) => linesOf(path.join(directory, name)));
  while (!existsSync(file) || !all().some(({ msg }) => msg === 'node started')) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const port = all().find(({ msg }) => msg === 'transport started')?.port ?? 0;
  for (let i = 0; i < 60; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.end('GET /nowhere HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n').resume();
    await once(socket, 'close');
  }
  expect(await daemon.stop()).toBe(0);
  const files = readdirSync(directory);
  expect(files.length).toBeGreaterThan(1);
  for (const name of files) expect(statSync(path.join(directory, name)).size).toBeLessThan(16_384);
  const told = all().map(({ msg }) => msg);
  for (const msg of ['node started', 'node stopped']) expect(told).toContain(msg);
});

it('a log that cannot be opened, or makes no sense, keeps the node from starting', async () => {
  const cbdir = nodeDirectory(nodeConfig());
  const start = (...args: string[]) => runCli(['start', '--cbdir', cbdir, ...args]);
  const refused = await start('--logdir', 'config.json');
  expect([refused.code, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/^crossbar-ts: the log .+node\.log cannot/),
  ]);
  expect(await start('--logmaxsize', '10M')).toMatchObject({
    code: 1,
    stderr: 'crossbar-ts: --logmaxsize is about a log in a file: it needs --logtofile\n',
  });
  for (const size of ['1', 'big', '-1']) expect((await start('--logtofile', '--logmaxsize', size)).code).toBe(1);
});

it('--shutdownafter ends the node the orderly way', async () => {
  const { daemon } = started('--shutdownafter', '0');
  expect(await daemon.exited).toEqual({ code: 0, signal: null });
  expect(daemon.logs.map(({ msg }) => msg)).toEqual(
    expect.arrayContaining(['node started', 'the time that --shutdownafter gives it is over', 'node stopped']),
  );
});
