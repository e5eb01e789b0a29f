/** How much of each may wait for the other, of an owner and a borrower: bytes, requests, lists. */
import { connect } from 'node:net';
import { once } from 'node:events';

import { describe, expect, it, vi } from 'vitest';

import { CookieStoreError } from '../../../../src/cookie/error.js';
import { Kind, MAX_REQUEST_BYTES, MAX_UNDER_WAY } from '../../../../src/cookie/lent/records.js';
import { MemoryCookieStore } from '../../../../src/cookie/memory.js';
import { RecordReader } from '../../../../src/system/stream/record-reader.js';
import { cookieId, cookieRecord, JOE, MODIFIED, recordingLog } from '../../../support/cookie-store.js';
import {
  BORROW,
  CREATE,
  errorOf,
  GET,
  ID,
  ObstinateStore,
  openedOn,
  record,
  withOwner,
} from '../../../support/lent-records.js';
import { LentPlace } from '../../../support/lent-stores.js';
import { until } from '../../../support/until.js';

describe('bounds', () => {
  it('an owner that does not answer gets so many requests, and no more', () =>
    withOwner(async (link, socket, requests) => {
      const store = await openedOn(link, socket, requests);
      socket.pause();
      const login = { ...JOE, authextra: { filler: 'x'.repeat(1024 * 1024) } };
      const refused: unknown[] = [];
      let isEnough: (() => void) | undefined;
      const enough = new Promise<void>((resolve) => (isEnough = resolve));
      for (let n = 0; n < 100; n += 1) {
        store.create(cookieRecord(cookieId(n), { auth: login, modified: MODIFIED })).catch((error: unknown) => {
          refused.push(error);
          isEnough?.();
        });
      }
      await enough;
      // 32 MiB may be under way; a character counts as three bytes at most.
      expect(link.size).toBeGreaterThanOrEqual(10);
      expect(link.size).toBeLessThan(32);
      expect(refused).toHaveLength(100 - link.size);
      expect(refused[0]).toMatchObject({ message: 'the cookie store has too much to do' });
      expect((refused[0] as Error).cause).toBeInstanceOf(Error);
      link.end();
      await until(() => expect(refused).toHaveLength(100));
      expect(link.size).toBe(0);
    }));

  it('a login that is too large is refused, and nothing is sent of it', async () => {
    const place = await LentPlace.with(() => new MemoryCookieStore());
    const borrowed = await place.borrow();
    await borrowed.create(cookieRecord(ID));
    const auth = { ...JOE, authextra: { filler: 'x'.repeat(MAX_REQUEST_BYTES) } };
    const refused = await errorOf(borrowed.update(ID, { auth, modified: MODIFIED }));
    expect(refused).toBeInstanceOf(CookieStoreError);
    expect((refused as Error).cause).toBeUndefined();
    expect(await borrowed.get(ID)).toEqual(cookieRecord(ID));
    // The largest that goes.
    const most = { ...JOE, authextra: { filler: 'ä'.repeat(MAX_REQUEST_BYTES / 2 - 1024) } };
    expect(await borrowed.update(ID, { auth: most, modified: MODIFIED })).toMatchObject({ auth: { authid: 'joe' } });
    expect(await borrowed.get(ID)).toMatchObject({ auth: { authid: 'joe' } });
    await place.dispose();
  });

  it('a borrower that asks for too much at once is cut off', async () => {
    const store = new ObstinateStore();
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    const place = await LentPlace.with(() => store);
    const other = await place.borrow();
    const greedy = connect(place.socket).resume();
    greedy.write(record(Kind.ASK, 1, BORROW));
    const requests = Array.from({ length: MAX_UNDER_WAY + 1 }, (_, n) => record(Kind.ASK, n + 2, GET));
    greedy.on('error', () => undefined); // it writes when it has been cut off
    greedy.write(Buffer.concat(requests));
    await once(greedy, 'close');
    expect(place.lender.size).toBe(1);
    open();
    expect(await other.get(ID)).toBeUndefined();
    await place.dispose();
  });

  it('a borrower that asks for too long things at once is cut off', async () => {
    const store = new ObstinateStore();
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    const place = await LentPlace.with(() => store);
    const other = await place.borrow();
    const greedy = connect(place.socket).resume();
    greedy.on('error', () => undefined); // it writes when it has been cut off
    greedy.write(record(Kind.ASK, 1, BORROW));
    const auth = { ...JOE, authextra: { filler: 'x'.repeat(MAX_REQUEST_BYTES - 1024) } };
    const request = JSON.stringify({ ...CREATE, record: cookieRecord(ID, { auth, modified: MODIFIED }) });
    for (const n of [2, 3, 4]) greedy.write(record(Kind.ASK, n, request));
    await once(greedy, 'close');
    expect(place.lender.size).toBe(1);
    open();
    expect(await other.get(cookieId(2))).toBeUndefined();
    await place.dispose();
  });

  it('a borrower that reads nothing is given up', async () => {
    const { log, warnings } = recordingLog();
    const place = await LentPlace.with(() => new MemoryCookieStore(), { log, maxUnsentBytes: 4 * 1024 * 1024 });
    const other = await place.borrow();
    const auth = { ...JOE, authextra: { filler: 'x'.repeat(1024 * 1024) } };
    await other.create(cookieRecord(ID, { auth, modified: MODIFIED }));
    const deaf = connect(place.socket);
    deaf.on('error', () => undefined);
    deaf.write(record(Kind.ASK, 1, BORROW));
    for (let n = 2; n < 22; n += 1) deaf.write(record(Kind.ASK, n, GET));
    const problem: unknown = expect.stringContaining('bytes wait for it');
    await until(() => expect(warnings()).toMatchObject([{ problem }]));
    expect(place.lender.size).toBe(1);
    expect(await other.get(ID)).toMatchObject({ cbtid: ID });
    deaf.destroy();
    await place.dispose();
  });

  it('a list waits for a borrower that reads slowly, and comes whole', async () => {
    const place = await LentPlace.with(() => new MemoryCookieStore(), { maxUnsentBytes: 1024 * 1024 });
    const borrowed = await place.borrow();
    const auth = { ...JOE, authextra: { filler: 'x'.repeat(1000) } };
    const count = 5000;
    for (let n = 0; n < count; n += 1) {
      await place.owner.create(cookieRecord(cookieId(n), { auth, modified: MODIFIED, returned: n % 2 === 0 }));
    }
    const [records, again, ids] = await Promise.all([borrowed.list(), borrowed.list(), borrowed.unreturned()]);
    expect(records.map(({ cbtid }) => cbtid)).toEqual(Array.from({ length: count }, (_, n) => cookieId(n)));
    expect(again).toEqual(records);
    expect(ids).toEqual([]);
    expect(await borrowed.entries?.()).toBe(count);
    await place.dispose();
  });

  it('one list after the other is read from the store, while the borrower reads slowly', async () => {
    const store = new MemoryCookieStore();
    const place = await LentPlace.with(() => store, { maxUnsentBytes: 256 * 1024 });
    const auth = { ...JOE, authextra: { filler: 'x'.repeat(1000) } };
    for (let n = 0; n < 2000; n += 1) await store.create(cookieRecord(cookieId(n), { auth, modified: MODIFIED }));
    const list = vi.spyOn(store, 'list');
    const slow = connect(place.socket);
    slow.write(record(Kind.ASK, 1, BORROW));
    for (const n of [2, 3, 4]) slow.write(record(Kind.ASK, n, JSON.stringify({ do: 'list', store: 0 })));
    const other = await place.borrow();
    await until(() => expect(list).toHaveBeenCalled());
    for (let n = 0; n < 20; n += 1) await other.get(ID);
    expect(list).toHaveBeenCalledTimes(1);
    const ends: number[] = [];
    const reader = new RecordReader((kind, number) => kind === Kind.VALUE && ends.push(number), 2 ** 24);
    slow.on('data', (chunk) => void reader.push(chunk));
    await until(() => expect(ends).toEqual([1, 2, 3, 4]));
    expect(list).toHaveBeenCalledTimes(3);
    slow.destroy();
    await place.dispose();
  });
});
