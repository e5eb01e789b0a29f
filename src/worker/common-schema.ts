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

/** Which Python runs the components and applications of a worker. */
export const pythonSchema = {
  type: 'string',
  minLength: 1,
  pattern: '^/',
  allowed: 'an absolute path',
  absent: '`$VIRTUAL_ENV/bin/python`, else `python3` on the `PATH`',
  description: 'The Python that runs components and applications of Python.',
} as const satisfies ConfigSchema;

/** Where it searches their modules. */
export const pythonPathKeywords = {
  type: 'array',
  items: { type: 'string', minLength: 1, is: 'file', description: 'A directory.' },
  description: 'Where Python searches modules first. Relative ones start at the node directory.',
} as const satisfies ConfigSchema;

/** Options of all workers of Crossbar.io that it does not read itself. */
export const unreadOptions = {
  expose_controller: 'Crossbar.io does not use it either',
  expose_shared: 'Crossbar.io does not use it either',
} as const;
