/** Who dies with a node is told to have left, on every node where somebody wants to know. */
import { beforeEach, describe, expect, it } from 'vitest';

import { encodeFrame } from '../../../src/cluster/frame.js';
import { Attendance } from '../../../src/cluster/meta/attendance.js';
import { uriTokens } from '../../../src/cluster/subjects.js';
import type { EngineMessage } from '../../../src/engine/engine.js';
import type { MemoryHub } from '../../../src/engine/memory/hub.js';
import { NO_PAYLOAD, payloadOf } from '../../../src/wamp/payload.js';
import { settle, testHub, TIMINGS } from '../../support/cluster.js';
import { fence, LifeNode, pass } from '../../support/life-node.js';
import { FakeClock } from '../../support/realm.js';
import type { ScriptedSession } from '../../support/realm.js';

const [SUBSCRIBE, SUBSCRIBED, UNSUBSCRIBE, EVENT, CALL] = [32, 33, 34, 36, 48];
const ON_LEAVE = 'wamp.session.on_leave';

/** From the death of a node until its sessions are told to have left. */
const TOLD_MS = TIMINGS.removeMs + 2 * TIMINGS.heartbeatMs + 250;

let hub: MemoryHub;
let clock: FakeClock;
let [a, b, c] = [] as unknown as [LifeNode, LifeNode, LifeNode];
beforeEach(async () => {
  hub = testHub();
  clock = new FakeClock();
  [a, b, c] = [
    await new LifeNode('a', hub, clock).join(),
    await new LifeNode('b', hub, clock).join(),
    await new LifeNode('c', hub, clock).join(),
  ];
  await settle();
});

async function watcherOn(node: LifeNode, match = 'exact', uri = ON_LEAVE): Promise<ScriptedSession> {
  const watcher = node.client();
  watcher.tell(SUBSCRIBE, 1, { match }, uri);
  await settle();
  return watcher;
}

/** @returns the arguments of each on_leave that a watcher heard. */
function leavers(watcher: ScriptedSession): unknown[] {
  const events = watcher.heard().filter(([type]) => type === EVENT);
  return events.flatMap(([, , , details, args]) =>
    ((details as { topic?: string }).topic ?? ON_LEAVE) === ON_LEAVE ? [args] : [],
  );
}

/** @returns what is told of sessions that leave, in the order of their ids. */
function told(...sessions: ScriptedSession[]): unknown[] {
  return byId(sessions.map(({ id, authid, authrole }) => [id, authid, authrole]));
}

function byId(list: unknown[]): unknown[] {
  return [...(list as [number, ...unknown[]][])].sort(([x], [y]) => x - y);
}

const attendanceOf = (node: LifeNode) => {
  const attendance = node.lives.member?.linkOf('realm1').attendance;
  if (attendance === undefined) throw new Error('the node is away');
  return attendance;
};

describe('the sessions of a node that died', () => {
  it('are told to have left, once each, to every subscriber on every other node', async () => {
    const before = [b.client(), b.client(), b.part()];
    const watchers = [await watcherOn(a), await watcherOn(a), await watcherOn(c)];
    const after = [b.client(), b.part()];
    const [left, stays] = [b.client(), c.client()];
    await settle();
    left.leave();
    await settle();
    expect(watchers.map(leavers)).toEqual(watchers.map(() => told(left)));
    b.engine.cut();
    await pass(clock, TIMINGS.removeMs - 250);
    expect(watchers.flatMap(leavers)).toEqual([]);
    await pass(clock, TOLD_MS);
    const expected = told(...before, ...after);
    expect(watchers.map(leavers).map(byId)).toEqual(watchers.map(() => expected));
    await pass(clock, TOLD_MS);
    expect(watchers.flatMap(leavers)).toEqual([]);
    stays.leave();
    await settle();
    expect(watchers.map(leavers)).toEqual(watchers.map(() => told(stays)));
  });

  it.each([
    ['prefix', 'wamp.session.on_l'],
    ['prefix', 'wamp.'],
    ['wildcard', 'wamp..on_leave'],
  ])('are told to the subscribers of a pattern: %s %s', async (match, uri) => {
    const watcher = await watcherOn(a, match, uri);
    const session = b.client();
    await settle();
    b.engine.cut();
    await pass(clock, TOLD_MS);
    expect(leavers(watcher)).toEqual(told(session));
  });

  it('are told once for each subscription of a session, with one publication id', async () => {
    const watcher = await watcherOn(a);
    watcher.tell(SUBSCRIBE, 2, { match: 'prefix' }, 'wamp.session.');
    watcher.tell(SUBSCRIBE, 3, { match: 'wildcard' }, 'com..x');
    const session = b.client();
    await settle();
    watcher.heard();
    b.engine.cut();
    await pass(clock, TOLD_MS);
    const events = watcher.heard();
    expect(events.map(([type, , , , args]) => [type, args])).toEqual([
      [EVENT, ...told(session)],
      [EVENT, ...told(session)],
    ]);
    expect(new Set(events.map(([, subscription]) => subscription)).size).toBe(2);
    expect(new Set(events.map(([, , publication]) => publication)).size).toBe(1);
  });

  it('are told to a subscriber that came late, but before the death', async () => {
    const sessions = Array.from({ length: 3000 }, () => b.client());
    await watcherOn(a);
    await settle();
    const late = await watcherOn(a);
    b.engine.cut();
    await pass(clock, TOLD_MS);
    expect(byId(leavers(late))).toEqual(told(...sessions));
  });

  it('are not known where nobody wants to know, and for some seconds after the last who did', async () => {
    b.client();
    await settle();
    expect(attendanceOf(a).size).toBe(0);
    const watcher = await watcherOn(a);
    b.client();
    await settle();
    expect([attendanceOf(a).size, attendanceOf(c).size]).toEqual([2, 0]);
    watcher.tell(UNSUBSCRIBE, 2, watcher.heard().find(([type]) => type === SUBSCRIBED)?.[2]);
    await pass(clock, 9000);
    const next = await watcherOn(a);
    await pass(clock, 9000);
    expect(attendanceOf(a).size).toBe(2);
    next.leave();
    await pass(clock, 11_000);
    expect([attendanceOf(a).size, b.lives.member?.linkOf('realm1').roll.size]).toEqual([0, 0]);
    b.client();
    await settle();
    expect(attendanceOf(a).size).toBe(0);
  });

  it('that nobody was told of (kill_all) are not told later either', async () => {
    const watcher = await watcherOn(a);
    b.client();
    await settle();
    expect(attendanceOf(a).size).toBe(1);
    c.client().tell(CALL, 1, {}, 'wamp.session.kill_all');
    const again = await watcherOn(a);
    await settle();
    expect([leavers(watcher), leavers(again), attendanceOf(a).size]).toEqual([[], [], 1]);
    b.engine.cut();
    await pass(clock, TOLD_MS);
    expect(leavers(again)).toEqual([]);
  });
});

describe('the sessions of a node that is there', () => {
  it('of a node that leaves in good order are told once', async () => {
    const watcher = await watcherOn(a);
    const sessions = [b.client(), b.client()];
    await settle();
    for (const session of sessions) session.leave();
    const leaving = b.lives.leave();
    await settle();
    await leaving;
    await pass(clock, TOLD_MS);
    expect(byId(leavers(watcher))).toEqual(told(...sessions));
    expect(attendanceOf(a).size).toBe(0);
  });

  it('that left while the link of either node was down are told when it is back', async () => {
    const watcher = await watcherOn(a);
    const [first, second, stays] = [b.client(), b.client(), b.client()];
    await settle();
    a.engine.cut();
    first.leave();
    await settle();
    a.engine.mend();
    await pass(clock, 2 * TIMINGS.heartbeatMs);
    expect(leavers(watcher)).toEqual(told(first));
    b.engine.cut();
    second.leave();
    const joined = b.client();
    b.engine.mend();
    await pass(clock, 2 * TIMINGS.heartbeatMs);
    expect(leavers(watcher)).toEqual(told(second));
    joined.leave();
    stays.leave();
    await pass(clock, 2 * TIMINGS.heartbeatMs);
    expect(leavers(watcher)).toEqual([joined, stays].flatMap((session) => told(session)));
  });

  it('are not known any more when one left right behind the answer that names it', async () => {
    const [self, other] = [
      { name: 'a', epoch: 1 },
      { name: 'b', epoch: 1 },
    ];
    const hears = new Map<string, (message: EngineMessage) => void>();
    const attendance = new Attendance({
      engine: { subscribe: (subject, hear) => (hears.set(subject, hear), () => undefined) },
      ...{ prefix: 'events.', self, heartbeatMs: TIMINGS.heartbeatMs, scheduler: clock },
      membership: { others: [other] },
      nodeOf: () => other,
      // Both come in one chunk.
      ask: (_to, _kind, _head, heard) => {
        const answer = { head: { l: [[17, 'joe', 'user']] }, payload: NO_PAYLOAD };
        heard?.(answer);
        const data = encodeFrame({ i: 1, t: ON_LEAVE }, payloadOf([17, 'joe', 'user']));
        hears.get(`events.${uriTokens(ON_LEAVE)}`)?.({ subject: '', data, reply: undefined, undelivered: false });
        return Promise.resolve(answer);
      },
      ...{ mayServe: () => true, tell: () => undefined },
    });
    attendance.begin();
    await settle();
    expect(attendance.size).toBe(0);
  });

  it('are asked for again when the link breaks in the middle of the list, and those that come and go meanwhile are told once', async () => {
    const sessions = Array.from({ length: 5000 }, () => b.client());
    const watcher = a.client();
    watcher.tell(SUBSCRIBE, 1, {}, ON_LEAVE);
    await new Promise((resolve) => setImmediate(resolve));
    a.engine.cut();
    await pass(clock, 1000);
    a.engine.mend();
    const going = sessions.splice(0, 1000);
    for (const session of going) session.leave();
    const coming = b.client();
    await pass(clock, 4000);
    expect(byId(leavers(watcher))).toEqual(told(...going));
    expect(attendanceOf(a).size).toBe(sessions.length + 1);
    b.engine.cut();
    await pass(clock, TOLD_MS);
    expect(byId(leavers(watcher))).toEqual(told(coming, ...sessions));
  });
});

describe('a node that was fenced and is back', () => {
  it('has told those of its sessions that stayed to have joined, after they were told to have left', async () => {
    const watcher = await watcherOn(a, 'prefix', 'wamp.session.');
    const [client, part] = [b.client(), b.part()];
    await settle();
    watcher.heard();
    await fence(b, clock);
    await pass(clock, TOLD_MS);
    b.engine.mend();
    await pass(clock, 8000);
    expect(b.news().at(-1)).toBe('joined again as b');
    const events = watcher.heard().map(([, , , details, args]) => {
      const [about] = args as [number | { session: number }];
      const { topic } = details as { topic: string };
      return [topic.replace('wamp.session.on_', ''), typeof about === 'number' ? about : about.session];
    });
    expect(byId(events.slice(0, 2).map(([, id]) => [id]))).toEqual(byId([[client.id], [part.id]]));
    expect(events.slice(2)).toEqual([['join', part.id]]);
    // Its id is one of the earlier life.
    b.engine.cut();
    await pass(clock, TOLD_MS);
    expect(leavers(watcher)).toEqual(told(part));
  });

  it('hears again of those who leave, for the parts of it that stayed', async () => {
    const part = b.part();
    part.tell(SUBSCRIBE, 1, {}, ON_LEAVE);
    await settle();
    await fence(b, clock);
    b.engine.mend();
    await pass(clock, 8000);
    part.heard();
    const session = c.client();
    await settle();
    c.engine.cut();
    await pass(clock, TOLD_MS);
    expect(leavers(part)).toEqual(told(session));
  });
});
