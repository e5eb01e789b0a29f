/** Cookie stores over an engine, and another node beside them. */
import { LiveCookies } from '../../src/cookie/live/live-cookies.js';
import { NatsCookieStore } from '../../src/cookie/nats/store.js';
import { LENIENT } from '../../src/cookie/rules.js';
import type { Engine } from '../../src/engine/engine.js';
import { silentLogger } from '../../src/log/logger.js';
import type { OtherProcess, StorePlace } from '../contract/cookie-store.js';

/** The day of the records of the contract suite. */
export const SUITE_DAY = Date.parse('2026-11-21T00:00:00Z');

/** @returns a store, not open. */
export function natsStoreOn(
  connect: () => Promise<Engine>,
  bucket = 'cookies',
  clock: () => number = () => SUITE_DAY,
): NatsCookieStore {
  return new NatsCookieStore(bucket, { clock, log: silentLogger(), connect });
}

/** @param connect a link of one more node. */
export function natsPlace(
  connect: () => Promise<Engine>,
  bucket?: string,
): StorePlace & Required<Pick<StorePlace, 'elsewhere'>> {
  return {
    store: () => natsStoreOn(connect, bucket),
    elsewhere: () => otherNode(connect, bucket),
    dispose: () => Promise.resolve(),
  };
}

async function otherNode(connect: () => Promise<Engine>, bucket?: string): Promise<OtherProcess> {
  const store = natsStoreOn(connect, bucket, Date.now);
  await store.open();
  const liveCookies = new LiveCookies({ store, rules: LENIENT, clock: Date.now, log: silentLogger() });
  return {
    order: async (line) => {
      const [what, cbtid = '', successor = ''] = line.split(' ');
      if (what === 'logout') await liveCookies.logOut(cbtid);
      else if (what === 'expire') await store.delete(cbtid, new Date().toISOString(), false);
      else await liveCookies.rotate(cbtid, successor);
    },
    end: async () => {
      liveCookies.close();
      await store.close();
    },
  };
}
