/** The `session` section: who is logged in at a web application is logged in here. */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { authidPrefixKeywords, mappingKeys, pathKeywords } from '../mapping/schema.js';
import type { MappingConfig } from '../mapping/schema.js';
import { secretSchema } from '../secret-schema.js';
import { checkSecrets, checkSession } from './rules.js';
import { sessionStoreSchema } from './store-schema.js';
import type { SessionStoreConfig } from './store-schema.js';

export const sessionSchema = {
  type: 'object',
  section: 'Session authentication',
  standsAt: 'auth.session',
  description:
    'Lets a browser in by the session cookie of a web application (Express), as whom it is logged in there. Logout, expiry and a change of who it is end its WAMP sessions. The client must offer `session`.',
  letsIn: 'web logins',
  rules: checkSession,
  required: ['type', 'store', 'authid', 'role'],
  additionalProperties: false,
  properties: {
    type: { const: 'express', description: 'Signed cookies and sessions as express-session has them.' },
    cookie: {
      type: 'string',
      pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$",
      allowed: 'a name of a cookie: 1 to 128 letters, digits and some signs',
      default: 'connect.sid',
      description: 'The name of the session cookie, as the web application has it.',
    },
    secrets: {
      type: 'array',
      minItems: 1,
      uniqueItems: true,
      items: secretSchema('A secret of express-session.'),
      rules: checkSecrets,
      absent: 'with the store `http` only: cookies are not signed, and the web application checks them',
      description:
        'What the web application signs its cookies with: any of them may have signed one. At most 16; fewer than 16 characters are a warning, because such a secret can be found by trial.',
    },
    store: sessionStoreSchema,
    authid: pathKeywords(
      'Where the user is in the session, such as `passport.user`: a text that is not empty, or a number.',
    ),
    authid_prefix: { ...authidPrefixKeywords, default: '' },
    ...mappingKeys,
    close_ended: {
      type: 'boolean',
      default: true,
      description:
        'Ends WAMP sessions with GOODBYE `crossbar.close.session_ended` when the web session is over, or is that of somebody else. Otherwise only the next HELLO notices.',
    },
  },
} as const satisfies ConfigSchema;

/** A checked `session` section. */
export type SessionConfig = MappingConfig &
  Pick<Checked<typeof sessionSchema>, 'type' | 'cookie' | 'close_ended'> & {
    /** The secrets themselves, wherever they come from. */
    readonly secrets?: readonly string[];
    readonly store: SessionStoreConfig;
  };
