import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../../../src/router/dealer/deadlines.js';
import { FakeClock, testRealm } from '../../../support/realm.js';

const procedure = 'com.example.procedure';

function registered(features: readonly string[] = [], options: Record<string, unknown> = {}) {
  const { realm, session, clock } = testRealm();
  const a = session();
  const b = session(...features);
  b.tell(64, 1, options, procedure).heard();
  return { realm, session, clock, a, b };
}

describe('call timeout', () => {
  it('answers after so many milliseconds, interrupts the callee, and swallows its late answer', () => {
    const { a, b, clock } = registered(['callee.call_canceling']);
    a.tell(48, 1, { timeout: 300 }, procedure);
    clock.advance(299);
    expect(a.heard()).toEqual([]);
    expect(b.heard()).toEqual([[68, 1, 1, {}]]);
    clock.advance(1);
    expect(a.heard().map((message) => message.slice(0, 5))).toEqual([[8, 48, 1, {}, 'wamp.error.timeout']]);
    expect(b.heard()).toEqual([[69, 1, { mode: 'killnowait' }]]);
    b.tell(70, 1, {}, [1]);
    expect(a.heard()).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  it('does not interrupt a callee that cannot be interrupted', () => {
    const { a, b, clock } = registered();
    a.tell(48, 1, { timeout: 10 }, procedure);
    b.heard();
    clock.advance(10);
    expect(a.heard()[0]?.[4]).toBe('wamp.error.timeout');
    expect(b.heard()).toEqual([]);
  });

  it.each([
    ['the result', [70, 1, {}]],
    ['an error', [8, 68, 1, {}, 'com.error']],
  ])('stops with %s', (_what, answer) => {
    const { a, b, clock } = registered();
    a.tell(48, 1, { timeout: 10 }, procedure);
    b.tell(...answer);
    expect(clock.waiting).toBe(0);
    clock.advance(10);
    expect(a.heard()).toHaveLength(1);
  });

  it.each([{ timeout: 0 }, {}])('%j: none', (options) => {
    const { a, clock } = registered();
    a.tell(48, 1, options, procedure);
    expect(clock.waiting).toBe(0);
  });

  it('begins anew with each progressive result', () => {
    const { a, b, clock } = registered(['callee.progressive_call_results']);
    a.tell(48, 1, { timeout: 100, receive_progress: true }, procedure);
    for (let i = 0; i < 3; i++) {
      clock.advance(90);
      b.tell(70, 1, { progress: true }, [i]);
    }
    expect(a.heard()).toHaveLength(3);
    clock.advance(100);
    expect(a.heard()[0]?.[4]).toBe('wamp.error.timeout');
  });

  it('also ends a call that waits for room, and one that is being killed', () => {
    const { a, b, clock } = registered(['callee.call_canceling'], { concurrency: 1 });
    a.tell(48, 1, {}, procedure).tell(48, 2, { timeout: 10 }, procedure);
    clock.advance(10);
    expect(a.heard().map((message) => [message[2], message[4]])).toEqual([[2, 'wamp.error.timeout']]);
    b.tell(70, 1, {}).heard();
    a.tell(48, 3, { timeout: 10 }, procedure).tell(49, 3, { mode: 'kill' }).heard();
    clock.advance(10);
    expect(a.heard().map((message) => [message[2], message[4]])).toEqual([[3, 'wamp.error.timeout']]);
    expect(b.heard()).toEqual([
      [68, 2, 1, {}],
      [69, 2, { mode: 'kill' }],
    ]);
  });

  it('is left to a callee that asks for it and can do it', () => {
    const { a, b, clock } = registered(['callee.call_timeout'], { forward_timeout: true });
    a.tell(48, 1, { timeout: 10 }, procedure).tell(48, 2, { timeout: 0 }, procedure);
    expect(b.heard().map((message) => message[3])).toEqual([{ timeout: 10 }, {}]);
    expect(clock.waiting).toBe(0);
    clock.advance(10);
    expect(a.heard()).toEqual([]);
  });

  it.each([
    [['callee.call_timeout'], {}],
    [[], { forward_timeout: true }],
  ])('is kept by the router for others: %j %j', (features, options) => {
    const { a, b, clock } = registered(features, options);
    a.tell(48, 1, { timeout: 10 }, procedure);
    expect(b.heard()[0]?.[3]).toEqual({});
    clock.advance(10);
    expect(a.heard()[0]?.[4]).toBe('wamp.error.timeout');
  });

  it.each(['caller', 'callee'])('ends with the %s', (who) => {
    const { a, b, clock, realm } = registered();
    a.tell(48, 1, { timeout: 10 }, procedure);
    (who === 'caller' ? a : b).leave();
    expect(clock.waiting).toBe(0);
    expect(realm.size).toMatchObject({ calls: 0 });
  });
});

describe('Deadlines', () => {
  it.each([-3_600_000, 3_600_000])('do not move when the time of day is set %i ms off', (jump) => {
    const clock = new FakeClock();
    const expired: number[] = [];
    const deadlines = new Deadlines<number>(clock, (item) => expired.push(item));
    deadlines.set(1, 100);
    clock.now += jump;
    deadlines.set(2, 50);
    clock.advance(99);
    expect(expired).toEqual([2]);
    clock.advance(1);
    expect(expired).toEqual([2, 1]);
    expect(clock.waiting).toBe(0);
  });

  it('expire in order of time, whatever the order in which they were set, moved and cleared', () => {
    const clock = new FakeClock();
    const start = clock.elapsed();
    const expired: (readonly [number, number])[] = [];
    const deadlines = new Deadlines<number>(clock, (item) => expired.push([item, clock.elapsed() - start]));
    // 0..99 ms in a scattered order; every third cleared, every fifth begun anew at 50.
    const waits = Array.from({ length: 100 }, (_, i) => (i * 37) % 100);
    const set = waits.map((ms, item) => deadlines.set(item, ms));
    for (const deadline of set) if (deadline.item % 3 === 0) deadlines.clear(deadline);
    clock.advance(50);
    const moved = set.filter(({ item, at }) => item % 3 !== 0 && item % 5 === 0 && at > clock.elapsed());
    for (const deadline of moved) deadlines.restart(deadline);
    expect(clock.waiting).toBe(1);
    clock.advance(200);
    const expected = waits
      .map((ms, item) => [item, moved.some((deadline) => deadline.item === item) ? ms + 50 : ms] as const)
      .filter(([item]) => item % 3 !== 0);
    const byItem = (all: readonly (readonly [number, number])[]) => [...all].sort(([a], [b]) => a - b);
    expect(byItem(expired)).toEqual(byItem(expected));
    expect(expired.map(([, at]) => at)).toEqual(expected.map(([, at]) => at).sort((a, b) => a - b));
    expect(moved.length).toBeGreaterThan(3);
    expect(clock.waiting).toBe(0);
  });

  it('waits longer than a timer of the system can', () => {
    const clock = new FakeClock();
    let expired = 0;
    const waits: number[] = [];
    const scheduler = {
      elapsed: () => clock.elapsed(),
      after: (ms: number, callback: () => void) => (waits.push(ms), clock.after(ms, callback)),
    };
    const deadlines = new Deadlines<undefined>(scheduler, () => expired++);
    deadlines.set(undefined, 2 ** 40);
    clock.advance(2 ** 40 - 1);
    expect(expired).toBe(0);
    clock.advance(1);
    expect(expired).toBe(1);
    expect(Math.max(...waits)).toBeLessThan(2 ** 31);
  });

  it('can be set and cleared by what one that expired does', () => {
    const clock = new FakeClock();
    const expired: string[] = [];
    const deadlines = new Deadlines<string>(clock, (item) => {
      expired.push(item);
      if (item !== 'first') return;
      deadlines.clear(second);
      deadlines.set('third', 5);
    });
    deadlines.set('first', 10);
    const second = deadlines.set('second', 10);
    clock.advance(14);
    expect(expired).toEqual(['first']);
    expect(clock.waiting).toBe(1);
    clock.advance(1);
    expect(expired).toEqual(['first', 'third']);
    expect(clock.waiting).toBe(0);
  });
});
