/** The workers we ship: config word -> worker. A new one is a file of its own and a line here. And all families together. */
import { AUTH_METHODS } from '../auth/registry.js';
import { COMPONENTS } from '../component/registry.js';
import { COOKIE_STORES } from '../cookie/registry.js';
import { SERIALIZERS } from '../serializer/registry.js';
import { WEB_SERVICES } from '../webservice/registry.js';
import { containerWorkerType } from './container/container-worker.js';
import { guestWorkerType } from './guest/guest-worker.js';
import { proxyWorkerType } from './proxy/proxy-worker.js';
import { routerWorkerType } from './router-worker.js';
import { testeeWorkerType } from './testee/testee-worker.js';
import { TRANSPORTS } from './transports.js';
import type { CookieStoreTypes } from '../cookie/store-type.js';
import type { WorkerFamilies } from './families.js';
import type { WorkerConfig } from './schema.js';
import type { WorkerType } from './worker.js';

/** A worker for every word of the config. */
export type WorkerTypes = {
  readonly [T in WorkerConfig['type']]: WorkerType<Extract<WorkerConfig, { readonly type: T }>>;
};

/** The workers that we ship. */
export const WORKERS: WorkerTypes = {
  router: routerWorkerType,
  container: containerWorkerType,
  guest: guestWorkerType,
  proxy: proxyWorkerType,
  'websocket-testee': testeeWorkerType,
};

/** What the words of a config stand for: all that code of a node is chosen by. */
export interface Families extends WorkerFamilies {
  readonly workers: WorkerTypes;
  readonly stores: CookieStoreTypes;
}

/** What we ship. */
export const SHIPPED: Families = {
  workers: WORKERS,
  transports: TRANSPORTS,
  services: WEB_SERVICES,
  components: COMPONENTS,
  stores: COOKIE_STORES,
  methods: AUTH_METHODS,
  serializers: SERIALIZERS,
};

/** @returns the kind of a worker. */
export function workerTypeOf({ type }: WorkerConfig, { workers }: Families): WorkerType<WorkerConfig> {
  return workers[type];
}
