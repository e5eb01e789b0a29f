/** The store `nats` is opened while NATS cannot serve: its servers elect who leads the bucket. */
import { expect, it } from 'vitest';
import { NatsCookieStore } from '../../../../src/cookie/nats/store.js';
import { EngineError } from '../../../../src/engine/engine.js';
import type { EngineFault } from '../../../../src/engine/engine.js';
import { MemoryHub } from '../../../../src/engine/memory/hub.js';
import { silentLogger } from '../../../../src/log/logger.js';

/** Opens a store whose bucket is not to be had so many times. @returns what became of it, and how many links were made and are open. */
async function opened(failures: number, fault: EngineFault, patienceMs: number) {
  const hub = new MemoryHub();
  let [made, open] = [0, 0];
  const connect = () => {
    const engine = hub.connect();
    const close = engine.close.bind(engine);
    [made, open] = [made + 1, open + 1];
    const change = { close: () => (open--, close()) };
    if (made > failures) return Promise.resolve(Object.assign(engine, change));
    return Promise.resolve(
      Object.assign(engine, { ...change, bucket: () => Promise.reject(new EngineError(fault, 'timeout')) }),
    );
  };
  const store = new NatsCookieStore('cookies', { clock: () => 0, log: silentLogger(), connect, patienceMs });
  const outcome = await store.open().then(() => 'open', String);
  const links = { made, open };
  if (outcome === 'open') await store.close();
  return { outcome, ...links };
}

it('is tried again with another link, until there is no more time', async () => {
  expect(await opened(1, 'unavailable', 60_000)).toEqual({ outcome: 'open', made: 2, open: 1 });
  const { outcome, open } = await opened(99, 'unavailable', 0);
  expect(outcome).toContain('the cookie store in the bucket cookies of NATS cannot be opened: timeout');
  expect(open).toBe(0);
});

it('is not tried again where NATS refuses', async () => {
  expect(await opened(1, 'refused', 60_000)).toMatchObject({ made: 1, open: 0 });
});
