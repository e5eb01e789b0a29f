/** The config words `wsgi` and `resource`. */
import { onDemand } from '../on-demand.js';
import { BODY_MS } from '../proxy/type.js';
import type { ResourceConfig, WsgiConfig } from './schema.js';

/** Options: see `schema.ts`. */
export const wsgiServiceType = onDemand<WsgiConfig>({
  ...{ type: 'wsgi', keepsRunning: true },
  times: () => ({ bodyMs: BODY_MS }),
  load: async () => (await import('./application.js')).createWsgi,
});

/** Options: see `schema.ts`. */
export const resourceServiceType = onDemand<ResourceConfig>({
  ...{ type: 'resource', keepsRunning: true },
  times: () => ({ bodyMs: BODY_MS }),
  load: async () => (await import('./application.js')).createResource,
});
