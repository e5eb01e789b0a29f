/** What a transport says of authentication beside the methods: keys of its `options`. */
import type { Checked, ConfigSchema } from '../schema/dialect.js';

export const authOptionsSchema = {
  type: 'object',
  description: 'The options that authentication is about.',
  additionalProperties: false,
  properties: {
    auth_error_uris: {
      type: 'string',
      enum: ['crossbar', 'wamp'],
      default: 'crossbar',
      description:
        'What refused authentication is called: `crossbar` has `wamp.error.not_authorized` and `wamp.error.no_auth_method` as Crossbar.io, `wamp` the URIs of the WAMP specification (`wamp.error.authentication_denied`, `wamp.error.no_matching_auth_method`, `wamp.error.authentication_required`). An addition to the keys of Crossbar.io.',
    },
    max_auth_failures: {
      type: 'integer',
      minimum: 0,
      maximum: 1_000_000,
      default: 10,
      description:
        'How often authentication as one `authid` may fail from one address within a minute. After that it is refused for the rest of the minute, also with the right secret; for clients of this machine, which may come through a proxy, one attempt in two seconds is looked at all the same. 0 is no limit. An addition to the keys of Crossbar.io.',
    },
    max_auth_failures_per_address: {
      type: 'integer',
      minimum: 0,
      maximum: 1_000_000,
      default: 100,
      description:
        'The same for all authentications from one address, of IPv6 from one /64 network. Clients of this machine are not counted: the proxy among them stands for all of its own. Behind a proxy on another machine all clients have one address: set it to 0 there. 0 is no limit. An addition to the keys of Crossbar.io.',
    },
  },
} as const satisfies ConfigSchema;

/** Checked options. */
export type AuthOptions = Checked<typeof authOptionsSchema>;
