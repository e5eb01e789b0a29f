/** Members over real nats-servers, three of them: the model, order, SUBSCRIBED, a node that is gone at once, and values that are lost. */
import fc from 'fast-check';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';

import { Subjects } from '../../../src/cluster/subjects.js';
import { connectNats } from '../../../src/engine/nats/connect.js';
import type { NatsEngine } from '../../../src/engine/nats/engine.js';
import { playModel, step } from '../../support/cluster-model.js';
import { ClusterNode } from '../../support/cluster-node.js';
import type { NodeClock } from '../../support/cluster-node.js';
import { hasNats, NatsServers } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import type { ScriptedSession } from '../../support/realm.js';
import { TcpGate } from '../../support/tcp-gate.js';

const [ERROR, PUBLISH, SUBSCRIBE, SUBSCRIBED, EVENT] = [8, 16, 32, 33, 36];
const [CALL, RESULT, REGISTER, REGISTERED, INVOCATION, YIELD] = [48, 50, 64, 65, 68, 70];

const clock: NodeClock = {
  get now() {
    return Date.now();
  },
  elapsed: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};
/** How many times as much as in an ordinary run: 2,000 rounds of SUBSCRIBED take 34. */
const LOAD = Number(process.env['CROSSBAR_CLUSTER_LOAD'] ?? 1);

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

interface Place {
  readonly node: ClusterNode<NatsEngine>;
  readonly gate: TcpGate;
}

let lastCluster = 0;
const open: Place[] = [];

/** Nodes of a cluster that no other test has, each by a door of its own to a server of its own. */
async function places(nats: NatsServers, count: number): Promise<Place[]> {
  const cluster = `test${++lastCluster}`;
  const made: Place[] = [];
  for (let index = 0; index < count; index++) made.push(await place(nats, cluster, index));
  return made;
}

async function place(nats: NatsServers, cluster: string, index: number): Promise<Place> {
  const { servers } = nats;
  const gate = await TcpGate.open(servers[index % servers.length]?.port ?? 0);
  const engine = await connectNats(
    { servers: [`127.0.0.1:${gate.port}`], replicas: nats.replicas, max_pending: 16_777_216, connect_timeout: 60 },
    { log: pino({ level: 'silent' }), neededBy: 'the tests', name: 'test' },
  );
  const node = await new ClusterNode(`n${index}`, { connect: () => engine }, clock).join({ cluster });
  const made = { node, gate };
  open.push(made);
  return made;
}

/** Takes out what a session hears of one kind until there are so many. */
async function heard(session: ScriptedSession, code: number, count: number): Promise<unknown[][]> {
  const found: unknown[][] = [];
  for (;;) {
    found.push(...session.heard().filter(([type]) => type === code));
    if (found.length >= count) return found;
    await later(2);
  }
}

/**
 * Resolves when NATS says, where a node is connected, that nobody hears a subject. For a moment after a link broke it does not: what is sent
 * then is lost without a word, and a call among it is answered when the node is known to be away.
 */
async function unheard(engine: NatsEngine, subject: string): Promise<void> {
  let isSo = false;
  const end = engine.subscribe('w.probe', ({ undelivered }) => {
    isSo ||= undelivered;
  });
  while (!isSo) {
    engine.publish(subject, new Uint8Array(1), 'w.probe');
    await later(2);
  }
  end();
}

describeNeeds('nats-server', hasNats)('members over NATS', () => {
  let nats: NatsServers;
  beforeAll(async () => {
    // Each node knows its own server alone: when its door is shut, it is gone.
    nats = await NatsServers.start(3, ['--no_advertise']);
  });
  afterEach(async () => {
    for (const { node, gate } of open.splice(0)) {
      if (node.engine.isUp) await node.member.leave();
      await node.engine.close();
      await gate.shut();
    }
  });
  afterAll(() => nats.stop());

  it('keep the order of each publisher, over nodes and topics', async () => {
    const nodes = (await places(nats, 3)).map(({ node }) => node);
    const subscribers = Array.from({ length: 6 }, (_, index) => nodes[index % 3]?.session());
    for (const subscriber of subscribers) subscriber?.tell(SUBSCRIBE, 1, { match: 'prefix' }, 'com.app');
    for (const subscriber of subscribers) if (subscriber) await heard(subscriber, SUBSCRIBED, 1);
    const publishers = Array.from({ length: 4 }, (_, index) => nodes[index % 3]?.session());
    const each = 500 * LOAD;
    for (let number = 0; number < each; number++) {
      for (const [index, publisher] of publishers.entries())
        publisher?.tell(PUBLISH, number + 1, {}, `com.app.${number % 7}`, [index, number]);
      if (number % 50 === 0) await later(0);
    }
    for (const subscriber of subscribers) {
      if (subscriber === undefined) continue;
      const next = [0, 0, 0, 0];
      for (const event of await heard(subscriber, EVENT, each * publishers.length)) {
        const [publisher = 0, number] = event[4] as readonly number[];
        expect(number).toBe(next[publisher]);
        next[publisher] = (next[publisher] ?? 0) + 1;
      }
      expect(next).toEqual([each, each, each, each]);
    }
  });

  it('send no SUBSCRIBED before what any node publishes comes', async () => {
    const nodes = (await places(nats, 3)).map(({ node }) => node);
    for (let round = 0; round < 60 * LOAD; round++) {
      const subscriber = nodes[round % 3]?.session();
      const publishers = [nodes[(round + 1) % 3]?.session(), nodes[(round + 2) % 3]?.session()];
      if (subscriber === undefined) continue;
      subscriber.tell(SUBSCRIBE, 1, {}, `com.app.round${round}`);
      await heard(subscriber, SUBSCRIBED, 1);
      for (const publisher of publishers) publisher?.tell(PUBLISH, 1, {}, `com.app.round${round}`, [round]);
      // One that is lost never comes, and the test ends by its time.
      expect(await heard(subscriber, EVENT, 2)).toHaveLength(2);
    }
  });

  it('call the next callee at once when the node of the first is gone, and do not wait for it', async () => {
    const [gone, other, calling] = await places(nats, 3);
    if (gone === undefined || other === undefined || calling === undefined) throw new Error('there is no place');
    const [first, second, caller] = [gone.node.session(), other.node.session(), calling.node.session()];
    first.tell(REGISTER, 1, { invoke: 'first' }, 'com.app.shared');
    await heard(first, REGISTERED, 1);
    second.tell(REGISTER, 1, { invoke: 'first' }, 'com.app.shared');
    await heard(second, REGISTERED, 1);
    const { name, epoch } = gone.node.member.self;
    await gone.gate.shut();
    await unheard(calling.node.engine, new Subjects(`test${lastCluster}`).node(name, epoch));
    const begunMs = performance.now();
    caller.tell(CALL, 1, {}, 'com.app.shared');
    const [[, id] = []] = await heard(second, INVOCATION, 1);
    second.tell(YIELD, id, {}, []);
    await heard(caller, RESULT, 1);
    const callMs = performance.now() - begunMs;
    caller.tell(SUBSCRIBE, 2, {}, 'com.app.x');
    await heard(caller, SUBSCRIBED, 1);
    const subscribeMs = performance.now() - begunMs - callMs;
    if (process.env['CROSSBAR_FIGURES'] !== undefined)
      process.stderr.write(`next call ${callMs.toFixed(1)} ms, SUBSCRIBED ${subscribeMs.toFixed(1)} ms\n`);
    // Both are sooner than the node is removed.
    expect(calling.node.member.others).toHaveLength(2);
    expect(gone.node.engine.isUp).toBe(false);
  });

  it('answer a call that was sent while the link of the callee broke before its node is removed', async () => {
    const [gone, calling] = await places(nats, 2);
    if (gone === undefined || calling === undefined) throw new Error('there is no place');
    const [callee, caller] = [gone.node.session(), calling.node.session()];
    callee.tell(REGISTER, 1, {}, 'com.app.f');
    await heard(callee, REGISTERED, 1);
    // What is sent now goes nowhere, and nobody is told.
    gone.gate.hold();
    caller.tell(CALL, 1, {}, 'com.app.f');
    await calling.node.engine.flush();
    await gone.gate.shut();
    const begunMs = performance.now();
    const [error] = await heard(caller, ERROR, 1);
    if (process.env['CROSSBAR_FIGURES'] !== undefined)
      process.stderr.write(`canceled after ${(performance.now() - begunMs).toFixed(0)} ms\n`);
    expect(error?.[4]).toBe('wamp.error.canceled');
    // That is sooner than by its silence.
    expect(calling.node.member.others).toHaveLength(1);
  });

  it('answer every call once, whatever happens, and leave nothing', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const all = await places(nats, 3);
        await playModel(
          {
            nodes: all.map(({ node }) => node),
            turns: (count) => later(Math.min(count, 10)),
            time: (ms) => later(ms / 10),
            until: async (isSo) => {
              for (let round = 0; round < 2000 && !isSo(); round++) await later(10);
            },
            blink: async (node, during) => {
              const gate = all.find((each) => each.node === node)?.gate;
              await gate?.shut();
              await during();
              await gate?.reopen();
              while (!node.engine.isUp) await later(5);
            },
          },
          steps,
        );
      }),
      { numRuns: 4, endOnFailure: true },
    );
  });

  describe('with one server', () => {
    let one: NatsServers;
    beforeAll(async () => {
      one = await NatsServers.start(1);
    });
    afterAll(() => one.stop());

    it('stop serving when it came back with an empty directory, and begin anew', async () => {
      const before = await places(one, 2);
      const [first] = before;
      first?.node.session().tell(REGISTER, 1, {}, 'com.app.f');
      await one.lose();
      await expect
        .poll(() => before.map(({ node }) => node.fenced))
        .toEqual(Array(2).fill(["the cluster's values are gone"]));
      const cluster = `test${lastCluster}`;
      const [again, other] = [await place(one, cluster, 0), await place(one, cluster, 1)];
      const [callee, caller] = [again.node.session(), other.node.session()];
      callee.tell(REGISTER, 1, {}, 'com.app.f');
      await heard(callee, REGISTERED, 1);
      caller.tell(CALL, 1, {}, 'com.app.f');
      const [[, id] = []] = await heard(callee, INVOCATION, 1);
      callee.tell(YIELD, id, {}, ['anew']);
      expect(await heard(caller, RESULT, 1)).toEqual([[RESULT, 1, {}, ['anew']]]);
    });
  });
});
