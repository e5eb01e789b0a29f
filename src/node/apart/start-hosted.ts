/** Starts the process of a router worker as a node: see `hosting.ts`. */
import { OwnerLink } from '../../cookie/lent/owner-link.js';
import { borrowedTypes } from '../../cookie/lent/types.js';
import { SHIPPED } from '../../worker/registry.js';
import { openLogs } from '../lifecycle/logs.js';
import { limitProcess } from '../limits.js';
import { Node } from '../node.js';
import { hostedDirectory } from './hosting.js';
import type { HostedNode, HostedOptions } from './hosting.js';

/**
 * Starts a node that is the process of a router worker of another node, with all that we ship.
 *
 * @throws NodeError when a part cannot start; the message names the part.
 * @throws the reason of `signal`.
 */
export async function startHosted({ cbdir, hosting, log, env, signal }: HostedOptions): Promise<HostedNode> {
  const directory = hostedDirectory(cbdir, hosting);
  const logs = await openLogs(directory, log, false);
  limitProcess(directory.loaded.config.controller.options, log);
  const watchers = { onShutdown: undefined, onStopping: undefined };
  const owner = await OwnerLink.connect(hosting.order.stores, { log });
  const families = { ...SHIPPED, stores: borrowedTypes(owner, SHIPPED.stores) };
  const node = new Node({ ...directory, ...logs, families, env, hosting, ...watchers });
  await node.start(signal);
  return node;
}
