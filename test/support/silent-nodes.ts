/** Members of a cluster whose nodes fall silent: short times, a client on each node, and what must be while one is away and when it is back. */
import { expect } from 'vitest';
import type { Daemon } from './daemon.js';
import { LOOPBACK, nodeConfig } from './node-config.js';
import { ThreeNodes } from './three-nodes.js';
import type { ThreeNodesOptions } from './three-nodes.js';
import { ConnectionClosed, WampClient } from './wamp-client.js';
import type { JoinedClient } from './wamp-client.js';

const TIMINGS = { heartbeat: 300, suspect_after: 1500, fence_after: 1500, remove_after: 2500 };

/** How long a node hangs beyond its removal, and NATS is away beyond the fence, in seconds. */
export const SILENT_SECONDS = Number(process.env['CLUSTER_SILENT_SECONDS'] ?? '0');

export const SHARED = 'com.example.shared';
export const TOPIC = 'com.example.topic';

/** Starts three nodes of these times. */
export async function startSilent(options: ThreeNodesOptions = {}): Promise<ThreeNodes> {
  const config = nodeConfig({
    transport: { endpoint: { ...LOOPBACK, port: '$PORT' } },
    paths: { readyz: { type: 'readyz' } },
  });
  return ThreeNodes.start(config, { timings: TIMINGS, ...options });
}

/** A client that is subscribed, and a callee of the shared procedure, which answers with the number of its node. */
export class Member {
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
export async function answering(node: Daemon): Promise<ReadonlySet<unknown>> {
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

/** Whether a node says that it serves. */
export async function isReady(node: Daemon): Promise<boolean> {
  return (await fetch(node.url('/readyz'))).status === 200;
}

/** The third node has gone from the two others, which remove it and go on; nothing of it is served, in either direction. */
export async function othersGoOn(cluster: ThreeNodes, members: readonly Member[]): Promise<void> {
  const [one, two] = [cluster.node(0), cluster.node(1)];
  await Promise.race([removed(one, 'n3'), removed(two, 'n3')]);
  // Each learns of it from the bucket.
  await expect.poll(() => answering(one)).toEqual(new Set([0, 1]));
  await expect.poll(() => answering(two)).toEqual(new Set([0, 1]));
  await publish(one, 'meanwhile');
  await expect.poll(() => members.slice(0, 2).map(({ events }) => events.at(-1))).toEqual(['meanwhile', 'meanwhile']);
}

/** The third node is one of the cluster again. */
export async function isBack(cluster: ThreeNodes): Promise<void> {
  await expect.poll(() => isReady(cluster.node(2))).toBe(true);
  await cluster.joined();
  await Member.join(cluster, 2);
  await expect.poll(() => answering(cluster.node(0))).toEqual(new Set([0, 1, 2]));
  await expect.poll(() => answering(cluster.node(2))).toEqual(new Set([0, 1, 2]));
}
