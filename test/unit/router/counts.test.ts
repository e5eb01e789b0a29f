/** What a realm counts: exactly what happened. */
import { beforeEach, describe, expect, it } from 'vitest';

import { NodeMetrics } from '../../../src/metrics/node-metrics.js';
import { Router } from '../../../src/router/router.js';
import type { Realm } from '../../../src/router/realm.js';
import type { RealmCounts } from '../../../src/metrics/realm-counts.js';
import { FakeClock, ScriptedSession } from '../../support/realm.js';

const ROLES = [
  { name: 'anonymous', 'allow-by-default': true },
  { name: 'nobody', permissions: [] },
];

let metrics: NodeMetrics;
let clock: FakeClock;
let realm: Realm;
let counts: RealmCounts;
let lastSession = 0;

beforeEach(() => {
  metrics = new NodeMetrics();
  clock = new FakeClock();
  clock.advance(1);
  let last = 0;
  const router = new Router([{ name: 'realm1', roles: ROLES }], {
    ...{ randomId: () => ++last, clock: () => clock.now, scheduler: clock, countsOf: (name) => metrics.realm(name) },
  });
  realm = router.realm('realm1') as Realm;
  counts = metrics.realm('realm1');
});

const FEATURES = ['callee.call_canceling', 'caller.call_canceling'];

function joined(roleName = 'anonymous'): ScriptedSession {
  const role = realm.role(roleName);
  if (role === undefined) throw new Error('no such role');
  return new ScriptedSession(realm, ++lastSession, role, FEATURES);
}

/** Callee and caller of `com.add`. */
function pair(): { readonly callee: ScriptedSession; readonly caller: ScriptedSession } {
  const callee = joined().tell(64, 1, {}, 'com.add');
  return { callee, caller: joined() };
}

describe('sessions', () => {
  it('are counted by role, and are none again when they have left', () => {
    const [a, , c] = [joined(), joined(), joined('nobody')];
    expect(Object.fromEntries(counts.sessions)).toEqual({ anonymous: 2, nobody: 1 });
    a.leave();
    a.leave();
    c.leave();
    expect(Object.fromEntries(counts.sessions)).toEqual({ anonymous: 1, nobody: 0 });
  });
});

describe('calls', () => {
  it.each([
    ['result', (callee: ScriptedSession) => callee.tell(70, 1, {})],
    ['error', (callee: ScriptedSession) => callee.tell(8, 68, 1, {}, 'com.error')],
    ['callee_gone', (callee: ScriptedSession) => callee.leave()],
    ['caller_gone', (_callee: ScriptedSession, caller: ScriptedSession) => caller.leave()],
    ['canceled', (_callee: ScriptedSession, caller: ScriptedSession) => caller.tell(49, 1, { mode: 'skip' })],
    [
      'canceled',
      (callee: ScriptedSession, caller: ScriptedSession) => {
        caller.tell(49, 1, { mode: 'kill' });
        callee.tell(8, 68, 1, {}, 'wamp.error.canceled');
      },
    ],
    ['timeout', () => clock.advance(50)],
    ['no_callee', (callee: ScriptedSession) => callee.tell(8, 68, 1, {}, 'wamp.error.unavailable')],
  ])('end once: %s', (outcome, end) => {
    const { callee, caller } = pair();
    caller.tell(48, 1, { timeout: 50 }, 'com.add');
    expect(counts.callsInFlight).toBe(1);
    end(callee, caller);
    callee.leave();
    caller.leave();
    expect(counts.callsInFlight).toBe(0);
    expect(counts.calls).toEqual({
      ...{ result: 0, error: 0, canceled: 0, timeout: 0, no_callee: 0, callee_gone: 0, caller_gone: 0 },
      [outcome]: 1,
    });
  });

  it('that nobody answers are counted, too', () => {
    joined().tell(48, 1, {}, 'com.nowhere').tell(48, 2, {}, 'a b').tell(48, 3, {}, 'wamp.session.count');
    expect(counts.calls).toMatchObject({ no_callee: 1, error: 1, result: 1 });
  });

  it('are measured from CALL to the end, and progressive ones to their last part', () => {
    metrics.wish({ callDurations: true, uris: [{ uri: 'com.add', match: 'exact' }] })();
    expect(counts.durations).toBeUndefined();
    metrics.wish({ callDurations: true, uris: [{ uri: 'com.add', match: 'exact' }] });
    const { callee, caller } = pair();
    caller.tell(48, 1, { receive_progress: true }, 'com.add');
    clock.advance(3);
    callee.tell(70, 1, { progress: true });
    clock.advance(4);
    callee.tell(70, 1, {});
    expect(counts.durations?.sum).toBeCloseTo(0.007);
    expect(counts.uris?.procedures.get('com.add')).toMatchObject({ calls: 1 });
    expect(counts.uris?.procedures.get('com.add')?.durations.sum).toBeCloseTo(0.007);
  });
});

describe('requests', () => {
  it('that are allowed and denied are counted by action', () => {
    for (const role of ['anonymous', 'nobody']) {
      joined(role)
        .tell(16, 1, {}, 'com.topic')
        .tell(32, 2, {}, 'com.topic')
        .tell(48, 3, {}, 'com.nowhere')
        .tell(64, 4, {}, `com.${role}`);
    }
    const each = { publish: 1, subscribe: 1, call: 1, register: 1 };
    expect(counts.allowed).toEqual(each);
    expect(counts.denied).toEqual(each);
    expect(counts.undecided).toEqual({ publish: 0, subscribe: 0, call: 0, register: 0 });
  });

  it('to topics that are named are counted by topic, when they are allowed', () => {
    metrics.wish({ callDurations: false, uris: [{ uri: 'com.', match: 'prefix' }] });
    joined().tell(16, 1, {}, 'com.topic').tell(16, 2, {}, 'com.topic').tell(16, 3, {}, 'org.topic');
    joined('nobody').tell(16, 1, {}, 'com.topic');
    expect([...(counts.uris?.topics ?? [])]).toEqual([['com.topic', 2]]);
  });
});

describe('what is there', () => {
  it('is counted by match policy', () => {
    const session = joined();
    session.tell(32, 1, {}, 'a').tell(32, 2, {}, 'b').tell(32, 3, { match: 'prefix' }, 'a');
    session.tell(64, 4, { match: 'wildcard' }, 'a..c').tell(64, 5, {}, 'a');
    expect(realm.patterns).toEqual({
      subscriptions: { exact: 2, prefix: 1, wildcard: 0 },
      registrations: { exact: 1, prefix: 0, wildcard: 1 },
    });
    session.leave();
    expect(realm.patterns).toEqual({
      subscriptions: { exact: 0, prefix: 0, wildcard: 0 },
      registrations: { exact: 0, prefix: 0, wildcard: 0 },
    });
  });
});
