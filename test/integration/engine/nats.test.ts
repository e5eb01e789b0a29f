/** The engine over NATS keeps the contract of engines: with one server, and with three. */
import { connect } from '@nats-io/transport-node';
import type { Engine } from '../../../src/engine/engine.js';
import { NatsEngine } from '../../../src/engine/nats/engine.js';
import { natsPackages } from '../../../src/engine/nats/packages.js';
import { engineContract } from '../../contract/engine.js';
import { hasNats, NatsServers } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { TcpGate } from '../../support/tcp-gate.js';

describeNeeds('nats-server', hasNats)('over NATS', () => {
  for (const count of [1, 3] as const) {
    engineContract({
      name: `nats, ${count} server${count === 1 ? '' : 's'}`,
      start: async () => {
        const packages = await natsPackages('the tests');
        const nats = await NatsServers.start(count);
        const gates = new Map<Engine, TcpGate>();
        let next = 0;
        return {
          connect: async () => {
            // Each node to a server of its own.
            const server = nats.servers[next++ % count];
            const gate = await TcpGate.open(server?.port ?? 0);
            const connection = await connect({
              servers: [`127.0.0.1:${gate.port}`],
              ignoreClusterUpdates: true,
              maxReconnectAttempts: -1,
              reconnectTimeWait: 20,
              inboxPrefix: 'w.test.inbox',
            });
            const engine = await NatsEngine.over(packages, connection, {
              replicas: nats.replicas,
              inboxPrefix: 'w.test.inbox',
              timeoutMs: 10_000,
              maxPendingBytes: 16_777_216,
            });
            gates.set(engine, gate);
            return engine;
          },
          cut: async (engine) => {
            const gate = gates.get(engine);
            await gate?.shut();
            return () => gate?.reopen();
          },
          lose: () => nats.lose(),
          stop: async () => {
            for (const gate of gates.values()) await gate.shut();
            await nats.stop();
          },
        };
      },
    });
  }
});
