/** A dealer with other nodes: REGISTERs that wait until the uplink has asked them. */
import { describe, expect, it } from 'vitest';

import { Router } from '../../../../src/router/router.js';
import { ErrorUri, WampError } from '../../../../src/wamp/error.js';
import { ALLOW_ALL, FakeClock, ScriptedSession } from '../../../support/realm.js';
import { testUplink } from '../../../support/uplink.js';

const CALL = 48;
const RESULT = 50;
const REGISTER = 64;
const REGISTERED = 65;
const UNREGISTER = 66;
const UNREGISTERED = 67;
const INVOCATION = 68;
const YIELD = 70;
const PROCEDURE = 'com.app.procedure';
const ID = 7000 + PROCEDURE.length;
const SHARED = { invoke: 'roundrobin' };
const FORCE = { force_reregister: true };
const TAKEN = new WampError(ErrorUri.PROCEDURE_ALREADY_EXISTS, 'another node has it');

function testNode(options: object = {}) {
  const others = testUplink();
  let lastId = 0;
  const router = new Router(
    [{ name: 'realm1', roles: [ALLOW_ALL], options: { ...OPTIONS, enable_meta_api: false, ...options } }],
    { randomId: () => ++lastId, clock: () => 0, scheduler: new FakeClock(), uplinkOf: () => others.uplink },
  );
  const realm = router.realm('realm1');
  const role = realm?.role(ALLOW_ALL.name);
  if (realm === undefined || role === undefined) throw new Error('the realm of the test is not there');
  let lastSession = 0;
  const session = (...features: string[]) => new ScriptedSession(realm, ++lastSession, role, features);
  /** Answers what was asked first and has no answer. */
  const answer = (error?: WampError) => others.answers.shift()?.(error);
  return { ...others, router, realm, session, answer };
}

const OPTIONS = { uri_check: 'loose', event_dispatching_chunk_size: 100, bridge_meta_api: false } as const;
const errorOf = ([message]: unknown[][]) => message?.[4];

describe('a REGISTER', () => {
  it('is answered when the uplink is done, with the id of all nodes, and not called before', () => {
    const { session, answer, claims, log } = testNode();
    const [callee, caller] = [session(), session()];
    callee.tell(REGISTER, 1, { match: 'prefix', concurrency: 2 }, PROCEDURE);
    caller.tell(CALL, 1, {}, PROCEDURE);
    expect(callee.heard()).toEqual([]);
    expect(errorOf(caller.heard())).toBe('wamp.error.no_such_procedure');
    answer();
    expect(callee.heard()).toEqual([[REGISTERED, 1, ID]]);
    caller.tell(CALL, 2, {}, PROCEDURE);
    expect(callee.heard().map(([type]) => type)).toEqual([INVOCATION]);
    expect(claims).toMatchObject([
      {
        uri: PROCEDURE,
        match: 'prefix',
        invoke: 'single',
        force: false,
        options: { match: 'prefix', concurrency: 2 },
        callee: { id: callee.id, authid: callee.authid, authrole: 'anonymous' },
      },
    ]);
    expect(log).toEqual([`registered ${PROCEDURE} by ${callee.id}`]);
  });

  it('is answered at once where the uplink is', () => {
    const { session, uplink } = testNode();
    uplink.registered = (_claim, done) => done(undefined, { id: ID, place: 1, createdMs: 0, isFirst: true });
    expect(session().tell(REGISTER, 1, {}, PROCEDURE).heard()).toEqual([[REGISTERED, 1, ID]]);
  });

  it('gets the error of another node, and is taken back: nothing stays of it', () => {
    const { session, answer, realm, router, log } = testNode();
    const callee = session();
    callee.tell(REGISTER, 1, {}, PROCEDURE);
    expect(router.keptBytes).toBeGreaterThan(0);
    expect(realm.size).toMatchObject({ registrations: 0, pendingRegistrations: 1 });
    answer(TAKEN);
    expect(callee.heard()).toEqual([[8, REGISTER, 1, {}, TAKEN.uri, TAKEN.args]]);
    expect(router.keptBytes).toBe(0);
    expect(realm.size).toMatchObject({ registrations: 0, pendingRegistrations: 0 });
    callee.tell(REGISTER, 2, {}, PROCEDURE);
    answer();
    expect(callee.heard()).toEqual([[REGISTERED, 2, ID]]);
    expect(log.filter((line) => line.startsWith('unregistered'))).toEqual([]);
  });

  it('is refused without a question where this node knows the answer', () => {
    const { session, answer, answers } = testNode();
    const [first, second] = [session(), session()];
    first.tell(REGISTER, 1, {}, PROCEDURE);
    answer();
    expect(errorOf(second.tell(REGISTER, 1, {}, PROCEDURE).heard())).toBe(TAKEN.uri);
    expect(errorOf(second.tell(REGISTER, 2, SHARED, 'com..app').heard())).toBe('wamp.error.invalid_uri');
    expect(answers).toEqual([]);
  });

  it('does not hold up what the session sends behind it', () => {
    const { session, answer } = testNode();
    const [other, one] = [session(), session()];
    other.tell(REGISTER, 1, {}, 'com.app.other');
    answer();
    other.heard();
    one.tell(REGISTER, 1, {}, PROCEDURE).tell(CALL, 2, {}, 'com.app.other');
    other.tell(YIELD, 1, {}, ['there']);
    expect(one.heard()).toEqual([[RESULT, 2, {}, ['there']]]);
    answer();
    expect(one.heard()).toEqual([[REGISTERED, 1, ID]]);
  });

  it('counts with those that are on file, and so does each that waits', () => {
    const { session, answer } = testNode({ max_session_registrations: 2 });
    const one = session();
    one.tell(REGISTER, 1, SHARED, PROCEDURE).tell(REGISTER, 2, SHARED, PROCEDURE);
    expect(errorOf(one.tell(REGISTER, 3, SHARED, PROCEDURE).heard())).toBe('crossbar.error.limit_exceeded');
    answer();
    expect(one.heard()).toEqual([
      [REGISTERED, 1, ID],
      [REGISTERED, 2, ID],
    ]);
    one.tell(REGISTER, 4, {}, 'com.app.second');
    answer();
    expect(one.heard()).toEqual([[REGISTERED, 4, 7014]]);
  });
});

describe('several REGISTERs of one procedure', () => {
  it('are asked about one after the other, and each finds what the one before has left', () => {
    const { session, answer, answers, log } = testNode();
    const [first, second, third] = [session(), session(), session()];
    for (const each of [first, second, third]) each.tell(REGISTER, 1, SHARED, PROCEDURE);
    third.tell(REGISTER, 2, {}, PROCEDURE);
    expect(answers).toHaveLength(1);
    answer();
    expect(first.heard()).toEqual([[REGISTERED, 1, ID]]);
    answer(TAKEN);
    expect(errorOf(second.heard())).toBe(TAKEN.uri);
    answer();
    const [registered, refused] = third.heard();
    expect(registered).toEqual([REGISTERED, 1, ID]);
    expect(refused?.[4]).toBe('wamp.error.procedure_exists_with_different_invocation_policy');
    expect(log).toEqual([first, second, third].map(({ id }) => `registered ${PROCEDURE} by ${id}`));
  });

  it('are refused like on a node alone when the first got it', () => {
    const { session, answer, answers, router } = testNode();
    const [first, second] = [session(), session()];
    for (const each of [first, second]) each.tell(REGISTER, 1, {}, PROCEDURE);
    answer();
    expect(first.heard()).toEqual([[REGISTERED, 1, ID]]);
    expect(errorOf(second.heard())).toBe(TAKEN.uri);
    expect(answers).toEqual([]);
    first.leave();
    second.leave();
    expect(router.keptBytes).toBe(0);
  });

  it('of one pattern do not wait for those of another', () => {
    const { session, answers } = testNode();
    const one = session();
    for (const match of ['exact', 'prefix', 'wildcard']) one.tell(REGISTER, 1, { match }, PROCEDURE);
    expect(answers).toHaveLength(3);
  });
});

describe('a session that leaves while the uplink is asked', () => {
  it('takes its question back, and an answer that is late does no harm', () => {
    const { session, answers, realm, router, log } = testNode();
    const gone = session();
    gone.tell(REGISTER, 1, {}, PROCEDURE);
    gone.leave();
    expect(log).toEqual([`registered ${PROCEDURE} by ${gone.id}`, `unregistered ${PROCEDURE} by ${gone.id}`]);
    for (const count of Object.values(realm.size)) expect(count).toBe(0);
    expect(router.keptBytes).toBe(0);
    const next = session();
    next.tell(REGISTER, 1, {}, PROCEDURE);
    for (const late of [undefined, TAKEN]) answers[0]?.(late);
    expect([...gone.heard(), ...next.heard()]).toEqual([]);
    answers[1]?.();
    answers[1]?.(TAKEN);
    expect(next.heard()).toEqual([[REGISTERED, 1, ID]]);
    expect(realm.size).toMatchObject({ registrations: 1, pendingRegistrations: 0 });
    expect(log).toHaveLength(3);
  });

  it('makes room for the one behind it', () => {
    const { session, answers, log } = testNode();
    const [gone, next] = [session(), session()];
    for (const each of [gone, next]) each.tell(REGISTER, 1, {}, PROCEDURE);
    gone.leave();
    expect(log.slice(1)).toEqual([`unregistered ${PROCEDURE} by ${gone.id}`, `registered ${PROCEDURE} by ${next.id}`]);
    answers[1]?.();
    expect(next.heard()).toEqual([[REGISTERED, 1, ID]]);
  });

  it('is passed over where it waited behind another', () => {
    const { session, answer, answers, realm, router } = testNode();
    const [first, gone, last] = [session(), session(), session()];
    for (const each of [first, gone, last]) each.tell(REGISTER, 1, SHARED, PROCEDURE);
    gone.leave();
    answer();
    answer();
    expect([first, last].map((each) => each.heard())).toEqual([[[REGISTERED, 1, ID]], [[REGISTERED, 1, ID]]]);
    expect(answers).toEqual([]);
    for (const each of [first, last]) each.leave();
    for (const count of Object.values(realm.size)) expect(count).toBe(0);
    expect(router.keptBytes).toBe(0);
  });

  it('leaves nothing when its realm is removed', () => {
    const { session, router, realm, log } = testNode({ enable_meta_api: true });
    const [one, two] = [session(), session()];
    for (const each of [one, two]) each.tell(REGISTER, 1, {}, PROCEDURE);
    router.removeRealm('realm1');
    for (const count of Object.values(realm.size)) expect(count).toBe(0);
    expect(router.keptBytes).toBe(0);
    expect(log.filter((line) => line.startsWith('registered')).length).toBe(
      log.filter((line) => line.startsWith('unregistered')).length,
    );
  });
});

describe('a registration that ends', () => {
  it('is told for each session, whether it unregisters, leaves or is revoked', () => {
    const { session, answer, realm, log, claims } = testNode();
    const [one, two, three] = [session(), session(), session('callee.registration_revocation')];
    for (const each of [one, two, three]) {
      each.tell(REGISTER, 1, SHARED, PROCEDURE);
      answer();
      each.heard();
    }
    log.length = 0;
    expect(one.tell(UNREGISTER, 2, ID).heard()).toEqual([[UNREGISTERED, 2]]);
    two.leave();
    const [, , claim] = claims;
    if (claim === undefined) throw new Error('the third session claimed nothing');
    expect(realm.elsewhere.revokeClaim(claim, ErrorUri.UNREGISTERED)).toBe(true);
    expect(realm.elsewhere.revokeClaim(claim)).toBe(false);
    expect(three.heard()).toEqual([[UNREGISTERED, 0, { registration: ID, reason: 'wamp.error.unregistered' }]]);
    expect(log).toEqual([one, two, three].map(({ id }) => `unregistered ${PROCEDURE} by ${id}`));
    expect(realm.size).toMatchObject({ registrations: 0 });
  });
});

describe('force_reregister', () => {
  it('leaves the callee in place until the uplink is done, and calls go to it', () => {
    const { session, answer, log, claims } = testNode();
    const [old, caller, thief] = [session('callee.call_canceling'), session(), session()];
    old.tell(REGISTER, 1, {}, PROCEDURE);
    answer();
    thief.tell(REGISTER, 1, FORCE, PROCEDURE);
    expect(claims.map(({ force }) => force)).toEqual([false, true]);
    caller.tell(CALL, 1, {}, PROCEDURE).tell(CALL, 2, {}, PROCEDURE).tell(49, 1, {});
    expect(old.heard().map(([type]) => type)).toEqual([REGISTERED, INVOCATION, INVOCATION, 69]);
    expect(errorOf(caller.heard())).toBe('wamp.error.canceled');
    answer();
    expect(thief.heard()).toEqual([[REGISTERED, 1, ID]]);
    expect(log.at(-1)).toBe(`unregistered ${PROCEDURE} by ${old.id}`);
    old.tell(YIELD, 2, {}, ['late']);
    caller.tell(CALL, 3, {}, PROCEDURE);
    expect(caller.heard()).toEqual([[RESULT, 2, {}, ['late']]]);
    expect(thief.heard().map(([type]) => type)).toEqual([INVOCATION]);
  });

  it('takes nothing away when another node refuses', () => {
    const { session, answer, realm } = testNode();
    const [old, thief] = [session(), session()];
    old.tell(REGISTER, 1, {}, PROCEDURE);
    answer();
    thief.tell(REGISTER, 1, FORCE, PROCEDURE);
    answer(TAKEN);
    expect(errorOf(thief.heard())).toBe(TAKEN.uri);
    old.heard();
    thief.tell(CALL, 2, {}, PROCEDURE);
    expect(old.heard().map(([type]) => type)).toEqual([INVOCATION]);
    expect(realm.size).toMatchObject({ registrations: 1 });
  });

  it('of a session that unregisters meanwhile begins anew, with an account that is right', () => {
    const { session, answer, router, log } = testNode({ max_session_registrations: 1 });
    const one = session();
    one.tell(REGISTER, 1, {}, PROCEDURE);
    answer();
    const kept = router.keptBytes;
    one.heard();
    one.tell(REGISTER, 2, FORCE, PROCEDURE);
    expect(one.tell(UNREGISTER, 3, ID).heard()).toEqual([[UNREGISTERED, 3]]);
    answer();
    expect(one.heard()).toEqual([[REGISTERED, 2, ID]]);
    expect(router.keptBytes).toBe(kept);
    expect(log.filter((line) => line.startsWith('unregistered'))).toHaveLength(1);
    one.leave();
    expect(router.keptBytes).toBe(0);
  });
});

describe('a realm that changes while the uplink is asked', () => {
  it('refuses a procedure that belongs to another role by now', () => {
    const { session, answer, realm, router, log } = testNode();
    const one = session();
    one.tell(REGISTER, 1, {}, PROCEDURE);
    realm.addRole({ name: 'guest', authorizer: PROCEDURE, 'authorizer-callee-role': 'backend' });
    answer();
    expect(errorOf(one.heard())).toBe('wamp.error.not_authorized');
    expect(log.at(-1)).toBe(`unregistered ${PROCEDURE} by ${one.id}`);
    expect(realm.size).toMatchObject({ registrations: 0 });
    expect(router.keptBytes).toBe(0);
  });
});
