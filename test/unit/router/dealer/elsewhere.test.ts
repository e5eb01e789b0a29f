/** Callees and callers of other nodes, as a dealer sees them: sessions that never joined, which somebody takes to their nodes. */
import { describe, expect, it } from 'vitest';

import { Router } from '../../../../src/router/router.js';
import type { RegistrationClaim } from '../../../../src/router/uplink.js';
import { CALL as CALL_CODE } from '../../../../src/wamp/message.js';
import type { Invocation, InvocationPolicy } from '../../../../src/wamp/message.js';
import { payloadOf } from '../../../../src/wamp/payload.js';
import { ALLOW_ALL, FakeClock, ScriptedSession } from '../../../support/realm.js';
import { testUplink } from '../../../support/uplink.js';

const ERROR = 8;
const CALL = 48;
const CANCEL = 49;
const RESULT = 50;
const REGISTER = 64;
const REGISTERED = 65;
const UNREGISTER = 66;
const INVOCATION = 68;
const INTERRUPT = 69;
const YIELD = 70;
const PROCEDURE = 'com.app.procedure';
/** Its registration, as all nodes know it. */
const ID = 7017;
const at = (place: number) => ({ id: ID, place, createdMs: 0 });

/** The ERRORs that a session heard: the request, and the URI. */
const errorsIn = (session: ScriptedSession): unknown[] =>
  session.heard().map(([type, , id, , uri]) => (type === ERROR ? [id, uri] : type));

/** A session of another node: as every other, but it never joined. */
class ForeignSession extends ScriptedSession {
  readonly isElsewhere = true;
}

/** A callee of another node, and the INVOCATIONs that its node may send back. */
class TriedSession extends ForeignSession {
  readonly tried: number[] = [];
  readonly tryInvoke = ({ requestId }: Invocation): void => void this.tried.push(requestId);
}

function testNode() {
  const others = testUplink();
  let place = 0;
  // Others have asked before: here each claim is agreed to at once, in order.
  others.uplink.registered = (claim, done) => {
    others.claims.push(claim);
    done(undefined, { id: ID, place: (place += 10), createdMs: 0, isFirst: others.claims.length === 1 });
  };
  const options = { uri_check: 'loose', event_dispatching_chunk_size: 100, bridge_meta_api: false } as const;
  const router = new Router([{ name: 'realm1', roles: [ALLOW_ALL], options }], {
    randomId: () => 1,
    clock: () => 0,
    scheduler: new FakeClock(),
    uplinkOf: () => others.uplink,
  });
  const realm = router.realm('realm1');
  const role = realm?.role(ALLOW_ALL.name);
  if (realm === undefined || role === undefined) throw new Error('the realm of the test is not there');
  // Sessions of other nodes are not members of the realm.
  const outside = new Proxy(realm, {
    get: (target, key) =>
      key === 'join'
        ? () => undefined
        : key === 'receive'
          ? target.receive.bind(target)
          : Reflect.get(target, key, target),
  });
  let lastSession = 0;
  const session = (...features: string[]) => new ScriptedSession(realm, ++lastSession, role, features);
  const foreign = (...features: string[]) => new ForeignSession(outside, ++lastSession + 1000, role, features);
  const tried = (...features: string[]) => new TriedSession(outside, ++lastSession + 1000, role, features);
  const claimOf = (callee: ScriptedSession, more: Partial<RegistrationClaim> = {}): RegistrationClaim => ({
    ...{ uri: PROCEDURE, match: 'exact', invoke: 'single', force: false, options: {}, callee },
    ...more,
  });
  return { ...others, router, realm, session, foreign, tried, claimOf };
}

it('a callee of another node is called as if it were here, and its answer reaches the caller', () => {
  const { realm, router, session, foreign, claimOf } = testNode();
  const callee = foreign('callee.call_canceling');
  const caller = session();
  realm.elsewhere.admit(callee, claimOf(callee, { options: { disclose_caller: true } }), at(5));
  expect(router.keptBytes).toBe(0);
  caller.tell(CALL, 1, {}, PROCEDURE, ['hello']);
  const details = { caller: caller.id, caller_authid: caller.authid, caller_authrole: 'anonymous' };
  expect(callee.heard()).toEqual([[INVOCATION, 1, ID, details, ['hello']]]);
  callee.tell(YIELD, 1, {}, ['back']);
  expect(caller.heard()).toEqual([[RESULT, 1, {}, ['back']]]);
  caller.tell(CALL, 2, {}, PROCEDURE);
  caller.tell(CANCEL, 2, { mode: 'killnowait' });
  expect(callee.heard().map(([type]) => type)).toEqual([INVOCATION, INTERRUPT]);
  caller.heard();
  caller.tell(CALL, 3, {}, PROCEDURE);
  realm.forget(callee);
  expect(errorsIn(caller)).toEqual([[3, 'wamp.error.canceled']]);
  caller.tell(CALL, 4, {}, PROCEDURE);
  expect(errorsIn(caller)).toEqual([[4, 'wamp.error.no_such_procedure']]);
  realm.leave(caller);
  expect(router.keptBytes).toBe(0);
  expect(realm.size).toMatchObject({ registrations: 0, parties: 0, calls: 0 });
});

it('stands among the others where all nodes agree that it does', () => {
  const { realm, session, foreign, claimOf } = testNode();
  const [here, caller] = [session(), session()];
  const SHARED = { invoke: 'first' } as const;
  here.tell(REGISTER, 1, SHARED, PROCEDURE);
  const [early, late] = [foreign(), foreign()];
  realm.elsewhere.admit(late, claimOf(late, { ...SHARED, options: SHARED }), at(15));
  realm.elsewhere.admit(early, claimOf(early, { ...SHARED, options: SHARED }), at(5));
  caller.tell(CALL, 1, {}, PROCEDURE);
  expect(early.heard()).toHaveLength(1);
  realm.elsewhere.dismiss(early, { uri: PROCEDURE, match: 'exact' });
  // What it has it may still answer.
  early.tell(YIELD, 1, {}, ['late']);
  expect(caller.heard()).toEqual([[RESULT, 1, {}, ['late']]]);
  here.heard();
  caller.tell(CALL, 2, {}, PROCEDURE);
  expect(here.heard().map(([type]) => type)).toEqual([INVOCATION]);
  here.tell(UNREGISTER, 2, ID);
  caller.tell(CALL, 3, {}, PROCEDURE);
  expect(late.heard().map(([type]) => type)).toEqual([INVOCATION]);
});

it('goes to the next callee when one of another node cannot be reached', () => {
  const { realm, session, foreign, claimOf } = testNode();
  const [here, caller] = [session(), session()];
  const SHARED = { invoke: 'first' } as const;
  here.tell(REGISTER, 1, SHARED, PROCEDURE);
  here.heard();
  const early = foreign();
  realm.elsewhere.admit(early, claimOf(early, { ...SHARED, options: SHARED }), at(5));
  caller.tell(CALL, 1, {}, PROCEDURE);
  early.tell(ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable');
  expect(here.heard().map(([type]) => type)).toEqual([INVOCATION]);
});

it('no meta event tells of it: its own node does', () => {
  const { realm, session, foreign, claimOf, published } = testNode();
  const callee = foreign();
  realm.elsewhere.admit(callee, claimOf(callee), at(5));
  realm.elsewhere.dismiss(callee, { uri: PROCEDURE, match: 'exact' });
  expect(published).toEqual([]);
  session().tell(REGISTER, 1, {}, PROCEDURE);
  expect(published.map(({ topic }) => topic)).toEqual([
    'wamp.session.on_join',
    'wamp.registration.on_create',
    'wamp.registration.on_register',
  ]);
});

const forwarded = (requestId: number, options: Record<string, unknown> = {}) =>
  ({ type: CALL_CODE, requestId, options, procedure: PROCEDURE, payload: payloadOf([requestId]) }) as const;

it('a call of another node goes to the callee that was chosen there, with the details that were written there', () => {
  const { realm, session, foreign, claims } = testNode();
  const [one, two] = [session(), session()];
  for (const callee of [one, two]) callee.tell(REGISTER, 1, { invoke: 'roundrobin' }, PROCEDURE);
  for (const callee of [one, two]) expect(callee.heard().map(([type]) => type)).toEqual([REGISTERED]);
  const caller = foreign();
  const claim = claims[1];
  if (claim === undefined) throw new Error('nothing was claimed');
  const details = { caller: 4711, caller_authid: 'somebody', procedure: 'com.app.procedure' };
  for (const id of [1, 2]) realm.elsewhere.forward(caller, claim, forwarded(id, details));
  expect(one.heard()).toEqual([]);
  expect(two.heard().map(([type, id, , options, args]) => [type, id, options, args])).toEqual([
    [INVOCATION, 1, details, [1]],
    [INVOCATION, 2, details, [2]],
  ]);
  two.tell(YIELD, 2, {}, ['b']);
  two.tell(ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable', ['no']);
  // Its own node asks the next one.
  expect(caller.heard()).toEqual([
    [RESULT, 2, {}, ['b']],
    [ERROR, CALL, 1, {}, 'wamp.error.unavailable', ['no']],
  ]);
  expect(one.heard()).toEqual([]);
});

it('waits for a callee without room, and goes back when that leaves; nothing stays of a caller that is gone', () => {
  const { realm, router, session, foreign, claims } = testNode();
  const callee = session('callee.call_canceling');
  callee.tell(REGISTER, 1, { concurrency: 1 }, PROCEDURE);
  callee.heard();
  const [claim] = claims;
  if (claim === undefined) throw new Error('nothing was claimed');
  const [first, second] = [foreign(), foreign()];
  realm.elsewhere.forward(first, claim, forwarded(1));
  realm.elsewhere.forward(first, claim, forwarded(2));
  realm.elsewhere.forward(second, claim, forwarded(1));
  const here = session();
  here.tell(CALL, 1, {}, PROCEDURE, ['here']);
  expect(callee.heard().map((invocation) => invocation[4])).toEqual([[1]]);
  callee.tell(YIELD, 1, {}, []);
  expect(callee.heard().map((invocation) => invocation[4])).toEqual([[2]]);
  realm.forget(first);
  expect(callee.heard().map(([type]) => type)).toEqual([INTERRUPT, INVOCATION]);
  realm.leave(callee);
  expect(errorsIn(second)).toEqual([[1, 'wamp.error.canceled']]);
  expect(errorsIn(here)).toEqual([[1, 'wamp.error.canceled']]);
  expect(() => realm.elsewhere.forward(second, claim, forwarded(2))).toThrow(
    expect.objectContaining({ uri: 'wamp.error.unavailable' }) as Error,
  );
  realm.forget(second);
  realm.leave(here);
  expect(router.keptBytes).toBe(0);
  expect(realm.size).toMatchObject({ registrations: 0, parties: 0, calls: 0 });
});

it('what waits for one callee alone goes back as not asked when the callee leaves', () => {
  const { realm, session, foreign, claims } = testNode();
  const callee = session();
  callee.tell(REGISTER, 1, { concurrency: 1 }, PROCEDURE);
  const [claim] = claims;
  if (claim === undefined) throw new Error('nothing was claimed');
  const caller = foreign();
  realm.elsewhere.forward(caller, claim, forwarded(1));
  realm.elsewhere.forward(caller, claim, forwarded(2));
  realm.leave(callee);
  expect(caller.heard().map((message) => [message[2], message[4]])).toEqual([
    [2, 'wamp.error.unavailable'],
    [1, 'wamp.error.canceled'],
  ]);
});

describe('a call to one of several callees of other nodes, each with room for so many', () => {
  const SHARED = { invoke: 'first', concurrency: 1 } as const;

  function shared(
    count: number,
    {
      features = [],
      invoke = 'first',
      concurrency = 1,
    }: { features?: string[]; invoke?: InvocationPolicy; concurrency?: number } = {},
  ) {
    const node = testNode();
    const callees = Array.from({ length: count }, () => node.tried(...features));
    for (const [index, callee] of callees.entries()) {
      node.realm.elsewhere.admit(
        callee,
        node.claimOf(callee, { invoke, options: { invoke, concurrency } }),
        at(100 + index),
      );
    }
    return { ...node, callees, caller: node.session() };
  }
  const invocations = (session: ScriptedSession): unknown[] => session.heard().map(([, id]) => id);

  it('goes to the next one when a node has no room, and is asked of one', () => {
    const { realm, callees, caller } = shared(3);
    caller.tell(CALL, 1, {}, PROCEDURE, ['x']);
    expect(callees.map(({ tried }) => tried)).toEqual([[1], [], []]);
    realm.elsewhere.busy(callees[0] as TriedSession, 1);
    expect(callees.map(({ tried }) => tried)).toEqual([[1], [1], []]);
    callees[1]?.tell(YIELD, 1, {}, ['done']);
    expect(caller.heard()).toEqual([[RESULT, 1, {}, ['done']]]);
    expect(realm.size.calls).toBe(0);
    // What is over is over.
    realm.elsewhere.busy(callees[1] as TriedSession, 1);
    expect(callees.map(({ tried }) => tried)).toEqual([[1], [1], []]);
  });

  it('waits at one of them when all are busy', () => {
    const { realm, callees, caller } = shared(2);
    caller.tell(CALL, 1, {}, PROCEDURE);
    for (const callee of callees) realm.elsewhere.busy(callee, 1);
    expect(callees.map((callee) => [callee.tried, invocations(callee)])).toEqual([
      [[1], [2]],
      [[1], []],
    ]);
    // It left before it had room: the other one may have it by now.
    callees[0]?.tell(ERROR, INVOCATION, 2, {}, 'wamp.error.unavailable');
    expect(callees[1]?.tried).toEqual([1, 2]);
    realm.elsewhere.busy(callees[1] as TriedSession, 2);
    expect(invocations(callees[1] as TriedSession)).toEqual([3]);
    callees[1]?.tell(ERROR, INVOCATION, 3, {}, 'wamp.error.unavailable');
    expect(errorsIn(caller)).toEqual([[1, 'wamp.error.no_available_callee']]);
    expect(realm.size.calls).toBe(0);
  });

  it('waits here when one of them has calls of this node, whose end this node sees', () => {
    const { realm, callees, caller } = shared(2);
    caller.tell(CALL, 1, {}, PROCEDURE);
    caller.tell(CALL, 2, {}, PROCEDURE);
    expect(callees.map(({ tried }) => tried)).toEqual([[1], [1]]);
    realm.elsewhere.busy(callees[1] as TriedSession, 1);
    expect(realm.size.calls).toBe(2);
    expect(callees.map((callee) => [callee.tried, invocations(callee)])).toEqual([
      [[1], []],
      [[1], []],
    ]);
    callees[0]?.tell(YIELD, 1, {}, []);
    expect(callees[0]?.tried).toEqual([1, 2]);
    // That one leaves: the other one is left.
    caller.heard();
    realm.elsewhere.busy(callees[0] as TriedSession, 2);
    expect(invocations(callees[0] as TriedSession)).toEqual([3]);
  });

  it('is canceled wherever it is', () => {
    const { realm, callees, caller } = shared(2);
    caller.tell(CALL, 1, {}, PROCEDURE);
    caller.tell(CANCEL, 1, { mode: 'kill' });
    realm.elsewhere.busy(callees[0] as TriedSession, 1);
    expect(errorsIn(caller)).toEqual([[1, 'wamp.error.canceled']]);
    caller.tell(CALL, 2, {}, PROCEDURE);
    realm.leave(caller);
    realm.elsewhere.busy(callees[0] as TriedSession, 2);
    expect([callees[1]?.tried, realm.size.calls]).toEqual([[], 0]);
  });

  it('waits there at once where there is one callee, no bound, or more of the call to come', () => {
    for (const [count, options, call] of [
      [1, SHARED, {}],
      [2, { ...SHARED, concurrency: 0 }, {}],
      [2, SHARED, { progress: true }],
    ] as const) {
      const features = ['callee.progressive_call_invocations', 'callee.call_canceling'];
      const { callees, session } = shared(count, { ...options, features });
      session('caller.progressive_call_invocations').tell(CALL, 1, call, PROCEDURE);
      expect([callees[0]?.tried, invocations(callees[0] as TriedSession)]).toEqual([[], [1]]);
    }
  });
});

it('a call of another node that may not wait is not begun when its callee has no room', () => {
  const { realm, session, foreign, claims } = testNode();
  const callee = session();
  callee.tell(REGISTER, 1, { concurrency: 1, invoke: 'roundrobin' }, PROCEDURE);
  callee.heard();
  const [claim] = claims;
  if (claim === undefined) throw new Error('there is no claim');
  const caller = foreign();
  expect(realm.elsewhere.forward(caller, claim, forwarded(1), false)).toBe(true);
  expect(realm.elsewhere.forward(caller, claim, forwarded(2), false)).toBe(false);
  expect(realm.elsewhere.forward(caller, claim, forwarded(3), true)).toBe(true);
  expect(realm.size.calls).toBe(2);
  callee.tell(YIELD, 1, {}, []);
  expect(callee.heard().map(([type, id]) => [type, id])).toEqual([
    [INVOCATION, 1],
    [INVOCATION, 2],
  ]);
});
