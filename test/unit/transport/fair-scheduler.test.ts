import { describe, expect, it } from 'vitest';
import type { Backlog } from '../../../src/transport/fair-scheduler.js';
import { FairScheduler } from '../../../src/transport/fair-scheduler.js';

const SLICE_MS = 10;

/** A clock that stands still unless work is done, and a loop that turns on request. */
class Loop {
  time = 1000;
  #deferred: (() => void)[] = [];

  now(): number {
    return this.time;
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  get isAwaited(): boolean {
    return this.#deferred.length > 0;
  }

  turn(): void {
    const due = this.#deferred;
    this.#deferred = [];
    expect(due.length).toBeLessThanOrEqual(1);
    for (const callback of due) callback();
  }
}

/** `left` messages that take `costMs` each, written down by name. */
function backlog(
  name: string,
  left: number,
  costMs: number,
  { loop, turns, log }: ReturnType<typeof setUp>,
): Backlog & { left: number } {
  return {
    left,
    work(): boolean {
      do {
        this.left -= 1;
        loop.time += costMs;
        // As dear as many messages: so that the clock is looked at.
        turns.note(65_536);
        log.push(name);
      } while (this.left > 0 && turns.hasTime);
      return this.left > 0;
    },
  };
}

function setUp() {
  const loop = new Loop();
  return { loop, turns: new FairScheduler(loop), log: [] as string[] };
}

function counts(log: string[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of log.splice(0)) found[name] = (found[name] ?? 0) + 1;
  return found;
}

describe('FairScheduler', () => {
  it('gives time until the slice is used up, and then none before the next turn of the loop', () => {
    const { loop, turns } = setUp();
    turns.enlist({ work: () => false });
    loop.turn();
    let worked = 0;
    for (; turns.hasTime && worked < 1000; worked++) {
      loop.time += 0.1;
      turns.note(20);
    }
    // 100 messages take the slice; the clock is looked at for every sixteenth.
    expect(worked).toBeGreaterThanOrEqual(100);
    expect(worked).toBeLessThanOrEqual(116);
    expect(turns.hasTime).toBe(false);
    expect(loop.isAwaited).toBe(false);
    turns.enlist({ work: () => false });
    loop.turn();
    expect(turns.hasTime).toBe(true);
  });

  it('looks at the clock after a few units of work only, and large messages count as many', () => {
    const { loop, turns } = setUp();
    turns.enlist({ work: () => false });
    loop.turn();
    loop.time += 1000;
    for (let i = 0; i < 15; i++) turns.note(100);
    expect(turns.hasTime).toBe(true);
    turns.note(1024);
    expect(turns.hasTime).toBe(false);
  });

  it('shares a slice equally between all that wait, however much each has', () => {
    const env = setUp();
    const { loop, turns, log } = env;
    turns.enlist(backlog('flood', 1000, 1, env));
    turns.enlist(backlog('calm', 1, 1, env));
    loop.turn();
    expect(counts(log)).toEqual({ flood: 5, calm: 1 });
    loop.turn();
    expect(counts(log)).toEqual({ flood: 10 });
    for (const name of ['b', 'c', 'd', 'e']) turns.enlist(backlog(name, 1000, 1, env));
    loop.turn();
    expect(counts(log)).toEqual({ flood: 2, b: 2, c: 2, d: 2, e: 2 });
  });

  it('passes on what others leave of the slice', () => {
    const env = setUp();
    for (let i = 0; i < 9; i++) env.turns.enlist(backlog('small', 1, 0.1, env));
    env.turns.enlist(backlog('large', 1000, 1, env));
    env.loop.turn();
    expect(counts(env.log)).toEqual({ small: 9, large: 10 });
  });

  it('serves those whom a slice did not reach first in the next one; nobody waits for ever', () => {
    const env = setUp();
    const { loop, turns, log } = env;
    const names = Array.from({ length: 35 }, (_, index) => `c${index}`);
    for (const name of names) turns.enlist(backlog(name, 1000, 1, env));
    const started = loop.time;
    for (let turn = 0; turn < 7; turn++) loop.turn();
    expect(loop.time - started).toBe(7 * SLICE_MS);
    expect(counts(log)).toEqual(Object.fromEntries(names.map((name) => [name, 2])));
  });

  it('works one message off even when it takes longer than the slice, and ends the turn after it', () => {
    const env = setUp();
    const { loop, turns, log } = env;
    turns.enlist(backlog('dear', 3, 50, env));
    turns.enlist(backlog('cheap', 3, 1, env));
    loop.turn();
    expect(counts(log)).toEqual({ dear: 1 });
    expect(turns.hasTime).toBe(false);
    loop.turn();
    expect(counts(log)).toEqual({ cheap: 3, dear: 1 });
  });

  it('defers nothing when nobody waits any more', () => {
    const env = setUp();
    env.turns.enlist(backlog('a', 2, 1, env));
    env.loop.turn();
    expect(env.loop.isAwaited).toBe(false);
  });
});
