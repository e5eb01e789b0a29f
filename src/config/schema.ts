/**
 * The whole config of a node, put together from the schemas that live beside what they configure.
 */
import { reloadSchema } from './reload/schema.js';
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { auditSchema } from '../audit/schema.js';
import { clusterSchema } from '../cluster/schema.js';
import type { ClusterConfig } from '../cluster/schema.js';
import { logLevelSchema } from '../log/schema.js';
import { drainSchema } from '../transport/drain/schema.js';
import { nodeProxyKeys } from '../transport/proxies/schema.js';
import { pathServiceSchema } from '../webservice/schema.js';
import { idKeywords } from '../worker/common-schema.js';
import { workerSchema } from '../worker/schema.js';
import type { WorkerConfig } from '../worker/schema.js';
import type { SchemaTree } from './walk.js';

const SHUTDOWN_WORDS = [
  'shutdown_on_shutdown_requested',
  'shutdown_on_worker_exit',
  'shutdown_on_worker_exit_with_error',
  'shutdown_on_last_worker_exit',
] as const;

export const controllerSchema = {
  type: 'object',
  section: 'Controller',
  standsAt: 'controller',
  default: {},
  reload: 'restart',
  description: 'The node itself.',
  additionalProperties: false,
  properties: {
    id: { ...idKeywords, absent: 'the host name and process id', description: 'The name of the node in the log.' },
    options: {
      type: 'object',
      section: 'Controller options',
      standsAt: 'controller.options',
      default: {},
      description: 'Options of the process.',
      additionalProperties: false,
      properties: {
        title: {
          type: 'string',
          minLength: 1,
          absent: '`crossbar-ts`',
          description: 'The name of the process in `ps` and `top`.',
        },
        shutdown: {
          type: ['string', 'array'],
          if: { type: 'string' },
          then: { enum: SHUTDOWN_WORDS },
          items: { type: 'string', enum: SHUTDOWN_WORDS, description: 'One of the words.' },
          default: 'shutdown_on_worker_exit',
          reload: 'at once',
          description:
            'When the node stops, beside on a signal: when a worker has ended by itself, when it has ended with an error, when it was the last one; or never (`shutdown_on_shutdown_requested`). One word, or a list of which each may stop it. Routers do not end by themselves, and containers and guests count where their `shutdown` says so. The exit code of the node is 1 if the worker failed.',
        },
        shutdown_goodbye: {
          type: 'boolean',
          default: false,
          description:
            'Sends GOODBYE `wamp.close.system_shutdown` to every session when the node stops, as the WAMP specification asks for. autobahn-js and wampy do not reconnect after a GOODBYE. So by default their connections are closed without one (WebSocket: code 1001, "going away"), and they reconnect when the node has started again.',
        },
        log_level: logLevelSchema,
        drain: drainSchema,
        max_connections: {
          type: 'integer',
          minimum: 1,
          maximum: 2_147_483_647,
          reload: 'at once',
          absent: 'the limit of open files, less 48, and less a sixteenth of it (1024 at most)',
          description:
            'How many connections of all kinds the node accepts at a time. For one more, the connection that has waited longest without a session is closed; if all have sessions, the new one is closed. The number is never more than the limit of open files (`ulimit -n`) allows. An addition to the keys of Crossbar.io.',
        },
        max_unsent_bytes: {
          type: 'integer',
          minimum: 1_048_576,
          maximum: 1_099_511_627_776,
          reload: 'at once',
          absent: '256 MiB, or a quarter of the heap limit of the process if that is less',
          description:
            'How many bytes may wait in the whole node for clients that do not read. Beyond that, the clients with most bytes waiting are disconnected first. An event that waits for several clients counts once. An addition to the keys of Crossbar.io.',
        },
        ...nodeProxyKeys,
        audit: auditSchema,
        reload: reloadSchema,
        enable_parallel_worker_start: {
          const: false,
          default: false,
          noEffect: 'all workers live in one process, which starts them in order',
          description: 'Starts the workers at the same time.',
        },
      },
    },
  },
  noEffect: {
    manhole: 'there is no Python in the node to log in to',
    connections: 'no part of the node has a use for connections to databases',
    fabric: 'the service that it leads to is not there any more',
    keyring: 'the node signs nothing, so it needs no keys of its own',
  },
} as const satisfies ConfigSchema;

export const nodeSchema = {
  type: 'object',
  section: 'The node',
  refuses: { '`processes` (Crossbar.io 0.8)': 'write each router as a worker of `workers`' },
  description:
    'The config of a crossbar-ts node (`config.json` or `config.yaml`): version 2 of the format of Crossbar.io.',
  required: ['version'],
  additionalProperties: false,
  properties: {
    $schema: {
      type: 'string',
      reload: 'at once',
      absent: 'none',
      description: 'The URL or path of the JSON Schema, for editors. Not read by the node.',
    },
    version: {
      const: 2,
      reload: 'at once',
      allowed: '2; a file of version 1 is upgraded when it is read',
      description: 'The version of the format. Always 2.',
    },
    controller: controllerSchema,
    cluster: clusterSchema,
    workers: {
      type: 'array',
      items: workerSchema,
      default: [],
      reload: 'restart',
      description: 'The workers. One router is enough for most nodes.',
    },
  },
} as const satisfies ConfigSchema;

/** The schemas that others refer to by `$ref`, because they contain themselves. */
export const definitions = { pathService: pathServiceSchema } as const;

/** The schema of a whole config, as `walk.ts` and `validator-schema.ts` take it. */
export const nodeSchemaTree: SchemaTree = { root: nodeSchema, definitions };

export type ControllerConfig = Checked<typeof controllerSchema>;

/** A whole config, checked and frozen. */
export interface NodeConfig {
  readonly $schema?: string;
  readonly version: 2;
  readonly controller: ControllerConfig;
  readonly cluster?: ClusterConfig;
  readonly workers: readonly WorkerConfig[];
}
