import { describe, expect, it } from 'vitest';
import { MAX_QUEUED_CALLS } from '../../../../src/router/dealer/call-memory.js';
import { testRealm } from '../../../support/realm.js';
import type { ScriptedSession } from '../../../support/realm.js';

const procedure = 'com.example.procedure';

/** A caller, callees that share a registration, and who got which call. */
function shared(invoke: string, options: readonly Record<string, unknown>[]) {
  const { realm, session, clock } = testRealm();
  const a = session();
  const callees = options.map((more) => {
    const callee = session('callee.registration_revocation');
    callee.tell(64, 1, { invoke, ...more }, procedure);
    return callee;
  });
  const ids = callees.map((callee) => callee.heard()[0]?.[2]);
  let lastCall = 0;
  const call = () => {
    a.tell(48, ++lastCall, {}, procedure, [lastCall]);
    return callees.findIndex((callee) => callee.heard().some(([type]) => type === 68));
  };
  return { realm, session, clock, a, callees, ids, call };
}

const at = (callees: readonly ScriptedSession[], index: number): ScriptedSession => {
  const callee = callees[index];
  if (callee === undefined) throw new Error(`there is no callee ${index}`);
  return callee;
};

describe('shared registration', () => {
  it('has one id for all callees, and one for a session that registers again', () => {
    const { callees, ids, realm } = shared('roundrobin', [{}, {}, {}]);
    expect(ids).toEqual([1, 1, 1]);
    expect(at(callees, 1).tell(64, 2, { invoke: 'roundrobin' }, procedure).heard()).toEqual([[65, 2, 1]]);
    expect(realm.size).toMatchObject({ registrations: 1 });
  });

  it('goes round in order of registration', () => {
    const { call } = shared('roundrobin', [{}, {}, {}]);
    expect([call(), call(), call(), call(), call()]).toEqual([0, 1, 2, 0, 1]);
  });

  it('keeps the turn when a callee before it leaves, and takes up a new one at the end', () => {
    const { call, callees, session } = shared('roundrobin', [{}, {}, {}]);
    expect([call(), call()]).toEqual([0, 1]);
    at(callees, 0).leave();
    expect([call(), call()]).toEqual([2, 1]);
    callees.push(session());
    at(callees, 3).tell(64, 1, { invoke: 'roundrobin' }, procedure).heard();
    expect([call(), call(), call(), call()]).toEqual([2, 3, 1, 2]);
  });

  it.each([
    ['first', [0, 1, 2]],
    ['last', [2, 1, 0]],
  ])('calls the %s one, and the next when it is gone', (invoke, order) => {
    const { call, callees } = shared(invoke, [{}, {}, {}]);
    for (const index of order) {
      expect([call(), call()]).toEqual([index, index]);
      at(callees, index).tell(66, 2, 1);
      expect(at(callees, index).heard()).toEqual([[67, 2]]);
    }
    expect(call()).toBe(-1);
  });

  it('spreads the calls at random', () => {
    const { call } = shared('random', [{}, {}, {}]);
    const counts = [0, 0, 0];
    for (let i = 0; i < 90; i++) {
      const index = call();
      counts[index] = (counts[index] ?? 0) + 1;
    }
    for (const count of counts) expect(count).toBeGreaterThan(10);
  });

  it('refuses another policy, and a second callee where nothing is shared', () => {
    const { session } = shared('roundrobin', [{}]);
    const b = session();
    for (const invoke of ['single', 'first', 'last', 'random']) {
      expect(b.tell(64, 1, { invoke }, procedure).heard()[0]?.[4]).toBe(
        'wamp.error.procedure_exists_with_different_invocation_policy',
      );
    }
    const alone = shared('single', [{}]);
    for (const invoke of ['single', 'roundrobin']) {
      expect(alone.session().tell(64, 1, { invoke }, procedure).heard()[0]?.[4]).toBe(
        'wamp.error.procedure_already_exists',
      );
    }
  });

  it('shows the caller only to the callee that asked for it', () => {
    const { a, callees } = shared('roundrobin', [{ disclose_caller: true }, {}]);
    a.tell(48, 1, {}, procedure).tell(48, 2, {}, procedure);
    expect(at(callees, 0).heard()[0]?.[3]).toMatchObject({ caller: 1 });
    expect(at(callees, 1).heard()[0]?.[3]).toEqual({});
    expect(a.tell(48, 3, { disclose_me: true }, procedure).heard()[0]?.[4]).toBe(
      'wamp.error.option_disallowed.disclose_me',
    );
  });

  it('answers the calls of a callee that left, and only these', () => {
    const { a, callees, call } = shared('roundrobin', [{}, {}]);
    expect([call(), call()]).toEqual([0, 1]);
    at(callees, 0).leave();
    expect(a.heard().map((message) => [message[2], message[4]])).toEqual([[1, 'wamp.error.canceled']]);
    at(callees, 1).tell(70, 1, {}, ['b']);
    expect(a.heard()).toEqual([[50, 2, {}, ['b']]]);
  });
});

describe('force_reregister', () => {
  it('takes the registration from those who have it, and says so to those who can hear it', () => {
    const { callees, session, call } = shared('roundrobin', [{}, {}]);
    const old = session();
    old.tell(64, 1, { invoke: 'roundrobin' }, procedure).heard();
    callees.push(session());
    expect(at(callees, 2).tell(64, 1, { force_reregister: true }, procedure).heard()).toEqual([[65, 1, 2]]);
    const revoked = [67, 0, { registration: 1, reason: 'wamp.error.unregistered' }];
    expect(at(callees, 0).heard()).toEqual([revoked]);
    expect(at(callees, 1).heard()).toEqual([revoked]);
    expect(old.heard()).toEqual([]);
    expect(call()).toBe(2);
    expect(at(callees, 0).tell(66, 2, 1).heard()[0]?.[4]).toBe('wamp.error.no_such_registration');
  });

  it('is a plain register where nobody is', () => {
    const { session } = testRealm();
    expect(session().tell(64, 1, { force_reregister: true }, procedure).heard()).toEqual([[65, 1, 1]]);
  });
});

describe('concurrency', () => {
  it('passes over callees that are busy, and lets calls wait in order when all are', () => {
    const { a, callees } = shared('first', [{ concurrency: 1 }, { concurrency: 2 }]);
    for (let id = 1; id <= 5; id++) a.tell(48, id, {}, procedure, [id]);
    const [b, c] = [at(callees, 0), at(callees, 1)];
    const args = (callee: ScriptedSession) => callee.heard().map((message) => message[4]);
    expect([args(b), args(c)]).toEqual([[[1]], [[2], [3]]]);
    expect(a.heard()).toEqual([]);
    c.tell(70, 2, {});
    expect([args(b), args(c)]).toEqual([[], [[4]]]);
    b.tell(8, 68, 1, {}, 'com.error');
    expect([args(b), args(c)]).toEqual([[[5]], []]);
    expect(a.heard().map(([type]) => type)).toEqual([50, 8]);
  });

  it('holds for a single callee, and 0 is no limit', () => {
    const { call } = shared('single', [{ concurrency: 1 }]);
    expect([call(), call()]).toEqual([0, -1]);
    const free = shared('single', [{ concurrency: 0 }]);
    expect([free.call(), free.call()]).toEqual([0, 0]);
  });

  it.each(['roundrobin', 'random', 'last'])('holds for %s', (invoke) => {
    const { call } = shared(invoke, [{ concurrency: 1 }, { concurrency: 1 }, { concurrency: 1 }]);
    expect([call(), call(), call()].sort()).toEqual([0, 1, 2]);
    expect(call()).toBe(-1);
  });

  it('gives waiting calls to a callee that comes', () => {
    const { a, session } = shared('first', [{ concurrency: 1 }]);
    a.tell(48, 1, {}, procedure).tell(48, 2, {}, procedure).tell(48, 3, {}, procedure);
    const late = session();
    expect(
      late
        .tell(64, 1, { invoke: 'first' }, procedure)
        .heard()
        .map(([type]) => type),
    ).toEqual([65, 68, 68]);
  });

  it('refuses the call that one too many wait before', () => {
    const { a, call } = shared('single', [{ concurrency: 1 }]);
    for (let i = 0; i <= MAX_QUEUED_CALLS; i++) call();
    expect(a.heard()).toEqual([]);
    call();
    expect(a.heard().map((message) => [message[2], message[4]])).toEqual([
      [MAX_QUEUED_CALLS + 2, 'crossbar.error.max_concurrency_reached'],
    ]);
  });

  it('answers waiting calls with canceled when the last callee goes, and forgets those of a caller that goes', () => {
    const { a, callees, session, realm, call } = shared('single', [{ concurrency: 1 }]);
    const other = session();
    expect([call(), call()]).toEqual([0, -1]);
    other.tell(48, 1, {}, procedure);
    a.leave();
    expect(at(callees, 0).heard()).toEqual([[68, 2, 1, {}]]);
    other.tell(48, 2, {}, procedure);
    at(callees, 0).leave();
    expect(other.heard().map((message) => [message[2], message[4]])).toEqual([
      [2, 'wamp.error.canceled'],
      [1, 'wamp.error.canceled'],
    ]);
    expect(realm.size).toMatchObject({ calls: 0, registrations: 0 });
  });

  it('cancels a call that waits without any word to the callee', () => {
    const { a, callees, call } = shared('single', [{ concurrency: 1 }]);
    expect([call(), call()]).toEqual([0, -1]);
    a.tell(49, 2, { mode: 'kill' });
    expect(a.heard().map((message) => [message[2], message[4]])).toEqual([[2, 'wamp.error.canceled']]);
    at(callees, 0).tell(70, 1, {});
    expect(at(callees, 0).heard()).toEqual([]);
  });
});
