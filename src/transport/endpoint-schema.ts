/**
 * What a transport listens on (`endpoint`), and what it is called.
 */
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import { tlsSchema } from './tls-schema.js';

export const transportIdSchema = {
  type: 'string',
  pattern: '^[a-z][a-z0-9_]{2,63}$',
  allowed: '3 to 64 of a-z, 0-9 and _, beginning with a letter',
  absent: '`transport001`, `transport002`, ... in order',
  description: 'The name of this transport in the log. Unique within the worker.',
} as const satisfies ConfigSchema;

const backlogSchema = {
  type: 'integer',
  minimum: 1,
  maximum: 65_535,
  default: 1024,
  description:
    'How many connections may wait to be accepted. When a node starts again, all of its clients come at once: Crossbar.io lets 50 wait, and the system drops the others, which then try again only after seconds, up to a minute. The system may allow less (on Linux `net.core.somaxconn`).',
} as const satisfies ConfigSchema;

export const tcpEndpointSchema = {
  type: 'object',
  description: 'A TCP port.',
  required: ['type', 'port'],
  additionalProperties: false,
  properties: {
    type: { const: 'tcp', description: 'The word for a TCP port.' },
    port: {
      type: ['integer', 'string'],
      minimum: 0,
      maximum: 65_535,
      pattern: '^\\$([a-zA-Z_][a-zA-Z0-9_]*)$',
      allowed: 'a port from 0 to 65535, or "$NAME" of an environment variable that holds one',
      description:
        'The port number, or `"$NAME"` to take it from the environment. 0 takes any free port, which suits tests.',
    },
    interface: {
      type: 'string',
      minLength: 1,
      absent: 'all interfaces',
      description: 'The address or host name to listen on, such as `127.0.0.1` for this machine only.',
    },
    version: {
      type: 'integer',
      enum: [4, 6],
      absent: 'what `interface` is; without `interface` 4',
      description: 'The version of IP.',
    },
    backlog: backlogSchema,
    tls: tlsSchema,
    shared: {
      const: false,
      default: false,
      because: 'one process serves all connections, so there is nobody to share the port with',
      description: 'Lets several processes listen on the same port.',
    },
  },
  notYet: ['portrange', 'user_timeout'],
} as const satisfies ConfigSchema;

export const unixEndpointSchema = {
  type: 'object',
  description: 'A socket in the file system (unix domain socket), for programs on the same machine.',
  required: ['type', 'path'],
  additionalProperties: false,
  properties: {
    type: { const: 'unix', description: 'The word for a socket in the file system.' },
    path: {
      type: 'string',
      minLength: 1,
      description:
        'The socket file, absolute or relative to the node directory. It is removed when the node stops; one that was left behind is replaced. At most 107 bytes in all.',
    },
    backlog: backlogSchema,
  },
} as const satisfies ConfigSchema;

export const endpointSchema = {
  type: 'object',
  description: 'What to listen on.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [tcpEndpointSchema, unixEndpointSchema],
  notYet: ['twisted', 'onion'],
} as const satisfies ConfigSchema;

/** A checked TCP endpoint; `$NAME` is resolved. */
export type TcpEndpointConfig = Omit<Checked<typeof tcpEndpointSchema>, 'port'> & { readonly port: number };
/** A checked unix endpoint; `path` is absolute. */
export type UnixEndpointConfig = Checked<typeof unixEndpointSchema>;
export type EndpointConfig = TcpEndpointConfig | UnixEndpointConfig;
