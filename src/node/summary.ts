/**
 * What a node offers, as data and as a few lines for a person at a terminal. The log tells the same facts as records
 * (`node.ts`). Part of the public types: nothing of the config may be imported here.
 */
/** One transport that listens. */
export interface ListeningSummary {
  /** The transport's id in the config. */
  readonly transport: string;
  readonly worker: string;
  readonly type: 'web' | 'websocket' | 'rawsocket' | 'universal';
  /** The address it listens on, `0.0.0.0` and `::` being all of the machine, or the path of a unix socket. */
  readonly address: string;
  /** None for a unix socket. */
  readonly port?: number;
  /**
   * Where a browser (`web`, `universal`) or a WAMP client (`websocket`, `rawsocket`) on this machine goes. A unix socket is written
   * as reverse proxies do it: `http://unix:/run/node.sock:/`.
   */
  readonly url: string;
  /** Where RawSocket clients go, if it takes them beside HTTP. */
  readonly rawsocketUrl?: string;
  /** The services by path; none for the other transports, which have no paths. */
  readonly paths: readonly PathSummary[];
}

export interface PathSummary {
  readonly path: string;
  readonly type: string;
}

export interface RealmSummary {
  readonly realm: string;
  readonly worker: string;
  readonly roles: readonly string[];
}

export interface CookieStoreSummary {
  readonly type: string;
  /** Absolute path of a store that is a file. */
  readonly filename?: string;
  /** Absolute path of a store that is a directory. */
  readonly path?: string;
}

/** What listens where, which realms there are and who remembers the browsers. */
export interface NodeSummary {
  readonly pid: number;
  /** How the process is to be called in `ps` and `top`. Only the CLI does so: a program that embeds a node has a name. */
  readonly title: string;
  readonly cbdir: string;
  /** The config file that was loaded. */
  readonly config: string;
  readonly listening: readonly ListeningSummary[];
  readonly realms: readonly RealmSummary[];
  readonly cookieStores: readonly CookieStoreSummary[];
}

/** @returns the summary as lines of text, the last one without newline. */
export function formatSummary(summary: NodeSummary): string {
  const { listening, realms, cookieStores } = summary;
  const rows: (readonly [string, string])[] = [
    ['node', `pid ${summary.pid}, ${summary.config}`],
    ...listening.flatMap(listeningRows),
    ...realms.map(({ realm, roles }) => ['realm', `${realm}, roles ${roles.join(', ') || '(none)'}`] as const),
    ...cookieStores.map((store) => ['cookies', storeText(store)] as const),
  ];
  if (listening.length === 0) rows.push(['listening', 'nowhere: the config has no transports']);
  return rows.map(([name, value]) => `${name.padEnd(9)} ${value}`).join('\n');
}

function listeningRows({ url, rawsocketUrl, paths, type, address }: ListeningSummary): (readonly [string, string])[] {
  const everywhere = address === '0.0.0.0' || address === '::' ? ', on all addresses of this machine' : '';
  if (type !== 'web' && type !== 'universal') return [['listening', `${url}  ${type}${everywhere}`]];
  const rows = paths.map(({ path, type: service }) => {
    return ['listening', `${serviceUrl(url, path, service)}  ${service}${everywhere}`] as const;
  });
  if (rawsocketUrl !== undefined) rows.push(['listening', `${rawsocketUrl}  rawsocket${everywhere}`]);
  return rows;
}

function serviceUrl(url: string, path: string, service: string): string {
  const base = service === 'websocket' ? url.replace(/^http/, 'ws') : url;
  return `${base.slice(0, -1)}${path}`;
}

function storeText({ type, filename, path }: CookieStoreSummary): string {
  return filename ?? path ?? `in ${type}, forgotten when the node stops`;
}
