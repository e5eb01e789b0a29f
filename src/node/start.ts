/**
 * The entry for programs that embed a node (`import { startNode } from 'crossbar-ts'`), and for the command: a node with all
 * that we ship.
 */
import { SHIPPED } from '../worker/registry.js';
import { startNodeWith } from './node.js';
import type { NodeOptions, RunningNode } from './api.js';

/**
 * Starts a node.
 *
 * @throws ConfigError when the config is missing or wrong, with every problem.
 * @throws NodeError when the directory is missing or taken, or a part cannot start; the message names the part.
 * @throws the reason of `signal`.
 */
export function startNode(options: NodeOptions): Promise<RunningNode> {
  return startNodeWith({ families: SHIPPED }, options);
}
