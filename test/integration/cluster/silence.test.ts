/**
 * A node that hangs, one that is cut off, and all of NATS gone: whoever may not serve any more serves nothing, closes its clients so that
 * they go elsewhere, and comes back by itself.
 */
import { afterEach, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import type { Daemon } from '../../support/daemon.js';
import { hasNats } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { LOOPBACK, nodeConfig } from '../../support/node-config.js';
import { TcpGate } from '../../support/tcp-gate.js';
import { ThreeNodes } from '../../support/three-nodes.js';
import type { ThreeNodesOptions } from '../../support/three-nodes.js';
import { ConnectionClosed, WampClient } from '../../support/wamp-client.js';
import type { JoinedClient } from '../../support/wamp-client.js';

const TIMINGS = { heartbeat: 300, suspect_after: 1500, fence_after: 1500, remove_after: 2500 };

/** How long a node hangs beyond its removal, and NATS is away beyond the fence, in seconds. */
const SILENT_SECONDS = Number(process.env['CLUSTER_SILENT_SECONDS'] ?? '0');

const SHARED = 'com.example.shared';
const TOPIC = 'com.example.topic';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(options: ThreeNodesOptions = {}): Promise<ThreeNodes> {
  const config = nodeConfig({
    transport: { endpoint: { ...LOOPBACK, port: '$PORT' } },
    paths: { readyz: { type: 'readyz' } },
  });
  const cluster = await ThreeNodes.start(config, { timings: TIMINGS, ...options });
  ends.push(() => cluster.dispose());
  return cluster;
}

/** A client that is subscribed, and a callee of the shared procedure, which answers with the number of its node. */
class Member {
  readonly client: JoinedClient;
  /** What came, and was no INVOCATION. */
  readonly messages: unknown[][] = [];
  readonly gone: Promise<void>;

  private constructor(client: JoinedClient, index: number) {
    this.client = client;
    this.gone = this.#read(index);
  }

  static async join(cluster: ThreeNodes, index: number): Promise<Member> {
    const client = await WampClient.join(cluster.node(index).url('/ws', 'ws'));
    expect((await client.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
    expect((await client.ask([64, 2, { invoke: 'roundrobin' }, SHARED]))[0]).toBe(65);
    return new Member(client, index);
  }

  /** The values of the events so far. */
  get events(): readonly unknown[] {
    return this.messages.filter(([type]) => type === 36).map(([, , , , args]) => (args as unknown[])[0]);
  }

  async #read(index: number): Promise<void> {
    try {
      for (;;) {
        const message = await this.client.next(2 ** 31 - 1);
        if (message[0] === 68) this.client.send([70, message[1], {}, [index]]);
        else this.messages.push(message);
      }
    } catch (error) {
      if (!(error instanceof ConnectionClosed)) throw error;
    }
  }
}

/** @returns which nodes answer calls that come in at a node. */
async function answering(node: Daemon): Promise<ReadonlySet<unknown>> {
  const client = await WampClient.join(node.url('/ws', 'ws'));
  const nodes = new Set<unknown>();
  for (let request = 1; request <= 6; request++) {
    const [type, ...rest] = await client.ask([48, request, {}, SHARED]);
    nodes.add(type === 50 ? (rest[2] as unknown[])[0] : rest[3]);
  }
  await client.leave();
  return nodes;
}

/** Resolves when another node has removed it. */
function removed(by: Daemon, name: string): Promise<unknown> {
  return by.waitForLog(({ msg, node }) => msg === 'removed a node that is silent from the cluster' && node === name);
}

/** Publishes on a node, and waits until it is on its way. */
async function publish(node: Daemon, value: unknown): Promise<void> {
  const client = await WampClient.join(node.url('/ws', 'ws'));
  expect((await client.ask([16, 1, { acknowledge: true }, TOPIC, [value]]))[0]).toBe(17);
  await client.leave();
}

async function isReady(node: Daemon): Promise<boolean> {
  return (await fetch(node.url('/readyz'))).status === 200;
}

/** The third node has gone from the two others, which remove it and go on; nothing of it is served, in either direction. */
async function othersGoOn(cluster: ThreeNodes, members: readonly Member[]): Promise<void> {
  const [one, two] = [cluster.node(0), cluster.node(1)];
  await Promise.race([removed(one, 'n3'), removed(two, 'n3')]);
  // Each learns of it from the bucket.
  await expect.poll(() => answering(one)).toEqual(new Set([0, 1]));
  await expect.poll(() => answering(two)).toEqual(new Set([0, 1]));
  await publish(one, 'meanwhile');
  await expect.poll(() => members.slice(0, 2).map(({ events }) => events.at(-1))).toEqual(['meanwhile', 'meanwhile']);
}

/** The third node is one of the cluster again. */
async function isBack(cluster: ThreeNodes): Promise<void> {
  await expect.poll(() => isReady(cluster.node(2))).toBe(true);
  await cluster.joined();
  await Member.join(cluster, 2);
  await expect.poll(() => answering(cluster.node(0))).toEqual(new Set([0, 1, 2]));
  await expect.poll(() => answering(cluster.node(2))).toEqual(new Set([0, 1, 2]));
}

describeNeeds('nats-server', hasNats)('a cluster', () => {
  it('goes on without a node that hangs; when that goes on, it serves nothing that it was asked meanwhile', async () => {
    const cluster = await start();
    const members = await Promise.all([0, 1, 2].map((index) => Member.join(cluster, index)));
    const [, , member] = members as [Member, Member, Member];
    const hung = cluster.node(2);
    hung.signal('SIGSTOP');
    // They wait in its socket.
    member.client.send([16, 3, {}, TOPIC, ['of a node that hung']]);
    member.client.send([48, 4, {}, SHARED]);
    member.client.send([48, 5, {}, SHARED]);
    member.client.send([48, 6, {}, SHARED]);
    await othersGoOn(cluster, members);
    await delay(SILENT_SECONDS * 1000);

    hung.signal('SIGCONT');
    await member.gone;
    expect(member.events).toEqual([]);
    expect(member.messages.filter(([type]) => type === 50)).toEqual([]);
    await isBack(cluster);
    for (const { events } of members) expect(events).not.toContain('of a node that hung');
  });

  it('goes on without a node that is cut off, which closes its clients', async () => {
    const gates: TcpGate[] = [];
    const cluster = await start({
      // Or NATS would tell the node of a way around.
      natsArgs: ['--no_advertise'],
      serversOf: async (index, nats) => {
        if (index !== 2) return nats.urls;
        gates.push(...(await Promise.all(nats.servers.map(({ port }) => TcpGate.open(port)))));
        return gates.map(({ port }) => `nats://127.0.0.1:${port}`);
      },
    });
    ends.push(() => Promise.all(gates.map((gate) => gate.shut())));
    const members = await Promise.all([0, 1, 2].map((index) => Member.join(cluster, index)));
    const [, , member] = members as [Member, Member, Member];
    for (const gate of gates) gate.hold();
    member.client.send([16, 3, {}, TOPIC, ['of a node that is cut off']]);
    await othersGoOn(cluster, members);
    await member.gone;
    expect(member.events).toEqual([]);
    expect(await isReady(cluster.node(2))).toBe(false);

    for (const gate of gates) gate.release();
    await isBack(cluster);
    for (const { events } of members) expect(events).not.toContain('of a node that is cut off');
  });

  it('is there again when all of NATS was gone and is back', async () => {
    const cluster = await start();
    const members = await Promise.all([0, 1, 2].map((index) => Member.join(cluster, index)));
    await Promise.all(cluster.nats.servers.map((server) => server.kill()));
    await Promise.all(members.map(({ gone }) => gone));
    for (const node of cluster.nodes) expect(await isReady(node)).toBe(false);
    await delay(SILENT_SECONDS * 3000);

    await Promise.all(cluster.nats.servers.map((server) => server.start()));
    await expect.poll(() => Promise.all(cluster.nodes.map(isReady))).toEqual([true, true, true]);
    await cluster.joined();
    for (const index of cluster.nodes.keys()) await Member.join(cluster, index);
    for (const node of cluster.nodes) expect(await answering(node)).toEqual(new Set([0, 1, 2]));
  });
});
