/** The config word `monitor`. */
import { onDemand } from '../on-demand.js';
import type { MonitorServiceConfig } from './schema.js';

/** Options: see `schema.ts`. */
export const monitorServiceType = onDemand<MonitorServiceConfig>({
  ...{ type: 'monitor', upgrades: true },
  times: ({ options }) => ({ headersMs: options.open_handshake_timeout }),
  load: async () => (await import('./monitor.js')).createMonitorService,
});
