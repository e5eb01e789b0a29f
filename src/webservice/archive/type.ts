/** The config word `archive`. */
import { onDemand } from '../on-demand.js';
import type { ArchiveConfig } from './schema.js';

/** Options: see `schema.ts`. */
export const archiveServiceType = onDemand<ArchiveConfig>({
  type: 'archive',
  atFront: 'untracked',
  load: async () => (await import('./archive.js')).createArchive,
});
