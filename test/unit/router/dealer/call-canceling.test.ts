import { describe, expect, it } from 'vitest';
import { testRealm } from '../../../support/realm.js';

const procedure = 'com.example.procedure';
const CANCELED = [8, 48, 1, {}, 'wamp.error.canceled', ['the call was canceled']];

/** A call that the callee has and has not answered. */
function calling(...features: string[]) {
  const { realm, session, clock } = testRealm();
  const a = session();
  const b = session(...features);
  b.tell(64, 1, {}, procedure);
  a.tell(48, 1, {}, procedure);
  b.heard();
  return { realm, session, clock, a, b };
}

const CANCELABLE = 'callee.call_canceling';

describe('call canceling', () => {
  it.each([[{ mode: 'killnowait' }], [{}]])('answers at once and interrupts the callee: %j', (options) => {
    const { a, b } = calling(CANCELABLE);
    expect(a.tell(49, 1, options).heard()).toEqual([CANCELED]);
    expect(b.heard()).toEqual([[69, 1, { mode: 'killnowait' }]]);
    b.tell(70, 1, {}, [1]).tell(8, 68, 1, {}, 'wamp.error.canceled');
    expect(a.heard()).toEqual([]);
    expect(b.heard()).toEqual([]);
  });

  it('skip: answers at once and leaves the callee alone', () => {
    const { a, b } = calling(CANCELABLE);
    expect(a.tell(49, 1, { mode: 'skip' }).heard()).toEqual([CANCELED]);
    b.tell(70, 1, {}, [1]);
    expect([a.heard(), b.heard()]).toEqual([[], []]);
  });

  it.each([
    [
      'its error',
      [8, 68, 1, {}, 'wamp.error.canceled', ['stopped']],
      [8, 48, 1, {}, 'wamp.error.canceled', ['stopped']],
    ],
    ['its result', [70, 1, {}, [1]], [50, 1, {}, [1]]],
    ['that it cannot', [8, 68, 1, {}, 'wamp.error.unavailable'], [8, 48, 1, {}, 'wamp.error.unavailable']],
  ])('kill: the caller gets what the callee says to it: %s', (_what, said, answer) => {
    const { a, b } = calling(CANCELABLE);
    expect(a.tell(49, 1, { mode: 'kill' }).heard()).toEqual([]);
    expect(b.heard()).toEqual([[69, 1, { mode: 'kill' }]]);
    b.tell(...said);
    expect(a.heard()).toEqual([answer]);
  });

  it.each(['kill', 'killnowait', 'skip'])('%s with a callee that cannot be interrupted is skip', (mode) => {
    const { a, b } = calling();
    expect(a.tell(49, 1, { mode }).heard()).toEqual([CANCELED]);
    expect(b.heard()).toEqual([]);
  });

  it('ignores a second CANCEL, one for no call, and one of another session', () => {
    const { a, b, session } = calling(CANCELABLE);
    const c = session();
    expect(c.tell(49, 1, {}).heard()).toEqual([]);
    a.tell(49, 7, {}).tell(49, 1, { mode: 'kill' }).tell(49, 1, { mode: 'killnowait' });
    expect(a.heard()).toEqual([]);
    expect(b.heard()).toEqual([[69, 1, { mode: 'kill' }]]);
    b.tell(8, 68, 1, {}, 'wamp.error.canceled');
    expect(a.tell(49, 1, {}).heard()).toHaveLength(1);
  });

  it('answers a killed call when the callee leaves instead, and forgets it when the caller leaves', () => {
    const { a, b } = calling(CANCELABLE);
    a.tell(49, 1, { mode: 'kill' });
    b.leave();
    expect(a.heard()[0]?.[4]).toBe('wamp.error.canceled');
    const other = calling(CANCELABLE);
    other.a.tell(49, 1, { mode: 'kill' });
    other.b.heard();
    other.a.leave();
    expect(other.b.heard()).toEqual([]);
    expect(other.realm.size).toMatchObject({ calls: 0 });
  });
});
