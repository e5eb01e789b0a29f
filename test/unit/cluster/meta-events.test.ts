/** Meta events of a realm on several nodes: each is published once in the cluster. */
import { beforeEach, describe, expect, it } from 'vitest';

import type { MemoryHub } from '../../../src/engine/memory/hub.js';
import { ClusterNode } from '../../support/cluster-node.js';
import { settle, testHub, TIMINGS } from '../../support/cluster.js';
import { FakeClock } from '../../support/realm.js';
import type { ScriptedSession } from '../../support/realm.js';

const [SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, EVENT] = [32, 33, 34, 36];
const [CALL, REGISTER, REGISTERED, UNREGISTER] = [48, 64, 65, 66];

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

/** A session that hears of all that happens to one kind. */
async function watcherOn(node: ClusterNode, kind: string): Promise<ScriptedSession> {
  const watcher = node.session();
  watcher.tell(SUBSCRIBE, 1, { match: 'prefix' }, `wamp.${kind}.`);
  await settle();
  watcher.heard();
  return watcher;
}

/** @returns what a watcher heard: the last part of the topic, and the arguments. */
function news(watcher: ScriptedSession): [string, ...unknown[]][] {
  return watcher
    .heard()
    .filter(([type]) => type === EVENT)
    .map(([, , , details, args]) => [
      String((details as { topic?: unknown }).topic).replace(/^.*\.on_/, ''),
      ...(args as unknown[]),
    ]);
}
const topics = (watcher: ScriptedSession): string[] => news(watcher).map(([topic]) => topic);

const idIn = (session: ScriptedSession, code: number): number =>
  Number(session.heard().find(([type]) => type === code)?.[2]);

it('sessions that join and leave are told of on all nodes, once', async () => {
  const watchers = [await watcherOn(a, 'session'), await watcherOn(b, 'session')];
  const session = c.session();
  await settle();
  session.leave();
  await settle();
  // The second watcher came after the first one.
  const [first, second] = watchers.map(news);
  expect(first?.slice(-2)).toEqual(second?.slice(-2));
  expect(second).toEqual([
    ['join', session.details],
    ['leave', session.id, session.authid, session.authrole],
  ]);
});

describe('a subscription', () => {
  it('begins with its first subscriber on any node, and ends with the last one', async () => {
    const watcher = await watcherOn(a, 'subscription');
    const [here, there] = [a.session(), b.session()];
    here.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    await settle();
    const id = idIn(here, SUBSCRIBED);
    clock.advance(100);
    there.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    await settle();
    const created = '2026-01-01T00:00:00.000Z';
    expect(news(watcher)).toEqual([
      ['create', here.id, { id, created, uri: 'com.app.x', match: 'exact' }],
      ['subscribe', here.id, id],
      ['subscribe', there.id, id],
    ]);
    here.tell(UNSUBSCRIBE, 2, id);
    await settle();
    expect(news(watcher)).toEqual([['unsubscribe', here.id, id]]);
    there.leave();
    await settle();
    expect(news(watcher)).toEqual([
      ['unsubscribe', there.id, id],
      ['delete', there.id, id],
    ]);
    // It begins again, somewhere else.
    const last = c.session();
    last.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    await settle();
    last.leave();
    await settle();
    expect(topics(watcher)).toEqual(['create', 'subscribe', 'unsubscribe', 'delete']);
  });

  it('begins once when several nodes begin at the same time, and ends once when all end at the same time', async () => {
    const watcher = await watcherOn(c, 'subscription');
    for (let round = 0; round < 5; round++) {
      const sessions = [a, b, c, a, b].map((node) => node.session());
      for (const session of sessions) session.tell(SUBSCRIBE, 1, {}, `com.app.r${round}`);
      await settle();
      expect(topics(watcher).sort()).toEqual(['create', ...sessions.map(() => 'subscribe')]);
      for (const session of sessions) session.leave();
      await settle();
      expect(topics(watcher).sort()).toEqual(['delete', ...sessions.map(() => 'unsubscribe')]);
    }
  });

  it('that goes on on another node, or on the same, neither ends nor begins', async () => {
    const watcher = await watcherOn(c, 'subscription');
    const [first, second] = [a.session(), a.session()];
    const other = b.session();
    first.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    other.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    await settle();
    news(watcher);
    // At the same time.
    first.leave();
    second.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    await settle();
    expect(topics(watcher).sort()).toEqual(['subscribe', 'unsubscribe']);
  });

  it('whose end nobody may hear of (kill_all, meta topics) is not told', async () => {
    const watcher = await watcherOn(c, 'subscription');
    const [here, caller] = [a.session(), b.session()];
    here.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    here.tell(SUBSCRIBE, 2, {}, 'wamp.session.on_join');
    await settle();
    expect(topics(watcher)).toEqual(['create', 'subscribe']);
    caller.tell(CALL, 1, {}, 'wamp.session.kill_by_authid', [here.authid]);
    await settle();
    expect(topics(watcher)).toEqual(['unsubscribe', 'delete']);
    const victim = a.session();
    victim.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    victim.tell(REGISTER, 2, {}, 'com.app.f');
    const onRegistrations = await watcherOn(b, 'registration');
    caller.tell(CALL, 2, {}, 'wamp.session.kill_all');
    expect(topics(watcher)).toEqual(['create', 'subscribe']);
    await settle();
    expect([topics(watcher), topics(onRegistrations)]).toEqual([[], []]);
  });

  it('many that one session leaves are asked about together', async () => {
    const watcher = await watcherOn(b, 'subscription');
    const session = a.session();
    for (let index = 0; index < 50; index++) session.tell(SUBSCRIBE, index + 1, {}, `com.app.t${index}`);
    await settle();
    expect(topics(watcher).filter((topic) => topic === 'create')).toHaveLength(50);
    session.leave();
    await settle();
    expect(topics(watcher).filter((topic) => topic === 'delete')).toHaveLength(50);
  });
});

describe('a registration', () => {
  it('begins with its first callee on any node, and ends with the last one', async () => {
    const watcher = await watcherOn(c, 'registration');
    const [here, there] = [a.session(), b.session()];
    for (const session of [here, there]) session.tell(REGISTER, 1, { invoke: 'roundrobin' }, 'com.app.f');
    await settle();
    const id = idIn(here, REGISTERED);
    const details = { id, uri: 'com.app.f', match: 'exact', invoke: 'roundrobin', created: '2026-01-01T00:00:00.000Z' };
    const told = news(watcher);
    expect(told.filter(([topic]) => topic === 'create')).toEqual([['create', here.id, details]]);
    expect(told.filter(([topic]) => topic === 'register').map(([, session]) => session)).toEqual([here.id, there.id]);
    here.tell(UNREGISTER, 2, id);
    there.tell(UNREGISTER, 2, id);
    await settle();
    expect(topics(watcher).sort()).toEqual(['delete', 'unregister', 'unregister']);
  });

  it('that is taken by force ends and begins again', async () => {
    const watcher = await watcherOn(c, 'registration');
    const [here, there] = [a.session(), b.session()];
    here.tell(REGISTER, 1, {}, 'com.app.f');
    await settle();
    const id = idIn(here, REGISTERED);
    news(watcher);
    there.tell(REGISTER, 1, { force_reregister: true }, 'com.app.f');
    await settle();
    const told = news(watcher);
    const next = idIn(there, REGISTERED);
    expect(next).not.toBe(id);
    const idOf = (argument: unknown) => (typeof argument === 'number' ? argument : (argument as { id: number }).id);
    expect(told.map(([topic, session, argument]) => [topic, session, idOf(argument)]).sort()).toEqual(
      [
        ['create', there.id, next],
        ['delete', here.id, id],
        ['register', there.id, next],
        ['unregister', here.id, id],
      ].sort(),
    );
    there.tell(UNREGISTER, 2, next);
    await settle();
    expect(topics(watcher)).toEqual(['unregister', 'delete']);
  });

  it('of a node that is lost is told of by the one that cleans up behind it, once', async () => {
    const watcher = await watcherOn(c, 'registration');
    const [lost, shared] = [a.session(), b.session()];
    lost.tell(REGISTER, 1, {}, 'com.app.single');
    lost.tell(REGISTER, 2, { invoke: 'roundrobin' }, 'com.app.shared');
    await settle();
    shared.tell(REGISTER, 1, { invoke: 'roundrobin' }, 'com.app.shared');
    await settle();
    news(watcher);
    a.engine.cut();
    await pass(TIMINGS.removeMs + 2000);
    expect(topics(watcher).sort()).toEqual(['delete', 'unregister', 'unregister']);
    shared.leave();
    await settle();
    expect(topics(watcher)).toEqual(['unregister', 'delete']);
  });
});
