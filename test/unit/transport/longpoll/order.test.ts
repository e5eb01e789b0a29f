import { afterEach, describe, expect, it, vi } from 'vitest';
import { MAX_EARLY, MAX_EARLY_BYTES, PATIENCE_MS, SendOrder } from '../../../../src/transport/longpoll/order.js';
import { placeReaderOf } from '../../../../src/transport/longpoll/place.js';
import type { Post } from '../../../../src/transport/longpoll/requests.js';

/** An order, what it has let pass (the ids, or the types of what has none), and its clock. */
function opened() {
  const passed: unknown[] = [];
  const order = new SendOrder({
    placeOf: placeReaderOf('json'),
    release: ({ data }) => {
      const [type, id] = JSON.parse(data.toString()) as [number, unknown];
      passed.push(type === 48 || type === 16 ? id : `${type}`);
    },
    after: (ms, callback) => {
      const timer = setTimeout(callback, ms);
      return () => clearTimeout(timer);
    },
  });
  const take = (...message: unknown[]): void => {
    const post: Post = { data: Buffer.from(JSON.stringify(message)), answer: () => undefined };
    order.take(post);
  };
  const publish = (...ids: number[]): void => {
    for (const id of ids) take(16, id, {}, 'com.example.topic');
  };
  return { order, passed, take, publish };
}

afterEach(() => {
  vi.useRealTimers();
});

describe('requests that race', () => {
  it('pass in the order of their ids', () => {
    const { passed, publish } = opened();
    publish(2, 4, 3, 1, 6, 5, 7);
    expect(passed).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  it('wait for 300 ms, and then the client is taken for one that does not count up', () => {
    vi.useFakeTimers();
    const { passed, publish } = opened();
    publish(1, 4, 3);
    vi.advanceTimersByTime(PATIENCE_MS - 1);
    expect(passed).toEqual([1]);
    vi.advanceTimersByTime(1);
    expect(passed).toEqual([1, 3, 4]);
    publish(9, 2);
    expect(passed).toEqual([1, 3, 4, 9, 2]);
  });

  it('have as much time for each gap', () => {
    vi.useFakeTimers();
    const { passed, publish } = opened();
    publish(2, 4);
    vi.advanceTimersByTime(PATIENCE_MS - 1);
    publish(1);
    vi.advanceTimersByTime(PATIENCE_MS - 1);
    expect(passed).toEqual([1, 2]);
    publish(3);
    expect(passed).toEqual([1, 2, 3, 4]);
    vi.advanceTimersByTime(PATIENCE_MS * 2);
    publish(6, 5);
    expect(passed).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('do not wait where the client counts in another way', () => {
    const { passed, publish } = opened();
    publish(7_000_000, 5, 9);
    expect(passed).toEqual([7_000_000, 5, 9]);
  });

  it('do not wait behind too many', () => {
    const { passed, publish } = opened();
    const ids = Array.from({ length: MAX_EARLY }, (_, index) => index + 2);
    publish(...ids);
    expect(passed).toEqual([]);
    publish(2);
    expect(passed).toEqual([...ids, 2]);
  });

  it('do not wait with too many bytes', () => {
    const { passed, take } = opened();
    const text = 'x'.repeat(MAX_EARLY_BYTES / 2);
    take(16, 2, {}, 'com.example.topic', [text]);
    expect(passed).toEqual([]);
    take(16, 3, {}, 'com.example.topic', [text]);
    expect(passed).toEqual([2, 3]);
  });

  it('with an id that was there are left to the session', () => {
    const { passed, publish } = opened();
    publish(1, 1, 2, 3, 2);
    expect(passed).toEqual([1, 1, 2, 3, 2]);
  });
});

describe('what is no request', () => {
  it.each([
    ['an answer', [70, 5, {}]],
    ['an error', [8, 68, 5, {}, 'com.example.error']],
    ['AUTHENTICATE', [5, 'secret', {}]],
    ['ABORT', [3, {}, 'com.example.tired']],
  ])('%s passes at once', (_what, message) => {
    const { passed, publish, take } = opened();
    publish(2);
    take(...message);
    expect(passed).toEqual([String(Number(message[0]))]);
  });

  it('CANCEL waits for its call', () => {
    const { passed, take } = opened();
    take(49, 2, {});
    take(48, 2, {}, 'com.example.procedure');
    take(49, 1, {});
    expect(passed).toEqual([]);
    take(48, 1, {}, 'com.example.procedure');
    expect(passed).toEqual([1, '49', 2, '49']);
    take(49, 2, {});
    expect(passed).toHaveLength(5);
  });

  it('GOODBYE waits for those that were sent before it', () => {
    vi.useFakeTimers();
    const { passed, publish, take } = opened();
    publish(1);
    take(6, {}, 'wamp.close.normal');
    publish(3, 2);
    expect(passed).toEqual([1, 2, 3]);
    vi.advanceTimersByTime(PATIENCE_MS);
    expect(passed).toEqual([1, 2, 3, '6']);
  });

  it('HELLO begins anew', () => {
    const { passed, publish, take } = opened();
    publish(900);
    take(1, 'realm1', {});
    publish(2, 1);
    expect(passed).toEqual([900, '1', 1, 2]);
  });

  it('nonsense passes: the session says what is wrong', () => {
    const passed: unknown[] = [];
    const order = new SendOrder({
      placeOf: placeReaderOf('json'),
      release: ({ data }) => passed.push(data.toString()),
      after: () => () => undefined,
    });
    for (const text of ['', 'x', '[', '["16",1]', '{"a":1}'])
      order.take({ data: Buffer.from(text), answer: () => undefined });
    expect(passed).toHaveLength(5);
  });
});

it('lets all pass at the end, and nothing when it is dropped', () => {
  vi.useFakeTimers();
  const one = opened();
  one.publish(3, 2);
  one.order.flush();
  expect(one.passed).toEqual([2, 3]);
  const other = opened();
  other.publish(3, 2);
  other.order.drop();
  vi.advanceTimersByTime(PATIENCE_MS);
  expect(other.passed).toEqual([]);
});
