/**
 * The `components` of a router worker: programs that are there before the clients. Each kind has a schema of its own, and a line in
 * the `oneOf` of {@link componentSchema}.
 */
import type { Checked, ConfigSchema, FamilySchema } from '../schema/dialect.js';
import { nativeClass } from './rest/rules.js';
import { calleeExtraSchema, subscriberExtraSchema } from './rest/schema.js';

/** The name of a component. */
export const componentIdSchema = {
  type: 'string',
  pattern: '^[a-z][a-z0-9_]{2,63}$',
  allowed: '3 to 64 of a-z, 0-9 and _, beginning with a letter',
  absent: '`component001`, `component002`, ... in order',
  description: 'The name of this component in the log.',
} as const satisfies ConfigSchema;

/** Who a component is in its realm. */
const principalKeys = {
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
} as const satisfies Readonly<Record<string, ConfigSchema>>;

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
    id: componentIdSchema,
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
    ...principalKeys,
    extra: { absent: 'nothing', description: 'Handed to the function as it stands here: anything that JSON can say.' },
  },
  noEffect: { references: 'Crossbar.io does not use it either' },
} as const satisfies ConfigSchema;

/** What names something in a module of Python. */
export const pythonName = (allowed: string, description: string) =>
  ({ type: 'string', pattern: '^[^.\\s]+(\\.[^.\\s]+)+$', allowed, description }) as const;

/** Crossbar.io resolves them, and gives them to nobody. */
const referencesWithoutEffect = { references: 'Crossbar.io does not use it either' } as const;

/** The class of a component; also names a class of Crossbar.io that needs no Python here. */
export const classNameSchema = {
  ...pythonName(
    'a module and a class of it, such as "backend.Backend"',
    'The module and the class, with a dot between them. The module is searched in `pythonpath` of the worker, then in the directory where `start` was called. `crossbar.bridge.rest.RESTCallee` and `crossbar.bridge.rest.MessageForwarder` are part of the node: they are the components `callee` and `subscriber`, with the same `extra`.',
  ),
  adapt: nativeClass,
} as const satisfies ConfigSchema;

export const classComponentSchema = {
  type: 'object',
  reload: 'restart',
  section: 'Component "class"',
  standsAt: 'workers[].components[]',
  description:
    'A class of Python, as Crossbar.io has it: an `ApplicationSession` of Autobahn on Twisted. All Python of a worker runs in one process of its own.',
  required: ['type', 'classname', 'realm'],
  additionalProperties: false,
  properties: {
    type: { const: 'class', description: 'The word for this kind of component.' },
    id: componentIdSchema,
    classname: classNameSchema,
    ...principalKeys,
    extra: {
      absent: 'only `cbdir`',
      description: '`config.extra` of the class. `cbdir`, the node directory, is put to it.',
    },
  },
  noEffect: referencesWithoutEffect,
} as const satisfies ConfigSchema;

const callback = (description: string) =>
  ({ ...pythonName('a module and a function of it, such as "backend.on_join"', description), absent: 'none' }) as const;

/** The functions of a component of the kind `function`. */
export const callbacksSchema = {
  type: 'object',
  section: 'Component callbacks',
  standsAt: 'workers[].components[].callbacks',
  default: {},
  description: 'The functions of Python that are called, as `module.function`.',
  additionalProperties: false,
  properties: {
    join: callback('Called with the session and its details when it has joined.'),
    leave: callback('Called with the session and the reason when it is over.'),
    connect: callback('Called with the session and its transport when that is there.'),
    disconnect: callback('Called when the transport is gone.'),
  },
} as const satisfies ConfigSchema;

export const functionComponentSchema = {
  type: 'object',
  reload: 'restart',
  section: 'Component "function"',
  standsAt: 'workers[].components[]',
  description: 'Functions of Python that are called as things happen to a session of Autobahn.',
  required: ['type', 'realm'],
  additionalProperties: false,
  properties: {
    type: { const: 'function', description: 'The word for this kind of component.' },
    id: componentIdSchema,
    callbacks: callbacksSchema,
    ...principalKeys,
    extra: {
      absent: 'only `cbdir`',
      description: '`config.extra` of the session. `cbdir`, the node directory, is put to it.',
    },
  },
  noEffect: referencesWithoutEffect,
} as const satisfies ConfigSchema;

export const calleeComponentSchema = {
  type: 'object',
  section: 'Component "callee"',
  standsAt: 'workers[].components[]',
  description:
    'A procedure whose calls are HTTP requests to another server, as `RESTCallee` of Crossbar.io. The word is an addition to the components of Crossbar.io.',
  required: ['type', 'realm', 'extra'],
  additionalProperties: false,
  properties: {
    type: { const: 'callee', description: 'The word for this kind of component.' },
    id: componentIdSchema,
    ...principalKeys,
    extra: calleeExtraSchema,
  },
  noEffect: referencesWithoutEffect,
} as const satisfies ConfigSchema;

export const subscriberComponentSchema = {
  type: 'object',
  section: 'Component "subscriber"',
  standsAt: 'workers[].components[]',
  description:
    'Forwards events to other servers as HTTP requests, as `MessageForwarder` of Crossbar.io. The word is an addition to the components of Crossbar.io.',
  required: ['type', 'realm', 'extra'],
  additionalProperties: false,
  properties: {
    type: { const: 'subscriber', description: 'The word for this kind of component.' },
    id: componentIdSchema,
    ...principalKeys,
    extra: subscriberExtraSchema,
  },
  noEffect: referencesWithoutEffect,
} as const satisfies ConfigSchema;

export const componentSchema: FamilySchema = {
  type: 'object',
  section: 'Component',
  standsAt: 'workers[].components[]',
  description: 'A program with a WAMP session of its own, which is there before the clients.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    classComponentSchema,
    functionComponentSchema,
    moduleComponentSchema,
    calleeComponentSchema,
    subscriberComponentSchema,
  ],
};

/** A checked component of the kind `module`; its id is there. */
export type ModuleComponentConfig = Checked<typeof moduleComponentSchema> & { readonly id: string };

/** A checked component of the kind `class`; its id is there. */
export type ClassComponentConfig = Checked<typeof classComponentSchema> & { readonly id: string };

/** A checked component of the kind `function`; its id is there. */
export type FunctionComponentConfig = Checked<typeof functionComponentSchema> & { readonly id: string };

/** A checked component of the kind `callee`; its id is there. */
export type CalleeComponentConfig = Checked<typeof calleeComponentSchema> & { readonly id: string };

/** A checked component of the kind `subscriber`; its id is there. */
export type SubscriberComponentConfig = Checked<typeof subscriberComponentSchema> & { readonly id: string };

/** A component of the config, of any kind. */
export type ComponentConfig =
  | ClassComponentConfig
  | FunctionComponentConfig
  | ModuleComponentConfig
  | CalleeComponentConfig
  | SubscriberComponentConfig;
