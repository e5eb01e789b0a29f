/** The `providers` of the service `login`: who vouches for users. */
import { authidPrefixKeywords, mappingKeys, pathKeywords, requireKeywords } from '../../../auth/mapping/schema.js';
import { secretSchema } from '../../../auth/secret-schema.js';
import { checkProvider, checkProviders } from './rules.js';
import type { MappingConfig } from '../../../auth/mapping/schema.js';
import type { Checked, ConfigSchema } from '../../../schema/dialect.js';

const ALLOWED_URL = 'an https URL without user and fragment; http only for localhost';

/** Rules check the rest of a URL. */
function urlKeywords<const Text extends string>(description: Text) {
  return { type: 'string', pattern: '^https?://[\\x21-\\x7e]+$', allowed: ALLOWED_URL, description } as const;
}

/** What both types have. */
const sharedKeys = {
  client_id: {
    type: 'string',
    minLength: 1,
    description: 'The name of this application at the provider.',
  },
  client_secret: secretSchema(
    'The secret of this application at the provider. Not with `client_authentication` `none`.',
  ),
  client_authentication: {
    type: 'string',
    enum: ['client_secret_basic', 'client_secret_post', 'none'],
    default: 'client_secret_basic',
    description:
      'How the node proves to the provider who it is: with the secret in a header, in the body, or not at all. PKCE is always used.',
  },
  timeout: {
    type: 'integer',
    minimum: 100,
    maximum: 30_000,
    default: 5000,
    description: 'Milliseconds that each answer of the provider may take. Then the browser gets a page that says so.',
  },
  role: mappingKeys.role,
  extra: mappingKeys.extra,
  require: requireKeywords,
  authid_prefix: { ...authidPrefixKeywords, absent: 'the name of the provider and a colon' },
} as const;

export const oidcProviderSchema = {
  type: 'object',
  section: 'Login provider "oidc"',
  description:
    'A provider of OpenID Connect, such as Keycloak, Google or Microsoft Entra: authorization code with PKCE, and an ID token whose signature is checked. Its metadata are fetched when somebody logs in for the first time, not when the node starts. Needs the npm package `openid-client`.',
  required: ['type', 'issuer', 'client_id', 'role'],
  rules: checkProvider,
  additionalProperties: false,
  properties: {
    type: { const: 'oidc', description: 'The word for OpenID Connect.' },
    issuer: urlKeywords('The issuer, as it names itself in its metadata and in `iss` of its tokens.'),
    ...sharedKeys,
    authid: {
      ...pathKeywords(
        'The claim that becomes the `authid`. Only `sub` never changes and is never given to somebody else; an e-mail address may be.',
      ),
      default: 'sub',
    },
    scope: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: {
        type: 'string',
        pattern: '^[\\x21\\x23-\\x5b\\x5d-\\x7e]+$',
        allowed: 'ASCII without space, quote and backslash',
        description: 'One scope.',
      },
      default: ['openid'],
      description:
        'What the provider is asked for. Many tell `email` and `name` only for the scopes `email` and `profile`.',
    },
    userinfo: {
      type: 'boolean',
      default: false,
      description:
        'Also asks the userinfo endpoint: for providers that leave claims out of the ID token. Where both have a claim, the ID token counts.',
    },
    max_age: {
      type: 'integer',
      minimum: 0,
      maximum: 31_536_000,
      absent: 'the provider decides',
      description: 'How many seconds ago the user may have logged in at the provider. It must say when that was.',
    },
    prompt: {
      type: 'string',
      enum: ['none', 'login', 'consent', 'select_account'],
      absent: 'the provider decides',
      description:
        'What the provider asks the user. With `none` nothing: who is not logged in there comes back with `login_error=login_required`.',
    },
    leeway: {
      type: 'integer',
      minimum: 0,
      maximum: 300,
      default: 30,
      description: "Seconds by which the provider's clock may be wrong.",
    },
    end_session: {
      type: 'boolean',
      default: false,
      description:
        'Whether the answer to a logout names the URL at which the browser also logs out at the provider (`logout_url`). The provider comes back to `public_url` with a slash behind it, which must be registered there.',
    },
    backchannel_logout: {
      type: 'boolean',
      default: true,
      description:
        'Whether a logout at the provider ends the logins here: it posts to `backchannel` below the path of the provider.',
    },
  },
} as const satisfies ConfigSchema;

export const oauth2ProviderSchema = {
  type: 'object',
  section: 'Login provider "oauth2"',
  description:
    'A provider of plain OAuth 2.0, as GitHub is: an authorization code with PKCE, and a URL that says who the user is. Needs the npm package `openid-client`.',
  required: ['type', 'authorization_endpoint', 'token_endpoint', 'userinfo', 'client_id', 'authid', 'role'],
  rules: checkProvider,
  additionalProperties: false,
  properties: {
    type: { const: 'oauth2', description: 'The word for plain OAuth 2.0.' },
    issuer: {
      ...urlKeywords('The issuer, where the provider names itself in `iss` when the browser comes back (RFC 9207).'),
      absent: 'a name that comes is not looked at',
    },
    authorization_endpoint: urlKeywords('Where browsers are sent.'),
    token_endpoint: urlKeywords('Where the node exchanges the code for a token. It must answer with JSON.'),
    userinfo: urlKeywords('What the token is good for: JSON that tells who the user is.'),
    ...sharedKeys,
    authid: pathKeywords(
      'The value of `userinfo` that becomes the `authid`: one that never changes, such as the number of an account. Names of accounts are given up and taken by others.',
    ),
    scope: {
      ...oidcProviderSchema.properties.scope,
      default: [],
      minItems: 0,
      description: 'What the provider is asked for.',
    },
  },
} as const satisfies ConfigSchema;

export const providersSchema = {
  type: 'object',
  default: {},
  propertyNames: {
    pattern: '^(?!(logout|whoami|ticket)$)[a-z][a-z0-9_]{0,31}$',
    allowed: '1 to 32 of a-z, 0-9 and _, beginning with a letter, and not "logout", "whoami" or "ticket"',
  },
  additionalProperties: {
    type: 'object',
    section: 'Login provider',
    standsAt: 'workers[].transports[].paths[].providers',
    description: 'Somebody who vouches for users.',
    required: ['type'],
    discriminator: { propertyName: 'type' },
    oneOf: [oidcProviderSchema, oauth2ProviderSchema],
  },
  rules: checkProviders,
  looks: 'login providers',
  description:
    'Who vouches for users, by name. The name stands in the URL: `<login>/<name>/start` begins a login, `<public_url><login>/<name>/callback` is to be registered at the provider. A login lasts as long as its cookie, not as long as a token of the provider.',
} as const satisfies ConfigSchema;

interface ProviderParts extends Omit<MappingConfig, 'realm'> {
  /** Undefined only where `client_authentication` is `none`. */
  readonly client_secret?: string;
}

type Shared = 'client_secret' | keyof MappingConfig;

/** A checked provider of type `oidc`. */
export type OidcProviderConfig = Omit<Checked<typeof oidcProviderSchema>, Shared> & ProviderParts;

/** A checked provider of type `oauth2`. */
export type OAuth2ProviderConfig = Omit<Checked<typeof oauth2ProviderSchema>, Shared> & ProviderParts;

export type ProviderConfig = OidcProviderConfig | OAuth2ProviderConfig;

/** The providers by name. */
export type ProvidersConfig = Readonly<Record<string, ProviderConfig>>;
