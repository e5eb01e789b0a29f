/** The stores of web sessions that a config can name: word -> store. */
import { dynamic } from './dynamic-store.js';
import { file } from './file-store.js';
import { http } from './http-store.js';
import { redis } from './redis-store.js';
import type { SessionStore, SessionStoreType, StoreDeps } from './store.js';
import type { SessionStoreConfig } from './store-schema.js';

const SESSION_STORES: Readonly<Record<SessionStoreConfig['type'], SessionStoreType<never>>> = {
  redis,
  file,
  http,
  dynamic,
};

/** @throws (rejects) see {@link SessionStoreType.create}. */
export function createSessionStore(config: SessionStoreConfig, deps: StoreDeps): Promise<SessionStore> {
  return SESSION_STORES[config.type].create(config as never, deps);
}
