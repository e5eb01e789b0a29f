/**
 * What is left of requests to a service when all of them are over, whatever became of them: many at once, bodies that stop half-way,
 * clients that leave, and bodies that are none. Nothing may be: no socket, no file, no process, no session, no memory of a body. A
 * thousand at once are in `bridge-load.test.ts` and `upload.test.ts`.
 */
import { once } from 'node:events';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { nodeDirectory, startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import { FORM_TYPE, pieceForm } from '../support/upload.js';
import { WampClient } from '../support/wamp-client.js';
import type { JoinedClient } from '../support/wamp-client.js';
import { zipOf } from '../support/zips.js';

const CLASSES = ['HeldBody', 'WebResponse', 'Pipeline', 'BodyReader', 'Reading', 'PieceWriter', 'Run', 'ReadStream'];
const MANY = 200;
const FEW = 40;

interface Subject {
  readonly config: object;
  readonly path: string;
  /** A body that is taken; undefined for a service that is only read. */
  readonly body?: { readonly type: string; readonly bytes: (index: number) => Buffer };
  /** What may come of many at once. */
  readonly statuses: readonly number[];
  /** How many come at once, where it is dear. Default: {@link MANY}. */
  readonly many?: number;
}

const SERVICE = { realm: 'realm1', role: 'anonymous' };
const json = (value: object): NonNullable<Subject['body']> => ({
  type: 'application/json',
  bytes: () => Buffer.from(JSON.stringify(value)),
});

const SUBJECTS: Readonly<Record<string, Subject>> = {
  publisher: {
    config: { type: 'publisher', ...SERVICE },
    path: '/publisher',
    body: json({ topic: 'com.example.topic', args: ['x'.repeat(2000)] }),
    statuses: [200],
  },
  caller: {
    config: { type: 'caller', ...SERVICE },
    path: '/caller',
    body: json({ procedure: 'wamp.session.count', kwargs: { x: 'x'.repeat(2000) } }),
    statuses: [200],
  },
  webhook: {
    config: { type: 'webhook', ...SERVICE, options: { topic: 'com.example.hook' } },
    path: '/webhook',
    body: { type: 'text/plain', bytes: () => Buffer.alloc(2000, 0xff) },
    statuses: [202],
  },
  upload: {
    config: { type: 'upload', ...SERVICE, directory: '../uploaded', options: { max_unfinished: 5000 } },
    path: '/upload',
    body: { type: FORM_TYPE, bytes: (index) => pieceForm({ content: Buffer.alloc(2000), name: `f${String(index)}` }) },
    statuses: [200],
  },
  archive: { config: { type: 'archive', archive: 'pages.zip' }, path: '/archive/long.txt', statuses: [200] },
  static: { config: { type: 'static', directory: '../pages' }, path: '/static/long.txt', statuses: [200] },
  json: { config: { type: 'json', value: { a: 'x'.repeat(2000) } }, path: '/json', statuses: [200] },
  nodeinfo: { config: { type: 'nodeinfo' }, path: '/nodeinfo', statuses: [200] },
  cgi: {
    config: { type: 'cgi', directory: '../scripts', processor: 'sh', options: { max_processes: 8, timeout: 60 } },
    path: '/cgi/echo',
    body: { type: 'text/plain', bytes: () => Buffer.alloc(2000, 'x') },
    // So many are not run at a time; each is a process.
    statuses: [200, 503],
    many: 30,
  },
};

let daemon: Daemon;
let somebody: JoinedClient;

const LONG = 'a line of text\n'.repeat(30_000);

beforeAll(async () => {
  const paths = Object.fromEntries(Object.entries(SUBJECTS).map(([name, { config }]) => [name, config]));
  const cbdir = nodeDirectory(nodeConfig({ paths }));
  const top = path.dirname(cbdir);
  for (const name of ['pages', 'scripts']) mkdirSync(path.join(top, name));
  writeFileSync(path.join(top, 'pages/long.txt'), LONG);
  writeFileSync(path.join(cbdir, 'pages.zip'), zipOf([{ name: 'long.txt', content: LONG }]));
  writeFileSync(path.join(top, 'scripts/echo'), 'printf "Content-Type: text/plain\\n\\n"; exec cat\n');
  daemon = await startDaemon({ cbdir, probed: true });
  somebody = await WampClient.join(daemon.url('/ws', 'ws'));
});
afterAll(async () => {
  await somebody.close();
  await daemon.dispose();
});

type Left = Readonly<Record<string, number>>;

/** All that could be left of something. */
async function left(): Promise<Left> {
  const objects = await daemon.ask<Left>('objects', { classes: CLASSES });
  const [, , , [sessions]] = (await somebody.ask([48, 7, {}, 'wamp.session.count'])) as [8, 7, object, [number]];
  const files = readdirSync(`/proc/${daemon.pid}/fd`).length;
  const children = readFileSync(`/proc/${daemon.pid}/task/${daemon.pid}/children`, 'utf8').split(' ').length;
  const unfinished = readdirSync(path.join(path.dirname(daemon.cbdir), 'uploaded/.unfinished')).length;
  return { ...objects, sessions, files, children, unfinished };
}

/** Looks until there is nothing more than before; a test that never gets there ends by its own time, and `more` says why. */
async function untilAsBefore(before: Left): Promise<void> {
  const more = async (): Promise<Left> =>
    Object.fromEntries(Object.entries(await left()).filter(([name, count]) => count > (before[name] ?? 0)));
  await expect.poll(more, { timeout: 60_000, interval: 100 }).toEqual({});
}

async function open(...bytes: readonly (string | Buffer)[]): Promise<Socket> {
  const socket = connect(daemon.port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  for (const part of bytes) socket.write(part);
  return socket;
}

/** @returns the status of the answer, when the connection has ended; 0 when there was none. */
async function statusOf(socket: Socket): Promise<number> {
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    if (text.length < 20) text += chunk;
  });
  if (!socket.closed) await once(socket, 'close');
  return Number(text.slice(9, 12));
}

const headOf = ({ path: url, body }: Subject, ...lines: readonly string[]): string => {
  const type = body === undefined ? [] : [`Content-Type: ${body.type}`];
  const method = body === undefined ? 'GET' : 'POST';
  return [`${method} ${url} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close', ...type, ...lines, '', ''].join('\r\n');
};

function whole(subject: Subject, index: number): readonly (string | Buffer)[] {
  const bytes = subject.body?.bytes(index);
  return bytes === undefined ? [headOf(subject)] : [headOf(subject, `Content-Length: ${String(bytes.length)}`), bytes];
}

/** Several at a time, so that the machine has room for them. */
async function times<T>(count: number, make: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)));
}

/** What is no request, or no body of one. */
function malformed(subject: Subject): readonly (readonly (string | Buffer)[])[] {
  const bytes = subject.body?.bytes(0) ?? Buffer.from('x');
  const [chunked, length] = ['Transfer-Encoding: chunked', `Content-Length: ${String(bytes.length)}`];
  return [
    [headOf(subject, chunked), 'zz\r\n'],
    [headOf(subject, chunked), '5\r\nab'],
    [headOf(subject, chunked), 'fffffffffffffffff\r\n'],
    [headOf(subject, chunked, length), bytes],
    [headOf(subject, length, 'Content-Length: 1'), bytes],
    [headOf(subject, 'Content-Length: 99999999999'), bytes],
    [headOf(subject, length, 'Content-Encoding: gzip'), bytes],
    [headOf(subject, length, 'Upgrade: h2c'), bytes],
    [headOf(subject, length, 'Expect: 100-continue'), bytes],
    [headOf(subject, length), Buffer.alloc(bytes.length, 0x80)],
    [headOf(subject, length), Buffer.alloc(bytes.length, '[')],
    [headOf(subject, `Content-Length: ${String(bytes.length - 1)}`), bytes.subarray(0, -1)],
    [headOf(subject, 'Range: bytes=5-4,x', 'If-None-Match: "', 'Accept-Encoding: gzip;q=x')],
  ];
}

describeNeeds('Linux', process.platform === 'linux')('nothing is left of', () => {
  it.each(Object.entries(SUBJECTS))(
    'requests to %s',
    async (_name, subject) => {
      // What a service makes once, it keeps: its session, the shell that watches scripts.
      await statusOf(await open(...whole(subject, MANY)));
      const before = await left();

      const statuses = await times(subject.many ?? MANY, async (index) =>
        statusOf(await open(...whole(subject, index))),
      );
      for (const status of new Set(statuses)) expect(subject.statuses).toContain(status);
      expect(statuses).toContain(subject.statuses[0]);

      // Clients that leave: with half a body, with all of it, and while the answer is on its way.
      await times(Math.min(FEW, subject.many ?? FEW), async (index) => {
        const [head = '', bytes = Buffer.alloc(0)] = whole(subject, index);
        const half = Buffer.from(bytes).subarray(0, Math.floor((bytes.length * index) / FEW));
        (await open(head, half)).resetAndDestroy();
      });
      await times(Math.min(FEW, subject.many ?? FEW), async (index) => {
        const socket = await open(...whole(subject, index));
        await Promise.race([once(socket, 'data'), once(socket, 'close')]);
        socket.resetAndDestroy();
      });

      for (const request of malformed(subject)) {
        const socket = await open(...request);
        // Whatever is answered; where more is awaited, the client leaves.
        await Promise.race([once(socket, 'data'), once(socket, 'close'), once(socket.end(), 'close')]);
        socket.destroy();
      }
      await untilAsBefore(before);
    },
    120_000,
  );

  it('and the node complains of nothing', () => {
    expect(daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });
});
