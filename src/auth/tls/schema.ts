/** The `tls` section: certificates of clients. */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { dynamicSchema, functionSchema } from '../dynamic/schema.js';
import { warnIfNobody } from '../principal-rules.js';
import { roleKeywords } from '../secret-schema.js';
import { checkPrincipal } from './rules.js';

export const tlsPrincipalSchema = {
  type: 'object',
  section: 'TLS principal',
  standsAt: 'auth.tls.principals',
  description:
    'Somebody who may join with a certificate. At least one fingerprint is needed; where both stand, both must fit.',
  rules: checkPrincipal,
  additionalProperties: false,
  properties: {
    'certificate-sha1': {
      type: 'string',
      pattern: '^[0-9a-fA-F]{2}(:?[0-9a-fA-F]{2}){19}$',
      allowed: '20 octets in hex, with or without colons between them',
      absent: 'not looked at',
      description: 'The SHA-1 fingerprint of the certificate, such as `openssl x509 -fingerprint` prints it.',
    },
    'certificate-sha256': {
      type: 'string',
      pattern: '^[0-9a-fA-F]{2}(:?[0-9a-fA-F]{2}){31}$',
      allowed: '32 octets in hex, with or without colons between them',
      absent: 'not looked at',
      description: 'The SHA-256 fingerprint of the certificate. An addition to the keys of Crossbar.io.',
    },
    role: roleKeywords,
  },
} as const satisfies ConfigSchema;

export const tlsStaticSchema = {
  type: 'object',
  section: 'TLS "static"',
  description: 'The principals and the fingerprints of their certificates are here in the config.',
  required: ['type', 'principals'],
  additionalProperties: false,
  unknownKeys: 'note',
  properties: {
    type: { const: 'static', description: 'The word for principals in the config.' },
    principals: {
      type: 'object',
      additionalProperties: tlsPrincipalSchema,
      rules: warnIfNobody,
      allowed: 'an object of principals by authid',
      description: 'Who may join, by `authid`. A client that names none is found by its certificate.',
    },
  },
} as const satisfies ConfigSchema;

export const tlsAuthSchema = {
  type: 'object',
  section: 'TLS authentication',
  standsAt: 'auth.tls',
  description:
    'The client showed a certificate when the connection was opened. Needs a TLS endpoint with `ca_certificates`.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [tlsStaticSchema, dynamicSchema, functionSchema],
} as const satisfies ConfigSchema;

export type TlsPrincipal = Checked<typeof tlsPrincipalSchema>;
export type TlsAuthConfig = Checked<typeof tlsStaticSchema>;
