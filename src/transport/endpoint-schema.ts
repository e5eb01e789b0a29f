/**
 * What a transport listens on (`endpoint`), and what it is called.
 */
import type { Checked, ConfigSchema } from '../schema/dialect.js';
import type { Adapt } from '../schema/rules.js';
import { checkPortKeys } from './listen/endpoint-rules.js';
import { checkProxyProtocol } from './proxies/rules.js';
import { tlsSchema } from './tls/schema.js';

export const transportIdSchema = {
  type: 'string',
  pattern: '^[a-z][a-z0-9_]{2,63}$',
  allowed: '3 to 64 of a-z, 0-9 and _, beginning with a letter',
  reload: 'at once',
  absent: '`transport001`, `transport002`, ... in order',
  description: 'The name of this transport in the log. Unique within the worker.',
} as const satisfies ConfigSchema;

const backlogSchema = {
  type: 'integer',
  reload: 'restart',
  minimum: 1,
  maximum: 65_535,
  default: 1024,
  description:
    'How many connections may wait to be accepted. When a node starts again, all of its clients come at once: Crossbar.io lets 50 wait, and the system drops the others, which then try again only after seconds, up to a minute. The system may allow less (on Linux `net.core.somaxconn`).',
} as const satisfies ConfigSchema;

const proxyProtocolSchema = {
  type: 'string',
  enum: ['required'],
  rules: checkProxyProtocol,
  absent: 'connections come from clients, or from proxies that say nothing',
  description:
    '`required`: every connection comes from one of the `trusted_proxies` and begins, before TLS, with a header of the PROXY protocol, version 1 or 2, which says where its client is. Connections of others are cut. For proxies that pass on bare TCP, such as HAProxy with `send-proxy-v2`, nginx with `stream`, or the load balancers of clouds. An addition to the keys of Crossbar.io.',
} as const satisfies ConfigSchema;

/** As Crossbar.io reads it. */
const everyInterface: Adapt = (value) => {
  if (typeof value !== 'string' || value.trim() !== '') return undefined;
  return { value: undefined, note: 'found an empty text, which means all interfaces, as without the key' };
};

export const tcpEndpointSchema = {
  type: 'object',
  section: 'Endpoint "tcp"',
  description: 'A TCP port.',
  rules: checkPortKeys,
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'tcp', description: 'The word for a TCP port.' },
    port: {
      type: ['integer', 'string'],
      minimum: 0,
      maximum: 65_535,
      pattern: '^\\$([a-zA-Z_][a-zA-Z0-9_]*)$',
      allowed: 'a port from 0 to 65535, or "$NAME" of an environment variable that holds one',
      absent: 'none; **required** without `portrange`',
      description:
        'The port number, or `"$NAME"` to take it from the environment. 0 takes any free port, which suits tests.',
    },
    portrange: {
      type: 'array',
      items: { type: 'integer', minimum: 1, maximum: 65_535, description: 'The first or the last port of the range.' },
      absent: '`port` counts',
      description:
        'The first and the last port of a range, instead of `port`: the first port that is free is taken. The log, and what `start` shows, tell which.',
    },
    interface: {
      type: 'string',
      adapt: everyInterface,
      absent: 'all interfaces',
      description: 'The address or host name to listen on, such as `127.0.0.1` for this machine only.',
    },
    version: {
      type: 'integer',
      enum: [4, 6],
      absent: 'what `interface` is; without `interface` 4',
      description:
        'The version of IP. With 6 and without `interface` (or on `::`) connections of IPv4 are taken, too, as in Crossbar.io.',
    },
    backlog: backlogSchema,
    proxy_protocol: proxyProtocolSchema,
    tls: tlsSchema,
    shared: {
      type: 'boolean',
      reload: 'restart',
      default: false,
      description:
        'Lets transports of several workers have the same port. The first one listens; a client gets to the worker that has the realm it asks for, a request to the one that has the path. The transports may differ in their `auth`, and each may have paths of its own; all else has to be the same.',
    },
  },
  noEffect: { user_timeout: 'Node.js cannot set it; pings find peers that vanished' },
} as const satisfies ConfigSchema;

export const unixEndpointSchema = {
  type: 'object',
  section: 'Endpoint "unix"',
  looks: 'socket file',
  description: 'A socket in the file system (unix domain socket), for programs on the same machine.',
  required: ['type', 'path'],
  additionalProperties: false,
  properties: {
    type: { const: 'unix', description: 'The word for a socket in the file system.' },
    path: {
      type: 'string',
      is: 'file',
      minLength: 1,
      description:
        'The socket file, absolute or relative to the node directory. It is removed when the node stops; one that was left behind is replaced. At most 107 bytes in all.',
    },
    mode: {
      type: 'string',
      reload: 'restart',
      pattern: '^0?[0-7]{3}$',
      allowed: 'three octal digits in quotes, such as "0660"',
      default: '0660',
      description:
        'Who may connect: permissions of the socket file in octal digits, whatever the umask is; to connect takes the right to write. By default the user and the group of the node, and nobody else. Crossbar.io has 0666, which lets in every user of the machine; a reverse proxy under a user of its own needs that, or the `group`.',
    },
    group: {
      type: ['string', 'integer'],
      reload: 'restart',
      minLength: 1,
      minimum: 0,
      maximum: 4_294_967_294,
      allowed: 'the name of a group in /etc/group, or its number',
      absent: 'the group of the process',
      description:
        'The group of the socket file: a name from /etc/group, or a number. The user of the node has to be in it, such as `www-data` for a reverse proxy.',
    },
    backlog: backlogSchema,
    proxy_protocol: proxyProtocolSchema,
  },
} as const satisfies ConfigSchema;

export const systemdEndpointSchema = {
  type: 'object',
  section: 'Endpoint "systemd"',
  description:
    'A listening socket that systemd has opened (socket activation), by its name. It stays open while the node starts again, so no client is refused, and a port below 1024 needs no privilege. An addition to the endpoints of Crossbar.io.',
  required: ['type', 'name'],
  additionalProperties: false,
  properties: {
    type: { const: 'systemd', description: 'The word for a socket of systemd.' },
    name: {
      type: 'string',
      minLength: 1,
      description:
        '`FileDescriptorName` of its `.socket` unit; without that the name of the unit, such as `chat.socket`. Each transport has a unit of its own, with `Accept=no` and one `ListenStream`.',
    },
    backlog: backlogSchema,
    proxy_protocol: proxyProtocolSchema,
    tls: tlsSchema,
  },
} as const satisfies ConfigSchema;

export const endpointSchema = {
  type: 'object',
  refuses: { 'one port twice without `shared`': 'give each transport a port of its own' },
  section: 'Endpoint',
  standsAt: 'workers[].transports[].endpoint',
  reload: 'at once',
  description: 'What to listen on.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [tcpEndpointSchema, unixEndpointSchema, systemdEndpointSchema],
  notYet: {
    twisted: 'write it as an endpoint of type "tcp" or "unix"',
    onion: 'listen on a port of 127.0.0.1, and let the Tor daemon lead its hidden service there (HiddenServicePort)',
  },
} as const satisfies ConfigSchema;

/** A checked TCP endpoint; `$NAME` is resolved. */
export type TcpEndpointConfig = Omit<Checked<typeof tcpEndpointSchema>, 'port' | 'portrange'> & {
  /** With `portrange` the first of it. */
  readonly port: number;
  readonly portrange?: readonly number[];
};
/** A checked unix endpoint; `path` is absolute. */
export type UnixEndpointConfig = Checked<typeof unixEndpointSchema>;
/** A checked endpoint of systemd. */
export type SystemdEndpointConfig = Checked<typeof systemdEndpointSchema>;
export type EndpointConfig = TcpEndpointConfig | UnixEndpointConfig | SystemdEndpointConfig;
