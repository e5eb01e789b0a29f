/** The services `wsgi` and `resource` in the config: web applications of Python. */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { flag, serviceKeys } from '../service-schema.js';
import type { Service } from '../service-schema.js';
import { checkModule, checkThreads } from './rules.js';

const OWN = 'An addition to the keys of Crossbar.io.';

const WHERE =
  'It is searched in `pythonpath` of the worker, then in the directory where `start` was called. It shares a process with the components of Python of the worker.';

const applicationOptionsSchema = {
  type: 'object',
  section: 'Options of a Python application',
  standsAt: '...paths.PATH.options',
  default: {},
  description: `Limits, and what the application is told. ${OWN}`,
  additionalProperties: false,
  properties: {
    timeout: {
      type: 'integer',
      minimum: 1,
      maximum: 86_400,
      default: 60,
      description:
        'How many seconds the application may take to begin its answer, once it has the request; then the client gets 504. The application itself goes on.',
    },
    max_requests: {
      type: 'integer',
      minimum: 1,
      maximum: 100_000,
      default: 1000,
      description:
        'How many requests may be under way at once; one more is answered with 503. Those that a WSGI application goes on with count, also when the client has left.',
    },
    max_body: {
      type: 'integer',
      minimum: 0,
      maximum: 1_099_511_627_776,
      default: 16_777_216,
      description:
        'How many bytes the body of a request may have; a larger one is answered with 413. Python puts a body aside before the application is called, a large one on the disk. All bodies together may have sixteen times as much; beyond it requests are answered with 503.',
    },
    pass_cookie: flag(
      'Lets the application see the cookies by which this node recognises browsers. They are passwords, so they are taken out by default; those of the application itself are passed on.',
    ),
  },
} as const satisfies ConfigSchema;

export const wsgiSchema = {
  type: 'object',
  section: 'Service "wsgi"',
  reload: 'restart of all',
  description: 'A web application of Python that speaks WSGI, such as one of Flask or Django.',
  required: ['type', 'module', 'object'],
  rules: checkThreads,
  additionalProperties: false,
  properties: {
    type: { const: 'wsgi', description: 'The word for this service.' },
    ...serviceKeys,
    module: {
      type: 'string',
      pattern: '^[^.:/\\s]+(\\.[^.:/\\s]+)*$',
      allowed: 'a module, such as "shop" or "shop.wsgi"',
      rules: checkModule,
      description: `The module of the application. ${WHERE}`,
    },
    object: {
      type: 'string',
      pattern: '^[^.:/()\\s]+$',
      allowed: 'the name of something in the module, such as "application"',
      description: 'The application in the module, such as `application` or `app`.',
    },
    minthreads: {
      type: 'integer',
      minimum: 0,
      maximum: 1000,
      default: 0,
      description: 'How many threads wait for requests.',
    },
    maxthreads: {
      type: 'integer',
      minimum: 1,
      maximum: 1000,
      default: 20,
      description:
        'How many threads there are at most: so many requests the application works on at once, the others wait.',
    },
    options: applicationOptionsSchema,
  },
} as const satisfies ConfigSchema;

export const resourceSchema = {
  type: 'object',
  section: 'Service "resource"',
  reload: 'restart of all',
  description: 'A resource of Twisted Web, with all that is below it.',
  required: ['type', 'classname'],
  additionalProperties: false,
  properties: {
    type: { const: 'resource', description: 'The word for this service.' },
    ...serviceKeys,
    classname: {
      type: 'string',
      pattern: '^[^.:/\\s]+(\\.[^.:/\\s]+)+$',
      allowed: 'a module and a class of it, such as "pages.Start"',
      description: `The module and the class, with a dot between them. ${WHERE}`,
    },
    extra: {
      absent: '`{}`',
      description: 'What the class is called with, as it stands here: anything that JSON can say.',
    },
    options: applicationOptionsSchema,
  },
} as const satisfies ConfigSchema;

export type WsgiConfig = Service<Checked<typeof wsgiSchema>>;

export type ResourceConfig = Service<Checked<typeof resourceSchema>>;
