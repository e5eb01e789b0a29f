/**
 * `crossbar-ts status`: whether a node runs on a directory, and what it says of itself.
 */
import { findNode } from '../node/commands.js';
import type { FoundNode } from '../node/commands.js';
import { EX_UNAVAILABLE } from './exit-codes.js';
import { placeOf } from './place.js';
import type { PlaceOptions } from './place.js';
import { counted } from './table.js';

/** What `--assert` takes. */
export const NODE_STATES = ['running', 'stopped', 'ready'] as const;
export type NodeState = (typeof NODE_STATES)[number];

export interface StatusOptions extends PlaceOptions {
  readonly assert?: NodeState;
  readonly json?: boolean;
}

const HOLDS: Readonly<Record<NodeState, (node: FoundNode | undefined) => boolean>> = {
  running: (node) => node !== undefined,
  stopped: (node) => node === undefined,
  ready: (node) => node?.ready === true,
};

/** Exit code 69 when what `--assert` says is not so. @throws NodeError when the node directory does not exist. */
export async function status({ assert, json = false, ...options }: StatusOptions): Promise<void> {
  const node = await findNode(placeOf(options));
  const text = json ? JSON.stringify({ running: node !== undefined, ...node }) : inWords(node);
  process.stdout.write(`${text}\n`);
  if (assert !== undefined && !HOLDS[assert](node)) process.exitCode = EX_UNAVAILABLE;
}

/** The first line is Crossbar.io's. */
function inWords(node: FoundNode | undefined): string {
  if (node === undefined) return 'Status is STOPPED';
  const {
    pid,
    version,
    started,
    ready,
    realms = [],
    sessions,
    cluster,
    processes = [],
    pending_restart: pending = [],
  } = node;
  const facts = [
    `pid ${pid}`,
    ...(version === undefined ? ['it cannot be asked for more'] : [`version ${version}`, `started ${String(started)}`]),
    ...(ready === undefined ? [] : [ready ? 'ready' : 'not ready']),
    ...(cluster === undefined ? [] : clusterTexts(cluster)),
    ...(sessions === undefined ? [] : [`${counted(sessions, 'session')} in ${counted(realms.length, 'realm')}`]),
    ...processes.map(({ worker, pid: own }) =>
      own === undefined ? `the process of ${worker} is being started` : `process of ${worker}: pid ${own}`,
    ),
    ...(node.last_reload_successful === false ? ['the last reload was refused: the config file is wrong'] : []),
    ...pending.map((pointer) => `needs a restart: ${pointer}`),
  ];
  return ['Status is RUNNING', ...facts.map((fact) => `  ${fact}`)].join('\n');
}

function clusterTexts(cluster: NonNullable<FoundNode['cluster']>): readonly string[] {
  const { name, node, state, nodes, fenced, lost, undelivered } = cluster;
  const others = nodes.length === 0 ? 'no other node' : nodes.join(', ');
  const now = { member: `with ${others}`, joining: 'which it joins again', fenced: 'which it has lost' }[state];
  return [
    `in the cluster ${name} as ${node}, ${now}`,
    ...(fenced > 0 ? [`lost the cluster ${counted(fenced, 'time')} since its start`] : []),
    ...(lost > 0 ? [`missed messages of other nodes ${counted(lost, 'time')}`] : []),
    ...(undelivered > 0 ? [`${counted(undelivered, 'message')} found the other node gone`] : []),
  ];
}
