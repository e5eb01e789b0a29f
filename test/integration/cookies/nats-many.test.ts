/**
 * Many cookies in NATS: whoever reads, lists or erases them lets others have their turn. `MANY_COOKIES` says how many; with a hundred
 * thousand it takes a minute.
 */
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { encodeVersion, hashOf, versionKey } from '../../../src/cookie/nats/values.js';
import { connectNats } from '../../../src/engine/nats/connect.js';
import { silentLogger } from '../../../src/log/logger.js';
import { natsStoreOn } from '../../support/cookie-nats.js';
import { cookieId, cookieRecord, JOE } from '../../support/cookie-store.js';
import { runCli, startDaemon } from '../../support/daemon.js';
import { hasNats, NatsServers } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { nodeConfig } from '../../support/node-config.js';
import { WampClient } from '../../support/wamp-client.js';
import type { NatsCookieStore } from '../../../src/cookie/nats/store.js';

const COUNT = Number(process.env.MANY_COOKIES ?? 20_000);
/** Of them: each takes a question to NATS. */
const EXPIRED = 1000;
const LONG_AGO = '2020-01-01T00:00:00.000Z';

/** The longest that the loop may be kept to one thing, in milliseconds of processor time. */
const LONGEST_TURN_MS = 50;
/** The first round has the code compiled; garbage, and a machine that has others to serve, cost least in the best one. */
const ROUNDS = 3;

interface TurnWatch {
  take(): number;
  stop(): void;
}

async function turnWatch(): Promise<TurnWatch> {
  const file = pathToFileURL(path.resolve(import.meta.dirname, '../../../bench/turn-watch.js')).href;
  const { TurnWatch } = (await import(file)) as { TurnWatch: new () => TurnWatch };
  return new TurnWatch();
}

describeNeeds('nats-server', hasNats)('many cookies in NATS', () => {
  let nats: NatsServers;
  beforeAll(async () => {
    nats = await NatsServers.start(1);
    await fill('live', 0, COUNT, new Date().toISOString());
  });
  afterAll(() => nats.stop());

  function storeIn(bucket: string): NatsCookieStore {
    const config = { servers: nats.urls, max_pending: 16_777_216, connect_timeout: 10 };
    const deps = { log: silentLogger(), neededBy: 'a test', name: 'test', answerMs: 30_000 };
    return natsStoreOn(() => connectNats(config, deps), bucket, Date.now);
  }

  async function fill(bucket: string, from: number, count: number, created: string): Promise<void> {
    const store = storeIn(bucket);
    await store.open();
    await store.close();
    const connection = await connect({ servers: [...nats.urls] });
    const client = jetstream(connection, { timeout: 60_000 });
    const put = (n: number) => {
      const cbtid = cookieId(n);
      const value = encodeVersion(cookieRecord(cbtid, { created, auth: n % 2 === 0 ? JOE : null }));
      return client.publish(`$KV.${bucket}.${versionKey(hashOf(cbtid), 0)}`, value);
    };
    for (let n = from; n < from + count; n += 1000) {
      await Promise.all(Array.from({ length: Math.min(1000, from + count - n) }, (_, index) => put(n + index)));
    }
    await connection.close();
  }

  it('are read and erased in short turns', async () => {
    const turns = await turnWatch();
    const opening: number[] = [];
    const erasing: number[] = [];
    try {
      for (let round = 0; round < ROUNDS; round += 1) {
        await fill('live', COUNT, EXPIRED, LONG_AGO);
        const store = storeIn('live');
        turns.take();
        await store.open();
        opening.push(turns.take());
        expect(await store.entries()).toBe(COUNT + EXPIRED);
        turns.take();
        expect(await store.compact()).toEqual({ before: COUNT + EXPIRED, after: COUNT });
        erasing.push(turns.take());
        await store.close();
      }
    } finally {
      turns.stop();
    }
    expect(Math.min(...opening)).toBeLessThan(LONGEST_TURN_MS);
    expect(Math.min(...erasing)).toBeLessThan(LONGEST_TURN_MS);
  });

  it('are listed, by a command and by a procedure, in short turns of a node', async () => {
    const roles = [{ name: 'anonymous', permissions: [{ uri: 'crossbar.', match: 'prefix', allow: { call: true } }] }];
    const cookie = { store: { type: 'nats', bucket: 'live', servers: nats.urls } };
    const config = nodeConfig({ realms: [{ name: 'realm1', roles }], websocket: { cookie } });
    const node = await startDaemon({ config, probed: true });
    try {
      const operator = await WampClient.join(node.url('/ws', 'ws'));
      const byCommand: number[] = [];
      const byProcedure: number[] = [];
      await node.ask('longest-turn');
      for (let round = 0; round < ROUNDS; round += 1) {
        const listed = await runCli(['cookies', 'list', '--cbdir', node.cbdir, '--json']);
        byCommand.push(await node.ask<number>('longest-turn'));
        expect(listed.stdout.split('\n').length).toBeGreaterThan(COUNT);
        const offset = COUNT - 10;
        const page = (await operator.ask([48, round + 1, {}, 'crossbar.cookie.list', [], { limit: 100, offset }])) as [
          number,
          number,
          object,
          [object[]],
        ];
        byProcedure.push(await node.ask<number>('longest-turn'));
        // With that of the operator.
        expect(page[3][0]).toHaveLength(11);
      }
      expect(Math.min(...byCommand)).toBeLessThan(LONGEST_TURN_MS);
      expect(Math.min(...byProcedure)).toBeLessThan(LONGEST_TURN_MS);
    } finally {
      await node.dispose();
    }
  });
});
