/** The section `cluster` of a node: what joins its realms to those of other nodes. A family of engines, told apart by `type`. */
import { natsFilesOf, natsKeys } from '../engine/nats/schema.js';
import { DEFAULT_MAX_PAYLOAD, HEADER_BYTES } from '../engine/nats/sizes.js';
import { checkClusterSection, checkNatsSection } from './rules.js';
import type { NatsConfig } from '../engine/nats/schema.js';
import type { ConfigSchema, FamilySchema } from '../schema/dialect.js';

/**
 * How large a message of an engine is by default at the most, in bytes: as its own configuration counts, and what of that its headers may
 * take. Engines without such a limit are not here.
 */
export const DEFAULT_SIZES: Readonly<Record<string, { readonly payload: number; readonly headers: number }>> = {
  nats: { payload: DEFAULT_MAX_PAYLOAD, headers: HEADER_BYTES },
};

const NAME = '^[A-Za-z0-9_-]{1,64}$';

/** Milliseconds. */
const time = (min: number, fallback: number, description: string) =>
  ({ type: 'integer', minimum: min, maximum: 600_000, default: fallback, description }) as const;

const clusterKeys = {
  name: {
    type: 'string',
    pattern: NAME,
    allowed: '1 to 64 of A-Z, a-z, 0-9, _ and -',
    default: 'crossbar',
    description: 'The name of the cluster: nodes with the same name are in one. All say the same.',
  },
  node: {
    type: 'string',
    pattern: '^[A-Za-z0-9._-]{1,255}$',
    allowed: '1 to 255 of A-Z, a-z, 0-9, ., _ and -',
    absent: '`controller.id`, else the host name',
    description: 'The name of this node in the cluster. Each node needs its own, and keeps it over restarts.',
  },
  heartbeat: time(
    10,
    1000,
    'Milliseconds between two signs of life. All nodes say the same, for this key and the next three.',
  ),
  suspect_after: time(
    20,
    3000,
    'Milliseconds without a sign of life after which no node waits for another one any more: for a SUBSCRIBED, say.',
  ),
  fence_after: time(
    20,
    3000,
    'Milliseconds after which a node that could not prove its life serves no client of these realms any more: it closes their connections, so that they go to another node.',
  ),
  remove_after: time(
    30,
    5000,
    'Milliseconds without a sign of life after which the others take the place of a node. More than `fence_after`: by then it serves nobody.',
  ),
} as const satisfies Readonly<Record<string, ConfigSchema>>;

export const natsClusterSchema = {
  type: 'object',
  section: 'Cluster "nats"',
  description:
    'Nodes on one or several machines, over NATS with JetStream. Needs three npm packages: the start says which.',
  required: ['type', 'servers'],
  additionalProperties: false,
  rules: checkNatsSection,
  properties: {
    type: { const: 'nats', description: 'The word for this engine.' },
    ...clusterKeys,
    ...natsKeys,
  },
} as const satisfies ConfigSchema;

export const memoryClusterSchema = {
  type: 'object',
  section: 'Cluster "memory"',
  description: 'Nodes of one process, for programs that embed several, and for tests. Nothing leaves the process.',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'memory', description: 'The word for this engine.' },
    ...clusterKeys,
  },
} as const satisfies ConfigSchema;

export const clusterSchema: FamilySchema = {
  type: 'object',
  section: 'Cluster',
  standsAt: 'cluster',
  absent: 'the node is alone',
  reload: 'restart of all',
  description: 'Joins the realms with `"cluster": true` to the same realms of other nodes.',
  required: ['type'],
  rules: checkClusterSection,
  discriminator: { propertyName: 'type' },
  oneOf: [natsClusterSchema, memoryClusterSchema],
};

/** What every checked section has. Times are in milliseconds. */
export interface ClusterKeys {
  readonly name: string;
  readonly node?: string;
  readonly heartbeat: number;
  readonly suspect_after: number;
  readonly fence_after: number;
  readonly remove_after: number;
}

/** A checked section. */
export type ClusterConfig = ClusterKeys & (({ readonly type: 'nats' } & NatsConfig) | { readonly type: 'memory' });

/** @returns the files of a section that are nobody else's business; absolute. */
export function clusterFilesOf(config: ClusterConfig): readonly string[] {
  return config.type === 'nats' ? natsFilesOf(config) : [];
}
