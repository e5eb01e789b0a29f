/** Stores in memory as the commands for cookies see those of a node. */
import { LiveCookies } from '../../src/cookie/live/live-cookies.js';
import { StoreManagement } from '../../src/cookie/management.js';
import { MemoryCookieStore } from '../../src/cookie/memory.js';
import { LENIENT } from '../../src/cookie/rules.js';
import type { Logger } from '../../src/log/logger.js';
import { cookieId, cookieRecord, JOE } from './cookie-store.js';

/** @param ids of the cookies in each store, made just now; odd ones have a login of Joe. */
export async function managedStores(log: Logger, ids: readonly (readonly number[])[]) {
  const created = new Date().toISOString();
  const stores = ids.map((_, index) => {
    const store = new MemoryCookieStore();
    const liveCookies = new LiveCookies({ store, rules: LENIENT, clock: Date.now, log });
    return { number: index + 1, place: `memory ${index + 1}`, store, liveCookies };
  });
  for (const [index, { store }] of stores.entries()) {
    for (const n of ids[index] ?? []) {
      await store.create(cookieRecord(cookieId(n), { created, auth: n % 2 === 1 ? JOE : null }));
    }
  }
  return { stores, management: new StoreManagement(() => Promise.resolve(stores), log) };
}
