/** Where a secret may come from: config, environment or file. Methods always get the secret itself. */
import type { ConfigSchema } from '../schema/dialect.js';

const secretFileKeywords = {
  type: 'object',
  description: 'Where a secret is that does not stand in the config.',
  required: ['file'],
  additionalProperties: false,
  properties: {
    file: {
      type: 'string',
      minLength: 1,
      description:
        'A file that holds the secret and nothing else, absolute or relative to the node directory. A line end behind it is cut off. Nobody but the node should be able to read it.',
    },
  },
} as const satisfies ConfigSchema;

/** A secret that is not in the config. */
export const secretFileSchema = {
  ...secretFileKeywords,
  section: 'Secret file',
  standsAt: 'where a secret may stand',
} as const satisfies ConfigSchema;

/** @param description what the secret is for. */
export function secretSchema<const Text extends string>(description: Text) {
  return {
    ...secretFileKeywords,
    type: ['string', 'object'],
    is: 'secret',
    refuses: {
      'a secret in a variable that is not set': 'set the variable: with Crossbar.io the secret would be `null`',
    },
    form: secretFileSchema,
    minLength: 1,
    allowed: 'a string that is not empty, "${NAME}" of an environment variable, or an object {"file": "..."}',
    description: `${description} \`"\${NAME}"\` takes it from the environment, \`{"file": "..."}\` from a file.`,
  } as const;
}

/** What happens to clients whose realm or role is not there. */
export const REFUSED = 'such clients are refused';

/** The role of a principal. */
export const roleKeywords = {
  type: 'string',
  is: 'role',
  ifAbsent: REFUSED,
  default: 'anonymous',
  description: 'The role that it gets. The realm must have it.',
} as const satisfies ConfigSchema;
