/**
 * What commands do with a node that runs or does not: `use` gets the same to work with in either case.
 */
import { loadConfig } from '../config/load.js';
import { verifyStores, withStores } from '../cookie/managed-stores.js';
import type { Verification } from '../cookie/managed-stores.js';
import { StoreManagement } from '../cookie/management.js';
import type { CookieManagement } from '../cookie/management.js';
import type { CookieConfig } from '../cookie/schema.js';
import type { Logger } from '../log/logger.js';
import { messageOf } from '../system/error.js';
import { SHIPPED } from '../worker/registry.js';
import { isDisabled } from '../worker/worker.js';
import { ControlClient } from './control.js';
import { RemoteManagement } from './cookie-control.js';
import { cookieSectionsOf } from './cookie-stores.js';
import { NodeError } from './error.js';
import { namedNode, PID_FILE, runningPid } from './pidfile.js';
import { RemoteMonitor } from './monitor/requests.js';
import { RemoteNode } from './process-control.js';
import type { NodeStatus } from './process-control.js';
import type { ReloadReport, ReloadWish } from './reload/report.js';
import { RemoteSessions } from './session-control.js';

/** Where a command finds a node. */
export interface NodePlace {
  /** The node directory, absolute. */
  readonly cbdir: string;
  /** Where its control socket lies; default: the node directory. */
  readonly rundir?: string | undefined;
  /** Where it keeps its cookies; default: the node directory. */
  readonly statedir?: string | undefined;
  readonly config?: string | undefined;
  readonly log: Logger;
}

/**
 * Lets `use` manage the cookies of a node: through the node when it runs, else directly in its stores.
 *
 * @throws NodeError (rejects) `ERR_NODE_COOKIES`, and `ERR_NODE_CONTROL` from a running node
 */
export async function withCookies<T>(place: NodePlace, use: (management: CookieManagement) => Promise<T>): Promise<T> {
  const client = await ControlClient.connect(place.rundir ?? place.cbdir);
  if (client === undefined) return withOwnStores(place, use);
  try {
    return await use(new RemoteManagement(client));
  } finally {
    client.close();
  }
}

/**
 * Lets `use` look at the sessions of a running node.
 *
 * @throws NodeError (rejects) `ERR_NODE_CONTROL`, also when no node runs
 */
export async function withSessions<T>(place: NodePlace, use: (sessions: RemoteSessions) => Promise<T>): Promise<T> {
  return withClient(place, (client) => use(new RemoteSessions(client)));
}

/**
 * Lets `use` look at a running node as its operators do.
 *
 * @throws NodeError (rejects) `ERR_NODE_CONTROL`, also when no node runs
 */
export async function withMonitor<T>(place: NodePlace, use: (monitor: RemoteMonitor) => Promise<T>): Promise<T> {
  return withClient(place, (client) => use(new RemoteMonitor(client)));
}

async function withClient<T>(place: NodePlace, use: (client: ControlClient) => Promise<T>): Promise<T> {
  const directory = place.rundir ?? place.cbdir;
  const client = await ControlClient.connect(directory);
  if (client === undefined) throw await unreachable(directory);
  try {
    return await use(client);
  } finally {
    client.close();
  }
}

/**
 * Has a running node read its config again.
 *
 * @throws NodeError (rejects) `ERR_NODE_CONTROL`, also when it is of a version that cannot.
 * @returns undefined when none runs.
 */
export async function reloadNode(
  { cbdir, rundir = cbdir }: Pick<NodePlace, 'cbdir' | 'rundir'>,
  wish: ReloadWish = {},
): Promise<ReloadReport | undefined> {
  const client = await ControlClient.connect(rundir);
  if (client === undefined) {
    if ((await namedNode(rundir))?.where === 'here') throw await unreachable(rundir);
    return undefined;
  }
  try {
    return await new RemoteNode(client).reload(wish);
  } finally {
    client.close();
  }
}

/** A node that runs: what it says of itself, or its pid alone when it cannot be asked. */
export type FoundNode = Partial<NodeStatus> & Pick<NodeStatus, 'pid'>;

/**
 * Finds the node that runs on a directory, and asks it.
 *
 * @returns undefined when none runs; only its pid while it starts or stops, and for one without a control socket, or of a version
 * that cannot be asked.
 */
export async function findNode({
  cbdir,
  rundir = cbdir,
}: Pick<NodePlace, 'cbdir' | 'rundir'>): Promise<FoundNode | undefined> {
  const node = await namedNode(rundir);
  if (node === undefined || node.where === 'gone') return undefined;
  const { pid } = node.holder;
  const client = await ControlClient.connect(rundir);
  if (client === undefined) return { pid };
  try {
    return await new RemoteNode(client).status();
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    return { pid };
  } finally {
    client.close();
  }
}

async function unreachable(directory: string): Promise<NodeError> {
  const pid = await runningPid(directory);
  const text =
    pid === undefined
      ? `no node runs on ${directory}`
      : `the node on ${directory} (pid ${pid}, see ${PID_FILE} there) has no control socket: its log says why`;
  return new NodeError('ERR_NODE_CONTROL', text);
}

async function withOwnStores<T>(place: NodePlace, use: (management: CookieManagement) => Promise<T>): Promise<T> {
  const { log } = place;
  const sections = await sectionsOf(place);
  try {
    return await withStores(sections, { types: SHIPPED.stores, log }, (stores) =>
      use(new StoreManagement(() => Promise.resolve(stores), log)),
    );
  } catch (cause) {
    throw cause instanceof NodeError ? cause : new NodeError('ERR_NODE_COOKIES', messageOf(cause), { cause });
  }
}

/** Looks at the cookie stores of a node without touching them. */
export async function verifyCookies(place: NodePlace, store?: number): Promise<Verification[]> {
  return verifyStores(await sectionsOf(place), { types: SHIPPED.stores, log: place.log }, store);
}

async function sectionsOf({ cbdir, statedir, config }: NodePlace): Promise<readonly CookieConfig[]> {
  const loaded = await loadConfig({ cbdir, statedir, env: process.env, ...(config === undefined ? {} : { config }) });
  return cookieSectionsOf(
    loaded.config.workers.filter((worker) => !isDisabled(worker)),
    SHIPPED,
  );
}
