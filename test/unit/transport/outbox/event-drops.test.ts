import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { EventDrops } from '../../../../src/transport/outbox/event-drops.js';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => void vi.useRealTimers());

function drops() {
  const said: unknown[] = [];
  const account = new EventDrops({ warn: (facts, message) => said.push({ ...facts, message }) });
  const add = (count: number): void => {
    for (let i = 0; i < count; i++) account.add();
  };
  return { said, account, add };
}

const DROPPED = 'slow consumer, events dropped';
const CAUGHT_UP = 'slow consumer has caught up';

describe('EventDrops', () => {
  it('says the first one, then once a minute how many there were', () => {
    const { said, add } = drops();
    add(5);
    vi.advanceTimersByTime(59_999);
    add(1);
    expect(said).toEqual([{ message: DROPPED, dropped: 1, droppedInAll: 1 }]);
    vi.advanceTimersByTime(1);
    add(1);
    expect(said.slice(1)).toEqual([{ message: DROPPED, dropped: 6, droppedInAll: 7 }]);
  });

  it('says that the peer has caught up, but not more often than that it was slow', () => {
    const { said, account, add } = drops();
    for (let spell = 0; spell < 100; spell++) {
      add(3);
      account.caughtUp();
    }
    expect(said).toEqual([
      { message: DROPPED, dropped: 1, droppedInAll: 1 },
      { message: CAUGHT_UP, dropped: 2, droppedInAll: 3 },
    ]);
    account.ended();
    expect(said.slice(2)).toEqual([{ message: DROPPED, dropped: 297, droppedInAll: 300 }]);
  });

  it('tells the first event of each spell from the others', () => {
    const { account } = drops();
    expect([account.add(), account.add()]).toEqual([true, false]);
    account.caughtUp();
    expect(account.add()).toBe(true);
  });

  it('has nothing to say at the end when everything was said', () => {
    const { said, account, add } = drops();
    add(2);
    account.caughtUp();
    account.ended();
    expect(said).toHaveLength(2);
  });
});
