/** What a borrower learns when something fails: the store of the owner, the owner, or what one of them says. */
import { connect } from 'node:net';
import { once } from 'node:events';
import { stat } from 'node:fs/promises';

import { describe, expect, it, vi } from 'vitest';

import { CookieStoreError } from '../../../../src/cookie/error.js';
import { BorrowedStore } from '../../../../src/cookie/lent/borrowed-store.js';
import { Lender } from '../../../../src/cookie/lent/lender.js';
import { OwnerLink } from '../../../../src/cookie/lent/owner-link.js';
import { Kind } from '../../../../src/cookie/lent/records.js';
import { MemoryCookieStore } from '../../../../src/cookie/memory.js';
import type { CookieStore } from '../../../../src/cookie/store.js';
import { silentLogger } from '../../../../src/log/logger.js';
import { cookieId, cookieRecord, DELETED, MODIFIED, recordingLog } from '../../../support/cookie-store.js';
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
import { KEY, LentPlace } from '../../../support/lent-stores.js';
import { until } from '../../../support/until.js';

/** @returns all calls of a store, on a cookie that is there. */
function everyCall(store: CookieStore): readonly Promise<unknown>[] {
  return [
    store.get(ID),
    store.create(cookieRecord(cookieId(2))),
    store.update(ID, { seen: MODIFIED }),
    store.rotate(ID, cookieId(3), MODIFIED),
    store.delete(ID, DELETED),
    store.evict(ID),
    store.unreturned(),
    store.list(),
    store.entries?.() ?? Promise.reject(new CookieStoreError('none')),
  ];
}

describe('an error of the store', () => {
  it('has the same text, and a cause when the store failed', async () => {
    const store = new ObstinateStore();
    const place = await LentPlace.with(() => store);
    const borrowed = await place.borrow();
    const refused = await errorOf(borrowed.update(ID, { seen: MODIFIED }));
    expect(refused).toBeInstanceOf(CookieStoreError);
    expect(refused).toMatchObject({ message: 'this cookie is not known', code: 'ERR_COOKIE_STORE' });
    expect((refused as Error).cause).toBeUndefined();
    store.failure = new CookieStoreError('the cookie file /x cannot be written', { cause: new Error('disk full') });
    const failed = await errorOf(borrowed.get(ID));
    expect(failed).toBeInstanceOf(CookieStoreError);
    expect(failed).toMatchObject({ message: 'the cookie file /x cannot be written', cause: { message: 'disk full' } });
    await place.dispose();
  });

  it('that is a bug of the owner is no secret of the owner, and costs nothing else', async () => {
    const store = new ObstinateStore();
    const { log, warnings } = recordingLog();
    const place = await LentPlace.with(() => store, { log });
    const borrowed = await place.borrow();
    store.failure = new TypeError('undefined is no function');
    const failed = await errorOf(borrowed.get(ID));
    expect(failed).toBeInstanceOf(CookieStoreError);
    expect((failed as Error).cause).toBeInstanceOf(Error);
    expect(warnings()).toMatchObject([{ level: 'error', msg: 'a lent cookie store has failed' }]);
    store.failure = undefined;
    await borrowed.create(cookieRecord(ID));
    expect(await borrowed.get(ID)).toEqual(cookieRecord(ID));
    await place.dispose();
  });

  it('comes when the store is not lent, or nobody is there', async () => {
    const place = await LentPlace.with(() => new MemoryCookieStore());
    const other = new BorrowedStore(await place.link(), 'another');
    await expect(other.open()).rejects.toThrow('this cookie store is not lent');
    await expect(other.get(ID)).rejects.toThrow('the cookie store is not open');
    await place.dispose();
    const nobody = await errorOf(OwnerLink.connect(place.socket, { log: silentLogger() }));
    expect(nobody).toBeInstanceOf(CookieStoreError);
    expect((nobody as Error).cause).toMatchObject({ code: 'ENOENT' });
  });
});

describe('an owner that is gone', () => {
  it('leaves nothing pending, and every later call rejects at once', async () => {
    const store = new ObstinateStore();
    const gone = vi.fn();
    const place = await LentPlace.with(() => store);
    const link = await place.link({ gone });
    const borrowed = new BorrowedStore(link, KEY);
    await borrowed.open();
    const told = vi.fn();
    borrowed.watch(() => [ID], told);
    await borrowed.create(cookieRecord(ID));
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    const pending = [borrowed.get(ID), borrowed.create(cookieRecord(cookieId(9)))];
    // The owner has begun with them.
    await until(async () => expect(await borrowed.unreturned()).toEqual([]));
    expect(link.size).toBe(2);
    place.lender.end();
    for (const outcome of await Promise.all([...pending, ...everyCall(borrowed)].map(errorOf))) {
      expect(outcome).toBeInstanceOf(CookieStoreError);
      expect(outcome).toMatchObject({ message: 'the process that has the cookie stores is gone' });
      expect((outcome as Error).cause).toBeInstanceOf(Error);
    }
    expect(link.size).toBe(0);
    expect(gone).toHaveBeenCalledOnce();
    for (const outcome of await Promise.all(everyCall(borrowed).map(errorOf))) {
      expect(outcome).toMatchObject({ message: 'the process that has the cookie stores is gone' });
    }
    await borrowed.close();
    expect(told).not.toHaveBeenCalled();
    open();
    await place.dispose();
  });
});

/** A store that says whether somebody watches it. */
class WatchedOne extends MemoryCookieStore {
  watches = 0;

  watch(): () => void {
    this.watches += 1;
    return () => void (this.watches -= 1);
  }
}

describe('a borrower that is gone', () => {
  it('is watched for no longer than it is there, or has the store open', async () => {
    const store = new WatchedOne();
    const place = await LentPlace.with(() => store);
    const link = await place.link();
    const [first, second] = [new BorrowedStore(link, KEY), new BorrowedStore(link, KEY)];
    await Promise.all([first.open(), second.open()]);
    expect(store.watches).toBe(2);
    await first.close();
    await until(() => expect(store.watches).toBe(1));
    link.end();
    await until(() => expect(store.watches).toBe(0));
    await place.dispose();
  });

  it('costs the owner nothing, and what it asked for happens all the same', async () => {
    const store = new ObstinateStore();
    const place = await LentPlace.with(() => store);
    const [leaver, stayer] = [await place.link(), await place.borrow()];
    const borrowed = new BorrowedStore(leaver, KEY);
    await borrowed.open();
    let open = (): void => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    const last = errorOf(borrowed.create(cookieRecord(ID)));
    await borrowed.unreturned();
    expect(place.lender.size).toBe(2);
    leaver.end();
    await until(() => expect(place.lender.size).toBe(1));
    expect(await last).toBeInstanceOf(CookieStoreError);
    open();
    store.gate = undefined;
    await until(async () => expect(await stayer.get(ID)).toEqual(cookieRecord(ID)));
    await place.dispose();
  });

  it('has told nobody else the ids of its cookies', async () => {
    const { log, entries } = recordingLog();
    const place = await LentPlace.with(() => new MemoryCookieStore(), { log });
    const secret = 'a-very-secret-cookie-id!';
    const borrowed = await place.borrow({ log });
    await borrowed.create(cookieRecord(secret));
    const errors = await Promise.all([
      errorOf(borrowed.create(cookieRecord(secret))),
      errorOf(borrowed.rotate(secret, secret, MODIFIED)),
      errorOf(borrowed.update(`${secret}x`, { seen: MODIFIED })),
    ]);
    const socket = connect(place.socket).resume();
    socket.write(record(Kind.ASK, 1, `{"do":"get","store":"${secret}"`));
    await once(socket, 'close');
    await until(() => expect(entries).toHaveLength(1));
    expect(JSON.stringify([entries, errors.map(String)])).not.toContain('secret');
    await place.dispose();
  });
});

describe('a bad record of a borrower', () => {
  it.each([
    ['no JSON', record(Kind.ASK, 1, '{')],
    ['no request', record(Kind.ASK, 1, '[]')],
    ['an unknown request', record(Kind.ASK, 1, '{"do":"purge","store":0}')],
    ['a request of the prototype', record(Kind.ASK, 1, '{"do":"constructor","store":0}')],
    ['a request that lacks something', record(Kind.ASK, 1, '{"do":"get","store":0}')],
    ['a store without a number', record(Kind.ASK, 1, '{"do":"list","store":"0"}')],
    ['half of a record', record(Kind.ASK, 1, JSON.stringify({ ...CREATE, record: { cbtid: ID } }))],
    [
      'half of a login',
      record(
        Kind.ASK,
        1,
        JSON.stringify({ ...CREATE, record: cookieRecord(ID, { auth: { authid: 'joe' } as never }) }),
      ),
    ],
    ['a change that is none', record(Kind.ASK, 1, JSON.stringify({ do: 'update', store: 0, cbtid: ID, change: {} }))],
    ['what owners say', record(Kind.GONE, 1, ID)],
    ['an unknown kind', record(99, 1, '')],
    ['a list of cookies that is none', record(Kind.HERE, 1, '"x"')],
    ['the number of another request', Buffer.concat([record(Kind.ASK, 1, GET), record(Kind.ASK, 1, GET)])],
    ['a record without an end', Buffer.from([255, 255, 255, 255, 1, 0, 0, 0, 0])],
    ['a record that is too short', Buffer.from([1, 0, 0, 0, 1, 0, 0, 0, 0])],
  ])('ends its connection, and nothing else: %s', async (_name, bytes) => {
    const { log, warnings } = recordingLog();
    let open = (): void => undefined;
    const store = new ObstinateStore();
    const place = await LentPlace.with(() => store, { log });
    const other = await place.borrow();
    await other.create(cookieRecord(ID));
    store.gate = new Promise((resolve) => (open = resolve));
    const bad = connect(place.socket).resume();
    bad.write(Buffer.concat([record(Kind.ASK, 7, BORROW), bytes]));
    await once(bad, 'close');
    open();
    expect(await other.get(ID)).toEqual(cookieRecord(ID));
    expect(await place.owner.get(ID)).toEqual(cookieRecord(ID));
    expect(warnings()).toMatchObject([{ msg: 'a process that borrows cookie stores was lost' }]);
    await place.dispose();
  });

  it('is an answer to a question that nobody asked', async () => {
    const place = await LentPlace.with(() => new MemoryCookieStore());
    const bad = connect(place.socket).resume();
    bad.write(record(Kind.ASK, 1, BORROW));
    bad.write(record(Kind.ASK, 2, JSON.stringify({ do: 'watch', store: 0 })));
    bad.write(record(Kind.ALL_HERE, 2, '[]'));
    await once(bad, 'close');
    expect(place.lender.size).toBe(0);
    await place.dispose();
  });
});

describe('a bad record of an owner', () => {
  it.each([
    ['no JSON', record(Kind.VALUE, 3, '{')],
    ['no answer', record(Kind.VALUE, 3, '{"cbtid":"x"}')],
    ['no refusal', record(Kind.REFUSED, 3, '{"cause":"x"}')],
    ['an answer to nothing', record(Kind.VALUE, 4, '')],
    ['what borrowers say', record(Kind.ASK, 3, GET)],
    ['a part that is no list', record(Kind.PART, 3, '{}')],
    ['a question before the last was answered', Buffer.concat([record(Kind.WHO, 2, ''), record(Kind.WHO, 2, '')])],
  ])('ends the link, and nothing stays pending: %s', (_name, bytes) =>
    withOwner(async (link, socket, requests) => {
      const store = await openedOn(link, socket, requests);
      const asked = errorOf(store.get(ID));
      socket.write(bytes);
      expect(await asked).toBeInstanceOf(CookieStoreError);
      expect(await errorOf(store.get(ID))).toMatchObject({ message: 'the process that has the cookie stores is gone' });
    }),
  );
});

it('says why nobody can borrow', async () => {
  const place = await LentPlace.with(() => new MemoryCookieStore());
  const deps = { log: silentLogger() };
  await expect(Lender.start(place.socket, deps)).rejects.toMatchObject({ code: 'EADDRINUSE' });
  await expect(Lender.start(`${place.directory}/no/such.sock`, deps)).rejects.toMatchObject({ code: 'EACCES' });
  // The other one goes on.
  expect(await (await place.borrow()).get(ID)).toBeUndefined();
  await place.dispose();
});

it('the socket belongs to this user alone', async () => {
  const place = await LentPlace.with(() => new MemoryCookieStore());
  expect((await stat(place.socket)).mode & 0o777).toBe(0o600);
  await place.dispose();
});
