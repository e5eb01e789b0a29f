/**
 * How a user of somebody else becomes a principal: keys that the sections `session` and `jwt` and the providers of a login share.
 * What is mapped is JSON: the session of a web application, the claims of a token.
 */
import type { ConfigSchema } from '../../schema/dialect.js';
import { REFUSED } from '../secret-schema.js';
import { checkExtra } from './rules.js';

/** Keys and list indexes with dots between them. */
const PATH = {
  type: 'string',
  pattern: '^[^.]+(\\.[^.]+)*$|^[a-z]+://.+$',
  allowed: 'a path such as "user.id": keys with dots between them',
} as const;

/** A path in the JSON of a user. @param description what is found there. */
export function pathKeywords<const Text extends string>(description: Text) {
  return { ...PATH, description } as const;
}

export const roleMapSchema = {
  type: 'object',
  section: 'Role map',
  standsAt: 'where a role may stand that comes from elsewhere',
  description: 'Which role a user gets, by a value in the JSON. A role of somebody else is never passed through.',
  required: ['path', 'map'],
  additionalProperties: false,
  properties: {
    path: pathKeywords('Where the value is. Of a list, the first entry of `map` that is in it counts.'),
    map: {
      type: 'object',
      additionalProperties: {
        type: 'string',
        is: 'role',
        ifAbsent: REFUSED,
        minLength: 1,
        description: 'The role for this value.',
      },
      description: 'Value to role. The realm must have the roles.',
    },
    default: {
      type: 'string',
      is: 'role',
      ifAbsent: REFUSED,
      minLength: 1,
      absent: 'such users are nobody',
      description: 'The role for a value that is not in `map`, or is missing.',
    },
  },
} as const satisfies ConfigSchema;

/** Keys of a section that maps users, but for `authid` and `authid_prefix`, whose defaults differ. */
export const mappingKeys = {
  role: {
    type: ['string', 'object'],
    is: 'role',
    ifAbsent: REFUSED,
    minLength: 1,
    required: roleMapSchema.required,
    additionalProperties: false,
    properties: roleMapSchema.properties,
    form: roleMapSchema,
    allowed: 'a role, or an object with "path" and "map"',
    description: 'The role of all users, or how it follows from the JSON.',
  },
  extra: {
    type: 'object',
    default: {},
    rules: checkExtra,
    additionalProperties: pathKeywords('Where the value is.'),
    description: 'Name to path: goes into `authextra` of WELCOME, so nothing secret. At most 32.',
  },
  realm: {
    type: 'string',
    is: 'realm',
    ifAbsent: REFUSED,
    absent: 'the realm that the client asks for',
    description: 'The realm that the users join.',
  },
} as const satisfies Readonly<Record<string, ConfigSchema>>;

/** Values that the JSON must have. */
export const requireKeywords = {
  type: 'object',
  default: {},
  additionalProperties: {
    type: ['string', 'number', 'boolean'],
    description: 'The value that must be there.',
  },
  description: 'Path to value: users without them are nobody.',
} as const satisfies ConfigSchema;

/** What is put before every `authid`. */
export const authidPrefixKeywords = {
  type: 'string',
  description: 'Is put before every `authid`, so that users of two sources never share one.',
} as const satisfies ConfigSchema;

/** Checked keys. */
export interface MappingConfig {
  readonly authid: string;
  readonly authid_prefix?: string;
  readonly role: string | RoleMap;
  readonly extra: Readonly<Record<string, string>>;
  readonly realm?: string;
  readonly require?: Readonly<Record<string, string | number | boolean>>;
}

/** A checked {@link roleMapSchema}. */
export interface RoleMap {
  readonly path: string;
  readonly map: Readonly<Record<string, string>>;
  readonly default?: string;
}
