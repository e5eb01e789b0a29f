/**
 * The `tls` of an endpoint.
 */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';

const PATH = 'Absolute or relative to the node directory.';

export const tlsSchema = {
  type: 'object',
  section: 'Endpoint: TLS',
  looks: 'tls',
  standsAt: '...endpoint.tls',
  reload: 'new connections',
  description:
    'Encrypts connections (TLS 1.2 and 1.3). The files are read when the node starts, and again when they were replaced: new connections get the new certificate within some 20 seconds, and old ones go on. One that is missing or wrong keeps the node from starting; later the certificate before it stays.',
  required: ['key', 'certificate'],
  additionalProperties: false,
  properties: {
    key: {
      type: 'string',
      is: 'file',
      private: true,
      minLength: 1,
      description: `The file of the private key (PEM, without passphrase). ${PATH} Nobody but the node should be able to read it.`,
    },
    certificate: {
      type: 'string',
      is: 'file',
      minLength: 1,
      description: `The file of the certificate (PEM); certificates that lead to a root may follow in it. ${PATH}`,
    },
    chain_certificates: {
      type: 'array',
      items: { type: 'string', is: 'file', minLength: 1, description: `A file (PEM). ${PATH}` },
      default: [],
      description: 'The certificates between `certificate` and a root that clients know, if they stand in other files.',
    },
    ca_certificates: {
      type: 'array',
      refuses: { '`ca_certificates: []`': 'leave the key out: no client could have a certificate by none of them' },
      minItems: 1,
      items: { type: 'string', is: 'file', minLength: 1, description: `A file (PEM). ${PATH}` },
      absent: 'clients are not asked for a certificate',
      description: 'Those who sign the certificates of clients: with this key a client has to have one.',
    },
    ciphers: {
      type: 'string',
      minLength: 1,
      absent: 'what Node.js takes for safe',
      description:
        'The cipher suites, as OpenSSL writes them, such as `ECDHE-ECDSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256`.',
    },
    dhparam: {
      type: 'string',
      is: 'file',
      minLength: 1,
      absent: 'no key exchange that needs it; clients of today use elliptic curves',
      description: `The file of the Diffie-Hellman parameters (PEM) for old clients. ${PATH}`,
    },
  },
} as const satisfies ConfigSchema;

/** A checked `tls` section; all paths are absolute. */
export type TlsConfig = Checked<typeof tlsSchema>;
