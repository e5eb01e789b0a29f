/**
 * The config of a node that stands alone, with the connections of its clients in processes of their own: the transports of each router
 * worker are those of a proxy worker in front of it, which has routes for all realms and roles. What fronts cannot have (clients of MQTT on
 * sockets, sockets of systemd) stays with the router.
 */

/** How many fronts each of these proxy workers has. */
export const FRONTS = 2;

/** The role that no config names. */
const TRUSTED = 'trusted';

interface Transport {
  readonly type: string;
  readonly endpoint?: { readonly type: string; readonly shared?: boolean };
  readonly mqtt?: unknown;
}

interface Worker {
  readonly type: string;
  readonly id?: string;
  readonly options?: { readonly disabled?: boolean };
  readonly realms?: readonly { readonly name: string; readonly roles?: readonly { readonly name: string }[] }[];
  readonly transports?: readonly Transport[];
}

/** @returns the same node with fronts; undefined where it has nothing that could be in fronts, or proxy workers of its own. */
export function behindFronts(config: object): object | undefined {
  const { workers } = config as { readonly workers?: readonly Worker[] };
  if (workers === undefined || workers.some(({ type }) => type === 'proxy')) return undefined;
  const split = workers.map((worker, index) => splitWorker(worker, index));
  const proxies = split.flatMap(({ proxy }) => (proxy === undefined ? [] : [proxy]));
  if (proxies.length === 0) return undefined;
  return { ...config, workers: [...split.map(({ router }) => router), ...proxies] };
}

function splitWorker(worker: Worker, index: number): { readonly router: object; readonly proxy?: object } {
  const { type, transports = [], options = {} } = worker;
  const moving = type === 'router' && options.disabled !== true ? transports.filter((one) => canBeInFronts(one)) : [];
  if (moving.length === 0) return { router: worker };
  const file = { type: 'unix', path: routerSocket(index) };
  const own = { type: 'rawsocket', endpoint: file, serializers: ['json'] };
  return {
    router: { ...worker, transports: [own, ...transports.filter((one) => !moving.includes(one))] },
    proxy: {
      ...{ type: 'proxy', id: `fronts${index}`, instances: FRONTS },
      connections: { router: { transport: { type: 'rawsocket', endpoint: file } } },
      routes: routesTo(worker),
      transports: moving,
    },
  };
}

/** The socket file of a router, which names it to its proxy. */
function routerSocket(index: number): string {
  return `router${index}.sock`;
}

/** @returns whether a transport that started is the one that only names a router. */
export function isRouterSocket(endpoint: unknown): boolean {
  return typeof endpoint === 'string' && /router\d+\.sock/.test(endpoint);
}

function canBeInFronts({ endpoint, mqtt, type }: Transport): boolean {
  if (endpoint?.shared === true || endpoint?.type === 'systemd') return false;
  return mqtt === undefined && ['web', 'websocket', 'rawsocket', 'universal'].includes(type);
}

function routesTo({ realms = [] }: Worker): object {
  const routes = realms.map(({ name, roles = [] }) => {
    const all = [...roles.map((role) => role.name), TRUSTED];
    return [name, Object.fromEntries(all.map((role) => [role, 'router']))];
  });
  return Object.fromEntries(routes) as object;
}
