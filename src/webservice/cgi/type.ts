/** The config word `cgi`. */
import { onDemand } from '../on-demand.js';
import type { CgiConfig } from './schema.js';

/** Options: see `schema.ts`. */
export const cgiServiceType = onDemand<CgiConfig>({
  type: 'cgi',
  times: ({ options }) => ({ bodyMs: options.timeout * 1000 }),
  load: async () => (await import('./cgi.js')).createCgi,
});
