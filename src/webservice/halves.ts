/**
 * The two halves of a transport with paths, see `transport/apart/halves.ts`. A front serves what needs no router, and where no `cookie`
 * section is in force. All other requests go on to the router, which serves the same tree on its socket file: it is told where the client is
 * (`http/front-head.ts`).
 */
import { placeHalves, routerEndpoint, withoutSecrets } from '../transport/apart/halves.js';
import { otherHalf } from './proxy/other-half.js';
import type { Halves } from '../transport/apart/halves.js';
import type { PathServiceConfig, PathsConfig, WebTransportConfig } from './schema.js';
import type { WebFamilies, WebServiceType } from './service.js';
import type { UniversalTransportConfig } from './universal/schema.js';

/** Where a service stands: whether a `cookie` section is in force there. */
interface Surroundings {
  readonly socket: string;
  readonly isTracked: boolean;
  readonly families: Pick<WebFamilies, 'services'>;
}

/** @returns the halves of a transport of type `web`. */
export function webHalves(
  config: WebTransportConfig,
  socket: string,
  families: Pick<WebFamilies, 'services'>,
): Halves<WebTransportConfig> {
  const { atFront, atRouter } = treeHalves(config, socket, families);
  return { atFront, atRouter: { ...atRouter, endpoint: routerEndpoint(socket) } };
}

/** @returns the halves of a transport of type `universal`; undefined where it has clients whose sessions are no sessions of WAMP. */
export function universalHalves(
  config: UniversalTransportConfig,
  socket: string,
  families: Pick<WebFamilies, 'services'>,
): Halves<UniversalTransportConfig> | undefined {
  if (config.mqtt !== undefined) return undefined;
  const web = treeHalves(config.web, socket, families);
  const raw = config.rawsocket && placeHalves(config.rawsocket);
  const webSockets = Object.entries(config.websocket).map(([key, place]) => [key, placeHalves(place)] as const);
  const half = (side: keyof Halves<object>): UniversalTransportConfig => ({
    ...config,
    ...(raw !== undefined && { rawsocket: raw[side] }),
    websocket: Object.fromEntries(webSockets.map(([key, halves]) => [key, halves[side]])),
    web: web[side],
  });
  return { atFront: half('atFront'), atRouter: { ...half('atRouter'), endpoint: routerEndpoint(socket) } };
}

/** A tree of paths, and what is in force for all of them. */
type Tree = Pick<WebTransportConfig, 'cookie' | 'paths'>;

function treeHalves<T extends Tree>(tree: T, socket: string, families: Pick<WebFamilies, 'services'>): Halves<T> {
  const paths = pathsHalves(tree.paths, '', { socket, families, isTracked: tree.cookie !== undefined });
  return {
    atFront: { ...withoutSecrets(tree), paths: paths.atFront },
    atRouter: { ...tree, paths: paths.atRouter },
  };
}

function pathsHalves(paths: PathsConfig, above: string, around: Surroundings): Halves<PathsConfig> {
  const all = Object.entries(paths).map(([key, service]) => {
    const path = key === '/' ? above : `${above}/${key}`;
    const isTracked = around.isTracked || service.cookie !== undefined;
    return [key, serviceHalves(service, path, { ...around, isTracked })] as const;
  });
  const side = (of: keyof Halves<object>): PathsConfig =>
    Object.fromEntries(all.map(([key, halves]) => [key, halves[of]]));
  return { atFront: side('atFront'), atRouter: side('atRouter') };
}

function serviceHalves(service: PathServiceConfig, path: string, around: Surroundings): Halves<PathServiceConfig> {
  if (service.type === 'path') {
    const paths = pathsHalves(service.paths, path, around);
    const atFront = { ...withoutSecrets(service), paths: paths.atFront };
    return { atFront, atRouter: { ...service, paths: paths.atRouter } };
  }
  const { atFront }: WebServiceType = around.families.services[service.type];
  if (atFront === 'always') return placeHalves(service);
  if (atFront === 'untracked' && !around.isTracked) return { atFront: service, atRouter: service };
  return { atFront: otherHalf(path === '' ? '/' : path, around.socket), atRouter: service };
}
