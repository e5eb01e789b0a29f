/** What a realm keeps for its sessions: bounded, charged to whom it is kept for, and given back to the byte. */
import { describe, expect, it } from 'vitest';
import { Budget } from '../../../src/router/budget.js';
import { Realm } from '../../../src/router/realm.js';
import { jsonSerializer } from '../../../src/serializer/json.js';
import { CALL } from '../../../src/wamp/message.js';
import type { RealmConfig } from '../../../src/router/schema.js';
import { ALLOW_ALL, FakeClock, ScriptedSession } from '../../support/realm.js';

const LIMIT = 65_536;

function boundedRealm(options: RealmConfig['options'] = { max_session_bytes: LIMIT }) {
  const clock = new FakeClock();
  let lastId = 0;
  const nextId = () => ++lastId;
  const budget = new Budget();
  const realm = new Realm(
    { name: 'realm1', options, roles: [ALLOW_ALL] },
    { randomId: nextId, nextRouterId: nextId, clock: () => clock.now, scheduler: clock, budget },
  );
  const role = realm.role(ALLOW_ALL.name);
  if (role === undefined) throw new Error('the role of the test is not there');
  let lastSession = 0;
  const session = (...features: string[]) => new ScriptedSession(realm, ++lastSession, role, features);
  const empty = {
    sessions: 0,
    subscriptions: 0,
    subscribers: 0,
    registrations: 0,
    parties: 0,
    calls: 0,
    testaments: 0,
    metaEvents: 0,
  };
  /** All leave, and nothing may be left. */
  const close = (...sessions: ScriptedSession[]) => {
    for (const each of sessions) each.leave();
    expect(budget.keptBytes).toBe(0);
    expect(sessions.map(({ keptBytes }) => keptBytes)).toEqual(sessions.map(() => 0));
    expect(realm.size).toMatchObject(empty);
  };
  return { realm, session, budget, close };
}

const text = 'x'.repeat(10_000);
const busy = 'all callees are busy, and what this session has waiting is as much as it may';
const full = 'the router keeps as much for this session as it may';

/** Calls until one is refused. @returns how many were not, and the refusal. */
function callUntilRefused(caller: ScriptedSession, most: number, argument = text): [number, unknown] {
  for (let id = 1; id <= most; id++) {
    const heard = caller.tell(48, id, {}, 'com.example.work', [argument]).heard();
    if (heard.length > 0) return [id - 1, heard[0]];
  }
  return [most, undefined];
}

describe('calls that wait', () => {
  it('behind `concurrency`: their bytes are counted, and who has too many is told', () => {
    const { session, close, budget } = boundedRealm();
    const [caller, other, callee] = [session(), session(), session()];
    callee.tell(64, 1, { concurrency: 1 }, 'com.example.work').heard();
    const [waiting, refusal] = callUntilRefused(caller, 20);
    expect(waiting).toBe(7);
    expect(refusal).toEqual([8, 48, 8, {}, 'crossbar.error.max_concurrency_reached', [busy]]);
    expect(caller.keptBytes).toBeLessThanOrEqual(LIMIT);
    // Others are not concerned.
    expect(other.tell(48, 1, {}, 'com.example.work', [text]).heard()).toEqual([]);
    expect(budget.keptBytes).toBe(caller.keptBytes + other.keptBytes + callee.keptBytes);
    close(caller, other, callee);
  });

  it('are given back one by one as they are answered', () => {
    const { session, close } = boundedRealm();
    const [caller, callee] = [session(), session()];
    callee.tell(64, 1, { concurrency: 1 }, 'com.example.work').heard();
    const [waiting] = callUntilRefused(caller, 20);
    for (let invocation = 1; invocation <= waiting; invocation++) callee.tell(70, invocation, {});
    expect(caller.heard()).toHaveLength(waiting);
    expect(caller.keptBytes).toBe(0);
    close(caller, callee);
  });

  it('with a shared registration: a call that cannot be kept goes through, and has no second chance', () => {
    const { session, close } = boundedRealm();
    const [caller, first, second] = [session(), session(), session()];
    for (const callee of [first, second]) callee.tell(64, 1, { invoke: 'first' }, 'com.example.work').heard();
    expect(callUntilRefused(caller, 20)).toEqual([20, undefined]);
    expect(caller.keptBytes).toBeLessThanOrEqual(LIMIT);
    expect(first.heard()).toHaveLength(20);
    first.tell(8, 68, 1, {}, 'wamp.error.unavailable');
    expect(second.heard()).toHaveLength(1);
    first.tell(8, 68, 20, {}, 'wamp.error.unavailable', ['busy']);
    expect(second.heard()).toEqual([]);
    expect(caller.heard()).toEqual([[8, 48, 20, {}, 'wamp.error.unavailable', ['busy']]]);
    close(caller, first, second);
  });

  it('in parts: the parts of a progressive call are counted, too', () => {
    const { session, close } = boundedRealm();
    const caller = session('caller.progressive_call_invocations');
    const callee = session('callee.progressive_call_invocations', 'callee.call_canceling');
    callee.tell(64, 1, { concurrency: 1 }, 'com.example.work').heard();
    caller.tell(48, 1, {}, 'com.example.work').tell(48, 2, { progress: true }, 'com.example.work', [text]);
    for (let part = 0; part < 5; part++) caller.tell(48, 2, { progress: true }, 'com.example.work', [text]);
    expect(caller.heard()).toEqual([]);
    caller.tell(48, 2, { progress: true }, 'com.example.work', [text]);
    expect(caller.heard()).toEqual([[8, 48, 2, {}, 'crossbar.error.max_concurrency_reached', [busy]]]);
    close(caller, callee);
  });

  it('that are small are counted as well, answered or not', () => {
    const { session, close } = boundedRealm();
    const [caller, callee] = [session(), session()];
    callee.tell(64, 1, {}, 'com.example.work').heard();
    const [made, refusal] = callUntilRefused(caller, 200, '');
    expect(made).toBe(163);
    expect(refusal).toEqual([8, 48, 164, {}, 'crossbar.error.max_concurrency_reached', [full]]);
    close(callee, caller);
  });

  it('keep neither the message that their payload came in, nor options that nobody knows', () => {
    const junk = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`x${i}`, {}]));
    const bytes = Buffer.from(JSON.stringify([CALL, 1, { timeout: 5, ...junk }, 'com.example.work', ['y']]));
    const message = jsonSerializer.decode(bytes);
    if (message.type !== CALL) throw new Error('a CALL was read as something else');
    expect(message.options).toEqual({ timeout: 5 });
  });
});

describe('subscriptions and registrations', () => {
  it.each([
    ['subscriptions', 32, 34, 'com.example.topic'],
    ['registrations', 64, 66, 'com.example.procedure'],
  ] as const)('a session has as many %s as the realm allows, and is told', (what, ask, giveUp, uri) => {
    const { session, close } = boundedRealm({ [`max_session_${what}`]: 3 });
    const [greedy, modest] = [session(), session()];
    for (let i = 1; i <= 3; i++) greedy.tell(ask, i, {}, `${uri}${i}`);
    const ids = greedy.heard().map((message) => message[2]);
    const told = `this session has 3 ${what}, and may not have more`;
    expect(greedy.tell(ask, 4, {}, `${uri}4`).heard()).toEqual([
      [8, ask, 4, {}, 'crossbar.error.limit_exceeded', [told]],
    ]);
    expect(modest.tell(ask, 1, {}, `${uri}4`).heard()).toMatchObject([[ask + 1, 1, expect.any(Number)]]);
    greedy.tell(giveUp, 5, ids[0]).heard();
    expect(greedy.tell(ask, 6, {}, `${uri}5`).heard()).toMatchObject([[ask + 1, 6, expect.any(Number)]]);
    close(greedy, modest);
  });

  it('what a session has already may be asked for again at the limit', () => {
    const { session, close } = boundedRealm({ max_session_subscriptions: 1, max_session_registrations: 1 });
    const [a, b] = [session(), session()];
    a.tell(32, 1, {}, 'com.a').tell(64, 2, {}, 'com.b').heard();
    expect(a.tell(32, 3, {}, 'com.a').heard()).toMatchObject([[33, 3, expect.any(Number)]]);
    expect(a.tell(64, 4, { force_reregister: true }, 'com.b').heard()).toMatchObject([[65, 4, expect.any(Number)]]);
    // A take-over that is refused takes nothing away.
    b.tell(64, 1, {}, 'com.c').heard();
    expect(b.tell(64, 2, { force_reregister: true }, 'com.b').heard()).toMatchObject([
      [8, 64, 2, {}, 'crossbar.error.limit_exceeded', [expect.any(String)]],
    ]);
    expect(b.tell(48, 3, {}, 'com.b').heard()).toEqual([]);
    expect(a.heard()).toMatchObject([[68, 1, expect.any(Number), {}]]);
    close(a, b);
  });

  it.each([
    [32, 'topic'],
    [64, 'procedure'],
  ])('long patterns count with their components (message %i)', (ask, what) => {
    const { session, close } = boundedRealm();
    const greedy = session();
    const pattern = (i: number) => `com.${what}${i}${'.'.repeat(29)}`;
    let accepted = 0;
    for (let i = 1; i <= 100; i++) {
      const [answer] = greedy.tell(ask, i, { match: 'wildcard' }, pattern(i)).heard();
      if (answer?.[0] === 8) {
        expect(answer).toEqual([8, ask, i, {}, 'crossbar.error.limit_exceeded', [full]]);
        break;
      }
      accepted++;
    }
    expect(accepted).toBe(6);
    close(greedy);
  });

  it.each([
    [32, 'topic', ' (match wildcard)'],
    [64, 'procedure', ''],
  ])('a wildcard pattern of more than 32 components is refused with the reason (message %i)', (ask, what, end) => {
    const { session, close } = boundedRealm();
    const a = session();
    expect(a.tell(ask, 1, { match: 'wildcard' }, `a${'.'.repeat(31)}`).heard()).toMatchObject([
      [ask + 1, 1, expect.any(Number)],
    ]);
    const uri = `a${'.'.repeat(32)}`;
    const told = `invalid ${what} URI "${uri}": a wildcard pattern has at most 32 components${end}`;
    expect(a.tell(ask, 2, { match: 'wildcard' }, uri).heard()).toEqual([
      [8, ask, 2, {}, 'wamp.error.invalid_uri', [told]],
    ]);
    close(a);
  });

  it.each([
    [16, { acknowledge: true }, 'topic', ''],
    [32, {}, 'topic', ' (match exact)'],
    [48, {}, 'procedure', ''],
    [64, {}, 'procedure', ''],
  ])('a URI of more than 1024 characters is refused with the reason (message %i)', (type, options, what, end) => {
    const { session } = boundedRealm();
    const told = `invalid ${what} URI "${'u'.repeat(100)}…": it has more than 1024 characters${end}`;
    expect(session().tell(type, 1, options, 'u'.repeat(1025)).heard()).toEqual([
      [8, type, 1, {}, 'wamp.error.invalid_uri', [told]],
    ]);
  });
});
