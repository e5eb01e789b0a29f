/** The keys of the worker `proxy` in the config; `worker/schema.ts` puts it together. */
import type { ConfigSchema } from '../../schema/dialect.js';
import { disabledSchema, unreadOptions } from '../common-schema.js';
import { frontOf } from './front.js';
import { checkProxy } from './rules.js';

const NO_PROCESS = 'the worker has no process of its own';

const proxyConnectionSchema = {
  type: 'object',
  section: 'Proxy connection',
  standsAt: 'workers[].connections.NAME',
  description: 'Where a router listens. It only says which router is meant: nothing is connected.',
  required: ['transport'],
  properties: {
    transport: {
      type: 'object',
      section: 'Proxy connection transport',
      standsAt: 'workers[].connections.NAME.transport',
      description: 'How Crossbar.io would connect. Only `endpoint` counts.',
      required: ['endpoint'],
      properties: {
        endpoint: {
          type: 'object',
          description:
            'The endpoint of a transport of a router worker in this config: `type` and `path`, or `type`, `host` and `port`.',
        },
      },
    },
  },
} as const satisfies ConfigSchema;

/** All keys but `type`, `id` and `transports`. */
export const proxyKeys = {
  instances: {
    type: ['integer', 'string'],
    minimum: 1,
    maximum: 256,
    pattern: '^auto$',
    allowed: 'a number of processes, or "auto"',
    absent: 'none: the process of the node has the connections',
    description:
      'How many processes have the connections of this worker: TLS, WebSocket and RawSocket frames, compression, pings, and what waits for each client. `"auto"`: one for each processor but one. They lead to the router of the node, which has sessions, logins and cookies; each takes some 70 MiB. An addition to Crossbar.io.',
  },
  options: {
    type: 'object',
    section: 'Proxy worker options',
    standsAt: 'workers[].options',
    default: {},
    description: 'Options of the worker.',
    additionalProperties: false,
    properties: { disabled: disabledSchema },
    noEffect: {
      title: NO_PROCESS,
      cpu_affinity: NO_PROCESS,
      reactor: 'it names an event loop of Python, and Node.js has its own',
      ...unreadOptions,
      python: 'no Python runs in this worker',
      pythonpath: 'no Python runs in this worker',
      env: NO_PROCESS,
      extra: 'nothing in this worker asks for it',
    },
  },
  connections: {
    type: 'object',
    default: {},
    description:
      'Routers by names, for `routes`: router workers of this config. One of them may be in the process of the node; with `instances` there may be others that have processes of their own.',
    additionalProperties: proxyConnectionSchema,
  },
  routes: {
    type: 'object',
    default: {},
    description:
      'Who may join through this worker: realms, in them roles, for each the name of a connection, or a list of such names. Clients of other realms and roles are refused.',
    additionalProperties: {
      type: 'object',
      description: 'The roles of a realm.',
      additionalProperties: {
        type: ['string', 'array'],
        minItems: 1,
        items: { type: 'string', description: 'The name of a connection.' },
        allowed: 'the name of a connection, or a list of such names',
        description: 'Where the clients of this role are led to.',
      },
    },
  },
} as const satisfies Readonly<Record<string, ConfigSchema>>;

/** What is done with a proxy as a whole. */
export const proxyKeywords = {
  front: frontOf,
  rules: checkProxy,
  refuses: {
    'connections to another node':
      'let clients connect to that node, through a load balancer such as HAProxy or nginx if need be',
    'routes to several router workers':
      'put their realms into one router worker, or give these workers processes of their own and the proxy worker `instances`',
  },
} as const;

/** realm -> role -> connections */
export type ProxyRoutes = Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
