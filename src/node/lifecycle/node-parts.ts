/** What a node is made of. */
import type { SchemaTree } from '../../config/walk.js';
import type { Families } from '../../worker/registry.js';
import type { NodeOptions } from '../api.js';
import type { Hosting } from '../apart/hosting.js';
import type { TakenDirectory } from '../directory.js';
import type { OpenLogs } from './logs.js';

/** Its directory and config, its log, and what its words stand for. */
export interface NodeParts extends TakenDirectory, OpenLogs {
  /** Of the process of a router worker. */
  readonly hosting?: Hosting;
  readonly tree?: SchemaTree | undefined;
  readonly families: Families;
  readonly env: NonNullable<NodeOptions['env']>;
  readonly onShutdown: NodeOptions['onShutdown'];
  readonly onStopping: NodeOptions['onStopping'];
}
