/**
 * What a node offers, as data and as a few lines for a person at a terminal. The log tells the same facts as records
 * (`node.ts`). Part of the public types: nothing of the config may be imported here.
 */
import type { WampOffer } from '../transport/offer.js';
import type { ComponentSummary, ListeningSummary, RealmSummary, WorkerSummary } from '../worker/summary.js';

/** One cookie store. */
export interface CookieStoreSummary {
  readonly type: string;
  /** Absolute path of a store that is a file. */
  readonly filename?: string;
  /** Absolute path of a store that is a directory. */
  readonly path?: string;
}

/** The node as one of a cluster. */
export interface ClusterSummary {
  readonly name: string;
  /** What the other nodes call this one. */
  readonly node: string;
  /** `fenced`: it has lost the others, and serves no client of the realms that take part. `joining`: so, but it can reach them again. */
  readonly state: 'member' | 'joining' | 'fenced';
  /** Tells its present time as a member from earlier ones. */
  readonly epoch?: number;
  /** The other nodes. */
  readonly nodes: readonly string[];
  /** What carries the messages between the nodes. */
  readonly engine: string;
  /** How often it was fenced since its start. */
  readonly fenced: number;
  /** How often messages of another node did not come, since the start. */
  readonly lost: number;
  /** How many messages for one node found nobody there, since the start. */
  readonly undelivered: number;
}

/** What listens where, which realms and components there are and who remembers the browsers. */
export interface NodeSummary {
  readonly pid: number;
  /** How the process is to be called in `ps` and `top`. Only the CLI does so: a program that embeds a node has a name. */
  readonly title: string;
  /** Where relative paths of the config start: the node directory, or the working directory of a node without one. */
  readonly cbdir: string;
  /** The config file that was loaded; none when the config is an object. */
  readonly config?: string;
  readonly workers: readonly WorkerSummary[];
  readonly listening: readonly ListeningSummary[];
  readonly realms: readonly RealmSummary[];
  readonly components: readonly ComponentSummary[];
  readonly cookieStores: readonly CookieStoreSummary[];
  /** Only of a node in a cluster. */
  readonly cluster?: ClusterSummary;
}

/** @returns the summary as lines of text, the last one without newline. */
export function formatSummary(summary: NodeSummary): string {
  const { workers, listening, realms, components, cookieStores, cluster } = summary;
  const rows: (readonly [string, string])[] = [
    ['node', `pid ${summary.pid}, ${summary.config ?? 'a config without file'}`],
    ...(cluster === undefined ? [] : [['cluster', clusterText(cluster)] as const]),
    ...listening.flatMap(listeningRows),
    ...realms.map(({ realm, roles }) => ['realm', `${realm}, roles ${roles.join(', ') || '(none)'}`] as const),
    ...cookieStores.map((store) => ['cookies', storeText(store)] as const),
    ...components.map(({ component, type, realm }) => ['component', `${component}, ${type}, in ${realm}`] as const),
    ...clientRows(listening),
    // One says nothing that the rest does not.
    ...(workers.length > 1 ? workers.map(({ worker, type }) => ['worker', `${worker}, ${type}`] as const) : []),
  ];
  if (listening.length === 0) rows.push(['listening', 'nowhere: the config has no transports']);
  // Transports that share a port offer the same.
  return [...new Set(rows.map(([name, value]) => `${name.padEnd(9)} ${value}`))].join('\n');
}

function listeningRows({ url, beside = [], paths, type, address }: ListeningSummary): (readonly [string, string])[] {
  const everywhere = address === '0.0.0.0' || address === '::' ? ', on all addresses of this machine' : '';
  const row = (where: string, what: string) => ['listening', `${where}  ${what}${everywhere}`] as const;
  const rows = [...paths, ...beside].map((each) => row(each.url, each.type));
  return rows.length === 0 ? [row(url, type)] : rows;
}

/** What clients can speak, and how they are let in, wherever they connect. */
function clientRows(listening: readonly ListeningSummary[]): (readonly [string, string])[] {
  const offers = listening.flatMap(({ wamp, paths }) => [wamp, ...paths.map((service) => service.wamp)]);
  const all = (key: keyof WampOffer): string => [...new Set(offers.flatMap((offer) => offer?.[key] ?? []))].join(', ');
  if (offers.every((offer) => offer === undefined)) return [];
  // Those of MQTT have no serializers.
  const spoken = all('serializers');
  return [['clients', `${spoken === '' ? '' : `speak ${spoken}; `}let in by ${all('auth')}`]];
}

function clusterText({ name, node, nodes, engine }: ClusterSummary): string {
  return `${name}, as ${node}, ${nodes.length === 0 ? 'alone so far' : `with ${nodes.join(', ')}`}; over ${engine}`;
}

/** The place of a store is the one other key of it. */
function storeText({ type, ...place }: CookieStoreSummary): string {
  return Object.values(place)[0] ?? `in ${type}, forgotten when the node stops`;
}
