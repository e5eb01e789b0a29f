import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DeadlineQueue } from '../../../src/transport/deadline-queue.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** A queue whose items have names. */
function queue(delayMs = 100, onDue: (name: string) => void = () => undefined) {
  const due: string[] = [];
  const items = new Map<string, { readonly name: string }>();
  const deadlines = new DeadlineQueue<{ readonly name: string }>(delayMs, ({ name }) => {
    due.push(name);
    onDue(name);
  });
  const itemOf = (name: string) => {
    const item = items.get(name) ?? { name };
    items.set(name, item);
    return item;
  };
  const named = {
    add: (name: string) => deadlines.add(itemOf(name)),
    delete: (name: string) => deadlines.delete(itemOf(name)),
    clear: () => deadlines.clear(),
  };
  return { due, queue: named };
}

describe('DeadlineQueue', () => {
  it('reports each item when its own time has come', () => {
    const { due, queue: q } = queue();
    q.add('a');
    vi.advanceTimersByTime(60);
    q.add('b');
    vi.advanceTimersByTime(39);
    expect(due).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(due).toEqual(['a']);
    vi.advanceTimersByTime(60);
    expect(due).toEqual(['a', 'b']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('forgets what was deleted, and starts anew what is added again', () => {
    const { due, queue: q } = queue();
    q.add('a');
    q.add('b');
    q.add('c');
    q.delete('b');
    vi.advanceTimersByTime(50);
    q.add('a');
    vi.advanceTimersByTime(50);
    expect(due).toEqual(['c']);
    vi.advanceTimersByTime(50);
    expect(due).toEqual(['c', 'a']);
  });

  it('takes back what is added while it reports', () => {
    const { due, queue: q } = queue(100, (name) => {
      if (due.length < 6) q.add(name);
    });
    q.add('a');
    vi.advanceTimersByTime(50);
    q.add('b');
    for (let i = 0; i < 5; i++) {
      vi.advanceTimersByTime(50);
      expect(vi.getTimerCount()).toBe(1);
    }
    vi.advanceTimersByTime(1000);
    expect(due).toEqual(['a', 'b', 'a', 'b', 'a', 'b', 'a']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('serves those that are due shortly after each other together, a little late', () => {
    const { due, queue: q } = queue(6400);
    for (let at = 0; at < 200; at += 10) {
      q.add(String(at));
      vi.advanceTimersByTime(10);
    }
    vi.advanceTimersByTime(6200);
    expect(due).toEqual(['0']);
    vi.advanceTimersByTime(99);
    expect(due).toEqual(['0']);
    vi.advanceTimersByTime(1);
    expect(due).toEqual(['0', '10', '20', '30', '40', '50', '60', '70', '80', '90', '100']);
  });

  it('reports many that are due together in portions, in order', () => {
    const { due, queue: q } = queue();
    const items = Array.from({ length: 1000 }, (_, index) => String(index));
    for (const item of items) q.add(item);
    vi.advanceTimersByTime(100);
    expect(due).toEqual(items.slice(0, 256));
    vi.advanceTimersByTime(3);
    expect(due).toEqual(items);
  });

  it('never reports with a delay of 0, and nothing after clear', () => {
    const off = queue(0);
    off.queue.add('a');
    const cleared = queue();
    cleared.queue.add('a');
    cleared.queue.clear();
    vi.advanceTimersByTime(1000);
    expect([...off.due, ...cleared.due]).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives peers time to answer when the process itself was paused, and does so once', () => {
    const { due, queue: q } = queue(10_000);
    const clock = performance.now.bind(performance);
    let pausedMs = 0;
    const now = vi.spyOn(performance, 'now').mockImplementation(() => clock() + pausedMs);
    q.add('answered meanwhile');
    q.add('silent');
    pausedMs = 15_000;
    vi.advanceTimersByTime(10_000);
    expect(due).toEqual([]);
    q.delete('answered meanwhile');
    // Paused again at once: nobody waits for ever.
    pausedMs = 30_000;
    vi.advanceTimersByTime(999);
    expect(due).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(due).toEqual(['silent']);
    now.mockRestore();
  });
});
