/** The `login` service in the config. */
import { jwtSchema } from '../../auth/jwt/schema.js';
import { authOptionsSchema } from '../../auth/options-schema.js';
import { ticketSchema } from '../../auth/ticket-schema.js';
import type { AuthConfig } from '../../auth/schema.js';
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { flag, serviceKeys } from '../service-schema.js';
import type { Service } from '../service-schema.js';
import { providersSchema } from './providers/schema.js';
import type { ProvidersConfig } from './providers/schema.js';
import { checkLogin } from './rules.js';

export const loginSchema = {
  type: 'object',
  section: 'Service "login"',
  description:
    'Logs browsers in and out with HTTP: a page posts a password or a token, and gets a cookie by which WebSockets with `auth.cookie` let it in. Needs a `cookie` section. An addition to the services of Crossbar.io.',
  required: ['type', 'realm'],
  rules: checkLogin,
  additionalProperties: false,
  properties: {
    type: { const: 'login', description: 'The word for this service.' },
    ...serviceKeys,
    realm: { type: 'string', is: 'realm', description: 'The realm of the logins.' },
    public_url: {
      type: 'string',
      pattern: '^https?://[\\x21-\\x7e]+$',
      allowed: 'an origin such as "https://example.com"',
      absent: 'the host that the browser asks for',
      description:
        'The origin of the pages, as browsers see it: scheme, host, and the port if it is not the usual one. Pages of it may log in.',
    },
    auth: {
      type: 'object',
      default: {},
      description:
        'What is asked of a user who posts `authid` and `ticket`, or `token`: the sections of a WebSocket of the same names, with principals of their own.',
      additionalProperties: false,
      properties: { ticket: ticketSchema, jwt: jwtSchema },
    },
    providers: providersSchema,
    options: {
      type: 'object',
      section: 'Login options',
      default: {},
      description: 'Who may ask, and how often.',
      additionalProperties: false,
      properties: {
        allowed_origins: {
          type: 'array',
          uniqueItems: true,
          default: [],
          items: {
            type: 'string',
            pattern: '^https?://[^*\\x00-\\x20\\x7f-\\uffff]+$',
            allowed: 'an origin such as "https://example.com", without "*"',
            description: 'One origin.',
          },
          description:
            'Pages of other origins that may log their visitors in and out, and read the answers (CORS, with cookies). Browsers keep the cookie of an answer to another site only with `same_site` `None`.',
        },
        forms: flag(
          'Also takes forms (`application/x-www-form-urlencoded`), and answers with a redirect to `return_to`: for pages without scripts.',
        ),
        return_to: {
          type: 'string',
          pattern: '^/(?![/\\\\])[\\x21-\\x5b\\x5d-\\x7e]*$',
          allowed: 'a path of this site, such as "/welcome"',
          default: '/',
          description: 'Where the browser goes after a form or a provider. A login that failed adds `login_error`.',
        },
        whoami: {
          type: 'boolean',
          default: true,
          description: 'Tells a page at `whoami` as whom its visitor is logged in.',
        },
        ticket: flag(
          'Gives one-time tickets at `ticket` to whoever is logged in here, for WebSockets that know no cookie. Needs `auth.one_time` on a WebSocket of the worker.',
        ),
        max_body: {
          type: 'integer',
          minimum: 256,
          maximum: 65_536,
          default: 4096,
          description: 'How many bytes a request may have. A token may need more.',
        },
        ...authOptionsSchema.properties,
      },
    },
  },
} as const satisfies ConfigSchema;

type Shape = Checked<typeof loginSchema>;

/** A checked service. The secrets are there, wherever they came from. */
export interface LoginConfig extends Omit<Service<Shape>, 'auth' | 'providers'> {
  readonly auth: Pick<AuthConfig, keyof Shape['auth']>;
  readonly providers: ProvidersConfig;
}
