/**
 * The `components` of a router worker: programs that run inside the node. Each kind has a schema of its own, and a line in the
 * `oneOf` of {@link componentSchema}.
 */
import type { Checked, ConfigSchema } from '../schema/dialect.js';

export const moduleComponentSchema = {
  type: 'object',
  section: 'Component "module"',
  standsAt: 'workers[].components[]',
  description:
    'A program that runs inside the node: a function of a JavaScript module, with a WAMP session of its own.',
  required: ['type', 'module', 'realm'],
  additionalProperties: false,
  properties: {
    type: { const: 'module', description: 'The word for this kind of component.' },
    id: {
      type: 'string',
      pattern: '^[a-z][a-z0-9_]{2,63}$',
      allowed: '3 to 64 of a-z, 0-9 and _, beginning with a letter',
      absent: '`component001`, `component002`, ... in order',
      description: 'The name of this component in the log.',
    },
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
      description: 'The function that the module exports. It is called with the session when the node starts.',
    },
    realm: { type: 'string', is: 'realm', description: 'The realm that the component joins. The worker must have it.' },
    role: {
      type: 'string',
      is: 'role',
      default: 'anonymous',
      description: 'The role of its session, which decides what it may do. The realm must have it.',
    },
    authid: {
      type: 'string',
      minLength: 1,
      absent: 'the id of the component',
      description: 'The `authid` of its session.',
    },
    extra: { absent: 'nothing', description: 'Handed to the function as it stands here: anything that JSON can say.' },
  },
} as const satisfies ConfigSchema;

export const componentSchema = {
  type: 'object',
  section: 'Component',
  standsAt: 'workers[].components[]',
  description: 'A program that runs inside the node, with a WAMP session of its own.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [moduleComponentSchema],
  notYet: ['class', 'function'],
} as const satisfies ConfigSchema;

/** A checked component of the kind `module`; its id is there. */
export type ModuleComponentConfig = Checked<typeof moduleComponentSchema> & { readonly id: string };

/** A component of the config, of any kind. */
export type ComponentConfig = ModuleComponentConfig;
