/** The `one_time` section: tickets that were issued to somebody a moment ago. */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { PARAMETER, checkOneTime } from './rules.js';

/** How long a ticket may be good for, in seconds. */
export const TICKET_SECONDS = { least: 5, most: 300 } as const;

export const oneTimeSchema = {
  type: 'object',
  section: 'One-time tickets',
  standsAt: 'auth.one_time',
  description:
    'Lets in who has a ticket that can be used once, within seconds. A program of yours gets it from the procedure `crossbar.ticket.issue`, for somebody who is logged in there. Clients offer `ticket`. No cookie remembers such a login.',
  rules: checkOneTime,
  additionalProperties: false,
  properties: {
    from: {
      type: 'array',
      items: {
        type: 'string',
        enum: ['challenge', 'authextra', 'query', 'subprotocol'],
        description:
          '`challenge`: the answer to CHALLENGE. `authextra`: `authextra.ticket` of HELLO. `query`: a parameter of the URL, which proxies in between write to their logs. `subprotocol`: `base64url.bearer.wamp.TICKET`, with the ticket in base64url, beside the subprotocol of WAMP.',
      },
      minItems: 1,
      uniqueItems: true,
      default: ['challenge', 'authextra'],
      description:
        'Where a client may put its ticket. A ticket that comes elsewhere is refused, and is used up. With `query` and `subprotocol` a page cannot connect again by itself: its ticket is used up, and the library sends the same one again.',
    },
    parameter: {
      type: 'string',
      pattern: '^[A-Za-z0-9._~-]{1,64}$',
      allowed: '1 to 64 letters, digits and ".", "_", "~", "-"',
      default: PARAMETER,
      description: 'The parameter of the URL that holds the ticket, with `query`.',
    },
    ttl: {
      type: 'integer',
      minimum: TICKET_SECONDS.least,
      maximum: TICKET_SECONDS.most,
      default: 30,
      description:
        'How long a ticket is good for, in seconds, where whoever issues it does not say. Of several transports of a worker the longest counts.',
    },
    max: {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      default: 10_000,
      description:
        'How many tickets are kept at the same time; then the oldest goes. Of several transports of a worker the largest counts. A user has 20 at most.',
    },
    bind_origin: {
      type: 'boolean',
      default: true,
      description:
        'Whether a ticket that was issued for pages of one origin is refused when it comes from another one, or from no page.',
    },
    bind_cookie: {
      type: 'boolean',
      default: true,
      description: 'Whether a ticket that was issued to a browser with a cookie is refused when it comes without it.',
    },
  },
} as const satisfies ConfigSchema;

export type OneTimeConfig = Checked<typeof oneTimeSchema>;
