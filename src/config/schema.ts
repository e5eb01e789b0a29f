/**
 * The whole config of a node, put together from the schemas that live beside what they configure.
 */
import { componentSchema } from '../component/schema.js';
import type { ComponentConfig } from '../component/schema.js';
import { realmSchema } from '../router/schema.js';
import type { RealmConfig } from '../router/schema.js';
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { rawsocketTransportSchema } from '../transport/rawsocket/schema.js';
import type { RawSocketTransportConfig } from '../transport/rawsocket/schema.js';
import { websocketTransportSchema } from '../transport/websocket/schema.js';
import type { WebSocketTransportConfig } from '../transport/websocket/schema.js';
import { pathServiceSchema, webTransportSchema } from '../webservice/schema.js';
import type { WebTransportConfig } from '../webservice/schema.js';
import { universalTransportSchema } from '../webservice/universal-schema.js';
import type { UniversalTransportConfig } from '../webservice/universal-schema.js';
import type { SchemaTree } from './walk.js';

const idKeywords = {
  type: 'string',
  pattern: '^[a-z][a-z0-9_]{2,63}$',
  allowed: '3 to 64 of a-z, 0-9 and _, beginning with a letter',
} as const;

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
          description:
            'When the node stops: one word or a list of them. Accepted for compatibility. All workers live in one process, so all words mean the same here: on a signal, or when the process fails.',
        },
        shutdown_goodbye: {
          type: 'boolean',
          default: false,
          description:
            'Sends GOODBYE `wamp.close.system_shutdown` to every session when the node stops, as the WAMP specification asks for. autobahn-js and wampy do not reconnect after a GOODBYE. So by default their connections are closed without one (WebSocket: code 1001, "going away"), and they reconnect when the node has started again.',
        },
        max_connections: {
          type: 'integer',
          minimum: 1,
          maximum: 2_147_483_647,
          absent: 'the limit of open files, less 48, and less a sixteenth of it (1024 at most)',
          description:
            'How many connections of all kinds the node accepts at a time. For one more, the connection that has waited longest without a session is closed; if all have sessions, the new one is closed. The number is never more than the limit of open files (`ulimit -n`) allows. An addition to the keys of Crossbar.io.',
        },
        max_unsent_bytes: {
          type: 'integer',
          minimum: 1_048_576,
          maximum: 1_099_511_627_776,
          absent: '256 MiB, or a quarter of the heap limit of the process if that is less',
          description:
            'How many bytes may wait in the whole node for clients that do not read. Beyond that, the clients with most bytes waiting are disconnected first. An event that waits for several clients counts once. An addition to the keys of Crossbar.io.',
        },
        enable_parallel_worker_start: {
          const: false,
          default: false,
          because: 'all workers live in one process, which starts them in order',
          description: 'Starts the workers at the same time.',
        },
      },
    },
  },
  notYet: ['manhole', 'connections', 'keyring'],
} as const satisfies ConfigSchema;

export const transportSchema = {
  type: 'object',
  section: 'Transport',
  standsAt: 'workers[].transports[]',
  description: 'A way for clients to connect.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [webTransportSchema, websocketTransportSchema, rawsocketTransportSchema, universalTransportSchema],
  notYet: ['mqtt', 'flashpolicy', 'websocket.testee', 'stream.testee'],
} as const satisfies ConfigSchema;

export const routerWorkerSchema = {
  type: 'object',
  section: 'Router worker',
  standsAt: 'workers[]',
  description:
    'A router: realms, and the transports that lead to them. All workers live in one process and see only their own realms.',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: {
      const: 'router',
      notYet: ['container', 'proxy', 'guest', 'websocket-testee'],
      description: 'The word for this worker.',
    },
    id: {
      ...idKeywords,
      absent: '`worker001`, `worker002`, ... in order',
      description: 'The name of this worker in the log.',
    },
    options: {
      type: 'object',
      section: 'Router worker options',
      standsAt: 'workers[].options',
      default: {},
      description: 'Options of the worker.',
      additionalProperties: false,
      properties: {
        disabled: {
          type: ['boolean', 'string'],
          pattern: '^\\$\\{([a-zA-Z_][a-zA-Z0-9_]*)\\}$',
          allowed: 'true, false, or "${NAME}" of an environment variable',
          default: false,
          description:
            'Leaves the worker out. `"${NAME}"` does so when that environment variable is set and not empty.',
        },
        max_kept_bytes: {
          type: 'integer',
          minimum: 1_048_576,
          absent: '256 MiB, or a quarter of the heap where that is less',
          description:
            'Bytes that the router keeps for all sessions together, of what `max_session_bytes` of a realm counts. Beyond it a session has 64 KiB and no more.',
        },
      },
      notYet: ['extra', 'title', 'python', 'pythonpath', 'cpu_affinity', 'env', 'expose_controller', 'expose_shared'],
    },
    realms: { type: 'array', items: realmSchema, default: [], description: 'The realms that clients can join.' },
    components: {
      type: 'array',
      items: componentSchema,
      default: [],
      description: 'Programs that run inside the node. They are started, in this order, before anybody can connect.',
    },
    transports: { type: 'array', items: transportSchema, default: [], description: 'Where clients connect.' },
  },
  notYet: ['manhole', 'connections'],
} as const satisfies ConfigSchema;

export const nodeSchema = {
  type: 'object',
  section: 'The node',
  description:
    'The config of a crossbar-ts node (`config.json` or `config.yaml`): version 2 of the format of Crossbar.io.',
  required: ['version'],
  additionalProperties: false,
  properties: {
    $schema: {
      type: 'string',
      absent: 'none',
      description: 'The URL or path of the JSON Schema, for editors. Not read by the node.',
    },
    version: {
      const: 2,
      allowed: '2; "crossbar upgrade" of Crossbar.io rewrites files of version 1',
      description: 'The version of the format. Always 2.',
    },
    controller: controllerSchema,
    workers: {
      type: 'array',
      items: routerWorkerSchema,
      default: [],
      description: 'The workers. One router is enough for most nodes.',
    },
  },
} as const satisfies ConfigSchema;

/** The schemas that others refer to by `$ref`, because they contain themselves. */
export const definitions = { pathService: pathServiceSchema } as const;

/** The schema of a whole config, as `walk.ts` and `validator-schema.ts` take it. */
export const nodeSchemaTree: SchemaTree = { root: nodeSchema, definitions };

export type ControllerConfig = Checked<typeof controllerSchema>;
export type TransportConfig =
  WebTransportConfig | WebSocketTransportConfig | RawSocketTransportConfig | UniversalTransportConfig;

/** A checked worker; `disabled` is resolved. */
export interface RouterWorkerConfig {
  readonly type: 'router';
  readonly id: string;
  readonly options: { readonly disabled: boolean; readonly max_kept_bytes?: number };
  readonly realms: readonly (RealmConfig & { readonly id: string })[];
  readonly components: readonly ComponentConfig[];
  readonly transports: readonly TransportConfig[];
}

/** A whole config, checked and frozen. */
export interface NodeConfig {
  readonly $schema?: string;
  readonly version: 2;
  readonly controller: ControllerConfig;
  readonly workers: readonly RouterWorkerConfig[];
}
