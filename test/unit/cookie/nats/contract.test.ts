/** The contract of all stores, for the store `nats` over an engine in memory. */
import { MemoryHub } from '../../../../src/engine/memory/hub.js';
import { cookieStoreContract } from '../../../contract/cookie-store.js';
import { natsPlace } from '../../../support/cookie-nats.js';

cookieStoreContract('nats, over an engine in memory', { persistent: true, shared: true }, () => {
  const hub = new MemoryHub();
  return Promise.resolve(natsPlace(() => Promise.resolve(hub.connect())));
});
