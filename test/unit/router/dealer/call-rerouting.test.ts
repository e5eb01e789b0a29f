import { describe, expect, it } from 'vitest';
import { testRealm } from '../../../support/realm.js';

const procedure = 'com.example.procedure';
const UNAVAILABLE = 'wamp.error.unavailable';

function reroutable(invoke: string, count = 3) {
  const { realm, session, clock } = testRealm();
  const a = session('caller.progressive_call_results');
  const callees = Array.from({ length: count }, () => {
    const callee = session('callee.progressive_call_results', 'callee.call_canceling');
    callee.tell(64, 1, { invoke }, procedure).heard();
    return callee;
  });
  /** The callees that refuse the call one after the other, as indexes. */
  const refuseAll = () => {
    const order: number[] = [];
    for (;;) {
      const index = callees.findIndex((callee) => {
        const invocation = callee.heard().find(([type]) => type === 68);
        if (invocation === undefined) return false;
        order.push(callees.indexOf(callee));
        callee.tell(8, 68, invocation[1], {}, UNAVAILABLE, ['busy']);
        return true;
      });
      if (index === -1) return order;
    }
  };
  return { realm, clock, session, a, callees, refuseAll };
}

describe('call rerouting', () => {
  it.each([
    ['first', [0, 1, 2]],
    ['last', [2, 1, 0]],
    ['roundrobin', [0, 1, 2]],
  ])('%s: asks one callee after the other, each once', (invoke, order) => {
    const { a, refuseAll, realm } = reroutable(invoke);
    a.tell(48, 1, {}, procedure, ['x']);
    expect(refuseAll()).toEqual(order);
    expect(a.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.no_available_callee', ['busy']]]);
    expect(realm.size).toMatchObject({ calls: 0 });
  });

  it('random: asks all, each once', () => {
    const { a, refuseAll } = reroutable('random');
    a.tell(48, 1, {}, procedure);
    expect(refuseAll().sort()).toEqual([0, 1, 2]);
  });

  it('single: there is no other', () => {
    const { a, refuseAll } = reroutable('single', 1);
    a.tell(48, 1, {}, procedure);
    expect(refuseAll()).toEqual([0]);
    expect(a.heard()).toEqual([[8, 48, 1, {}, 'wamp.error.no_available_callee', ['busy']]]);
  });

  it('sends the same call to the next one, and its answer to the caller', () => {
    const { a, callees } = reroutable('first', 2);
    a.tell(48, 1, { receive_progress: true }, procedure, ['x'], { k: 1 });
    callees[0]?.tell(8, 68, 1, {}, UNAVAILABLE);
    expect(callees[1]?.heard()).toEqual([[68, 1, 1, { receive_progress: true }, ['x'], { k: 1 }]]);
    callees[1]?.tell(70, 1, {}, ['y']);
    expect(a.heard()).toEqual([[50, 1, {}, ['y']]]);
    expect(callees[0]?.tell(70, 1, {}).heard()).toHaveLength(1);
    expect(a.heard()).toEqual([]);
  });

  it('does not begin again when the caller has seen a part of the answer', () => {
    const { a, callees } = reroutable('first', 2);
    a.tell(48, 1, { receive_progress: true }, procedure);
    callees[0]?.tell(70, 1, { progress: true }, [1]).tell(8, 68, 1, {}, UNAVAILABLE);
    expect(a.heard().map((message) => message[0] === 8 && message[4])).toEqual([false, UNAVAILABLE]);
    expect(callees[1]?.heard()).toEqual([]);
  });

  it('keeps the time of the whole call', () => {
    const { a, callees, clock } = reroutable('first', 2);
    a.tell(48, 1, { timeout: 100 }, procedure);
    clock.advance(60);
    callees[0]?.tell(8, 68, 1, {}, UNAVAILABLE);
    clock.advance(40);
    expect(a.heard()[0]?.[4]).toBe('wamp.error.timeout');
    expect(callees[1]?.heard().map(([type]) => type)).toEqual([68, 69]);
    expect(clock.waiting).toBe(0);
  });

  it('waits for a callee that is busy, and ends when that one refuses too', () => {
    const { session } = testRealm();
    const [a, b, c] = [session(), session(), session()];
    b.tell(64, 1, { invoke: 'first' }, procedure).heard();
    c.tell(64, 1, { invoke: 'first', concurrency: 1 }, procedure).heard();
    a.tell(48, 1, {}, procedure).tell(48, 2, {}, procedure);
    b.tell(8, 68, 1, {}, UNAVAILABLE).tell(8, 68, 2, {}, UNAVAILABLE);
    expect(c.heard().map(([, id]) => id)).toEqual([1]);
    c.tell(70, 1, {});
    expect(c.heard().map(([, id]) => id)).toEqual([2]);
    a.heard();
    c.tell(8, 68, 2, {}, UNAVAILABLE);
    expect(a.heard()[0]?.[4]).toBe('wamp.error.no_available_callee');
  });

  it('gives the room of the refused call to the next one that waits', () => {
    const { session } = testRealm();
    const [a, b, c] = [session(), session(), session()];
    b.tell(64, 1, { invoke: 'last' }, procedure).heard();
    c.tell(64, 1, { invoke: 'last', concurrency: 1 }, procedure).heard();
    a.tell(48, 1, {}, procedure, [1]);
    c.tell(8, 68, 1, {}, UNAVAILABLE);
    expect(b.heard().map((message) => message[4])).toEqual([[1]]);
    a.tell(48, 2, {}, procedure, [2]);
    expect(c.heard().map((message) => message[4])).toEqual([[1], [2]]);
  });
});
