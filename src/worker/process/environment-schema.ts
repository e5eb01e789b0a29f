/** The environment variables of a process that the node starts. */
import type { ConfigSchema } from '../../schema/dialect.js';

export const environmentKeys = {
  inherit: {
    type: ['boolean', 'array'],
    items: { type: 'string', minLength: 1, description: 'The name of a variable.' },
    default: true,
    allowed: 'true, false, or a list of names',
    description: 'Those of the node: all, none, or the ones that are named.',
  },
  vars: {
    type: 'object',
    default: {},
    propertyNames: { pattern: '^[^=]+$', allowed: 'the name of a variable' },
    additionalProperties: { type: 'string', description: 'The value of a variable.' },
    description: 'More variables, which take the place of those of the node.',
  },
} as const satisfies Readonly<Record<string, ConfigSchema>>;

/** A checked `env`. */
export interface EnvironmentConfig {
  readonly inherit: boolean | readonly string[];
  readonly vars: Readonly<Record<string, string>>;
}
