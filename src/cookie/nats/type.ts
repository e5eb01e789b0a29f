/** The store type `nats`. NATS is loaded when a store is opened. */
import { CookieStoreError } from '../error.js';
import { NatsCookieStore } from './store.js';
import type { CookieStoreType } from '../store-type.js';

export const natsStore: CookieStoreType<'nats'> = {
  type: 'nats',
  create: ({ bucket, servers, ...nats }, deps) =>
    new NatsCookieStore(bucket, {
      ...deps,
      connect: async () => {
        // The config check sees to that.
        if (servers === undefined) throw new CookieStoreError('it is not said where NATS is');
        const { connectNats } = await import('../../engine/nats/connect.js');
        const neededBy = 'a store of type "nats"';
        return connectNats({ ...nats, servers }, { log: deps.log, neededBy, name: `crossbar-ts cookies ${bucket}` });
      },
    }),
  isRemote: true,
  place: ({ bucket, servers = [] }) => ({ bucket, servers: servers.join(', ') }),
  share: {
    key: ({ bucket, servers = [] }) => Promise.resolve(`${bucket} ${[...servers].sort().join(' ')}`),
    // The config check makes sure that all agree.
    join: () => Promise.resolve(),
  },
};
