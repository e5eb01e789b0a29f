import { describe, expect, it } from 'vitest';
import { MAX_PENDING_CALLS } from '../../../../src/router/dealer/calls.js';
import { ProtocolViolation } from '../../../../src/wamp/error.js';
import { testRealm } from '../../../support/realm.js';

const procedure = 'com.example.procedure';

describe('register and call', () => {
  it('passes the call to the callee and the answer to the caller, payloads unchanged', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    expect(b.tell(64, 1, {}, procedure).heard()).toEqual([[65, 1, 1]]);
    a.tell(48, 5, {}, procedure, [23, 7], { x: null });
    expect(b.heard()).toEqual([[68, 1, 1, {}, [23, 7], { x: null }]]);
    b.tell(70, 1, {}, [30], { ok: true });
    expect(a.heard()).toEqual([[50, 5, {}, [30], { ok: true }]]);
  });

  it('passes an error of the callee on', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(64, 1, {}, procedure).heard();
    a.tell(48, 1, {}, procedure);
    b.tell(8, 68, 1, { own: 1 }, 'com.example.error', ['bad'], { n: 3 });
    expect(a.heard()).toEqual([[8, 48, 1, {}, 'com.example.error', ['bad'], { n: 3 }]]);
  });

  it('counts invocation ids per callee from 1, and takes answers in any order', () => {
    const { session } = testRealm();
    const [a, b, c] = [session(), session(), session()];
    b.tell(64, 1, {}, procedure).heard();
    c.tell(64, 1, {}, `${procedure}2`).heard();
    a.tell(48, 1, {}, procedure, ['x']).tell(48, 2, {}, procedure, ['y']).tell(48, 3, {}, `${procedure}2`);
    expect(b.heard().map((message) => message[1])).toEqual([1, 2]);
    expect(c.heard().map((message) => message[1])).toEqual([1]);
    b.tell(70, 2, {}, ['Y']).tell(70, 1, {}, ['X']);
    expect(a.heard()).toEqual([
      [50, 2, {}, ['Y']],
      [50, 1, {}, ['X']],
    ]);
  });

  it('lets a session call itself', () => {
    const { session } = testRealm();
    const a = session();
    a.tell(64, 1, {}, procedure).tell(48, 2, {}, procedure, [1]).heard();
    expect(a.tell(70, 1, {}, [2]).heard()).toEqual([[50, 2, {}, [2]]]);
  });

  it.each([
    ['a procedure nobody registered', [48, 1, {}, procedure], 'wamp.error.no_such_procedure'],
    ['an invalid URI', [48, 1, {}, 'a..b'], 'wamp.error.invalid_uri'],
    ['registering an invalid URI', [64, 1, {}, 'a b'], 'wamp.error.invalid_uri'],
    ['registering a reserved URI', [64, 1, {}, 'wamp.session.list'], 'wamp.error.invalid_uri'],
    ['registering the reserved word', [64, 1, {}, 'wamp'], 'wamp.error.invalid_uri'],
    ['registering a malformed pattern', [64, 1, { match: 'prefix' }, 'a..b'], 'wamp.error.invalid_uri'],
    ['registering a reserved prefix', [64, 1, { match: 'prefix' }, 'wamp.'], 'wamp.error.invalid_uri'],
    ['registering the reserved word as prefix', [64, 1, { match: 'prefix' }, 'wamp'], 'wamp.error.invalid_uri'],
    ['registering a reserved wildcard', [64, 1, { match: 'wildcard' }, 'wamp..list'], 'wamp.error.invalid_uri'],
    ['unregistering what is not there', [66, 1, 12], 'wamp.error.no_such_registration'],
  ])('answers %s with an error', (_what, message, uri) => {
    const { session } = testRealm();
    const heard = session()
      .tell(...message)
      .heard();
    expect(heard).toHaveLength(1);
    expect(heard[0]?.slice(0, 5)).toEqual([8, message[0], 1, {}, uri]);
  });

  it('refuses a second registration, a foreign unregister, and frees the name after unregister', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(64, 1, {}, procedure).heard();
    expect(b.tell(64, 2, {}, procedure).heard()[0]?.[4]).toBe('wamp.error.procedure_already_exists');
    expect(a.tell(64, 1, {}, procedure).heard()[0]?.[4]).toBe('wamp.error.procedure_already_exists');
    expect(a.tell(66, 2, 1).heard()[0]?.[4]).toBe('wamp.error.no_such_registration');
    expect(b.tell(66, 3, 1).heard()).toEqual([[67, 3]]);
    expect(a.tell(64, 3, {}, procedure).heard()).toEqual([[65, 3, 2]]);
  });

  it('delivers the answer to a call that was sent before the unregister', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(64, 1, {}, procedure);
    a.tell(48, 1, {}, procedure);
    b.tell(66, 2, 1).tell(70, 1, {}, [5]);
    expect(a.heard()).toEqual([[50, 1, {}, [5]]]);
  });

  it('takes only the final answer of a callee that sends progressive results unasked', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(64, 1, {}, procedure);
    a.tell(48, 1, {}, procedure);
    b.tell(70, 1, { progress: true }, [1]).tell(70, 1, {}, [2]);
    expect(a.heard()).toEqual([[50, 1, {}, [2]]]);
  });

  it('ignores an answer that comes twice, and throws for one that was never asked for', () => {
    const { session } = testRealm();
    const [a, b, c] = [session(), session(), session()];
    b.tell(64, 1, {}, procedure);
    a.tell(48, 1, {}, procedure);
    b.tell(70, 1, {}).tell(70, 1, {}).tell(8, 68, 1, {}, 'a.b');
    expect(a.heard()).toHaveLength(1);
    expect(() => c.tell(70, 1, {})).toThrow(ProtocolViolation);
    expect(() => b.tell(70, 2, {})).toThrow(ProtocolViolation);
    expect(() => b.tell(8, 68, 2, {}, 'a.b')).toThrow(ProtocolViolation);
    expect(() => b.tell(70, 2, { progress: true })).toThrow(ProtocolViolation);
  });

  it('throws when a caller re-uses the id of a call that is not answered', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(64, 1, {}, procedure);
    a.tell(48, 1, {}, procedure);
    expect(() => a.tell(48, 1, {}, procedure)).toThrow(ProtocolViolation);
  });
});

describe('calls that wait for an answer', () => {
  it('are bounded per caller; an answer makes room, and other callers have their own', () => {
    const { session } = testRealm();
    const [a, b, c] = [session(), session(), session()];
    b.tell(64, 1, {}, procedure);
    for (let id = 1; id <= MAX_PENDING_CALLS; id++) a.tell(48, id, {}, procedure);
    expect(a.heard()).toEqual([]);
    const next = MAX_PENDING_CALLS + 1;
    expect(a.tell(48, next, {}, procedure).heard()[0]?.[4]).toBe('crossbar.error.max_concurrency_reached');
    expect(c.tell(48, 1, {}, procedure).heard()).toEqual([]);
    b.tell(70, 1, {});
    expect(a.heard()).toEqual([[50, 1, {}]]);
    expect(a.tell(48, next + 1, {}, procedure).heard()).toEqual([]);
  });
});

describe('sessions that leave', () => {
  it('answers the callers of a callee that left with canceled, once, and frees its procedures', () => {
    const { realm, session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(64, 1, {}, procedure);
    a.tell(48, 1, {}, procedure);
    b.leave();
    const heard = a.heard();
    expect(heard).toHaveLength(1);
    expect(heard[0]?.slice(0, 5)).toEqual([8, 48, 1, {}, 'wamp.error.canceled']);
    expect(a.tell(48, 2, {}, procedure).heard()[0]?.[4]).toBe('wamp.error.no_such_procedure');
    expect(realm.size).toMatchObject({ registrations: 0, calls: 0 });
  });

  it('interrupts a callee that can be interrupted when the caller leaves; its late answer is harmless', () => {
    const { session } = testRealm();
    const a = session();
    const b = session('callee.call_canceling');
    b.tell(64, 1, {}, procedure).heard();
    a.tell(48, 1, {}, procedure);
    b.heard();
    a.leave();
    expect(b.heard()).toEqual([[69, 1, { mode: 'killnowait' }]]);
    expect(b.tell(70, 1, {}, [1]).heard()).toEqual([]);
  });

  it('does not interrupt a callee that did not announce call_canceling', () => {
    const { session } = testRealm();
    const [a, b] = [session(), session()];
    b.tell(64, 1, {}, procedure);
    a.tell(48, 1, {}, procedure);
    b.heard();
    a.leave();
    expect(b.heard()).toEqual([]);
  });

  it('leaves nothing behind, also when a session called itself', () => {
    const { realm, session } = testRealm();
    const [a, b] = [session('callee.call_canceling'), session('callee.call_canceling')];
    a.tell(64, 1, {}, procedure).tell(48, 2, {}, procedure);
    b.tell(64, 1, {}, `${procedure}.b`).tell(48, 2, {}, procedure);
    a.tell(48, 3, {}, `${procedure}.b`);
    a.leave();
    b.leave();
    for (const count of Object.values(realm.size)) expect(count).toBe(0);
  });
});

describe('caller identification', () => {
  const rule = {
    uri: '',
    match: 'prefix',
    allow: { call: true, register: true, publish: true, subscribe: true },
  } as const;
  const caller = { caller: 1, caller_authid: 'authid1', caller_authrole: 'user' };

  it('shows the caller when the role discloses it, or when the callee asked for it', () => {
    for (const [disclose, options] of [
      [true, {}],
      [false, { disclose_caller: true }],
    ] as const) {
      const { session } = testRealm({ name: 'user', permissions: [{ ...rule, disclose: { caller: disclose } }] });
      const [a, b] = [session(), session()];
      b.tell(64, 1, options, procedure).heard();
      a.tell(48, 1, {}, procedure);
      expect(b.heard()[0]?.[3]).toEqual(caller);
    }
  });

  it('refuses disclose_me where the role does not', () => {
    const { session } = testRealm({ name: 'user', permissions: [rule] });
    const [a, b] = [session(), session()];
    b.tell(64, 1, {}, procedure).heard();
    expect(a.tell(48, 1, { disclose_me: true }, procedure).heard()[0]?.[4]).toBe(
      'wamp.error.option_disallowed.disclose_me',
    );
    expect(b.heard()).toEqual([]);
  });
});
