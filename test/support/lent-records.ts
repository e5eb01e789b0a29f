/** The two ends of lent cookie stores, record by record: what a borrower or an owner says that is not ours. */
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import path from 'node:path';

import { expect } from 'vitest';

import { BorrowedStore } from '../../src/cookie/lent/borrowed-store.js';
import { OwnerLink } from '../../src/cookie/lent/owner-link.js';
import { Kind } from '../../src/cookie/lent/records.js';
import { MemoryCookieStore } from '../../src/cookie/memory.js';
import type { CookieEntry, CookieRecord } from '../../src/cookie/store.js';
import { silentLogger } from '../../src/log/logger.js';
import { RecordReader } from '../../src/system/stream/record-reader.js';
import { cookieId, cookieRecord, withDirectory } from './cookie-store.js';
import { KEY } from './lent-stores.js';
import { until } from './until.js';

/** The cookie of these records. */
export const ID = cookieId(1);

/** A store whose calls can be made to fail, or to wait. */
export class ObstinateStore extends MemoryCookieStore {
  failure: Error | undefined;
  gate: Promise<void> | undefined;

  override async get(cbtid: string): Promise<CookieEntry | undefined> {
    await this.gate;
    if (this.failure !== undefined) throw this.failure;
    return super.get(cbtid);
  }

  override async create(record: CookieRecord): Promise<void> {
    await this.gate;
    return super.create(record);
  }
}

/** @returns what a rejection is made of. */
export async function errorOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'nothing went wrong',
    (error: unknown) => error,
  );
}

/** A record as it is on the wire. */
export function record(kind: number, number: number, content: string): Buffer {
  const bytes = Buffer.alloc(9 + Buffer.byteLength(content));
  bytes.writeUInt32LE(bytes.length - 4, 0);
  bytes[4] = kind;
  bytes.writeUInt32LE(number, 5);
  bytes.write(content, 9);
  return bytes;
}

/** Requests, as JSON. */
export const BORROW = JSON.stringify({ do: 'borrow', key: KEY });
export const GET = JSON.stringify({ do: 'get', store: 0, cbtid: ID });
export const CREATE = { do: 'create', store: 0, record: cookieRecord(ID) };

/** An owner that says what the test wants. */
export async function withOwner(
  use: (link: OwnerLink, socket: Socket, requests: string[]) => Promise<void>,
): Promise<void> {
  await withDirectory(async (directory) => {
    const file = path.join(directory, 'owner.sock');
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(file, resolve));
    const coming = once(server, 'connection') as Promise<[Socket]>;
    const link = await OwnerLink.connect(file, { log: silentLogger() });
    const [socket] = await coming;
    const requests: string[] = [];
    const reader = new RecordReader((_kind, _number, content) => void requests.push(content.toString()), 2 ** 24);
    socket.on('data', (chunk) => void reader.push(chunk));
    await use(link, socket, requests);
    link.end();
    socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
}

const LOAN = JSON.stringify({ store: 0, entries: false, compact: false, latest: false });

/** @returns an open store of such an owner: two requests are answered. */
export async function openedOn(link: OwnerLink, socket: Socket, requests: readonly string[]): Promise<BorrowedStore> {
  const store = new BorrowedStore(link, KEY);
  const opening = store.open();
  socket.write(record(Kind.VALUE, 1, LOAN));
  await until(() => expect(requests).toHaveLength(2));
  socket.write(record(Kind.VALUE, 2, ''));
  await opening;
  return store;
}
