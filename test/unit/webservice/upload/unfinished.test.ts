/** The pieces of unfinished uploads on the disk: what counts, what a crash leaves, and how much there may be. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';

import { Turns } from '../../../../src/system/turns.js';
import { machineFiles } from '../../../../src/webservice/upload/files.js';
import type { UploadFiles } from '../../../../src/webservice/upload/files.js';
import { UnfinishedUploads } from '../../../../src/webservice/upload/unfinished.js';
import type { Unfinished, UnfinishedLimits } from '../../../../src/webservice/upload/unfinished.js';
import { temporaryDirectory } from '../../../support/daemon.js';
import { diskNow } from '../../../support/disk-time.js';

const KEY = 'ab'.repeat(32);
const OTHER = 'cd'.repeat(32);
const DAY_MS = 86_400_000;
const ROOM = { uploads: 10, diskBytes: 1024 * 1024 };

let directory: string;
let nowMs: number;
beforeEach(() => {
  directory = path.join(temporaryDirectory(), 'unfinished');
  nowMs = diskNow();
});

interface Parts {
  readonly limits?: Partial<UnfinishedLimits>;
  readonly files?: Partial<UploadFiles>;
}

async function open({ limits, files }: Parts = {}): Promise<UnfinishedUploads> {
  const store = new UnfinishedUploads({
    directory,
    limits: { ...ROOM, perAddress: ROOM, idleMs: DAY_MS, ...limits },
    files: { ...machineFiles, ...files },
    disk: new Turns(2),
    clock: () => nowMs,
  });
  await store.start();
  return store;
}

async function put(store: UnfinishedUploads, upload: Unfinished, number: number, text: string): Promise<void> {
  const writer = store.piece(upload, number, text.length);
  await writer.append(Buffer.from(text));
  await writer.commit();
  await writer.end();
}

const filesOf = (key: string): string[] =>
  existsSync(path.join(directory, key)) ? readdirSync(path.join(directory, key)) : [];

describe('a piece', () => {
  it('counts when it is whole and on the disk', async () => {
    const store = await open();
    const upload = await store.enter(KEY);
    const writer = store.piece(upload, 3, 10);
    await writer.append(Buffer.from('01234'));
    expect(filesOf(KEY)).toEqual([expect.stringMatching(/^3\.[0-9a-f]{12}\.part$/)]);
    expect(upload.pieces.size).toBe(0);
    await writer.append(Buffer.from('56789'));
    await writer.commit();
    await writer.end();
    expect(filesOf(KEY)).toEqual(['3']);
    expect([...upload.pieces]).toEqual([[3, 10]]);
    expect(upload.received).toBe(10);
    expect(readFileSync(store.fileOf(upload, 3), 'utf8')).toBe('0123456789');
    expect(store.size).toMatchObject({ uploads: 1, diskBytes: 4096 });
  });

  it('is synced before it gets its name, and its directory behind it', async () => {
    const calls: string[] = [];
    const told =
      <A extends unknown[]>(name: string, work: (...args: A) => Promise<void>) =>
      async (...args: A): Promise<void> => {
        calls.push(name);
        await work(...args);
      };
    const files = {
      append: told('append', (...args: Parameters<UploadFiles['append']>) => machineFiles.append(...args)),
      sync: told('sync', (...args: Parameters<UploadFiles['sync']>) => machineFiles.sync(...args)),
      rename: told('rename', (...args: Parameters<UploadFiles['rename']>) => machineFiles.rename(...args)),
      syncDirectory: told('syncDirectory', (...args: Parameters<UploadFiles['syncDirectory']>) =>
        machineFiles.syncDirectory(...args),
      ),
    };
    const store = await open({ files });
    await put(store, await store.enter(KEY), 1, 'x');
    expect(calls).toEqual(['append', 'sync', 'rename', 'syncDirectory']);
  });

  it.each([
    ['too long', '01234567890', 'the piece is longer than 10 bytes'],
    ['too short', '012345678', 'the piece has 9 bytes instead of 10'],
  ])('that is %s is refused, and leaves nothing', async (_how, text, message) => {
    const store = await open();
    const upload = await store.enter(KEY);
    const writer = store.piece(upload, 1, 10);
    const write = async (): Promise<void> => {
      await writer.append(Buffer.from(text));
      await writer.commit();
    };
    await expect(write()).rejects.toMatchObject({ refusal: { status: 400, text: message } });
    await writer.end();
    await store.leave(upload);
    expect(filesOf(KEY)).toEqual([]);
    expect(store.size).toMatchObject({ uploads: 0, diskBytes: 0 });
  });

  it('that comes twice at a time is there once', async () => {
    const store = await open();
    const upload = await store.enter(KEY);
    const [one, two] = [store.piece(upload, 1, 4), store.piece(upload, 1, 4)];
    await Promise.all([one.append(Buffer.from('same')), two.append(Buffer.from('same'))]);
    await Promise.all([one.commit(), two.commit()]);
    await Promise.all([one.end(), two.end()]);
    expect(filesOf(KEY)).toEqual(['1']);
    expect(upload.received).toBe(4);
    expect(store.size.diskBytes).toBe(4096);
  });

  it('of a disk that fails leaves nothing', async () => {
    const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const store = await open({ files: { append: () => Promise.reject(full) } });
    const upload = await store.enter(KEY);
    const writer = store.piece(upload, 1, 4);
    await expect(writer.append(Buffer.from('1234'))).rejects.toBe(full);
    await writer.end();
    await store.leave(upload);
    expect(filesOf(KEY)).toEqual([]);
    expect(store.size).toMatchObject({ uploads: 0, diskBytes: 0 });
  });
});

describe('limits', () => {
  it('bound the bytes of all uploads, in blocks of the disk', async () => {
    const store = await open({ limits: { diskBytes: 3 * 4096 } });
    const upload = await store.enter(KEY);
    await put(store, upload, 1, 'a');
    await put(store, upload, 2, 'a');
    const other = await store.enter(OTHER);
    await put(store, other, 1, 'a'.repeat(4096));
    const writer = store.piece(upload, 3, 1);
    await expect(writer.append(Buffer.from('a'))).rejects.toMatchObject({
      refusal: { status: 503, text: 'too many uploads are unfinished' },
    });
    await writer.end();
    await store.leave(other);
    await store.remove(other);
    expect(store.size).toMatchObject({ uploads: 1, diskBytes: 2 * 4096 });
    await put(store, upload, 3, 'a');
  });

  it('bound how many there are; those that are there go on', async () => {
    const store = await open({ limits: { uploads: 1 } });
    const upload = await store.enter(KEY);
    await expect(store.enter(OTHER)).rejects.toMatchObject({ refusal: { status: 503 } });
    await expect(store.enter(KEY)).resolves.toBe(upload);
    await store.leave(upload);
    await store.leave(upload);
    // Of this one nothing has come: it is forgotten.
    await expect(store.enter(OTHER)).resolves.toMatchObject({ key: OTHER });
  });
});

describe('the share of an address', () => {
  const busy = (text: string) => ({ refusal: { status: 503, text } });
  const OWN = 'too many uploads of this address are unfinished';

  it('bounds how many it has, and nobody else', async () => {
    const store = await open({ limits: { uploads: 3, perAddress: { ...ROOM, uploads: 1 } } });
    const keys = ['1', '2', '3', '4'].map((digit) => digit.repeat(64));
    const [first = '', second = '', third = '', fourth = ''] = keys;
    const mine = await store.enter(first, 'a');
    await expect(store.enter(second, 'a')).rejects.toMatchObject(busy(OWN));
    await expect(store.enter(first, 'a')).resolves.toBe(mine);
    await store.enter(second, 'b');
    // Without an address there is no share.
    await store.enter(third);
    await expect(store.enter(fourth)).rejects.toMatchObject(busy('too many uploads are unfinished'));
    expect(store.size).toEqual({ uploads: 3, diskBytes: 0, addresses: 2 });
    await store.leave(mine);
    await store.leave(mine);
    await expect(store.enter(fourth, 'a')).resolves.toMatchObject({ key: fourth });
  });

  it('bounds its bytes, and is given back with them', async () => {
    const store = await open({ limits: { perAddress: { ...ROOM, diskBytes: 2 * 4096 } } });
    const mine = await store.enter(KEY, 'a');
    await put(store, mine, 1, 'a');
    await put(store, mine, 2, 'a');
    const writer = store.piece(mine, 3, 1);
    await expect(writer.append(Buffer.from('a'))).rejects.toMatchObject(busy(OWN));
    await writer.end();
    const other = await store.enter(OTHER, 'b');
    await put(store, other, 1, 'b');
    await store.remove(mine);
    await store.remove(other);
    expect(store.size).toEqual({ uploads: 0, diskBytes: 0, addresses: 0 });
  });

  it('has what was found at the start when somebody goes on with it', async () => {
    const first = await open();
    await put(first, await first.enter(KEY, 'a'), 1, 'a');
    const store = await open({ limits: { perAddress: { uploads: 1, diskBytes: 4096 } } });
    expect(store.size).toEqual({ uploads: 1, diskBytes: 4096, addresses: 0 });
    const mine = await store.enter(KEY, 'a');
    await expect(store.enter(OTHER, 'a')).rejects.toMatchObject(busy(OWN));
    await store.remove(mine);
    expect(store.size).toEqual({ uploads: 0, diskBytes: 0, addresses: 0 });
  });
});

describe('a piece that another request brings first', () => {
  it('is done with, also when the whole upload is gone by then', async () => {
    const store = await open();
    const upload = await store.enter(KEY);
    const late = store.piece(upload, 1, 8);
    await late.append(Buffer.from('1234'));
    await put(store, upload, 1, '12345678');
    await store.remove(upload);
    await late.append(Buffer.from('5678'));
    expect(await late.commit()).toBe(false);
    await late.end();
    expect(readdirSync(directory)).toEqual([]);
    expect(store.size).toMatchObject({ uploads: 0, diskBytes: 0 });
  });

  it('fails without harm when its directory goes while it writes', async () => {
    let gone = (): Promise<void> => Promise.resolve();
    const append = async (...args: Parameters<UploadFiles['append']>): Promise<void> => {
      await gone();
      await machineFiles.append(...args);
    };
    const store = await open({ files: { append } });
    const upload = await store.enter(KEY);
    const late = store.piece(upload, 1, 4);
    await late.append(Buffer.from('12'));
    gone = async () => {
      gone = () => Promise.resolve();
      await put(store, upload, 1, '1234');
      await store.remove(upload);
    };
    await late.append(Buffer.from('34'));
    expect(await late.commit()).toBe(false);
    await late.end();
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('time', () => {
  it('deletes what does not go on, and nothing that somebody is at', async () => {
    const store = await open();
    const [stale, busy] = [await store.enter(KEY), await store.enter(OTHER)];
    for (const upload of [stale, busy]) upload.isTold = true;
    await put(store, stale, 1, 'a');
    await put(store, busy, 1, 'a');
    await store.leave(stale);
    nowMs += DAY_MS;
    expect(await store.sweep()).toBe(0);
    nowMs += 1;
    expect(await store.sweep()).toBe(1);
    expect(readdirSync(directory)).toEqual([OTHER]);
    expect(store.size).toMatchObject({ uploads: 1, diskBytes: 4096 });
    await store.leave(busy);
    expect(await store.sweep()).toBe(1);
    expect(readdirSync(directory)).toEqual([]);
  });

  it('lets nobody in while an upload is being deleted', async () => {
    let go = (): void => undefined;
    const held = new Promise<void>((resolve) => (go = resolve));
    const files = { remove: (file: string) => held.then(() => machineFiles.remove(file)) };
    const store = await open({ files });
    const upload = await store.enter(KEY);
    await put(store, upload, 1, 'a');
    await store.leave(upload);
    const removed = store.remove(upload);
    const entered = store.enter(KEY);
    go();
    await removed;
    const again = await entered;
    expect(again.pieces.size).toBe(0);
    await put(store, again, 2, 'b');
    expect(filesOf(KEY)).toEqual(['2']);
  });
});

describe('after a crash', () => {
  it('pieces are found again, and torn ones are removed', async () => {
    const first = await open();
    const upload = await first.enter(KEY);
    await put(first, upload, 1, 'one');
    await put(first, upload, 7, 'seven');
    const torn = first.piece(upload, 2, 10);
    await torn.append(Buffer.from('0123'));
    mkdirSync(path.join(directory, OTHER));
    writeFileSync(path.join(directory, OTHER, '1.0123456789ab.part'), 'torn');
    writeFileSync(path.join(directory, 'not-ours'), 'x');

    const store = await open();
    expect(readdirSync(directory).sort()).toEqual([KEY, 'not-ours']);
    expect(filesOf(KEY).sort()).toEqual(['1', '7']);
    const found = store.find(KEY);
    expect([...(found?.pieces ?? [])].sort()).toEqual([
      [1, 3],
      [7, 5],
    ]);
    expect(found?.received).toBe(8);
    expect(store.size).toMatchObject({ uploads: 1, diskBytes: 2 * 4096 });
    expect(store.find(OTHER)).toBeUndefined();
  });

  it('what had been stale is deleted', async () => {
    const first = await open();
    const upload = await first.enter(KEY);
    await put(first, upload, 1, 'one');
    nowMs += DAY_MS + 60_000;
    const store = await open();
    expect(store.size).toMatchObject({ uploads: 0, diskBytes: 0 });
    expect(readdirSync(directory)).toEqual([]);
  });
});
