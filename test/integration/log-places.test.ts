/** What becomes of the log and the audit log when the disk is full, and when nobody reads standard output; and when they are rotated. */
import { execFileSync, spawnSync } from 'node:child_process';
import { appendFileSync, closeSync, constants, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { renameSync, rmSync, statSync } from 'node:fs';
import { Socket } from 'node:net';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it, onTestFinished } from 'vitest';

import { auditEntries } from '../support/audit-file.js';
import type { AuditEntry } from '../support/audit-file.js';
import { nodeDirectory, spawnDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon, DaemonOptions } from '../support/daemon.js';
import { itNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import { freePorts } from '../support/ports.js';
import { ConnectionClosed, WampClient } from '../support/wamp-client.js';

const running: Daemon[] = [];
afterEach(() => Promise.all(running.splice(0).map((daemon) => daemon.dispose())));

const GUARDED = { name: 'anonymous', permissions: [{ uri: 'com.example.*', allow: { call: true } }] };

interface Started {
  readonly node: Daemon;
  /** Host and port. */
  readonly host: string;
}

/** A node that need not show its log. */
async function started(audit: object, options: DaemonOptions): Promise<Started> {
  const [port = 0] = await freePorts(1);
  const endpoint = { type: 'tcp', port, interface: '127.0.0.1' };
  const config = nodeConfig({
    ...{ realms: [{ name: 'realm1', roles: [GUARDED] }], transport: { endpoint } },
    paths: { health: { type: 'health' } },
  });
  const cbdir = nodeDirectory({ ...config, controller: { options: { audit } } });
  const node = spawnDaemon({ ...options, cbdir });
  running.push(node);
  const host = `127.0.0.1:${port}`;
  while (!(await answers(host, '/health/readyz'))) await delay(20);
  return { node, host };
}

async function answers(host: string, urlPath: string): Promise<boolean> {
  try {
    return (await fetch(`http://${host}${urlPath}`)).ok;
  } catch {
    return false;
  }
}

/** @returns whether a login was let in. */
async function isLetIn(host: string): Promise<boolean> {
  const client = await WampClient.connect(`ws://${host}/ws`);
  try {
    await client.hello('realm1');
    await client.drop();
    return true;
  } catch (error) {
    if (!(error instanceof ConnectionClosed)) throw error;
    expect(await client.closed).toMatchObject({ code: 1013 });
    return false;
  }
}

/** @returns the lines of a log, and how many lines are none. */
function linesOf(text: string): { lines: Record<string, unknown>[]; broken: number } {
  const lines: Record<string, unknown>[] = [];
  let broken = 0;
  for (const line of text.trim().split('\n')) {
    try {
      lines.push(JSON.parse(line) as Record<string, unknown>);
    } catch {
      broken += 1;
    }
  }
  return { lines, broken };
}

const messagesOf = (text: string): unknown[] => linesOf(text).lines.map(({ msg }) => msg);
const loginsIn = (entries: readonly AuditEntry[]): number => entries.filter(({ event }) => event === 'login').length;

/** A disk that becomes full, and has room again. */
interface Disk {
  readonly directory: string;
  fill(): void;
  makeRoom(): void;
}

/** Files may become so large: the kernel takes a part of a line, and sends SIGXFSZ for the next. */
function limited(node: Daemon, file: string): Disk {
  const limit = (bytes: number | string): void => {
    execFileSync('prlimit', ['--pid', String(node.pid), `--fsize=${bytes}:`]);
  };
  return {
    directory: path.dirname(file),
    fill: () => limit(statSync(file).size + 100),
    makeRoom: () => limit('unlimited'),
  };
}

/** A file system of 128 KiB. */
function mounted(): Disk {
  const directory = path.join(temporaryDirectory(), 'disk');
  mkdirSync(directory);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'tmpfs', directory]);
  onTestFinished(() => void execFileSync('umount', ['--lazy', directory]));
  const filler = path.join(directory, 'filler');
  const fill = (): void => {
    for (;;) {
      try {
        appendFileSync(filler, Buffer.alloc(4096));
      } catch {
        return;
      }
    }
  };
  return { directory, fill, makeRoom: () => rmSync(filler) };
}

function canMount(): boolean {
  const directory = temporaryDirectory();
  const can = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', directory]).status === 0;
  if (can) spawnSync('umount', [directory]);
  return can;
}

/** The disk of a node becomes full, has room again, and its logs are rotated by others. */
async function survivesFullDisk({ node, host }: Started, disk: Disk): Promise<void> {
  const at = (name: string): string => path.join(disk.directory, name);
  const text = (name: string): string => readFileSync(at(name), 'utf8');
  expect(await isLetIn(host)).toBe(true);
  disk.fill();
  // The page that is begun still takes some.
  let letIn = 1;
  while (await isLetIn(host)) letIn += 1;
  while (!node.stderr.includes('lines of it are lost')) await answers(host, '/nowhere');
  expect(await isLetIn(host)).toBe(false);
  expect(await answers(host, '/health/healthz')).toBe(true);
  disk.makeRoom();
  while (!(await isLetIn(host))) await delay(100);
  while (!messagesOf(text('node.log')).includes('log lines lost: the file could not be written')) await delay(20);
  // Each client that was let in is there; those that were refused are, too.
  expect(loginsIn(auditEntries(text('audit.log')))).toBeGreaterThanOrEqual(letIn + 1);
  const { lines, broken } = linesOf(text('node.log'));
  expect(broken).toBeLessThanOrEqual(1);
  const [told] = lines.filter(({ msg }) => msg === 'log lines lost: the file could not be written');
  expect(told).toMatchObject({ level: 'warn', lines: expect.any(Number) as number });
  expect(Number(told?.['lines'])).toBeGreaterThan(0);
  expect(node.stderr.match(/lines of it are lost/g)).toHaveLength(1);
  for (const name of ['node.log', 'audit.log']) renameSync(at(name), at(`${name}.old`));
  node.signal('SIGUSR1');
  while (!readdirSync(disk.directory).includes('node.log') || !text('node.log').includes('log file reopened')) {
    await delay(20);
  }
  expect(await node.stop()).toBe(0);
  expect(messagesOf(text('node.log'))).toContain('node stopped');
  expect(auditEntries(text('audit.log')).map(({ event }) => event)).toEqual(['node stopped']);
  expect(auditEntries(text('audit.log.old')).map(({ event }) => event)).not.toContain('node stopped');
}

it('a node goes on when files may not become larger, and its logs go on when they may', async () => {
  const directory = temporaryDirectory();
  const file = path.join(directory, 'audit.log');
  const args = ['--logdir', directory, '--loglevel', 'debug'];
  const one = await started({ file, required: true }, { args });
  await survivesFullDisk(one, limited(one.node, file));
});

itNeeds('the right to mount', canMount())(
  'a node goes on when its disk is full, and its logs when it has room',
  async () => {
    const disk = mounted();
    const args = ['--logdir', disk.directory, '--loglevel', 'debug'];
    const one = await started({ file: path.join(disk.directory, 'audit.log'), required: true }, { args });
    await survivesFullDisk(one, disk);
  },
);

it('standard output that is a file is written again when the disk has room; standard error on it ends nothing', async () => {
  const file = path.join(temporaryDirectory(), 'node.log');
  const fd = openSync(file, 'a');
  const options = { stdoutTo: fd, stderrTo: fd, args: ['--loglevel', 'debug'] };
  const { node, host } = await started({ stdout: true, required: true }, options);
  closeSync(fd);
  const disk = limited(node, file);
  const text = (): string => readFileSync(file, 'utf8');
  disk.fill();
  while (await isLetIn(host));
  expect(await answers(host, '/health/healthz')).toBe(true);
  expect(await isLetIn(host)).toBe(false);
  disk.makeRoom();
  while (!(await isLetIn(host))) await delay(100);
  expect(await node.stop()).toBe(0);
  const { lines, broken } = linesOf(text());
  const told = lines.map(({ msg }) => msg);
  expect(told).toEqual(expect.arrayContaining(['log lines lost: the file could not be written', 'node stopped']));
  expect(told).toContain('audit log is written again');
  // One of the log, and the rest of one of the audit log that is written behind it.
  expect(broken).toBeLessThanOrEqual(2);
  expect(lines.filter(({ event }) => event === 'login').length).toBeGreaterThanOrEqual(2);
});

it('an audit log stands beside a log that is set aside by its size, and stays whole', async () => {
  const directory = temporaryDirectory();
  const args = ['--logdir', directory, '--logmaxsize', '4K', '--logkeep', '2', '--loglevel', 'debug'];
  const { node, host } = await started({ file: path.join(directory, 'audit.log') }, { args });
  for (let i = 0; i < 40; i++) expect(await isLetIn(host)).toBe(true);
  node.signal('SIGUSR1');
  expect(await isLetIn(host)).toBe(true);
  expect(await node.stop()).toBe(0);
  expect(readdirSync(directory).sort()).toEqual(['audit.log', 'node.log', 'node.log.1', 'node.log.2']);
  const entries = auditEntries(readFileSync(path.join(directory, 'audit.log'), 'utf8'));
  expect([loginsIn(entries), entries.at(-1)?.event]).toEqual([41, 'node stopped']);
});

it('an audit log that ends inside a line, as a crash may leave it, goes on with a line of its own', async () => {
  const directory = temporaryDirectory();
  const file = path.join(directory, 'audit.log');
  for (const name of ['audit.log', 'node.log']) appendFileSync(path.join(directory, name), '{"half":');
  const { node } = await started({ file }, { args: ['--logdir', directory] });
  expect(await node.stop()).toBe(0);
  for (const name of ['audit.log', 'node.log']) {
    const { lines, broken } = linesOf(readFileSync(path.join(directory, name), 'utf8'));
    expect([broken, lines.length > 1]).toEqual([1, true]);
  }
});

/** Calls that are denied, each of a name of its own: an entry of the audit log for each, 2 MiB of them and more. */
const CALLS = 9000;
const LONG = 'x'.repeat(200);

async function denyMany(host: string): Promise<void> {
  const client = await WampClient.join(`ws://${host}/ws`);
  for (let id = 1; id <= CALLS; id++) client.send([48, id, {}, `org.closed.n${id}.${LONG}`]);
  for (let id = 1; id <= CALLS; id++) await client.nextText();
  await client.drop();
}

it('a reader of standard output that does not read holds nobody up, and what is lost is counted', async () => {
  const fifo = path.join(temporaryDirectory(), 'fifo');
  execFileSync('mkfifo', [fifo]);
  const reader = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  const writer = openSync(fifo, constants.O_WRONLY);
  const { node, host } = await started({ stdout: true }, { stdoutTo: writer });
  closeSync(writer);
  await denyMany(host);
  expect(await answers(host, '/health/readyz')).toBe(true);

  let text = '';
  const pipe = new Socket({ fd: reader, readable: true, writable: false });
  pipe.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
  const ended = new Promise((resolve) => pipe.once('close', resolve));
  while (!text.includes('audit log is written again')) await delay(20);
  expect(await node.stop()).toBe(0);
  await ended;
  const { lines, broken } = linesOf(text);
  expect(broken).toBe(0);
  const denied = lines.filter(({ event }) => event === 'permission denied');
  const lost = lines.reduce((sum, { event, lost: count }) => sum + (event === 'entries lost' ? Number(count) : 0), 0);
  expect(lost).toBeGreaterThan(0);
  const others = ['config loaded', 'node started', 'login', 'node stopped'];
  const there = lines.filter(({ event }) => others.includes(String(event))).length;
  // One or the other of those may be among the lost.
  expect(denied.length + there + lost).toBe(CALLS + others.length);
  expect(messagesOf(text)).toContain('audit log cannot be written');
});
