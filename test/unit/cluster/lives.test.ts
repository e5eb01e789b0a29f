/** The lives of a node: it is fenced, and joins again with what is left on it, whatever happens meanwhile. */
import { beforeEach, describe, expect, it } from 'vitest';

import type { MemoryHub } from '../../../src/engine/memory/hub.js';
import { settle, testHub } from '../../support/cluster.js';
import { LifeNode, answerer, fence, pass } from '../../support/life-node.js';
import { FakeClock } from '../../support/realm.js';
import type { ScriptedSession } from '../../support/realm.js';

const [ERROR, PUBLISH, SUBSCRIBE, SUBSCRIBED, EVENT] = [8, 16, 32, 33, 36];
const [CALL, REGISTER, REGISTERED] = [48, 64, 65];
const codes = (session: ScriptedSession): unknown[] => session.heard().map(([code]) => code);
const FENCED = 'fenced: its heartbeats did not come back';

let hub: MemoryHub;
let clock: FakeClock;
let [a, b] = [] as unknown as [LifeNode, LifeNode];
beforeEach(async () => {
  hub = testHub();
  clock = new FakeClock();
  [a, b] = [await new LifeNode('a', hub, clock).join(), await new LifeNode('b', hub, clock).join()];
  await settle();
});

describe('a node that is fenced', () => {
  it('cuts its clients and refuses its parts, and comes back with what these have', async () => {
    const [client, part, far] = [b.client(), b.part(), a.client()];
    client.tell(REGISTER, 1, {}, 'com.app.client');
    part.tell(REGISTER, 1, {}, 'com.app.part');
    part.tell(SUBSCRIBE, 2, {}, 'com.app.topic');
    await settle();
    expect(codes(part)).toEqual([SUBSCRIBED, REGISTERED]);
    await fence(b, clock);
    expect(b.news()[0]).toBe(FENCED);
    expect(client.cutBy).toBe('this node has no connection to the cluster');
    expect([b.lives.isServing, b.lives.self, b.lives.others]).toEqual([false, undefined, []]);
    part.tell(CALL, 3, {}, 'com.app.part');
    expect(part.heard().map((message) => message[4])).toEqual(['wamp.error.unavailable']);
    expect(b.lives.newSessionId()).toBeGreaterThan(0);

    b.engine.mend();
    await pass(clock, 6000);
    expect(b.news()).toEqual(['joined again as b']);
    expect([b.lives.isServing, b.lives.others.map(({ name }) => name)]).toEqual([true, ['a']]);
    expect(await answerer(far, 'com.app.part', part)).toBe(0);
    expect(await answerer(far, 'com.app.client')).toBe('wamp.error.no_such_procedure');
    part.heard();
    far.tell(PUBLISH, 1, {}, 'com.app.topic', ['x']);
    await settle();
    expect(codes(part)).toEqual([EVENT]);
    expect(b.realm().inventory.sessionCount).toBe(1);
  });

  it('answers what its parts have asked for', async () => {
    const part = b.part();
    b.engine.cut();
    part.tell(SUBSCRIBE, 1, {}, 'com.app.topic');
    await settle();
    expect(part.heard()).toEqual([]);
    await pass(clock, 4000);
    expect(part.heard()).toEqual([
      [ERROR, SUBSCRIBE, 1, {}, 'wamp.error.unavailable', ['this node has no connection to the cluster']],
    ]);
    expect(b.realm().size).toMatchObject({ pendingSubscriptions: 0, subscriptions: 0 });
  });

  it('joins again when it can, and says once that it cannot yet', async () => {
    await fence(b, clock);
    await pass(clock, 20_000);
    expect(b.news()).toEqual([FENCED, 'away: the link to the engine is down']);
    b.engine.mend();
    await pass(clock, 6000);
    expect(b.news()).toEqual(['joined again as b']);
    await fence(b, clock);
    expect(b.news()).toEqual([FENCED, 'away: the link to the engine is down']);
  });

  it('loses a registration that another node has taken meanwhile', async () => {
    const [part, other] = [b.part(), a.client()];
    part.tell(REGISTER, 1, {}, 'com.app.f');
    await fence(b, clock);
    await pass(clock, 4000);
    other.tell(REGISTER, 1, {}, 'com.app.f');
    await settle();
    expect(codes(other)).toEqual([REGISTERED]);
    b.engine.mend();
    await pass(clock, 6000);
    expect(b.news().at(-1)).toBe('joined again as b');
    const caller = b.client();
    expect(await answerer(caller, 'com.app.f', other)).toBe(0);
    expect(b.realm().inventory.measures(part.id)).toMatchObject({ registrations: 0 });
  });
});

describe('registrations of a node that was fenced', () => {
  it('stand behind those that came meanwhile, on every node', async () => {
    const c = await new LifeNode('c', hub, clock).join();
    await settle();
    const callees = [b.part(), a.client(), b.part()];
    for (const invoke of ['first', 'last']) {
      for (const callee of callees) {
        callee.tell(REGISTER, 1, { invoke }, `com.app.${invoke}`);
        await settle();
      }
    }
    const chosen = async (): Promise<unknown[]> => {
      const found = [];
      for (const node of [a, b, c]) {
        const caller = node.client();
        for (const uri of ['com.app.first', 'com.app.last']) found.push(await answerer(caller, uri, ...callees));
      }
      return found;
    };
    const created = [...b.realm().inventory.registrationIds].map((id) => b.realm().inventory.registration(id)?.created);
    expect(await chosen()).toEqual([0, 2, 0, 2, 0, 2]);
    await fence(b, clock);
    await pass(clock, 4000);
    expect(await answerer(a.client(), 'com.app.last', ...callees)).toBe(1);
    b.engine.mend();
    await pass(clock, 6000);
    expect(b.news().at(-1)).toBe('joined again as b');
    expect(await chosen()).toEqual([1, 2, 1, 2, 1, 2]);
    // The registrations are as old as before, because one callee was always there.
    for (const node of [a, b, c]) {
      const { inventory } = node.realm();
      expect([...inventory.registrationIds].map((id) => inventory.registration(id)?.created)).toEqual(created);
    }
  });

  it.each([
    ['was removed by another node', 4000],
    ['comes back before', 0],
  ])('are told to end and to begin, once, when it %s', async (_when, ms) => {
    const watcher = a.client();
    watcher.tell(SUBSCRIBE, 1, { match: 'prefix' }, 'wamp.registration.');
    const [part, client] = [b.part(), b.client()];
    part.tell(REGISTER, 1, {}, 'com.app.part');
    client.tell(REGISTER, 1, {}, 'com.app.client');
    await settle();
    const ids = [part, client].map((session) => session.heard()[0]?.[2]);
    watcher.heard();
    await fence(b, clock);
    await pass(clock, ms);
    b.engine.mend();
    await pass(clock, 8000);
    expect(b.news().at(-1)).toBe('joined again as b');
    const told = watcher.heard().map(([, , , details, args]) => {
      const [session, about] = args as [number, number | { id: number }];
      const id = typeof about === 'number' ? about : about.id;
      const topic = (details as { topic: string }).topic.replace('wamp.registration.on_', '');
      return `${topic} ${session === part.id ? 'part' : 'client'} ${ids.indexOf(id)}`;
    });
    // What another registration of the same has begun has not ended.
    const ends = told.filter((each) => /^delete|^create/.test(each) && each.includes('part'));
    expect(ends.length === 0 || ends.join() === 'delete part 0,create part 0').toBe(true);
    expect(told.filter((each) => !ends.includes(each)).sort()).toEqual([
      'delete client 1',
      'register part 0',
      'unregister client 1',
      'unregister part 0',
    ]);
    expect(told.indexOf('unregister part 0')).toBeLessThan(told.indexOf('register part 0'));
  });

  it('and those of a node that was killed and is started at once', async () => {
    const watcher = a.client();
    watcher.tell(SUBSCRIBE, 1, {}, 'wamp.registration.on_unregister');
    const client = b.client();
    client.tell(REGISTER, 1, {}, 'com.app.client');
    await settle();
    watcher.heard();
    b.engine.cut();
    const starting = new LifeNode('b', hub, clock).join();
    await pass(clock, 3250);
    await starting;
    await pass(clock, 3000);
    expect(watcher.heard().map((event) => (event[4] as unknown[])[0])).toEqual([client.id]);
  });

  it('that another node has taken are told to end once', async () => {
    const watcher = a.client();
    watcher.tell(SUBSCRIBE, 1, { match: 'prefix' }, 'wamp.registration.');
    const part = b.part();
    part.tell(REGISTER, 1, {}, 'com.app.f');
    await settle();
    await fence(b, clock);
    await pass(clock, 4000);
    watcher.heard();
    a.client().tell(REGISTER, 1, {}, 'com.app.f');
    await settle();
    b.engine.mend();
    await pass(clock, 6000);
    expect(b.news().at(-1)).toBe('joined again as b');
    expect(watcher.heard().map((event) => (event[3] as { topic: string }).topic)).toEqual([
      'wamp.registration.on_create',
      'wamp.registration.on_register',
    ]);
  });
});
