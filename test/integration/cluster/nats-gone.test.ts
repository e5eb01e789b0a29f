/** All of NATS is gone, and comes back: nobody serves meanwhile, and all nodes are one cluster again by themselves. */
import { afterEach, expect, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { hasNats } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { Member, SILENT_SECONDS, answering, isReady, startSilent } from '../../support/silent-nodes.js';
import type { ThreeNodes } from '../../support/three-nodes.js';

let cluster: ThreeNodes | undefined;
afterEach(async () => {
  await cluster?.dispose();
  cluster = undefined;
});

describeNeeds('nats-server', hasNats)('a cluster', () => {
  it('is there again when all of NATS was gone and is back', async () => {
    cluster = await startSilent();
    const { nodes, nats } = cluster;
    const all = cluster;
    const members = await Promise.all([0, 1, 2].map((index) => Member.join(all, index)));
    await Promise.all(nats.servers.map((server) => server.kill()));
    await Promise.all(members.map(({ gone }) => gone));
    for (const node of nodes) expect(await isReady(node)).toBe(false);
    await delay(SILENT_SECONDS * 3000);

    await Promise.all(nats.servers.map((server) => server.start()));
    await expect.poll(() => Promise.all(nodes.map(isReady))).toEqual([true, true, true]);
    await cluster.joined();
    for (const index of nodes.keys()) await Member.join(cluster, index);
    for (const node of nodes) expect(await answering(node)).toEqual(new Set([0, 1, 2]));
  });
});
