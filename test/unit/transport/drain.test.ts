import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/log/logger.js';
import { Drain, drainTimesOf, longestDrainMs } from '../../../src/transport/drain.js';
import type { Departing, DrainTimes } from '../../../src/transport/drain.js';

/** Time passes only where the drain waits for it. */
function world(saysGoodbye = false, times?: DrainTimes) {
  let now = 0;
  const waits: (() => void)[] = [];
  const drain = new Drain({
    log: silentLogger(),
    saysGoodbye,
    elapsed: () => now,
    wait: (ms) => {
      now += ms;
      for (const happen of waits.splice(0)) happen();
      return Promise.resolve();
    },
    random: () => 0,
    ...(times && { times }),
  });
  const closed: { name: string; at: number; goodbye: boolean }[] = [];
  const connection = (name: string, { isCallee = false, isBusy = false } = {}) => ({
    isCallee,
    isBusy,
    shutdown: (goodbye: boolean) => closed.push({ name, at: now, goodbye }),
  });
  const host = (...connections: Departing[]) => {
    const joined = { refused: 0, refuse: () => (joined.refused++, connections) };
    drain.join(joined);
    return joined;
  };
  return { drain, closed, connection, host, next: (happen: () => void) => waits.push(happen), elapsed: () => now };
}

const NAMES = ['a', 'b', 'c', 'd', 'e', 'f'];
const names = (closed: readonly { name: string }[]) => closed.map(({ name }) => name);

describe('the drain', () => {
  it('is over at once where nobody is connected', async () => {
    const { drain, host, elapsed } = world();
    const empty = host();
    await drain.run();
    expect(empty.refused).toBe(1);
    expect(elapsed()).toBe(0);
  });

  it('lets nobody in at any host before it closes the first connection', async () => {
    const { drain, connection, host } = world();
    const seen: number[] = [];
    const other = host();
    host({ ...connection('a'), shutdown: () => seen.push(other.refused) });
    await drain.run();
    expect(seen).toEqual([1]);
  });

  it('takes a millisecond for each connection, each is closed once', async () => {
    const { drain, closed, connection, host, elapsed } = world();
    host(...Array.from({ length: 1000 }, (_, index) => connection(String(index))));
    await drain.run();
    expect(new Set(names(closed)).size).toBe(1000);
    expect(closed).toHaveLength(1000);
    expect(elapsed()).toBeGreaterThanOrEqual(980);
    expect(elapsed()).toBeLessThanOrEqual(1000);
    expect(closed[500]?.at).toBeGreaterThanOrEqual(480);
  });

  it('takes no more than twenty seconds, however many there are', async () => {
    const { drain, closed, connection, host, elapsed } = world();
    host(...Array.from({ length: 60_000 }, (_, index) => connection(String(index))));
    await drain.run();
    expect(closed).toHaveLength(60_000);
    expect(elapsed()).toBeLessThanOrEqual(20_000);
  });

  it('does not close them in the order in which they came', async () => {
    const { drain, closed, connection, host } = world();
    host(...NAMES.map((name) => connection(name)));
    await drain.run();
    expect(names(closed)).not.toEqual(NAMES);
    expect(names(closed).sort()).toEqual(NAMES);
  });

  it('closes callees behind all others, those of other hosts too', async () => {
    const { drain, closed, connection, host } = world();
    host(connection('callee', { isCallee: true }));
    host(connection('a'), connection('callee too', { isCallee: true }), connection('b'));
    await drain.run();
    expect(names(closed).slice(0, 2).sort()).toEqual(['a', 'b']);
  });

  it('closes who has calls in flight when they are answered', async () => {
    const { drain, closed, connection, host, next } = world();
    const caller = connection('caller', { isBusy: true });
    const callee = connection('callee', { isCallee: true, isBusy: true });
    host(callee, caller, connection('idle'));
    next(() => next(() => (caller.isBusy = callee.isBusy = false)));
    await drain.run();
    expect(closed).toEqual([
      { name: 'idle', at: 10, goodbye: false },
      { name: 'caller', at: 20, goodbye: false },
      { name: 'callee', at: 20, goodbye: false },
    ]);
  });

  it('waits five seconds for calls in flight, in all', async () => {
    const { drain, closed, connection, host, elapsed } = world();
    host(connection('callee', { isCallee: true, isBusy: true }), connection('caller', { isBusy: true }));
    await drain.run();
    expect(names(closed)).toEqual(['caller', 'callee']);
    expect(elapsed()).toBeGreaterThanOrEqual(5000);
    expect(elapsed()).toBeLessThanOrEqual(5020);
  });

  it('changes nothing for as long as the config says, but tells who asks that the end is near', async () => {
    const { drain, connection, host, next, closed, elapsed } = world(false, drainTimesOf({ delay: 5, calls: 5 }));
    const joined = host(connection('a'));
    expect(drain.isNear).toBe(false);
    const seen: unknown[] = [];
    next(() => seen.push(drain.isNear, joined.refused, closed.length, drain.over));
    await drain.announce();
    expect([seen, elapsed()]).toEqual([[true, 0, 0, undefined], 5000]);
    await drain.run();
    expect(names(closed)).toEqual(['a']);
  });

  it('takes as long as the config says', async () => {
    const { drain, closed, connection, host, elapsed } = world(false, drainTimesOf({ delay: 0, spread: 60, calls: 5 }));
    host(...Array.from({ length: 1000 }, (_, index) => connection(String(index))));
    await drain.run();
    expect(closed).toHaveLength(1000);
    expect(elapsed()).toBeGreaterThanOrEqual(59_900);
    expect(elapsed()).toBeLessThanOrEqual(60_000);
  });

  it('takes a second at most for each of few', async () => {
    const { drain, connection, host, elapsed } = world(false, drainTimesOf({ delay: 0, spread: 60, calls: 5 }));
    host(...NAMES.map((name) => connection(name)));
    await drain.run();
    expect(elapsed()).toBeLessThanOrEqual(NAMES.length * 1000);
  });

  it('spreads nothing and waits for no call where the config says so', async () => {
    const { drain, closed, connection, host, elapsed } = world(false, drainTimesOf({ delay: 0, spread: 0, calls: 0 }));
    host(...NAMES.map((name) => connection(name, { isBusy: true, isCallee: true })));
    await drain.run();
    expect([closed.length, elapsed()]).toEqual([NAMES.length, 0]);
  });

  it('ends the connections of a part: those that are named in one turn together, callees last, and no others', async () => {
    const { drain, closed, connection, host } = world();
    const [one, two] = [host(connection('callee', { isCallee: true })), host(connection('a'), connection('b'))];
    const staying = host(connection('other'));
    await Promise.all([drain.part(one), drain.part(two)]);
    expect(names(closed)).toEqual([expect.any(String), expect.any(String), 'callee']);
    expect([one.refused, two.refused, staying.refused, drain.isNear, drain.over]).toEqual([1, 1, 0, false, undefined]);
  });

  it('waits for calls in flight of each part anew', async () => {
    const { drain, closed, connection, host, elapsed } = world();
    await drain.part(host(connection('first', { isBusy: true })));
    await drain.part(host(connection('second', { isBusy: true })));
    expect(names(closed)).toEqual(['first', 'second']);
    expect(elapsed()).toBeGreaterThanOrEqual(10_000);
  });

  it('leaves the connections of a part to the end of the node that begins meanwhile', async () => {
    const { drain, closed, connection, host, next } = world();
    const busy = connection('busy', { isBusy: true });
    const part = host(busy);
    host(connection('other'));
    let over: Promise<void> | undefined;
    next(() => {
      over = drain.run();
    });
    const left = drain.part(part).then(() => names(closed));
    // Where the node stops, the end of a part is that of all.
    expect((await left).sort()).toEqual(['busy', 'other']);
    await over;
    expect(closed).toHaveLength(2);
    await drain.part(part);
    expect(closed).toHaveLength(2);
  });

  it('knows how long it takes at most', () => {
    expect(longestDrainMs(drainTimesOf({ delay: 5, calls: 5 }))).toBe(30_000);
    expect(longestDrainMs(drainTimesOf({ delay: 0, spread: 0.5, calls: 0 }))).toBe(500);
  });

  it('says GOODBYE where it is to', async () => {
    const { drain, closed, connection, host } = world(true);
    host(connection('a'));
    await drain.run();
    expect(closed).toMatchObject([{ goodbye: true }]);
  });

  it('runs once', async () => {
    const { drain, closed, connection, host } = world();
    expect(drain.over).toBeUndefined();
    host(connection('a'));
    expect(drain.run()).toBe(drain.run());
    await drain.over;
    expect(closed).toHaveLength(1);
  });
});
