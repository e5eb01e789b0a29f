/** The config word `upload`. */
import { onDemand } from '../on-demand.js';
import type { UploadConfig } from './schema.js';

/** Options: see `schema.ts`. */
export const uploadServiceType = onDemand<UploadConfig>({
  ...{ type: 'upload', keepsRunning: true },
  times: ({ options }) => ({ bodyMs: options.chunk_timeout * 1000 }),
  load: async () => (await import('./upload.js')).createUpload,
});
