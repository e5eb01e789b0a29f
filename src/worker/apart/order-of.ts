/** What the process of a router worker is told to run. Pure. */
import type { Decider } from '../../router/deciders.js';
import type { RouterWorkerConfig } from '../schema.js';
import type { WorkerOffer } from '../worker.js';
import type { LentStores, NodePart } from './deps.js';
import type { RouterOrder } from './order.js';

/** What a restarted process is told, beside what does not change. */
export interface OrderFacts {
  readonly node: NodePart;
  readonly authenticators: readonly Decider[];
  readonly cookieNames: ReadonlySet<string>;
  readonly privatePaths: readonly string[];
}

/** @param config with the ports that it is to take. */
export function orderOf(
  config: RouterWorkerConfig,
  { node, authenticators, cookieNames, privatePaths }: OrderFacts,
  { pointer, visits, lent }: Pick<RouterOrder, 'pointer' | 'visits'> & { readonly lent: LentStores },
): RouterOrder {
  const worker = lent.marked({ ...config, options: { ...config.options, process: false } });
  const more = { visits: lent.marked(visits), stores: lent.socket };
  return { worker, pointer, node, authenticators, cookieNames: [...cookieNames], privatePaths, ...more };
}

/** @returns what a worker offers before its process has said a word. */
export function realmsOf({ id: worker, realms }: RouterWorkerConfig): WorkerOffer['realms'] {
  return realms.map(({ name, roles }) => ({ realm: name, worker, roles: roles.map((role) => role.name) }));
}
