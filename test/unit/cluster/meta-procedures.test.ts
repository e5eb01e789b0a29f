/** The meta API of a realm on several nodes: what it answers is what one node would. */
import { beforeEach, describe, expect, it } from 'vitest';

import { decodeFrame, encodeFrame } from '../../../src/cluster/frame.js';
import { RealmMeta } from '../../../src/cluster/meta/realm-meta.js';
import { ErrorUri } from '../../../src/wamp/error.js';
import { NO_PAYLOAD } from '../../../src/wamp/payload.js';
import type { Dict } from '../../../src/wamp/payload.js';
import type { MemoryHub } from '../../../src/engine/memory/hub.js';
import { ClusterNode } from '../../support/cluster-node.js';
import { settle, testHub, TIMINGS } from '../../support/cluster.js';
import { FakeClock } from '../../support/realm.js';
import type { ScriptedSession } from '../../support/realm.js';

const [ERROR, GOODBYE, SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBED, EVENT] = [8, 6, 32, 33, 35, 36];
const [CALL, RESULT, REGISTER, REGISTERED, UNREGISTERED] = [48, 50, 64, 65, 67];

let hub: MemoryHub;
let clock: FakeClock;
let [a, b, c] = [] as unknown as [ClusterNode, ClusterNode, ClusterNode];
beforeEach(async () => {
  hub = testHub();
  clock = new FakeClock();
  [a, b, c] = [
    await new ClusterNode('a', hub, clock).join(),
    await new ClusterNode('b', hub, clock).join(),
    await new ClusterNode('c', hub, clock).join(),
  ];
  await settle();
});

async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 250) {
    clock.advance(Math.min(left, 250));
    await settle();
  }
}

/** @returns what the one answer says: a result, or the URI of an error. */
function answerIn(session: ScriptedSession): unknown {
  const answers = session.heard().filter(([type, second]) => type === RESULT || (type === ERROR && second === CALL));
  expect(answers).toHaveLength(1);
  const [[type, , , args, uri] = []] = answers;
  return type === ERROR ? uri : (args as unknown[] | undefined)?.[0];
}

let lastRequest = 0;
async function call(session: ScriptedSession, procedure: string, ...args: unknown[]): Promise<unknown> {
  session.heard();
  session.tell(CALL, ++lastRequest, {}, `wamp.${procedure}`, args);
  // A long answer comes in several turns.
  for (let turn = 0; turn < 5; turn++) {
    await settle();
    clock.advance(0);
  }
  return answerIn(session);
}

const sorted = (list: unknown): number[] => [...(list as number[])].sort((x, y) => x - y);
const idsOf = (...sessions: ScriptedSession[]): number[] => sorted(sessions.map(({ id }) => id));
const goodbye = (session: ScriptedSession): unknown =>
  session.heard().find(([type]) => type === GOODBYE)?.[2] ?? 'still there';

describe('wamp.session', () => {
  it('counts, lists and shows the sessions of all nodes', async () => {
    const [here, there, far] = [a.session(), b.session(), c.session()];
    expect(await call(here, 'session.count')).toBe(3);
    expect(sorted(await call(there, 'session.list'))).toEqual(idsOf(here, there, far));
    expect(await call(here, 'session.count', ['nobody'])).toBe(0);
    expect(sorted(await call(here, 'session.list', ['anonymous']))).toEqual(idsOf(here, there, far));
    expect(await call(here, 'session.get', far.id)).toEqual(far.details);
    expect(await call(here, 'session.get', here.id)).toEqual(here.details);
    for (const none of [0, 1, 4711, -5]) {
      expect(await call(here, 'session.get', none)).toBe('wamp.error.no_such_session');
      expect(await call(here, 'session.kill', none)).toBe('wamp.error.no_such_session');
    }
  });

  it('kills sessions of all nodes, and never the caller', async () => {
    const [caller, there, far, alike] = [a.session(), b.session(), c.session(), c.session()];
    expect(await call(caller, 'session.kill', caller.id)).toBe('wamp.error.no_such_session');
    expect(await call(caller, 'session.kill', there.id, 'com.app.out', 'go')).toBeUndefined();
    expect(goodbye(there)).toBe('com.app.out');
    expect(await call(caller, 'session.kill', there.id)).toBe('wamp.error.no_such_session');
    expect(await call(caller, 'session.kill_by_authid', far.authid)).toEqual([far.id]);
    expect(goodbye(far)).toBe('wamp.close.killed');
    expect(await call(caller, 'session.kill_by_authid', caller.authid)).toEqual([]);
    const more = [a.session(), b.session()];
    expect(await call(caller, 'session.kill_by_authrole', 'anonymous', 'com.app.out')).toBe(3);
    expect([alike, ...more].map(goodbye)).toEqual(['com.app.out', 'com.app.out', 'com.app.out']);
    const last = [a.session(), b.session(), c.session()];
    expect(await call(caller, 'session.kill_all')).toBe(3);
    expect(last.map(goodbye)).toEqual(last.map(() => 'wamp.close.killed'));
    expect(await call(caller, 'session.list')).toEqual([caller.id]);
  });

  it('says the same of wrong arguments as a node alone, and asks nobody then', async () => {
    const [caller, there] = [a.session(), b.session()];
    expect(await call(caller, 'session.count', 'no list')).toBe('wamp.error.invalid_argument');
    expect(await call(caller, 'session.kill', 'x')).toBe('wamp.error.invalid_argument');
    expect(await call(caller, 'session.kill', there.id, 'not a URI!..')).toBe('wamp.error.invalid_uri');
    expect(await call(caller, 'session.kill_all', 'not a URI!..')).toBe('wamp.error.invalid_uri');
    expect(goodbye(there)).toBe('still there');
  });

  it('tells in the reason of the kill who wanted it, on the other node too', async () => {
    const [caller, there] = [a.session(), b.session()];
    const told: unknown[] = [];
    there.kill = (reason, message, done, by?: string) => {
      told.push(reason, message, by);
      done?.();
    };
    await call(caller, 'session.kill', there.id, 'com.app.out', 'go');
    expect(told).toEqual(['com.app.out', 'go', `session ${caller.id}`]);
  });
});

it('an answer that is longer than a message comes in pieces, and none of them takes long', async () => {
  const many = Array.from({ length: 100_001 }, (_, index) => index + 1);
  const [self, other] = [a.member.self, b.member.self];
  const sent: number[] = [];
  const deps = {
    membership: { others: [self, other], isSuspect: () => false, isSilent: () => false },
    nodeOfSession: () => other,
    answerMs: 2000,
    scheduler: clock,
  };
  const answerer: RealmMeta = new RealmMeta({
    ...deps,
    realm: () => ({ elsewhere: { answer: (_uri, _question, reply) => reply({ lists: { ids: many, none: [] } }) } }),
    ask: () => Promise.reject(new Error('nobody is asked')),
    send: (_to, kind, head) => {
      const data = encodeFrame(head);
      sent.push(data.length);
      const frame = decodeFrame(data);
      if (frame !== undefined) asker.received(other, kind, frame);
    },
  });
  const asker: RealmMeta = new RealmMeta({
    ...deps,
    realm: () => undefined,
    send: () => undefined,
    ask: (_to, _kind, head) =>
      new Promise((resolve) => {
        const frame = (value: Dict) => ({ head: value, payload: NO_PAYLOAD });
        answerer.asked(self, frame(head), (accepted) => resolve(frame(accepted)));
      }),
  });
  const answers: unknown[] = [];
  asker.ask({ procedure: 'x', question: {}, about: 17 }, (found) => answers.push(found));
  for (let turn = 0; turn < 10; turn++) {
    await settle();
    clock.advance(0);
  }
  expect(answers).toEqual([[{ lists: { ids: many } }]]);
  expect(sent).toHaveLength(7);
  expect(Math.max(...sent)).toBeLessThan(500_000);
});

describe('a node that does not answer', () => {
  it('is waited for while it may be there, and counts as not there when nothing is heard of it', async () => {
    const [caller, there] = [a.session(), b.session()];
    b.engine.cut();
    caller.tell(CALL, 1, {}, 'wamp.session.count');
    await pass(2250);
    expect(caller.heard()).toEqual([]);
    await pass(TIMINGS.suspectMs - 2250);
    expect(answerIn(caller)).toBe(1);
    caller.tell(CALL, 2, {}, 'wamp.session.get', [there.id]);
    await settle();
    expect(answerIn(caller)).toBe('wamp.error.no_such_session');
    expect(await call(caller, 'session.count')).toBe(1);
    await pass(TIMINGS.removeMs);
    expect(await call(caller, 'session.count')).toBe(1);
    expect(a.realm.size).toMatchObject({ metaCallers: 0 });
    expect(a.member.linkOf('realm1').meta.size).toBe(0);
  });

  it('is asked again when it was cut off for a moment: its sessions live', async () => {
    const [caller, there] = [a.session(), b.session()];
    b.engine.cut();
    caller.tell(CALL, 1, {}, 'wamp.session.kill', [there.id]);
    await pass(1000);
    expect(caller.heard()).toEqual([]);
    b.engine.mend();
    await pass(1500);
    expect(answerIn(caller)).toBeUndefined();
    expect(goodbye(there)).toBe('wamp.close.killed');
  });

  it('has left: then nobody waits for it', async () => {
    const caller = a.session();
    b.session();
    const leaving = b.member.leave();
    await settle();
    await leaving;
    expect(await call(caller, 'session.count')).toBe(1);
  });

  it('was asked, and its answer was lost: the caller gets an error', async () => {
    const [caller, there] = [a.session(), b.session()];
    let end: (() => void) | undefined;
    there.kill = (_reason, _message, done) => void (end = done);
    caller.tell(CALL, 1, {}, 'wamp.session.kill', [there.id]);
    await settle();
    end?.();
    b.engine.cut();
    b.engine.mend();
    await pass(4000);
    expect(answerIn(caller)).toBe('wamp.error.unavailable');
  });

  it('takes its time for a kill that a store has to hear of first', async () => {
    const [caller, there] = [a.session(), b.session()];
    let end: (() => void) | undefined;
    there.kill = (_reason, _message, done) => void (end = done);
    caller.tell(CALL, 1, {}, 'wamp.session.kill', [there.id]);
    await pass(10_000);
    expect(caller.heard()).toEqual([]);
    end?.();
    await settle();
    expect(answerIn(caller)).toBeUndefined();
  });

  it('a session may wait for so many answers, and not for more', async () => {
    const caller = a.session();
    b.engine.cut();
    for (let id = 1; id <= 101; id++) caller.tell(CALL, id, {}, 'wamp.session.count');
    expect(caller.heard()).toEqual([[ERROR, CALL, 101, {}, ErrorUri.LIMIT_EXCEEDED, [expect.any(String)]]]);
    caller.leave();
    await pass(3000);
    expect(a.realm.size).toMatchObject({ metaCallers: 0 });
  });
});

describe('wamp.subscription', () => {
  it('shows the subscriptions of all nodes as one', async () => {
    const [here, there, far] = [a.session(), b.session(), c.session()];
    here.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    await settle();
    clock.advance(100);
    there.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    there.tell(SUBSCRIBE, 2, { match: 'prefix' }, 'com.app');
    far.tell(SUBSCRIBE, 1, { match: 'wildcard' }, 'com..x');
    await settle();
    const id = (session: ScriptedSession): unknown => session.heard().find(([type]) => type === SUBSCRIBED)?.[2];
    const [exact, , wildcard] = [id(here), id(there), id(far)];
    const caller = c.session();
    const prefix = await call(caller, 'subscription.lookup', 'com.app', { match: 'prefix' });
    expect(await call(caller, 'subscription.lookup', 'com.app.x')).toBe(exact);
    expect(await call(caller, 'subscription.lookup', 'com.app.y')).toBeNull();
    expect(await call(caller, 'subscription.list')).toEqual({ exact: [exact], prefix: [prefix], wildcard: [wildcard] });
    expect(sorted(await call(caller, 'subscription.match', 'com.app.x'))).toEqual(sorted([exact, prefix, wildcard]));
    expect(await call(caller, 'subscription.match', 'com.none')).toBeNull();
    expect(sorted(await call(caller, 'subscription.list_subscribers', exact))).toEqual(idsOf(here, there));
    expect(await call(caller, 'subscription.count_subscribers', exact)).toBe(2);
    const details = await call(caller, 'subscription.get', exact);
    expect(details).toMatchObject({ id: exact, uri: 'com.app.x', match: 'exact', created: '2026-01-01T00:00:00.000Z' });
    for (const node of [a, b]) expect(await call(node.session(), 'subscription.get', exact)).toEqual(details);
    for (const procedure of ['get', 'list_subscribers', 'count_subscribers'])
      expect(await call(caller, `subscription.${procedure}`, 17)).toBe('wamp.error.no_such_subscription');
  });

  it('takes a subscription away from a session of another node', async () => {
    const [caller, there, other] = [a.session(), b.session('subscriber.subscription_revocation'), c.session()];
    there.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    await settle();
    const id = there.heard()[0]?.[2];
    expect(await call(caller, 'subscription.remove_subscriber', 17, there.id)).toBe('wamp.error.no_such_subscription');
    expect(await call(caller, 'subscription.remove_subscriber', id, 17)).toBe('wamp.error.no_such_session');
    expect(await call(caller, 'subscription.remove_subscriber', id, other.id)).toBe('wamp.error.no_such_subscription');
    expect(await call(caller, 'subscription.remove_subscriber', id, there.id, 'com.app.out')).toBeUndefined();
    expect(there.heard()).toEqual([[UNSUBSCRIBED, 0, { subscription: id, reason: 'com.app.out' }]]);
    expect(await call(caller, 'subscription.list')).toEqual({ exact: [], prefix: [], wildcard: [] });
  });
});

describe('wamp.registration', () => {
  it('shows the registrations of all nodes, the same on each', async () => {
    const [here, there] = [a.session(), b.session()];
    here.tell(REGISTER, 1, { invoke: 'roundrobin' }, 'com.app.f');
    await settle();
    clock.advance(100);
    there.tell(REGISTER, 1, { invoke: 'roundrobin' }, 'com.app.f');
    there.tell(REGISTER, 2, { match: 'prefix' }, 'com.app');
    await settle();
    const id = here.heard().find(([type]) => type === REGISTERED)?.[2];
    const seen = [];
    for (const node of [a, b, c]) {
      const caller = node.session();
      seen.push({
        list: await call(caller, 'registration.list'),
        lookup: await call(caller, 'registration.lookup', 'com.app.f'),
        match: await call(caller, 'registration.match', 'com.app.g'),
        get: await call(caller, 'registration.get', id),
        callees: await call(caller, 'registration.list_callees', id),
        count: await call(caller, 'registration.count_callees', id),
      });
    }
    expect(seen[1]).toEqual(seen[0]);
    expect(seen[2]).toEqual(seen[0]);
    expect(seen[0]).toMatchObject({
      lookup: id,
      get: { id, uri: 'com.app.f', match: 'exact', invoke: 'roundrobin', created: '2026-01-01T00:00:00.000Z' },
      callees: [here.id, there.id],
      count: 2,
    });
    // The first one goes: the registration is as old as before, for a node that joins later, too.
    here.leave();
    await settle();
    const late = await new ClusterNode('d', hub, clock).join();
    await settle();
    expect(await call(late.session(), 'registration.get', id)).toEqual(seen[0]?.get);
  });

  it('takes a registration away from a session of another node', async () => {
    const [caller, there, other] = [a.session(), b.session('callee.registration_revocation'), c.session()];
    there.tell(REGISTER, 1, {}, 'com.app.f');
    await settle();
    const id = there.heard()[0]?.[2];
    expect(await call(caller, 'registration.remove_callee', 17, there.id)).toBe('wamp.error.no_such_registration');
    expect(await call(caller, 'registration.remove_callee', id, 17)).toBe('wamp.error.no_such_session');
    expect(await call(caller, 'registration.remove_callee', id, other.id)).toBe('wamp.error.no_such_registration');
    expect(await call(caller, 'registration.remove_callee', id, there.id, 'com.app.out')).toBeUndefined();
    expect(there.heard()).toEqual([[UNREGISTERED, 0, { registration: id, reason: 'com.app.out' }]]);
    expect(await call(caller, 'registration.list')).toEqual({ exact: [], prefix: [], wildcard: [] });
  });
});

it('a session that joins or leaves while the link is down is no error, and is not told', async () => {
  const watcher = b.session();
  watcher.tell(SUBSCRIBE, 1, {}, 'wamp.session.on_leave');
  await settle();
  watcher.heard();
  const leaver = a.session();
  a.engine.cut();
  leaver.leave();
  a.session();
  a.engine.mend();
  await settle();
  expect(watcher.heard().filter(([type]) => type === EVENT)).toEqual([]);
});
