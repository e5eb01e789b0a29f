import { beforeEach, describe, expect, it } from 'vitest';

import { CookieStoreError } from '../../../../src/cookie/error.js';
import { StoreHealth } from '../../../../src/cookie/live/store-health.js';
import { MemoryCookieStore } from '../../../../src/cookie/memory.js';
import type { CookieRecord } from '../../../../src/cookie/store.js';
import { cookieId, cookieRecord } from '../../../support/cookie-store.js';

/** A store that fails as long as there is a failure. */
class FailingStore extends MemoryCookieStore {
  failure: CookieStoreError | undefined;
  created = 0;

  override async create(record: CookieRecord): Promise<void> {
    this.created += 1;
    if (this.failure !== undefined) throw this.failure;
    await super.create(record);
  }
}

const FULL = new CookieStoreError('the disk is full', { cause: new Error('ENOSPC') });

/** All that goes on in the background has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

let now: number;
let store: FailingStore;
let health: StoreHealth;

beforeEach(() => {
  now = Date.parse('2026-01-02T03:04:05Z');
  store = new FailingStore();
  health = new StoreHealth(store, () => now);
});

async function fail(): Promise<void> {
  store.failure = FULL;
  await expect(health.create(cookieRecord(cookieId(1)))).rejects.toBe(FULL);
}

describe('the health of a cookie store', () => {
  it('is good as long as nobody has seen anything else, and costs nothing', () => {
    expect(health.isFailing).toBe(false);
    expect(store.created).toBe(0);
  });

  it('is bad from the first new cookie that could not be stored until the next that could', async () => {
    await fail();
    expect(health.isFailing).toBe(true);
    store.failure = undefined;
    await health.create(cookieRecord(cookieId(2)));
    expect(health.isFailing).toBe(false);
  });

  it('does not suffer from a store that works and refuses what it is asked', async () => {
    store.failure = new CookieStoreError('the id is taken');
    await expect(health.create(cookieRecord(cookieId(1)))).rejects.toThrow('taken');
    expect(health.isFailing).toBe(false);
  });

  it('comes back when somebody asks, though no client comes any more, and nothing is left of the attempt', async () => {
    await fail();
    store.failure = undefined;
    expect(health.isFailing).toBe(true);
    await settled();
    expect(health.isFailing).toBe(false);
    expect(await store.list()).toEqual([]);
  });

  it('is tried once a second at most, whoever asks how often', async () => {
    await fail();
    const before = store.created;
    for (let asked = 0; asked < 5; asked++) {
      expect(health.isFailing).toBe(true);
      await settled();
    }
    expect(store.created - before).toBe(1);
    now += 1000;
    expect(health.isFailing).toBe(true);
    await settled();
    expect(store.created - before).toBe(2);
  });
});
