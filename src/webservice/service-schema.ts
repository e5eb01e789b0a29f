/**
 * What the schemas of web services have in common.
 */
import { cookieSchema } from '../cookie/schema.js';
import type { CookieConfig } from '../cookie/schema.js';
import type { ConfigSchema } from '../schema/dialect.js';

export const serviceIdSchema = {
  type: 'string',
  pattern: '^[a-z][a-z0-9_]{2,63}$',
  allowed: '3 to 64 of a-z, 0-9 and _, beginning with a letter',
  absent: 'none',
  description: 'A name for this service.',
} as const satisfies ConfigSchema;

/** Keys that every service may carry. */
export const serviceKeys = { id: serviceIdSchema, cookie: cookieSchema } as const;

/** A switch that is off unless the config says otherwise. */
export const flag = (description: string) => ({ type: 'boolean', default: false, description }) as const;

/** Which pages may ask a service that acts for whoever asks it (`http/cross-origin.ts`). */
export const originKeys = {
  allowed_origins: {
    type: 'array',
    uniqueItems: true,
    default: ['self'],
    items: {
      type: 'string',
      minLength: 1,
      description: 'An origin, such as `https://example.com:8443`; `*` stands for any characters; or `self`.',
    },
    description:
      'The origins of pages that may ask, as on a WebSocket: `self` is the host that the client asked for. Clients that send no origin are no browsers and may ask. An addition to the keys of Crossbar.io, which lets every page ask.',
  },
  allow_null_origin: flag('Lets pages without an origin ask: local files and sandboxed frames.'),
} as const;

/** The section that `FromSchema` need not derive. */
export interface WithCookie {
  /** For this service; without it the one of the nearest path above applies, or that of the transport. */
  readonly cookie?: CookieConfig;
}

/** @typeParam S - what `Checked` makes of a service's schema */
export type Service<S> = Omit<S, 'cookie'> & WithCookie;
