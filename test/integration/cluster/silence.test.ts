/**
 * A node that hangs, and one that is cut off: whoever may not serve any more serves nothing, closes its clients so that they go elsewhere,
 * and comes back by itself.
 */
import { afterEach, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { hasNats } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import {
  Member,
  SHARED,
  SILENT_SECONDS,
  TOPIC,
  isBack,
  isReady,
  othersGoOn,
  startSilent,
} from '../../support/silent-nodes.js';
import { TcpGate } from '../../support/tcp-gate.js';
import type { ThreeNodes, ThreeNodesOptions } from '../../support/three-nodes.js';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function start(options: ThreeNodesOptions = {}): Promise<ThreeNodes> {
  const cluster = await startSilent(options);
  ends.push(() => cluster.dispose());
  return cluster;
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
});
