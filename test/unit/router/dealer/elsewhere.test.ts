/** Callees and callers of other nodes, as a dealer sees them: sessions that never joined, which somebody takes to their nodes. */
import { expect, it } from 'vitest';

import { Router } from '../../../../src/router/router.js';
import type { RegistrationClaim } from '../../../../src/router/uplink.js';
import { CALL as CALL_CODE } from '../../../../src/wamp/message.js';
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

/** The ERRORs that a session heard: the request, and the URI. */
const errorsIn = (session: ScriptedSession): unknown[] =>
  session.heard().map(([type, , id, , uri]) => (type === ERROR ? [id, uri] : type));

/** A session of another node: as every other, but it never joined. */
class ForeignSession extends ScriptedSession {
  readonly isElsewhere = true;
}

function testNode() {
  const others = testUplink();
  let place = 0;
  // Others have asked before: here each claim is agreed to at once, in order.
  others.uplink.registered = (claim, done) => {
    others.claims.push(claim);
    done(undefined, (place += 10));
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
  const claimOf = (callee: ScriptedSession, more: Partial<RegistrationClaim> = {}): RegistrationClaim => ({
    ...{ uri: PROCEDURE, match: 'exact', invoke: 'single', force: false, options: {}, callee },
    ...more,
  });
  return { ...others, router, realm, session, foreign, claimOf };
}

it('a callee of another node is called as if it were here, and its answer reaches the caller', () => {
  const { realm, router, session, foreign, claimOf } = testNode();
  const callee = foreign('callee.call_canceling');
  const caller = session();
  realm.elsewhere.admit(callee, claimOf(callee, { options: { disclose_caller: true } }), 5);
  expect(router.keptBytes).toBe(0);
  caller.tell(CALL, 1, {}, PROCEDURE, ['hello']);
  const details = { caller: caller.id, caller_authid: caller.authid, caller_authrole: 'anonymous' };
  const id = 7000 + PROCEDURE.length;
  expect(callee.heard()).toEqual([[INVOCATION, 1, id, details, ['hello']]]);
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
  realm.elsewhere.admit(late, claimOf(late, { ...SHARED, options: SHARED }), 15);
  realm.elsewhere.admit(early, claimOf(early, { ...SHARED, options: SHARED }), 5);
  caller.tell(CALL, 1, {}, PROCEDURE);
  expect(early.heard()).toHaveLength(1);
  realm.elsewhere.dismiss(early, { uri: PROCEDURE, match: 'exact' });
  // What it has it may still answer.
  early.tell(YIELD, 1, {}, ['late']);
  expect(caller.heard()).toEqual([[RESULT, 1, {}, ['late']]]);
  here.heard();
  caller.tell(CALL, 2, {}, PROCEDURE);
  expect(here.heard().map(([type]) => type)).toEqual([INVOCATION]);
  here.tell(UNREGISTER, 2, 7000 + PROCEDURE.length);
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
  realm.elsewhere.admit(early, claimOf(early, { ...SHARED, options: SHARED }), 5);
  caller.tell(CALL, 1, {}, PROCEDURE);
  early.tell(ERROR, INVOCATION, 1, {}, 'wamp.error.unavailable');
  expect(here.heard().map(([type]) => type)).toEqual([INVOCATION]);
});

it('no meta event tells of it: its own node does', () => {
  const { realm, session, foreign, claimOf, published } = testNode();
  const callee = foreign();
  realm.elsewhere.admit(callee, claimOf(callee), 5);
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
