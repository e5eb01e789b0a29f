/** The config word `mqtt` of a path. */
import { onDemand } from '../on-demand.js';
import type { MqttServiceConfig } from './schema.js';

/** Options: see `schema.ts`. */
export const mqttServiceType = onDemand<MqttServiceConfig>({
  ...{ type: 'mqtt', upgrades: true },
  times: ({ options }) => ({ headersMs: options.open_handshake_timeout }),
  load: async () => (await import('./service.js')).createMqttService,
});
