/** What a watch asks the leader of a stream for, and where NATS says that a consumer is: asked of three real servers. */
import { connect } from '@nats-io/transport-node';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { NatsEngine } from '../../../src/engine/nats/engine.js';
import { Leader } from '../../../src/engine/nats/leader.js';
import { natsPackages } from '../../../src/engine/nats/packages.js';
import { hasNats, NatsServers } from '../../support/nats.js';
import type { NatsServer } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';

const STREAM = 'KV_of_test';
const OPTIONS = { inboxPrefix: '_INBOX.test', timeoutMs: 10_000, maxPendingBytes: 16_777_216 };

describeNeeds('nats-server', hasNats)('of three servers of NATS', () => {
  let nats: NatsServers;
  let engine: NatsEngine;
  beforeEach(async () => {
    nats = await NatsServers.start(3);
  });
  afterEach(async () => {
    await engine.close();
    await nats.stop();
  });

  it('the leader gives one change after the other, and a consumer has a server', async () => {
    const packages = await natsPackages('the tests');
    const connection = await connect({ servers: [`127.0.0.1:${nats.servers[0]?.port}`] });
    const manager = await packages.jetstream.jetstreamManager(connection);
    engine = await NatsEngine.over(packages, connection, {
      ...{ replicas: 3, ...OPTIONS },
    });
    const bucket = await engine.bucket('of_test', { durable: true });
    const leader = new Leader({ manager, stream: STREAM, prefix: '$KV.of_test.' });
    expect([await leader.last(), await leader.next(1)]).toEqual([0, null]);

    const first = await bucket.put('a', new Uint8Array([1]));
    await bucket.put('b', new Uint8Array([2]));
    await bucket.put('c', new Uint8Array([3]));
    // The stream has the last change of each key only: the numbers have gaps.
    const changed = await bucket.put('b', new Uint8Array([4]));
    const gone = await bucket.delete('c');
    expect(await leader.last()).toBe(gone);
    const read: [string, number, number[]][] = [];
    for (let seq = 1; ;) {
      const message = await leader.next(seq);
      if (message === null || message === undefined) break;
      read.push([message.subject, message.seq, [...message.data]]);
      seq = message.seq + 1;
    }
    expect(read).toEqual([
      ['$KV.of_test.a', first, [1]],
      ['$KV.of_test.b', changed, [4]],
      ['$KV.of_test.c', gone, []],
    ]);

    const { cluster } = await manager.consumers.add(STREAM, { name: 'one', num_replicas: 1, ack_policy: 'none' });
    const { cluster: all } = await manager.streams.info(STREAM);
    expect([all?.leader, ...(all?.replicas ?? []).map(({ name }) => name)]).toContain(cluster?.leader);
  });
});

describeNeeds('nats-server', hasNats)('a server that comes back with what it had earlier', () => {
  it.each([
    ['with less than was told', 0],
    ['with other changes in the place of those that were told', 3],
  ])('%s: the watch says that some is lost', async (_, others) => {
    const packages = await natsPackages('the tests');
    const nats = await NatsServers.start(1);
    const [server] = nats.servers;
    const connection = await connect({ servers: [server?.url ?? ''], maxReconnectAttempts: -1, reconnectTimeWait: 20 });
    const engine = await NatsEngine.over(packages, connection, { replicas: 1, ...OPTIONS });
    try {
      const bucket = await engine.bucket('of_test', { durable: true });
      await bucket.put('before', new Uint8Array([1]));
      const up = (): Promise<void> => new Promise((resolve) => engine.onLink((isUp) => isUp && resolve()));
      const backUp = up();
      await server?.kill('SIGTERM');
      const setBack = await server?.copy();
      await server?.start();
      await backUp;
      let tell = (_loss: string): void => undefined;
      const lost = new Promise((resolve) => (tell = resolve));
      let hear = (): void => undefined;
      const told = new Promise<void>((resolve) => (hear = resolve));
      await bucket.watch(
        ({ key }) => key === 'lost_too' && hear(),
        (loss) => tell(loss),
      );
      for (const key of ['lost', 'lost_too']) await bucket.put(key, new Uint8Array([2]));
      // What was put is told a moment later: a watch that never heard of it does not miss it.
      await told;
      await server?.kill();
      await setBack?.();
      // Somebody else writes before this node is there again.
      if (others > 0) await writeElsewhere(server, others);
      else await server?.start();
      expect(await lost).toBe('some');
    } finally {
      await engine.close();
      await nats.stop();
    }
  });
});

/** Starts a server, and changes its bucket before whoever had a link to it is back. */
async function writeElsewhere(server: NatsServer | undefined, count: number): Promise<void> {
  await server?.start();
  const packages = await natsPackages('the tests');
  const connection = await connect({ servers: [server?.url ?? ''] });
  const engine = await NatsEngine.over(packages, connection, { replicas: 1, ...OPTIONS });
  const bucket = await engine.bucket('of_test', { durable: true });
  for (let n = 0; n < count; n += 1) await bucket.put(`other${n}`, new Uint8Array([3]));
  await engine.close();
}
