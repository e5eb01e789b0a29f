/**
 * The variants `dynamic` and `function` of an authentication method: somebody else says who is let in. They are the same
 * for all methods that have them.
 */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { REFUSED } from '../secret-schema.js';

/** The same whoever is asked. */
const defaultRole = {
  type: 'string',
  minLength: 1,
  absent: 'such clients are refused',
  description: 'The role of a client for whom the answer names none. The realm must have it.',
} as const satisfies ConfigSchema;

export const dynamicSchema = {
  type: 'object',
  section: 'Authentication "dynamic"',
  description: 'A procedure, the authenticator, says who is let in and as whom.',
  required: ['type', 'authenticator'],
  additionalProperties: false,
  unknownKeys: 'note',
  properties: {
    type: { const: 'dynamic', description: 'The word for a procedure.' },
    authenticator: {
      type: 'string',
      is: 'uri',
      provider: 'authenticator-callee-role',
      pattern: '^([0-9a-z_]+\\.)*[0-9a-z_]+$',
      allowed: 'a procedure URI of a-z, 0-9 and _, with dots between them',
      description:
        'The procedure. It is called with the realm, the `authid` (or null) and details of the client. It is waited for, 5 seconds, when it is not registered, and has 5 seconds to answer; else clients are closed with code 1013 and come back.',
    },
    'authenticator-realm': {
      type: 'string',
      is: 'realm',
      ifAbsent: REFUSED,
      absent: 'the realm that the client asks for',
      description: 'The realm on which the procedure is registered. The worker must have it.',
    },
    'authenticator-role': {
      type: 'string',
      is: 'role',
      ifAbsent: REFUSED,
      absent: 'one that may call everything',
      description: 'The role by which the router calls the procedure. The realm of the authenticator must have it.',
    },
    'authenticator-callee-role': {
      type: 'string',
      is: 'role',
      minLength: 1,
      absent: 'the first one that registers it',
      description:
        'The role that may register the procedure. No other role can, whatever its rules are. The realm of the authenticator must have it.',
    },
    'default-role': defaultRole,
  },
} as const satisfies ConfigSchema;

export const functionSchema = {
  type: 'object',
  section: 'Authentication "function"',
  description: 'A function of a module of the node directory says who is let in and as whom.',
  required: ['type', 'module'],
  additionalProperties: false,
  unknownKeys: 'note',
  properties: {
    type: { const: 'function', description: 'The word for a function.' },
    module: {
      type: 'string',
      looks: 'module',
      minLength: 1,
      description:
        'The module: a file, beginning with `./`, `../` or `/` and relative to the node directory, or the name of a package that is installed there.',
    },
    name: {
      type: 'string',
      minLength: 1,
      default: 'default',
      description:
        'The function that the module exports, called as a dynamic authenticator is; it may be asynchronous and has 5 seconds.',
    },
    'default-role': defaultRole,
  },
  notYet: {
    create:
      'name a function of JavaScript with "module" and "name"; or let the Python program register a procedure, and name that as "authenticator" with the type "dynamic"',
    config: 'let the module know its settings itself',
    expose_controller: 'leave it out together with "create"',
  },
} as const satisfies ConfigSchema;

export type DynamicConfig = Checked<typeof dynamicSchema>;
export type FunctionConfig = Checked<typeof functionSchema>;
