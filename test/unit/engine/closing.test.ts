/** The end of a link to NATS: nobody waits for a library that gives no word of it. */
import type { NatsConnection } from '@nats-io/transport-node';
import { afterEach, expect, it, vi } from 'vitest';
import { NatsEngine } from '../../../src/engine/nats/engine.js';
import type { NatsPackages } from '../../../src/engine/nats/packages.js';

const OPTIONS = { replicas: 1, inboxPrefix: 'inbox', timeoutMs: 1000, maxPendingBytes: 1000 };
const NEVER = new Promise<never>(() => undefined);

afterEach(() => {
  vi.useRealTimers();
});

async function* nothing(): AsyncGenerator<never> {
  await NEVER;
  yield NEVER;
}

/** @param manager what JetStream says. */
function linkTo(manager: Promise<object>, drain: () => Promise<void>, close: () => Promise<void>): Promise<NatsEngine> {
  const packages = { jetstream: { jetstreamManager: () => manager, jetstream: () => ({}) } } as unknown as NatsPackages;
  const connection = { drain, close, isClosed: () => false, status: nothing, info: { max_payload: 10_000 } };
  return NatsEngine.over(packages, connection as unknown as NatsConnection, OPTIONS);
}

it.each<[string, () => Promise<void>]>([
  ['hangs', () => NEVER],
  ['fails', () => Promise.reject(new Error('there is no link'))],
])('is there also when the library %s', async (_, drain) => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const close = vi.fn(() => NEVER);
  const engine = await linkTo(Promise.resolve({}), drain, close);
  const ended = engine.close();
  await vi.advanceTimersByTimeAsync(2000);
  await ended;
  expect(close).toHaveBeenCalledTimes(1);
});

it('comes at once where the library says so', async () => {
  const close = vi.fn(() => Promise.resolve());
  const engine = await linkTo(Promise.resolve({}), () => Promise.resolve(), close);
  await engine.close();
  expect(close).not.toHaveBeenCalled();
});

it('does not keep a failure back', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const failure = expect(
    linkTo(
      Promise.reject(new Error('no answer')),
      () => NEVER,
      () => NEVER,
    ),
  ).rejects.toThrow('no answer');
  await vi.advanceTimersByTimeAsync(2000);
  await failure;
});
