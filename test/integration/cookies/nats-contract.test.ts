/** The contract of all stores, for the store `nats`: over one server, and over three. */
import { afterAll, beforeAll, describe } from 'vitest';

import { connectNats } from '../../../src/engine/nats/connect.js';
import { silentLogger } from '../../../src/log/logger.js';
import { cookieStoreContract } from '../../contract/cookie-store.js';
import { natsPlace } from '../../support/cookie-nats.js';
import { hasNats, NatsServers } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';

describeNeeds('nats-server', hasNats)('over NATS', () => {
  for (const count of [1, 3] as const) {
    describe(count === 1 ? 'one server' : 'three servers', () => {
      let nats: NatsServers;
      let buckets = 0;
      beforeAll(async () => {
        nats = await NatsServers.start(count);
      }, 30_000);
      afterAll(() => nats.stop());

      cookieStoreContract(`nats, ${count}`, { persistent: true, shared: true }, () => {
        buckets += 1;
        const config = { servers: nats.urls, max_pending: 16_777_216, connect_timeout: 10 };
        const deps = { log: silentLogger(), neededBy: 'a test', name: 'test', answerMs: 30_000 };
        return Promise.resolve(natsPlace(() => connectNats(config, deps), `cookies${buckets}`));
      });
    });
  }
});
