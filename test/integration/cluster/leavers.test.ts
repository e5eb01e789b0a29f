/** Whoever dies with a node is told to have left: three daemons over NATS. */
import { afterEach, expect, it } from 'vitest';

import { startDaemon } from '../../support/daemon.js';
import type { Daemon } from '../../support/daemon.js';
import { hasNats, NatsServers } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { nodeConfig, openRealm } from '../../support/node-config.js';
import { WampClient } from '../../support/wamp-client.js';

const [SUBSCRIBED, EVENT] = [33, 36];
const TIMES = { heartbeat: 200, suspect_after: 4000, fence_after: 4000, remove_after: 5000 };

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function started(node: string, servers: readonly string[]): Promise<Daemon> {
  const config = nodeConfig({ realms: [{ ...openRealm('realm1'), cluster: true }] });
  const daemon = await startDaemon({ config: { ...config, cluster: { type: 'nats', node, servers, ...TIMES } } });
  ends.push(() => daemon.dispose());
  return daemon;
}

const join = (daemon: Daemon): Promise<WampClient> => WampClient.join(daemon.url('/ws', 'ws'));

/** @returns the id of each session that is there. */
async function list(client: WampClient, request: number): Promise<readonly number[]> {
  const [, , , args] = await client.ask([48, request, {}, 'wamp.session.list']);
  return (args as [number[]])[0];
}

describeNeeds('nats-server', hasNats)('a node that is killed', () => {
  it('takes its sessions with it, and the subscribers at the others hear who they were', async () => {
    const nats = await NatsServers.start(1);
    ends.push(() => nats.stop());
    const [one, two, three] = [
      await started('n1', nats.urls),
      await started('n2', nats.urls),
      await started('n3', nats.urls),
    ];
    const early = await join(one);
    const ofEarly = await list(early, 1);
    const watchers = [await join(two), await join(two), await join(three)];
    for (const watcher of watchers) {
      expect((await watcher.ask([32, 1, {}, 'wamp.session.on_leave']))[0]).toBe(SUBSCRIBED);
    }
    const others = new Set(await list(early, 2));
    const late = await join(one);
    const ofLate = (await list(late, 1)).filter((id) => !others.has(id));
    const told = [];
    for (const id of [...ofEarly, ...ofLate]) {
      const [, , , args] = await early.ask([48, 3 + told.length, {}, 'wamp.session.get', [id]]);
      const [{ authid, authrole }] = args as [{ authid: string; authrole: string }];
      told.push([id, authid, authrole]);
    }
    expect(told).toHaveLength(2);
    one.signal('SIGKILL');
    for (const watcher of watchers) {
      const events = [await watcher.next(), await watcher.next()];
      expect(events.map(([type]) => type)).toEqual([EVENT, EVENT]);
      expect(events.map(([, , , , args]) => args).sort()).toEqual([...told].sort());
      // Nothing else comes before the answer.
      expect([...(await list(watcher, 2))].sort()).toEqual([...others].filter((id) => id !== ofEarly[0]).sort());
    }
  });
});
