/** The path tree of a web transport, walked. */
import type { PathServiceConfig, PathsConfig } from './schema.js';

/** A service that is no level of the tree itself. */
export interface MountedService {
  /** `/`, or `/a/b` without a slash at the end. */
  readonly path: string;
  readonly service: PathServiceConfig;
}

/** @returns all services of a tree with the URL path that each is mounted on, in the order of the config. */
export function* mountedServices(paths: PathsConfig, above = ''): Generator<MountedService> {
  for (const [key, service] of Object.entries(paths)) {
    const path = key === '/' ? above : `${above}/${key}`;
    if (service.type === 'path') yield* mountedServices(service.paths, path);
    else yield { path: path === '' ? '/' : path, service };
  }
}
