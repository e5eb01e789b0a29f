/** Uploads to the real daemon over real sockets: interrupted, hostile, cut, slow, many at a time, on a disk that is full. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, readFileSync, readdirSync, symlinkSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { nodeDirectory, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';
import { FORM_TYPE, formBody, pieceCount, pieceFields, pieceForm, pieceOf, pieceQuery } from '../support/upload.js';
import type { Piece } from '../support/upload.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const UPLOAD = { type: 'upload', realm: 'realm1', role: 'anonymous', directory: '../uploaded' };

function configWith(options: object = {}, more: object = {}): object {
  const upload = { ...UPLOAD, options, ...more };
  const config = nodeConfig({ paths: { upload } });
  return JSON.parse(JSON.stringify(config).replace('"port":0', '"port":"$PORT"')) as object;
}

const daemons: Daemon[] = [];
afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.dispose();
});

async function start(options: object = {}, more: object = {}): Promise<Daemon> {
  const daemon = await startDaemon({ config: configWith(options, more), probed: true });
  daemons.push(daemon);
  return daemon;
}

const directoryOf = ({ cbdir }: Daemon): string => path.join(path.dirname(cbdir), 'uploaded');
const uploaded = (daemon: Daemon): string[] => readdirSync(directoryOf(daemon)).filter((name) => !name.startsWith('.'));
const unfinished = (daemon: Daemon): string[] => readdirSync(path.join(directoryOf(daemon), '.unfinished'));
const read = (daemon: Daemon, name: string): Buffer => readFileSync(path.join(directoryOf(daemon), name));

/** A form as every client with `FormData` sends it. */
async function post(daemon: Daemon, piece: Piece): Promise<number> {
  const form = new FormData();
  for (const [name, value] of pieceFields(piece)) form.append(name, value);
  form.append('file', new Blob([new Uint8Array(pieceOf(piece))]), 'blob');
  const answer = await fetch(daemon.url('/upload'), { method: 'POST', body: form });
  await answer.arrayBuffer();
  return answer.status;
}

async function test(daemon: Daemon, piece: Piece): Promise<number> {
  return (await fetch(daemon.url(`/upload${pieceQuery(piece)}`))).status;
}

describe('an upload', () => {
  it('goes on where it was after kill -9, and torn pieces are gone', async () => {
    const content = randomBytes(300_000);
    const piece = (number: number): Piece => ({ content, chunkSize: 20_000, number });
    const first = await start();
    for (const number of [1, 2, 5]) expect(await post(first, piece(number))).toBe(200);
    // One more is half there.
    const body = pieceForm(piece(3));
    const socket = connect(first.port, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(headOf(body.length));
    socket.write(body.subarray(0, 10_000));
    const [key = ''] = unfinished(first);
    const place = path.join(directoryOf(first), '.unfinished', key);
    await expect.poll(() => readdirSync(place).some((name) => name.endsWith('.part'))).toBe(true);
    await first.kill();

    const second = await first.restart({ probed: true });
    daemons.push(second);
    expect(readdirSync(place).sort()).toEqual(['1', '2', '5']);
    const numbers = Array.from({ length: pieceCount(content.length, 20_000) }, (_, n) => n + 1);
    const there = await Promise.all(numbers.map((number) => test(second, piece(number))));
    expect(numbers.filter((_, index) => there[index] === 200)).toEqual([1, 2, 5]);
    for (const number of numbers.filter((_, index) => there[index] !== 200)) await post(second, piece(number));
    expect(read(second, 'a.bin').equals(content)).toBe(true);
    expect(unfinished(second)).toEqual([]);
  });

  it('of any name stays in its directory', async () => {
    const daemon = await start();
    const around = readdirSync(path.dirname(daemon.cbdir)).sort();
    const names = [
      '../../a1',
      '/tmp/a2',
      'C:\\a3',
      '..\\..\\a4',
      'a5\0.txt',
      '.a6',
      'x'.repeat(300),
      'ünï/../日本.txt',
      'a7\r\nx: y',
    ];
    for (const name of names)
      expect([name, await post(daemon, { content: Buffer.from(name), name })]).toEqual([name, 200]);
    expect(uploaded(daemon).sort()).toEqual(
      ['a1', 'a2', 'a3', 'a4', 'a5.txt', 'a6', 'a7x: y', 'x'.repeat(255), '日本.txt'].sort(),
    );
    expect(readdirSync(path.dirname(daemon.cbdir)).sort()).toEqual(around);
    for (const name of ['', '..', '../', '.']) {
      expect(await post(daemon, { content: Buffer.from('x'), name })).toBe(400);
    }
  });

  it('that comes too slowly gets 408', async () => {
    const daemon = await start({ chunk_timeout: 1 });
    const body = pieceForm({ content: Buffer.alloc(1000) });
    const socket = connect(daemon.port, '127.0.0.1');
    socket.write(headOf(body.length));
    socket.write(body.subarray(0, 500));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
    socket.destroy();
    expect(uploaded(daemon)).toEqual([]);
  });

  it('that is much too large gets 400 at once, before its body has come', async () => {
    const daemon = await start({ max_file_size: 1000 });
    const socket = connect(daemon.port, '127.0.0.1');
    socket.write(headOf(1e12));
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 400 /);
    socket.destroy();
  });
});

const headOf = (length: number, type = FORM_TYPE): string =>
  `POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${String(length)}\r\n\r\n`;

describe('many requests', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await startDaemon({
      config: configWith({ max_unfinished: 5000 }),
      probed: true,
    });
  });
  afterAll(() => daemon.dispose());

  const openFiles = (): number => readdirSync(`/proc/${String(daemon.pid)}/fd`).length;

  it('at the same time, 1000 of them, leave no files, sockets or memory behind', async () => {
    await post(daemon, { content: Buffer.alloc(1000), name: 'warm' });
    const before = await daemon.ask<{ heapUsed: number; arrayBuffers: number }>('memory');
    const open = openFiles();
    const content = randomBytes(40_000);
    const name = (index: number): string => `f${String(index)}.bin`;
    const statuses = await Promise.all(
      Array.from({ length: 1000 }, (_, index) => send(daemon, pieceForm({ content, name: name(index) }))),
    );
    expect(new Set(statuses)).toEqual(new Set(['200']));
    expect(uploaded(daemon)).toHaveLength(1001);
    expect(read(daemon, name(999)).equals(content)).toBe(true);
    expect(unfinished(daemon)).toEqual([]);
    await expect.poll(openFiles, { timeout: 10_000 }).toBeLessThanOrEqual(open);
    const after = await daemon.ask<{ heapUsed: number; arrayBuffers: number }>('memory');
    expect(after.heapUsed - before.heapUsed).toBeLessThan(8e6);
    expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2e6);
  });

  it('that are cut anywhere leave nothing', async () => {
    const files = uploaded(daemon).length;
    const open = openFiles();
    const body = pieceForm({ content: randomBytes(100_000), chunkSize: 50_000, name: 'cut.bin' });
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const socket = connect(daemon.port, '127.0.0.1');
        socket.on('error', () => undefined);
        await once(socket, 'connect');
        socket.write(headOf(body.length));
        socket.write(body.subarray(0, Math.floor((index / 200) * body.length)), () => socket.resetAndDestroy());
        await once(socket, 'close');
      }),
    );
    await expect.poll(() => unfinished(daemon), { timeout: 10_000 }).toEqual([]);
    expect(uploaded(daemon)).toHaveLength(files);
    await expect.poll(openFiles, { timeout: 10_000 }).toBeLessThanOrEqual(open);
  });

  it('of any bytes get an answer, and the node goes on', async () => {
    const bodies = Array.from({ length: 300 }, (_, seed) => spoilt(seed));
    for (const { body, type } of bodies) {
      const status = await send(daemon, body, type);
      expect(['200', '400', '415', '503']).toContain(status);
    }
    expect(await post(daemon, { content: Buffer.from('still here'), name: 'still.txt' })).toBe(200);
    expect(daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
  });
});

/** @returns the status of an answer. */
async function send(daemon: Daemon, body: Buffer, type = FORM_TYPE): Promise<string> {
  const socket = connect(daemon.port, '127.0.0.1');
  let text = '';
  socket.on('data', (data) => (text += data.toString('latin1')));
  socket.on('error', () => undefined);
  socket.write(headOf(body.length, type).replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
  socket.write(body);
  await once(socket, 'close');
  return text.slice(9, 12);
}

/** A form with something wrong, the same for the same seed. */
function spoilt(seed: number): { readonly body: Buffer; readonly type: string } {
  const random = (below: number, salt: number): number => (((seed + 1) * 2_654_435_761 * (salt + 7)) >>> 7) % below;
  const piece: Piece = {
    content: Buffer.alloc(3000, seed),
    chunkSize: 1000,
    number: 1 + random(3, 1),
    name: `s${String(seed)}`,
  };
  const form = pieceForm(piece);
  const nested = formBody(pieceFields(piece), form);
  switch (seed % 8) {
    case 0:
      return { body: form.subarray(0, random(form.length, 2)), type: FORM_TYPE };
    case 1:
      return { body: form, type: `multipart/form-data; boundary=${'x'.repeat(1 + random(100, 3))}` };
    case 2:
      form[random(form.length, 4)] = random(256, 5);
      return { body: form, type: FORM_TYPE };
    case 3:
      return { body: nested, type: FORM_TYPE };
    case 4:
      return { body: Buffer.concat([form, form]), type: FORM_TYPE };
    case 5:
      return { body: randomBytes(random(5000, 6)), type: FORM_TYPE };
    case 6:
      return {
        body: form,
        type: ['multipart/mixed; boundary=x', 'multipart/form-data; boundary=', ';', 'text/plain'][random(4, 7)] ?? '',
      };
    default:
      return { body: formBody([...pieceFields(piece), ['resumableTotalSize', '9']], pieceOf(piece)), type: FORM_TYPE };
  }
}

const small = path.join(temporaryDirectory(), 'small');
mkdirSync(small);
const isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', small]).status === 0;
describeNeeds('mounting a file system', isMounted)('a disk that is full', () => {
  afterAll(() => spawnSync('umount', [small]));

  it('is 500, and nothing of the file is left', async () => {
    const daemon = await start({}, { directory: path.join(small, 'uploaded') });
    const content = randomBytes(2_000_000);
    const list = (): string[] => readdirSync(path.join(small, 'uploaded/.unfinished'));
    const statuses: number[] = [];
    for (const number of [1, 2, 3, 4]) statuses.push(await post(daemon, { content, chunkSize: 500_000, number }));
    expect(statuses).toEqual([200, 200, 500, 500]);
    expect(daemon.logs.filter(({ msg }) => msg === 'upload cannot be stored')).toHaveLength(1);
    const [key = ''] = list();
    expect(readdirSync(path.join(small, 'uploaded/.unfinished', key)).sort()).toEqual(['1', '2']);
    // A small one has room, and the node is well.
    expect(await post(daemon, { content: Buffer.alloc(1000), name: 'small' })).toBe(200);
  });
});

describe('without the package busboy', () => {
  it('`start` and `check` say what is missing', () => {
    const place = temporaryDirectory();
    for (const part of ['dist', 'bin', 'package.json'])
      cpSync(path.join(ROOT, part), path.join(place, part), { recursive: true });
    mkdirSync(path.join(place, 'node_modules'));
    for (const name of readdirSync(path.join(ROOT, 'node_modules'))) {
      if (name !== 'busboy') symlinkSync(path.join(ROOT, 'node_modules', name), path.join(place, 'node_modules', name));
    }
    const cbdir = nodeDirectory(nodeConfig({ paths: { upload: UPLOAD } }));
    for (const command of ['start', 'check']) {
      const args = [path.join(place, 'bin/crossbar-ts.js'), command, '--cbdir', cbdir];
      const { status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
      expect([command, status]).toEqual([command, 1]);
      expect(stdout + stderr).toContain(
        'a service of type "upload" needs the npm package "busboy": npm install busboy@1.6.0',
      );
    }
  });
});
