/** Node configs for integration tests, built from the parts that a test cares about. Everything else is the default. */

/** Everybody may do everything. */
export const ALLOW_ALL = [
  { uri: '', match: 'prefix', allow: { call: true, register: true, publish: true, subscribe: true } },
] as const;

/** A realm whose role `anonymous` may do everything. */
export function openRealm(name: string, options?: object): object {
  return { name, ...(options && { options }), roles: [{ name: 'anonymous', permissions: ALLOW_ALL }] };
}

export interface NodeConfigParts {
  /** Default: `realm1`, open to everybody. */
  readonly realms?: readonly object[];
  /** Of the WebSocket path `/ws`: `options`, `auth`, `cookie`, `serializers`. */
  readonly websocket?: object;
  /** More paths of the web transport. */
  readonly paths?: Readonly<Record<string, object>>;
  /** More keys of the web transport. */
  readonly transport?: object;
  /** More transports, behind the web transport. */
  readonly transports?: readonly object[];
}

/** A loopback endpoint on a free port. */
export const LOOPBACK = { type: 'tcp', port: 0, interface: '127.0.0.1' } as const;

/** A node with one web transport: JSON on `/`, WAMP on `/ws`. */
export function nodeConfig(parts: NodeConfigParts = {}): object {
  const { realms = [openRealm('realm1')], websocket = {}, paths = {}, transport = {}, transports = [] } = parts;
  const web = {
    type: 'web',
    endpoint: LOOPBACK,
    paths: { '/': { type: 'json', value: { here: true } }, ws: { type: 'websocket', ...websocket }, ...paths },
    ...transport,
  };
  return { version: 2, controller: {}, workers: [{ type: 'router', realms, transports: [web, ...transports] }] };
}
