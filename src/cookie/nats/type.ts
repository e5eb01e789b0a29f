/** The store type `nats`. NATS is loaded when a store is opened. */
import { CookieStoreError } from '../error.js';
import { NATS_DEFAULTS, natsFilesOf } from '../../engine/nats/schema.js';
import { NatsCookieStore } from './store.js';
import type { CookieStoreDeps, CookieStoreType } from '../store-type.js';
import type { NatsStoreConfig } from './schema.js';

export const natsStore: CookieStoreType<'nats'> = {
  type: 'nats',
  create: storeOf,
  census: async (config, deps) => {
    const store = storeOf(config, deps);
    await store.open();
    try {
      const records = await store.list();
      const { values, damaged } = await store.count();
      return { records, good: values - damaged, damaged, outdated: values - damaged - records.length };
    } finally {
      await store.close();
    }
  },
  place: ({ bucket, servers = [] }) => ({ bucket, servers: servers.join(', ') }),
  privateFiles: natsFilesOf,
  share: {
    key: ({ bucket, servers = [] }) => Promise.resolve(`${bucket} ${[...servers].sort().join(' ')}`),
    // The config check makes sure that all agree.
    join: () => Promise.resolve(),
  },
};

function storeOf({ bucket, servers, ...nats }: NatsStoreConfig, deps: CookieStoreDeps): NatsCookieStore {
  const connect = async () => {
    // The config check sees to that.
    if (servers === undefined) throw new CookieStoreError('it is not said where NATS is');
    const { connectNats } = await import('../../engine/nats/connect.js');
    const neededBy = 'a store of type "nats"';
    return connectNats(
      { ...NATS_DEFAULTS, ...nats, servers },
      { log: deps.log, neededBy, name: `crossbar-ts cookies ${bucket}` },
    );
  };
  const { connect_timeout: seconds = NATS_DEFAULTS.connect_timeout } = nats;
  return new NatsCookieStore(bucket, { ...deps, connect, patienceMs: seconds * 1000 });
}
