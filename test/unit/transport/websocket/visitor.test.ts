/** A connection that came with an id of a cookie which was replaced. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it, vi } from 'vitest';
import { endLater } from '../../../../src/transport/websocket/visitor.js';

afterEach(() => void vi.useRealTimers());

it('ends when the id is worth nothing any more', () => {
  vi.useFakeTimers();
  const connection = { evict: vi.fn() };
  endLater(connection, 60_000);
  vi.advanceTimersByTime(59_999);
  expect(connection.evict).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(connection.evict).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('please connect again'));
});

it('is not kept until then when it has gone', async () => {
  const there = (() => {
    const connection = { evict: (): void => undefined };
    endLater(connection, 3_600_000);
    return new WeakRef(connection);
  })();
  // A WeakRef holds its target until the turn is over.
  await new Promise((resolve) => setImmediate(resolve));
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  expect(there.deref()).toBeUndefined();
});
