/** What a component of a container connects to (`endpoint`). */
import type { Checked, ConfigSchema } from '../schema/dialect.js';

const PATH = 'Absolute or relative to the node directory.';

const timeoutSchema = {
  type: 'integer',
  minimum: 0,
  maximum: 600,
  default: 10,
  description: 'How long the connection may take to be there, in seconds. 0 waits as long as the system does.',
} as const satisfies ConfigSchema;

export const clientTlsSchema = {
  type: 'object',
  section: 'Client TLS',
  standsAt: '...transport.endpoint.tls',
  description: 'Encrypts the connection, and checks who answers. The files are read whenever the component connects.',
  additionalProperties: false,
  properties: {
    hostname: {
      type: 'string',
      minLength: 1,
      absent: '`host` of the endpoint',
      description: 'The name that the certificate of the server must have.',
    },
    ca_certificates: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', is: 'file', minLength: 1, description: `A file (PEM). ${PATH}` },
      absent: 'the authorities that Node.js or Python trust by themselves',
      description: 'Those who may have signed the certificate of the server, and nobody else.',
    },
    certificate: {
      type: 'string',
      is: 'file',
      minLength: 1,
      absent: 'none',
      description: `The file of a certificate of its own (PEM), for servers that ask for one. ${PATH}`,
    },
    key: {
      type: 'string',
      is: 'file',
      private: true,
      minLength: 1,
      absent: 'none',
      description: `The file of the private key of \`certificate\` (PEM, without passphrase). ${PATH}`,
    },
  },
} as const satisfies ConfigSchema;

export const tcpClientEndpointSchema = {
  type: 'object',
  section: 'Client endpoint "tcp"',
  description: 'A TCP port that somebody listens on.',
  required: ['type', 'host', 'port'],
  additionalProperties: false,
  properties: {
    type: { const: 'tcp', description: 'The word for a TCP port.' },
    host: { type: 'string', minLength: 1, description: 'A host name or an address.' },
    port: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description: 'The port number.',
    },
    version: {
      type: 'integer',
      enum: [4, 6],
      absent: 'what `host` has: an address of IPv4 before one of IPv6',
      description: 'The version of IP.',
    },
    timeout: timeoutSchema,
    tls: clientTlsSchema,
  },
} as const satisfies ConfigSchema;

export const unixClientEndpointSchema = {
  type: 'object',
  section: 'Client endpoint "unix"',
  description: 'A socket in the file system that somebody listens on.',
  required: ['type', 'path'],
  additionalProperties: false,
  properties: {
    type: { const: 'unix', description: 'The word for a socket in the file system.' },
    path: { type: 'string', is: 'file', minLength: 1, description: `The socket file. ${PATH}` },
    timeout: timeoutSchema,
  },
} as const satisfies ConfigSchema;

export const clientEndpointSchema = {
  type: 'object',
  section: 'Client endpoint',
  standsAt: '...transport.endpoint',
  absent: 'what `url` says: TLS for `wss` and `rss`',
  description: 'What to connect to, whatever `url` says.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [tcpClientEndpointSchema, unixClientEndpointSchema],
  notYet: {
    twisted: 'write it as an endpoint of type "tcp" or "unix"',
    tor: 'run Tor beside the node, and let the component connect to what it forwards',
  },
} as const satisfies ConfigSchema;

export type ClientTlsConfig = Checked<typeof clientTlsSchema>;
/** A checked TCP endpoint; paths are absolute. */
export type TcpClientEndpoint = Checked<typeof tcpClientEndpointSchema>;
export type UnixClientEndpoint = Checked<typeof unixClientEndpointSchema>;
export type ClientEndpoint = TcpClientEndpoint | UnixClientEndpoint;
