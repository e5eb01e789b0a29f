/**
 * What of a node no web service may hand out, wherever it lies: the node directory with the config, keys and pid file in it,
 * and what the config keeps elsewhere.
 */
import { cookieSectionsOf } from './summarize.js';
import type { LoadedConfig } from '../config/load.js';

/** @returns files and directories, absolute. */
export function privatePathsOf({ config, file }: LoadedConfig, cbdir: string): string[] {
  const stores = cookieSectionsOf(config.workers).flatMap(({ store }) => {
    if (store.type === 'file') return [store.filename];
    return store.type === 'database' ? [store.path] : [];
  });
  const keys = config.workers.flatMap(({ transports }) =>
    transports.flatMap(({ endpoint }) =>
      endpoint.type === 'tcp' && endpoint.tls !== undefined ? [endpoint.tls.key] : [],
    ),
  );
  return [...new Set([cbdir, file, ...stores, ...keys])];
}
