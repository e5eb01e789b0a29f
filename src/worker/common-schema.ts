/** What all workers have in their config. */
import type { ConfigSchema } from '../schema/dialect.js';

export const idKeywords = {
  type: 'string',
  pattern: '^[a-z][a-z0-9_]{2,63}$',
  allowed: '3 to 64 of a-z, 0-9 and _, beginning with a letter',
} as const;

export const disabledSchema = {
  type: ['boolean', 'string'],
  pattern: '^\\$\\{([a-zA-Z_][a-zA-Z0-9_]*)\\}$',
  allowed: 'true, false, or "${NAME}" of an environment variable',
  default: false,
  description: 'Leaves the worker out. `"${NAME}"` does so when that environment variable is set and not empty.',
} as const satisfies ConfigSchema;
