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

/** The section that `FromSchema` need not derive. */
export interface WithCookie {
  /** For this service; without it the one of the nearest path above applies, or that of the transport. */
  readonly cookie?: CookieConfig;
}

/** @typeParam S - what `Checked` makes of a service's schema */
export type Service<S> = Omit<S, 'cookie'> & WithCookie;
