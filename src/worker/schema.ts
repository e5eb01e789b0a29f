/**
 * The workers in the config. Each kind has a schema of its own, and a line in the `oneOf` of {@link workerSchema}; so has each
 * kind of transport, in {@link transportSchema}.
 */
import { componentSchema } from '../component/schema.js';
import type { ComponentConfig } from '../component/schema.js';
import { mqttTransportSchema } from '../mqtt/schema.js';
import type { MqttTransportConfig } from '../mqtt/schema.js';
import { realmSchema } from '../router/schema.js';
import type { RealmConfig } from '../router/schema.js';
import type { ConfigSchema, FamilySchema } from '../schema/dialect.js';
import { flashPolicyTransportSchema } from '../transport/flashpolicy/schema.js';
import type { FlashPolicyTransportConfig } from '../transport/flashpolicy/schema.js';
import { rawsocketTransportSchema } from '../transport/rawsocket/schema.js';
import type { RawSocketTransportConfig } from '../transport/rawsocket/schema.js';
import { streamTesteeSchema, websocketTesteeSchema } from '../transport/testee/schema.js';
import type { StreamTesteeTransportConfig, WebSocketTesteeTransportConfig } from '../transport/testee/schema.js';
import { websocketTransportSchema } from '../transport/websocket/schema.js';
import type { WebSocketTransportConfig } from '../transport/websocket/schema.js';
import { webTransportSchema } from '../webservice/schema.js';
import type { WebTransportConfig } from '../webservice/schema.js';
import { universalTransportSchema } from '../webservice/universal/schema.js';
import type { UniversalTransportConfig } from '../webservice/universal/schema.js';
import { disabledSchema, idKeywords, pythonPathKeywords, pythonSchema, unreadOptions } from './common-schema.js';
import { environmentKeys } from './process/environment-schema.js';
import { containerWorkerSchema } from './container/schema.js';
import type { ContainerWorkerConfig } from './container/schema.js';
import { guestWorkerSchema } from './guest/schema.js';
import type { GuestWorkerConfig } from './guest/schema.js';
import type { PythonOptions } from './host/python-program.js';
import { notePythonOptions } from './host/rules.js';
import { proxyKeys, proxyKeywords } from './proxy/schema.js';
import type { ProxyRoutes } from './proxy/schema.js';
import { testeeWorkerSchema } from './testee/schema.js';
import type { TesteeWorkerConfig } from './testee/schema.js';

const routerEnvironmentSchema = {
  type: 'object',
  section: 'Router environment',
  standsAt: 'workers[].options.env',
  description: 'The environment variables of the process in which its components and applications of Python run.',
  additionalProperties: false,
  properties: environmentKeys,
} as const satisfies ConfigSchema;

export const transportSchema: FamilySchema = {
  type: 'object',
  section: 'Transport',
  standsAt: 'workers[].transports[]',
  description: 'A way for clients to connect.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    webTransportSchema,
    websocketTransportSchema,
    rawsocketTransportSchema,
    mqttTransportSchema,
    universalTransportSchema,
    flashPolicyTransportSchema,
    websocketTesteeSchema,
    streamTesteeSchema,
  ],
};

export const routerWorkerSchema = {
  type: 'object',
  section: 'Router worker',
  standsAt: 'workers[]',
  description:
    'A router: realms, and the transports that lead to them. Routers see only their own realms. All live in one process, but for those with the option `process`.',
  rules: notePythonOptions,
  looks: 'python',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'router', description: 'The word for this worker.' },
    id: {
      ...idKeywords,
      reload: 'restart',
      absent: '`worker001`, `worker002`, ... in order',
      description: 'The name of this worker in the log.',
    },
    options: {
      type: 'object',
      section: 'Router worker options',
      standsAt: 'workers[].options',
      default: {},
      reload: 'restart',
      description: 'Options of the worker.',
      additionalProperties: false,
      properties: {
        disabled: disabledSchema,
        process: {
          type: 'boolean',
          absent: 'false: it runs in the process of the node',
          description:
            'Runs the worker in a process of its own: its realms, components and transports, with a thread that routes for them alone. The process takes some 70 MiB, and is started again when it dies. An addition to Crossbar.io.',
        },
        python: pythonSchema,
        pythonpath: { ...pythonPathKeywords, absent: 'no directory' },
        env: routerEnvironmentSchema,
        max_kept_bytes: {
          type: 'integer',
          minimum: 1_048_576,
          absent: '256 MiB, or a quarter of the heap where that is less',
          description:
            'Bytes that the router keeps for all sessions together, of what `max_session_bytes` of a realm counts. Beyond it a session has 64 KiB and no more.',
        },
      },
      noEffect: {
        title: 'all workers live in one process, and "title" of "controller.options" names it',
        cpu_affinity: 'all workers live in one process, which may run on every processor',
        reactor: 'it names an event loop of Python, and Node.js has its own',
        ...unreadOptions,
        extra: 'nothing in this worker asks for it',
      },
    },
    realms: {
      type: 'array',
      items: realmSchema,
      default: [],
      reload: 'at once',
      description: 'The realms that clients can join.',
    },
    components: {
      type: 'array',
      items: componentSchema,
      default: [],
      reload: 'on demand',
      description: 'Programs that belong to the router. They are started, in this order, before anybody can connect.',
    },
    transports: {
      type: 'array',
      items: transportSchema,
      default: [],
      reload: 'at once',
      description: 'Where clients connect.',
    },
  },
  noEffect: {
    manhole: 'nobody can log in to a worker',
    connections: 'no part of the worker has a use for connections to databases',
  },
} as const satisfies ConfigSchema;

export const proxyWorkerSchema = {
  type: 'object',
  section: 'Proxy worker',
  standsAt: 'workers[]',
  reload: 'restart of all',
  description:
    'Transports that lead to the realms of a router worker of this config. Crossbar.io runs it in a process of its own; here its transports are those of the router, except that clients need a route.',
  ...proxyKeywords,
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'proxy', description: 'The word for this worker.' },
    id: routerWorkerSchema.properties.id,
    ...proxyKeys,
    transports: {
      type: 'array',
      items: transportSchema,
      default: [],
      description:
        'Where clients connect. Of proxies that lead to the same router and have the same address, the first one listens for all.',
    },
  },
  noEffect: { manhole: routerWorkerSchema.noEffect.manhole },
} as const satisfies ConfigSchema;

export const workerSchema = {
  type: 'object',
  section: 'Worker',
  standsAt: 'workers[]',
  description: 'A part of the node.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [routerWorkerSchema, containerWorkerSchema, guestWorkerSchema, proxyWorkerSchema, testeeWorkerSchema],
} as const satisfies ConfigSchema;

export type TransportConfig =
  | WebTransportConfig
  | WebSocketTransportConfig
  | RawSocketTransportConfig
  | MqttTransportConfig
  | UniversalTransportConfig
  | FlashPolicyTransportConfig
  | WebSocketTesteeTransportConfig
  | StreamTesteeTransportConfig;

/** A checked worker; `disabled` is resolved. */
export interface RouterWorkerConfig {
  readonly type: 'router';
  readonly id: string;
  readonly options: PythonOptions & {
    readonly disabled: boolean;
    /** Whether it has a process of its own. */
    readonly process?: boolean;
    readonly max_kept_bytes?: number;
  };
  readonly realms: readonly (RealmConfig & { readonly id: string })[];
  readonly components: readonly ComponentConfig[];
  readonly transports: readonly TransportConfig[];
}

/** A checked proxy; `disabled` is resolved, and so is where it leads. */
export interface ProxyWorkerConfig {
  readonly type: 'proxy';
  readonly id: string;
  readonly options: { readonly disabled: boolean };
  /** How many processes have its connections; undefined: that of the node. */
  readonly instances?: number | 'auto';
  readonly routes: ProxyRoutes;
  readonly transports: readonly TransportConfig[];
  /**
   * The id of the worker in the process of the node to which it leads, the ids of those in processes of their own by their realms, and the
   * indexes of the transports for which another one listens.
   */
  readonly front?: {
    readonly worker?: string;
    readonly apart: Readonly<Record<string, string>>;
    readonly silent: readonly number[];
  };
}

/** A worker of the config, of any kind. */
export type WorkerConfig =
  RouterWorkerConfig | ContainerWorkerConfig | GuestWorkerConfig | ProxyWorkerConfig | TesteeWorkerConfig;
