/** Several nodes with a realm that is one: events, calls, and what becomes of them when a node or a message is lost. */
import { beforeEach, describe, expect, it } from 'vitest';

import type { MemoryHub } from '../../../src/engine/memory/hub.js';
import { keyOf } from '../../../src/cluster/node-ref.js';
import { ClusterNode } from '../../support/cluster-node.js';
import { settle, testHub, TIMINGS } from '../../support/cluster.js';
import { FakeClock } from '../../support/realm.js';
import type { ScriptedSession } from '../../support/realm.js';

const [ERROR, PUBLISH, PUBLISHED, SUBSCRIBE, SUBSCRIBED, EVENT] = [8, 16, 17, 32, 33, 36];
const [CALL, CANCEL, RESULT, REGISTER, REGISTERED, INVOCATION, INTERRUPT, YIELD] = [48, 49, 50, 64, 65, 68, 69, 70];

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

/** What a session heard of one kind. */
const heard = (session: ScriptedSession, code: number): unknown[][] =>
  session.heard().filter(([type]) => type === code);

describe('events', () => {
  it('reach the subscribers of all nodes, by pattern, once for each subscription, and in order', async () => {
    const [exact, prefix, wildcard, publisher] = [a.session(), b.session(), c.session(), a.session()];
    exact.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    prefix.tell(SUBSCRIBE, 1, { match: 'prefix' }, 'com.ap');
    prefix.tell(SUBSCRIBE, 2, {}, 'com.app.x');
    wildcard.tell(SUBSCRIBE, 1, { match: 'wildcard' }, 'com..x');
    await settle();
    const ids = [exact, prefix, wildcard].map((session) => heard(session, SUBSCRIBED).map(([, , id]) => id));
    expect(ids[0]?.[0]).toBe(ids[1]?.[1]);
    for (const number of [1, 2, 3])
      publisher.tell(PUBLISH, number, { acknowledge: true }, 'com.app.x', [number], { k: 'ä' });
    publisher.tell(PUBLISH, 4, {}, 'com.other.y', [4]);
    publisher.tell(PUBLISH, 5, {}, 'com.ape', [5]);
    await settle();
    expect(heard(publisher, PUBLISHED)).toHaveLength(3);
    expect(heard(exact, EVENT).map((event) => event.slice(3))).toEqual(
      [1, 2, 3].map((number) => [{}, [number], { k: 'ä' }]),
    );
    const both = heard(prefix, EVENT);
    expect(both.filter(([, id]) => id === ids[1]?.[0]).map((event) => [event[3], event[4]])).toEqual([
      ...[1, 2, 3].map((number) => [{ topic: 'com.app.x' }, [number]]),
      [{ topic: 'com.ape' }, [5]],
    ]);
    expect(both.filter(([, id]) => id === ids[1]?.[1])).toHaveLength(3);
    expect(heard(wildcard, EVENT).map((event) => event[4])).toEqual([[1], [2], [3]]);
  });

  it('bring their QoS along, for subscribers that speak MQTT', async () => {
    const [subscriber, publisher] = [a.session(), b.session()];
    subscriber.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    await settle();
    subscriber.heard();
    publisher.tell(PUBLISH, 1, {}, 'com.app.x', [0]);
    publisher.tell(PUBLISH, 2, { acknowledge: true }, 'com.app.x', [1]);
    await settle();
    expect(subscriber.qos).toEqual([0, 1]);
  });

  it('are seen by whoever has SUBSCRIBED, wherever they are published next', async () => {
    for (let round = 0; round < 20; round++) {
      const [subscriber, publisher] = [a.session(), b.session()];
      const topic = `com.app.round${round}`;
      subscriber.tell(SUBSCRIBE, 1, {}, topic);
      let isSubscribed = false;
      for (let turn = 0; !isSubscribed; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
        isSubscribed = subscriber.heard().length > 0;
        if (turn > 100) throw new Error('no SUBSCRIBED');
      }
      publisher.tell(PUBLISH, 1, {}, topic, [round]);
      await settle();
      expect(heard(subscriber, EVENT)).toHaveLength(1);
    }
  });

  it('go to those that the publisher means, on every node, and not to itself', async () => {
    const [here, there, publisher] = [a.session(), b.session(), b.session()];
    for (const session of [here, there, publisher]) session.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    await settle();
    for (const session of [here, there, publisher]) session.heard();
    publisher.tell(PUBLISH, 1, {}, 'com.app.x', [1]);
    publisher.tell(PUBLISH, 2, { exclude_me: false, eligible: [publisher.id, here.id] }, 'com.app.x', [2]);
    publisher.tell(PUBLISH, 3, { exclude_authid: [here.authid] }, 'com.app.x', [3]);
    await settle();
    expect([here, there, publisher].map((session) => heard(session, EVENT).map((event) => event[4]))).toEqual([
      [[1], [2]],
      [[1], [3]],
      [[2]],
    ]);
  });
});

describe('calls', () => {
  it('find the callee on whatever node it is, with its answer, its error, and who calls', async () => {
    const [callee, caller] = [a.session(), b.session()];
    callee.tell(REGISTER, 1, { disclose_caller: true }, 'com.app.f');
    callee.tell(REGISTER, 2, { match: 'prefix' }, 'com.app.g');
    await settle();
    expect(heard(callee, REGISTERED)).toHaveLength(2);
    caller.tell(CALL, 1, {}, 'com.app.f', [1], { k: 2 });
    caller.tell(CALL, 2, {}, 'com.app.g.h', ['x']);
    await settle();
    const invocations = heard(callee, INVOCATION);
    expect(invocations.map((each) => each.slice(3))).toEqual([
      [{ caller: caller.id, caller_authid: caller.authid, caller_authrole: 'anonymous' }, [1], { k: 2 }],
      [{ procedure: 'com.app.g.h' }, ['x']],
    ]);
    callee.tell(YIELD, invocations[0]?.[1], {}, ['result']);
    callee.tell(ERROR, INVOCATION, invocations[1]?.[1], {}, 'com.app.error', ['oops']);
    await settle();
    expect(caller.heard()).toEqual([
      [RESULT, 1, {}, ['result']],
      [ERROR, CALL, 2, {}, 'com.app.error', ['oops']],
    ]);
    expect(b.member.linkOf('realm1').calls.size.callees).toBe(1);
    expect(a.member.linkOf('realm1').calls.size.callers).toBe(0);
  });

  it('know one owner of a procedure on all nodes, and may share one', async () => {
    const [first, second, caller] = [a.session(), b.session(), c.session()];
    for (const session of [first, second]) session.tell(REGISTER, 1, {}, 'com.app.single');
    for (const session of [first, second]) session.tell(REGISTER, 2, { invoke: 'roundrobin' }, 'com.app.shared');
    await settle();
    expect([...heard(first, REGISTERED), ...heard(second, REGISTERED)]).toHaveLength(3);
    for (let id = 1; id <= 4; id++) caller.tell(CALL, id, {}, 'com.app.shared');
    await settle();
    expect([heard(first, INVOCATION).length, heard(second, INVOCATION).length]).toEqual([2, 2]);
  });

  it('find the callee that has room, whoever keeps the others busy, and wait when none has', async () => {
    const [first, second, busy, caller] = [a.session(), b.session(), b.session(), c.session()];
    const options = { invoke: 'first', concurrency: 1 };
    first.tell(REGISTER, 1, options, 'com.app.shared');
    await settle();
    second.tell(REGISTER, 1, options, 'com.app.shared');
    await settle();
    busy.tell(CALL, 1, {}, 'com.app.shared', ['busy']);
    await settle();
    const argsOf = (session: ScriptedSession): unknown[] => heard(session, INVOCATION).map((message) => message[4]);
    expect(argsOf(first)).toEqual([['busy']]);
    caller.tell(CALL, 1, {}, 'com.app.shared', ['x']);
    await settle();
    expect([argsOf(first), argsOf(second)]).toEqual([[], [['x']]]);
    caller.tell(CALL, 2, {}, 'com.app.shared', ['y']);
    await settle();
    second.tell(YIELD, 1, {}, []);
    await settle();
    expect([argsOf(first), argsOf(second)]).toEqual([[], [['y']]]);
    expect(caller.heard()).toEqual([[RESULT, 1, {}]]);
    // Nobody has room, and both are asked for by other nodes: it waits where the callee is.
    const third = a.session();
    third.tell(CALL, 1, {}, 'com.app.shared', ['z']);
    await settle();
    first.tell(YIELD, 1, {}, []);
    await settle();
    expect([argsOf(first), argsOf(second)]).toEqual([[['z']], []]);
    expect(c.member.linkOf('realm1').calls.size.callees).toBe(2);
  });

  it('have progressive results, are canceled, and interrupt their callee when the caller leaves', async () => {
    const callee = a.session('callee.call_canceling', 'callee.progressive_call_results');
    const caller = b.session();
    callee.tell(REGISTER, 1, {}, 'com.app.f');
    await settle();
    callee.heard();
    caller.tell(CALL, 1, { receive_progress: true }, 'com.app.f');
    await settle();
    const [[, id, , details] = []] = heard(callee, INVOCATION);
    expect(details).toEqual({ receive_progress: true });
    for (const part of [1, 2]) callee.tell(YIELD, id, { progress: true }, [part]);
    callee.tell(YIELD, id, {}, ['end']);
    await settle();
    expect(caller.heard()).toEqual([
      [RESULT, 1, { progress: true }, [1]],
      [RESULT, 1, { progress: true }, [2]],
      [RESULT, 1, {}, ['end']],
    ]);
    caller.tell(CALL, 2, {}, 'com.app.f');
    caller.tell(CANCEL, 2, { mode: 'kill' });
    await settle();
    const [[, second] = []] = heard(callee, INVOCATION);
    callee.tell(ERROR, INVOCATION, second, {}, 'wamp.error.canceled');
    await settle();
    expect(caller.heard().map((message) => message[4])).toEqual(['wamp.error.canceled']);
    caller.tell(CALL, 3, {}, 'com.app.f');
    await settle();
    callee.heard();
    b.realm.leave(caller);
    await settle();
    expect(heard(callee, INTERRUPT)).toHaveLength(1);
    callee.tell(ERROR, INVOCATION, Number(second) + 1, {}, 'wamp.error.canceled');
    await settle();
    expect([a.member.linkOf('realm1').calls.size, a.realm.size.calls]).toEqual([{ callees: 0, callers: 0 }, 0]);
  });

  it('have an answer when the callee leaves, or its node is lost: at the next node the call goes on', async () => {
    const [callee, other, caller] = [a.session(), b.session(), c.session()];
    callee.tell(REGISTER, 1, { invoke: 'first' }, 'com.app.shared');
    await settle();
    other.tell(REGISTER, 1, { invoke: 'first' }, 'com.app.shared');
    await settle();
    caller.tell(CALL, 1, {}, 'com.app.shared');
    await settle();
    expect(heard(callee, INVOCATION)).toHaveLength(1);
    a.engine.cut();
    await settle();
    // It was not delivered, for sure: so another callee is asked at once.
    caller.tell(CALL, 2, {}, 'com.app.shared');
    await settle();
    expect(heard(other, INVOCATION)).toHaveLength(1);
    expect(caller.heard()).toEqual([]);
    await pass(TIMINGS.removeMs + 2000);
    expect(caller.heard().map((message) => [message[2], message[4]])).toEqual([[1, 'wamp.error.canceled']]);
    expect(a.fenced).toHaveLength(1);
    const next = b.session();
    next.tell(REGISTER, 1, {}, 'com.app.single');
    await settle();
    expect(heard(next, REGISTERED)).toHaveLength(1);
  });

  it('have an answer also when a message between two nodes was lost, in either direction', async () => {
    const [callee, caller] = [a.session(), b.session()];
    callee.tell(REGISTER, 1, {}, 'com.app.f');
    await settle();
    callee.heard();
    const blink = (): void => {
      a.engine.cut();
      a.engine.mend();
    };
    caller.tell(CALL, 1, {}, 'com.app.f');
    blink();
    await pass(4000);
    expect(heard(callee, INVOCATION)).toEqual([]);
    expect(caller.heard().map((message) => message[4])).toEqual(['wamp.error.canceled']);
    caller.tell(CALL, 2, {}, 'com.app.f');
    caller.tell(CALL, 3, {}, 'com.app.f');
    await settle();
    const [[, first] = [], [, second] = []] = heard(callee, INVOCATION);
    callee.tell(YIELD, first, {}, ['lost']);
    blink();
    await pass(4000);
    expect(caller.heard().map((message) => [message[2], message[4]])).toEqual([[2, 'wamp.error.canceled']]);
    // The other one is still there, and is answered.
    callee.tell(YIELD, second, {}, ['there']);
    await settle();
    expect(caller.heard()).toEqual([[RESULT, 3, {}, ['there']]]);
  });

  it('have an answer also when the callee answered while the link of its node was down', async () => {
    const [callee, caller] = [a.session(), b.session()];
    callee.tell(REGISTER, 1, {}, 'com.app.f');
    await settle();
    callee.heard();
    caller.tell(CALL, 1, {}, 'com.app.f');
    await settle();
    const [[, id] = []] = heard(callee, INVOCATION);
    a.engine.cut();
    callee.tell(YIELD, id, {}, ['unheard']);
    a.engine.mend();
    await pass(4000);
    expect(caller.heard().map((message) => [message[2], message[4]])).toEqual([[1, 'wamp.error.canceled']]);
  });
});

describe('what is left of a callee whose node is no member', () => {
  /** The entry of each callee once more, as one of that node. */
  async function leave(): Promise<void> {
    const bucket = await b.engine.bucket('test_registrations', { durable: true });
    const found: [string, Uint8Array][] = [];
    const end = await bucket.watch(({ key, value }) => value !== undefined && found.push([key, value]));
    end();
    for (const [key, value] of found) {
      const [realm, id] = key.split('.');
      await bucket.put([realm, id, 'x', '1', '1'].join('.'), value);
    }
    await settle();
  }

  it('is called like any other; each call has an answer, also when it was lost on its way', async () => {
    const [callee, caller] = [c.session(), b.session()];
    callee.tell(REGISTER, 1, { invoke: 'roundrobin' }, 'com.app.f');
    await settle();
    await leave();
    expect(b.member.linkOf('realm1').calls.size.callees).toBe(2);
    for (const request of [1, 2]) caller.tell(CALL, request, {}, 'com.app.f');
    b.engine.cut();
    b.engine.mend();
    await pass(4000);
    expect(heard(callee, INVOCATION)).toEqual([]);
    expect(
      heard(caller, ERROR)
        .map((message) => [message[2], message[4]])
        .sort(),
    ).toEqual([
      [1, 'wamp.error.canceled'],
      [2, 'wamp.error.canceled'],
    ]);
    // Whoever surely was not asked is replaced by another one.
    for (const request of [3, 4]) caller.tell(CALL, request, {}, 'com.app.f');
    await settle();
    expect(heard(callee, INVOCATION)).toHaveLength(2);
  });

  it('is none for a node that joins when others have removed its node already', async () => {
    const callee = c.session();
    callee.tell(REGISTER, 1, { invoke: 'roundrobin' }, 'com.app.f');
    await settle();
    // The one that is to clean up cannot.
    a.engine.cut();
    const nodes = await b.engine.bucket('test_nodes', { durable: true });
    await nodes.put('gone.x.1', new TextEncoder().encode(JSON.stringify({ by: keyOf(a.member.self) })));
    await leave();
    const late = await new ClusterNode('d', hub, clock).join();
    expect(late.member.linkOf('realm1').calls.size.callees).toBe(1);
  });
});

it('a realm goes on anew when the values of the cluster were lost', async () => {
  const callee = a.session();
  callee.tell(REGISTER, 1, {}, 'com.app.f');
  await settle();
  hub.lose();
  await settle();
  expect([a, b, c].map(({ fenced }) => fenced)).toEqual(Array(3).fill(["the cluster's values are gone"]));
  clock.advance(1);
  const [later, other] = [await new ClusterNode('a', hub, clock).join(), await new ClusterNode('b', hub, clock).join()];
  await settle();
  const again = later.session();
  const caller = other.session();
  again.tell(REGISTER, 1, {}, 'com.app.f');
  await settle();
  caller.tell(CALL, 1, {}, 'com.app.f');
  await settle();
  expect(heard(again, INVOCATION)).toHaveLength(1);
});

it('nobody waits long for a node that is surely not there; and its registrations are not given to others sooner for that', async () => {
  const [callee, caller] = [b.session(), a.session()];
  callee.tell(REGISTER, 1, {}, 'com.app.f');
  await settle();
  b.engine.cut();
  caller.tell(SUBSCRIBE, 1, {}, 'com.app.x');
  await settle();
  await pass(250);
  expect(heard(caller, SUBSCRIBED)).toHaveLength(1);
  // From now on nobody waits at all.
  caller.tell(SUBSCRIBE, 2, {}, 'com.app.y');
  await settle();
  expect(heard(caller, SUBSCRIBED)).toHaveLength(1);
  caller.tell(REGISTER, 3, {}, 'com.app.f');
  await pass(TIMINGS.fenceMs - 250);
  expect(heard(caller, ERROR)).toHaveLength(1);
  expect(b.member.mayServe()).toBe(false);
  expect(a.member.others.map(({ name }) => name)).toEqual(['b', 'c']);
});

it('a node that is back is waited for again', async () => {
  b.engine.cut();
  const caller = a.session();
  caller.tell(SUBSCRIBE, 1, {}, 'com.app.x');
  await settle();
  await pass(250);
  expect(heard(caller, SUBSCRIBED)).toHaveLength(1);
  b.engine.mend();
  await pass(1000);
  const publisher = b.session();
  caller.tell(SUBSCRIBE, 2, {}, 'com.app.y');
  await settle();
  expect(heard(caller, SUBSCRIBED)).toHaveLength(1);
  publisher.tell(PUBLISH, 1, {}, 'com.app.y', [1]);
  await settle();
  expect(heard(caller, EVENT)).toHaveLength(1);
});

it('a node that leaves leaves nothing behind; one that may not serve publishes and calls nothing', async () => {
  const [callee, caller] = [a.session(), b.session()];
  callee.tell(REGISTER, 1, {}, 'com.app.f');
  await settle();
  const leaving = a.member.leave();
  await settle();
  await leaving;
  caller.tell(CALL, 1, {}, 'com.app.f');
  expect(caller.heard().map((message) => message[4])).toEqual(['wamp.error.no_such_procedure']);
  b.engine.cut();
  caller.tell(PUBLISH, 2, { acknowledge: true }, 'com.app.x');
  expect(caller.heard().map((message) => message[4])).toEqual(['wamp.error.unavailable']);
});

describe('a node that leaves in good order', () => {
  it('tells who calls a callee of it meanwhile that it has left: the call goes on to the next one', async () => {
    const [callee, other, caller] = [a.session(), b.session(), c.session()];
    for (const one of [callee, other]) {
      one.tell(REGISTER, 1, { invoke: 'first' }, 'com.app.shared');
      await settle();
      one.heard();
    }
    caller.tell(CALL, 1, {}, 'com.app.shared');
    callee.leave();
    const leaving = a.member.leave();
    await settle();
    await leaving;
    expect(heard(callee, INVOCATION)).toEqual([]);
    expect(heard(other, INVOCATION)).toHaveLength(1);
    expect(caller.heard()).toEqual([]);
  });

  it('does not wait for one of which nothing is heard', async () => {
    const callee = a.session();
    callee.tell(REGISTER, 1, {}, 'com.app.f');
    await settle();
    b.engine.cut();
    const leaving = a.member.leave();
    await pass(2500);
    await leaving;
    expect(c.member.others.map(({ name }) => name)).toEqual(['b']);
  });

  it('ends also where it can tell nobody', async () => {
    a.engine.cut();
    const leaving = a.member.leave();
    await pass(2500);
    await leaving;
    expect(a.member.mayServe()).toBe(false);
  });
});

describe('two patterns with the same hash', () => {
  // By the length of the URI.
  const idOf = (_realm: string, { uri }: { uri: string }): number => uri.length;
  beforeEach(async () => {
    const other = testHub();
    [a, b] = [
      await new ClusterNode('a', other, clock).join({ idOf }),
      await new ClusterNode('b', other, clock).join({ idOf }),
    ];
    await settle();
  });

  it('are not both registered, by force neither, on whatever nodes; the first one is called on', async () => {
    const [first, second, caller] = [a.session(), b.session(), b.session()];
    first.tell(REGISTER, 1, {}, 'com.app.f');
    second.tell(REGISTER, 1, {}, 'com.app.g');
    await settle();
    second.tell(REGISTER, 2, { force_reregister: true }, 'com.app.g');
    await settle();
    expect(first.heard()).toEqual([[REGISTERED, 1, expect.any(Number)]]);
    expect(heard(second, ERROR).map((message) => message.slice(2, 5))).toEqual(
      [1, 2].map((id) => [id, {}, 'wamp.error.invalid_uri']),
    );
    caller.tell(CALL, 1, {}, 'com.app.f');
    caller.tell(CALL, 2, {}, 'com.app.g');
    await settle();
    expect(heard(first, INVOCATION)).toHaveLength(1);
    expect(heard(caller, ERROR).map((message) => message[4])).toEqual(['wamp.error.no_such_procedure']);
    // When the first one has left the place is free.
    a.realm.leave(first);
    await settle();
    second.tell(REGISTER, 3, {}, 'com.app.g');
    await settle();
    expect(heard(second, REGISTERED)).toEqual([[REGISTERED, 3, expect.any(Number)]]);
  });

  it('may be subscribed to on two nodes: each gets its own events', async () => {
    const [first, second] = [a.session(), b.session()];
    first.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    await settle();
    second.tell(SUBSCRIBE, 1, {}, 'com.app.y').tell(PUBLISH, 2, {}, 'com.app.x', ['x']);
    await settle();
    first.tell(PUBLISH, 2, {}, 'com.app.y', ['y']);
    await settle();
    expect(first.heard().map(([type, , id, , args]) => [type, args ?? id])).toEqual([
      [SUBSCRIBED, 9],
      [EVENT, ['x']],
    ]);
    expect(second.heard().map(([type, , id, , args]) => [type, args ?? id])).toEqual([
      [SUBSCRIBED, 9],
      [EVENT, ['y']],
    ]);
    a.realm.leave(first);
    await settle();
    a.session().tell(PUBLISH, 1, {}, 'com.app.y', ['again']);
    await settle();
    expect(second.heard().map(([, , , , args]) => args)).toEqual([['again']]);
  });

  it('are not both subscribed to on one node', async () => {
    const [first, second] = [a.session(), a.session()];
    first.tell(SUBSCRIBE, 1, {}, 'com.app.x');
    second.tell(SUBSCRIBE, 1, {}, 'com.app.y');
    second.tell(SUBSCRIBE, 2, {}, 'com.app.x');
    await settle();
    expect(heard(first, SUBSCRIBED)).toHaveLength(1);
    expect(second.heard().map(([type, , id]) => [type, id])).toEqual([
      [ERROR, 1],
      [SUBSCRIBED, 9],
    ]);
    a.realm.leave(first);
    a.realm.leave(second);
    const third = a.session();
    third.tell(SUBSCRIBE, 1, {}, 'com.app.y');
    await settle();
    expect(heard(third, SUBSCRIBED)).toHaveLength(1);
  });
});
