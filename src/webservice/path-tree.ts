/**
 * The one walk over a path tree in the config: what stands where. Code that asks something of all services of a transport
 * starts here.
 */
import type { PathServiceConfig, PathsConfig } from './schema.js';

/** A service and where it is. */
export interface MountedService {
  /** The URL path, without trailing slash except for the root: `/`, `/ws`, `/a/b`. */
  readonly path: string;
  readonly service: PathServiceConfig;
  /** The service is a level of the tree: it answers nothing itself, and the services below follow. */
  readonly isLevel: boolean;
}

/** Every service of a tree in config order, a level before what is below it. */
export function* walkPaths(paths: PathsConfig, above = ''): Generator<MountedService> {
  for (const [key, service] of Object.entries(paths)) {
    const path = key === '/' ? above : `${above}/${key}`;
    const isLevel = service.type === 'path';
    yield { path: path === '' ? '/' : path, service, isLevel };
    if (isLevel) yield* walkPaths(service.paths, path);
  }
}

/** The services of a tree that answer requests. */
export function answeringServices(paths: PathsConfig): MountedService[] {
  return [...walkPaths(paths)].filter(({ isLevel }) => !isLevel);
}

/** The paths of a tree that accept WebSocket connections, such as `/ws`. */
export function webSocketPathsOf(paths: PathsConfig): string[] {
  return answeringServices(paths).flatMap(({ path, service }) => (service.type === 'websocket' ? [path] : []));
}
