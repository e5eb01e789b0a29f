/**
 * The `components` of a container: programs that run beside the node, in a process of their own, and connect to a router as any
 * client does.
 */
import { clientAuthSchema } from '../remote/auth-schema.js';
import type { ClientAuthConfig } from '../remote/auth-schema.js';
import { clientTransportSchema } from '../remote/transport-schema.js';
import type { ClientTransportConfig } from '../remote/transport-schema.js';
import type { ConfigSchema, FamilySchema } from '../schema/dialect.js';
import { calleeExtraSchema, subscriberExtraSchema } from './rest/schema.js';
import type { CalleeExtra, SubscriberExtra } from './rest/schema.js';
import { callbacksSchema, classNameSchema, componentIdSchema } from './schema.js';

const realmSchema = {
  type: 'string',
  minLength: 1,
  description: 'The realm that it joins. The router at the other end must have it.',
} as const satisfies ConfigSchema;

const NOT_HERE = {
  role: 'the router at the other end decides which role it gets, by its "auth"',
  references: 'Crossbar.io does not use it either',
} as const;

export const containedClassSchema = {
  type: 'object',
  section: 'Container component "class"',
  standsAt: 'workers[].components[]',
  description: 'A class of Python, as Crossbar.io has it: an `ApplicationSession` of Autobahn on Twisted.',
  required: ['type', 'classname', 'realm', 'transport'],
  additionalProperties: false,
  properties: {
    type: { const: 'class', description: 'The word for this kind of component.' },
    id: componentIdSchema,
    classname: classNameSchema,
    realm: realmSchema,
    transport: clientTransportSchema,
    auth: clientAuthSchema,
    extra: { absent: 'nothing', description: '`config.extra` of the class, with `cbdir` put to it.' },
  },
  noEffect: NOT_HERE,
} as const satisfies ConfigSchema;

export const containedFunctionSchema = {
  type: 'object',
  section: 'Container component "function"',
  standsAt: 'workers[].components[]',
  description: 'Functions of Python that are called as things happen to a session.',
  required: ['type', 'realm', 'transport', 'auth'],
  additionalProperties: false,
  properties: {
    type: { const: 'function', description: 'The word for this kind of component.' },
    id: componentIdSchema,
    callbacks: callbacksSchema,
    realm: realmSchema,
    transport: clientTransportSchema,
    auth: clientAuthSchema,
    extra: { absent: 'nothing', description: '`config.extra` of the session.' },
  },
  noEffect: NOT_HERE,
} as const satisfies ConfigSchema;

export const containedModuleSchema = {
  type: 'object',
  section: 'Container component "module"',
  standsAt: 'workers[].components[]',
  description:
    'A function of a JavaScript module, in a process of its own. It is the same function as in a router worker. An addition to the components of Crossbar.io.',
  required: ['type', 'module', 'realm', 'transport'],
  additionalProperties: false,
  properties: {
    type: { const: 'module', description: 'The word for this kind of component.' },
    id: componentIdSchema,
    module: {
      type: 'string',
      minLength: 1,
      description:
        'The module: a file, beginning with `./`, `../` or `/` and relative to the node directory, or the name of a package that is installed there.',
    },
    name: {
      type: 'string',
      minLength: 1,
      default: 'default',
      description: 'The function that the module exports. It is called with the session when that has joined.',
    },
    realm: realmSchema,
    transport: clientTransportSchema,
    auth: clientAuthSchema,
    extra: { absent: 'nothing', description: 'Handed to the function as it stands here: anything that JSON can say.' },
  },
  noEffect: NOT_HERE,
} as const satisfies ConfigSchema;

export const containedCalleeSchema = {
  type: 'object',
  section: 'Container component "callee"',
  standsAt: 'workers[].components[]',
  description:
    'A procedure whose calls are HTTP requests to another server, as `RESTCallee` of Crossbar.io. The word is an addition to the components of Crossbar.io.',
  required: ['type', 'realm', 'transport', 'extra'],
  additionalProperties: false,
  properties: {
    type: { const: 'callee', description: 'The word for this kind of component.' },
    id: componentIdSchema,
    realm: realmSchema,
    transport: clientTransportSchema,
    auth: clientAuthSchema,
    extra: calleeExtraSchema,
  },
  noEffect: NOT_HERE,
} as const satisfies ConfigSchema;

export const containedSubscriberSchema = {
  type: 'object',
  section: 'Container component "subscriber"',
  standsAt: 'workers[].components[]',
  description:
    'Forwards events to other servers as HTTP requests, as `MessageForwarder` of Crossbar.io. The word is an addition to the components of Crossbar.io.',
  required: ['type', 'realm', 'transport', 'extra'],
  additionalProperties: false,
  properties: {
    type: { const: 'subscriber', description: 'The word for this kind of component.' },
    id: componentIdSchema,
    realm: realmSchema,
    transport: clientTransportSchema,
    auth: clientAuthSchema,
    extra: subscriberExtraSchema,
  },
  noEffect: NOT_HERE,
} as const satisfies ConfigSchema;

export const containedComponentSchema: FamilySchema = {
  type: 'object',
  section: 'Container component',
  standsAt: 'workers[].components[]',
  description: 'A program that runs beside the node, and connects to a router as any client does.',
  required: ['type'],
  discriminator: { propertyName: 'type' },
  oneOf: [
    containedClassSchema,
    containedFunctionSchema,
    containedModuleSchema,
    containedCalleeSchema,
    containedSubscriberSchema,
  ],
};

interface AnyContainedConfig {
  readonly id: string;
  readonly realm: string;
  readonly transport: ClientTransportConfig;
  readonly auth?: ClientAuthConfig;
  readonly extra?: unknown;
}

/** The callbacks of a `function`, as `module.function`. */
export interface CallbackNames {
  readonly join?: string;
  readonly leave?: string;
  readonly connect?: string;
  readonly disconnect?: string;
}

/** A checked component of a container; its id is there, paths are absolute, secrets are in their places. */
export type ContainedComponentConfig =
  | (AnyContainedConfig & { readonly type: 'class'; readonly classname: string })
  | (AnyContainedConfig & { readonly type: 'function'; readonly callbacks: CallbackNames })
  | (AnyContainedConfig & { readonly type: 'module'; readonly module: string; readonly name: string })
  | (AnyContainedConfig & { readonly type: 'callee'; readonly extra: CalleeExtra })
  | (AnyContainedConfig & { readonly type: 'subscriber'; readonly extra: SubscriberExtra });
