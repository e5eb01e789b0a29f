/** The `jwt` section: tokens that somebody else signs (RFC 7519). */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { dynamicSchema, functionSchema } from '../dynamic/schema.js';
import { authidPrefixKeywords, mappingKeys, pathKeywords, requireKeywords } from '../mapping/schema.js';
import type { MappingConfig } from '../mapping/schema.js';
import { secretSchema } from '../secret-schema.js';
import type { DynamicConfig, FunctionConfig } from '../dynamic/schema.js';
import { ASYMMETRIC } from './algorithms.js';
import { checkIssuer, checkIssuers } from './rules.js';

export const issuerSchema = {
  type: 'object',
  section: 'Token issuer',
  standsAt: 'auth.jwt.issuers',
  description:
    'Who signs tokens. A token is checked with the keys and the rules of the issuer that it names, and of no other one. One of `jwks`, `keys` and `secret` is needed.',
  required: ['issuer', 'audience', 'role'],
  rules: checkIssuer,
  additionalProperties: false,
  properties: {
    issuer: {
      type: 'string',
      minLength: 1,
      description: 'The claim `iss` of its tokens, letter by letter: a slash at the end makes a difference.',
    },
    audience: {
      type: ['string', 'array'],
      minLength: 1,
      minItems: 1,
      items: { type: 'string', minLength: 1, description: 'One that may stand in `aud`.' },
      allowed: 'a string, or a list of strings',
      description:
        'What must be in the claim `aud`: the name of this node, so that no token for somebody else counts. Of a list, one.',
    },
    jwks: {
      type: 'string',
      minLength: 1,
      absent: '`keys` or `secret`',
      description:
        'The URL of its key set (`jwks_uri` in the metadata of the provider): https, or http on this machine. It is fetched when the node starts, which does not wait for it.',
    },
    keys: {
      type: 'string',
      is: 'file',
      minLength: 1,
      absent: '`jwks` or `secret`',
      description:
        'A file with its public keys: a JWK set, or one key or certificate in PEM. It is read when the node starts.',
    },
    secret: {
      ...secretSchema(
        'The key of both sides, as it is (not Base64), for the algorithms HS256 (32 octets or more), HS384 (48) and HS512 (64).',
      ),
      absent: '`jwks` or `keys`',
    },
    algorithms: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: {
        type: 'string',
        enum: [...ASYMMETRIC, 'HS256', 'HS384', 'HS512'],
        description: 'One of RFC 7518 or RFC 9864.',
      },
      absent: 'RS256, ES256 and EdDSA; HS256 with `secret`',
      description: 'How tokens may be signed. HS256, HS384 and HS512 go with `secret` only, and the others without it.',
    },
    typ: {
      type: 'string',
      enum: ['JWT', 'at+jwt'],
      absent: 'any but `logout+jwt`',
      description: 'What must stand in `typ` of the header: `at+jwt` is for access tokens (RFC 9068).',
    },
    leeway: {
      type: 'integer',
      minimum: 0,
      maximum: 300,
      default: 5,
      description: 'By how many seconds the clocks of the issuer and of this node may differ.',
    },
    max_age: {
      type: 'integer',
      minimum: 1,
      maximum: 31_536_000,
      default: 86_400,
      description: 'How long a token counts after it was issued (`iat`), in seconds, whatever its `exp` says.',
    },
    refresh: {
      type: 'integer',
      minimum: 60,
      maximum: 86_400,
      default: 600,
      description: 'How often the key set is fetched, in seconds. Keys that are there stay when that fails.',
    },
    cooldown: {
      type: 'integer',
      minimum: 1,
      maximum: 3600,
      default: 30,
      description:
        'How long after a fetch, also one that failed, the key set is not fetched again, in seconds: a token with an unknown key asks for it, and anybody can send those.',
    },
    timeout: {
      type: 'integer',
      minimum: 100,
      maximum: 30_000,
      default: 5000,
      description: 'How long a fetch of the key set may take, in milliseconds.',
    },
    authid: {
      ...pathKeywords(
        'The claim that names the user. `sub` is the only one that an issuer gives nobody else (`email` and `preferred_username` change).',
      ),
      default: 'sub',
    },
    authid_prefix: { ...authidPrefixKeywords, absent: 'nothing; with a second issuer each needs one' },
    ...mappingKeys,
    require: requireKeywords,
  },
} as const satisfies ConfigSchema;

const CACHE = {
  type: 'integer',
  minimum: 0,
  maximum: 3600,
  default: 10,
  description: 'How long an answer counts, in seconds.',
} as const satisfies ConfigSchema;

const { type: dynamicType, ...dynamicKeys } = dynamicSchema.properties;
const { type: functionType, ...functionKeys } = functionSchema.properties;

export const dynamicDeniedSchema = {
  type: 'object',
  section: 'Denied tokens "dynamic"',
  description: 'A procedure says whether a token is denied.',
  required: ['type', 'authenticator'],
  additionalProperties: false,
  properties: {
    type: dynamicType,
    authenticator: {
      ...dynamicKeys.authenticator,
      description:
        'The procedure. It is called with the realm, the `authid` and `{issuer, sub, jti, iat, exp}`, and answers `true` for a token that does not count any more. When it does not answer in time, clients are to come back.',
    },
    'authenticator-realm': dynamicKeys['authenticator-realm'],
    'authenticator-role': dynamicKeys['authenticator-role'],
    'authenticator-callee-role': dynamicKeys['authenticator-callee-role'],
    cache: CACHE,
  },
} as const satisfies ConfigSchema;

export const functionDeniedSchema = {
  type: 'object',
  section: 'Denied tokens "function"',
  description: 'A function of a module of the node directory says whether a token is denied.',
  required: ['type', 'module'],
  additionalProperties: false,
  properties: {
    type: functionType,
    module: functionKeys.module,
    name: {
      ...functionKeys.name,
      description: 'The function that the module exports. It is called, and answers, as the procedure of `dynamic`.',
    },
    cache: CACHE,
  },
} as const satisfies ConfigSchema;

export const jwtSchema = {
  type: 'object',
  section: 'Token authentication',
  standsAt: 'auth.jwt',
  looks: 'jwt',
  description:
    'The client sends a token (JWT) that somebody else has signed, such as an identity provider. Clients offer `jwt` or `ticket`; a cookie does not remember such a login. Needs the npm package `jose`.',
  required: ['issuers'],
  additionalProperties: false,
  properties: {
    issuers: {
      type: 'array',
      minItems: 1,
      items: issuerSchema,
      rules: checkIssuers,
      description: 'Whose tokens count. Each issuer stands here once.',
    },
    expire: {
      type: 'string',
      enum: ['close', 'keep'],
      default: 'close',
      description:
        'What happens to a session when its token expires. `close`: it ends with GOODBYE `crossbar.close.token_expired`, unless `crossbar.session.refresh` has taken a new token before. `keep`: it goes on.',
    },
    max_length: {
      type: 'integer',
      minimum: 256,
      maximum: 32_768,
      default: 8192,
      description: 'How long a token may be, in characters. A longer one is refused unread.',
    },
    denied: {
      type: 'object',
      section: 'Denied tokens',
      standsAt: 'auth.jwt.denied',
      absent: 'tokens count until they expire',
      description: 'Who says that a token which is good otherwise does not count any more.',
      required: ['type'],
      discriminator: { propertyName: 'type' },
      oneOf: [dynamicDeniedSchema, functionDeniedSchema],
    },
  },
} as const satisfies ConfigSchema;

/** A checked issuer; the secret is there, wherever it came from. */
export type IssuerConfig = Omit<Checked<typeof issuerSchema>, 'secret' | 'role' | 'extra' | 'require'> &
  Pick<MappingConfig, 'role' | 'extra' | 'require'> & { readonly secret?: string };

/** Who is asked about tokens. */
export type DeniedConfig = (DynamicConfig | FunctionConfig) & { readonly cache: number };

/** A checked section. */
export interface JwtConfig {
  readonly issuers: readonly IssuerConfig[];
  readonly expire: 'close' | 'keep';
  readonly max_length: number;
  readonly denied?: DeniedConfig;
}
