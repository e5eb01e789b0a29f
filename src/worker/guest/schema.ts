/** The worker `guest` in the config. */
import type { ConfigSchema } from '../../schema/dialect.js';
import { disabledSchema, idKeywords } from '../common-schema.js';
import { environmentKeys } from '../process/environment-schema.js';
import type { EnvironmentConfig } from '../process/environment-schema.js';

const guestEnvironmentSchema = {
  type: 'object',
  section: 'Guest environment',
  standsAt: 'workers[].options.env',
  default: {},
  description: 'The environment variables of the program. `PYTHONUNBUFFERED` is `1` unless it is set.',
  additionalProperties: false,
  properties: environmentKeys,
} as const satisfies ConfigSchema;

const stdinValueKeywords = {
  type: 'object',
  description: 'A value for the standard input of the program.',
  required: ['type', 'value'],
  additionalProperties: false,
  properties: {
    type: { const: 'json', description: 'How the value is written: as JSON, without a line end behind it.' },
    value: { description: 'Anything that JSON can say.' },
    close: { type: 'boolean', default: true, description: 'Whether the input ends behind the value.' },
  },
} as const satisfies ConfigSchema;

const stdinValueSchema = {
  ...stdinValueKeywords,
  section: 'Guest stdin',
  standsAt: 'workers[].options.stdin',
} as const satisfies ConfigSchema;

const outputSchema = <const Text extends string>(description: Text) =>
  ({
    type: 'string',
    enum: ['log', 'close', 'drop'],
    default: 'log',
    description,
  }) as const;

const guestWatchSchema = {
  type: 'object',
  section: 'Guest watch',
  standsAt: 'workers[].options.watch',
  description: 'Starts the program again when files change.',
  required: ['directories'],
  additionalProperties: false,
  properties: {
    directories: {
      type: 'array',
      minItems: 1,
      items: { type: 'string', minLength: 1, is: 'file', description: 'A directory.' },
      description:
        'Directories, with all below them. `node_modules` and names that begin with a dot are left out. Relative ones start at the node directory.',
    },
    action: { const: 'restart', default: 'restart', description: 'What to do.' },
  },
} as const satisfies ConfigSchema;

const guestOptionsSchema = {
  type: 'object',
  section: 'Guest options',
  standsAt: 'workers[].options',
  default: {},
  description: 'Options of the worker.',
  additionalProperties: false,
  properties: {
    disabled: disabledSchema,
    env: guestEnvironmentSchema,
    workdir: {
      type: 'string',
      minLength: 1,
      is: 'file',
      absent: 'the node directory',
      description: 'The working directory of the program.',
    },
    stdin: {
      ...stdinValueKeywords,
      type: ['string', 'object'],
      if: { type: 'string' },
      then: { enum: ['close'] },
      form: stdinValueSchema,
      allowed: '"close", or an object {"type": "json", "value": ...}',
      absent: 'an open pipe, which ends with the node',
      description: 'The standard input of the program: `"close"`, or a value that it gets.',
    },
    stdout: outputSchema(
      'Where the standard output goes: to the log of the node; to a pipe that nobody reads (SIGPIPE, EPIPE); nowhere. The log gets 200 lines a second, after 1000 at once, of 8 KiB at most.',
    ),
    stderr: outputSchema('The same for the error output.'),
    watch: guestWatchSchema,
    restart: {
      type: 'string',
      enum: ['no', 'on-failure', 'always'],
      default: 'no',
      description:
        'Whether the program is started again when it has ended by itself: never, when it failed (a signal, or an exit code that is not 0), or always. After half a second, and each time after twice as long, up to 30 s; from the beginning when it has run for 10 s. An addition to the keys of Crossbar.io.',
    },
    shutdown: {
      type: 'boolean',
      default: false,
      description:
        'Whether the end of the program counts for `shutdown` of `controller.options`. Crossbar.io does not count guests. An addition to its keys.',
    },
  },
} as const satisfies ConfigSchema;

export const guestWorkerSchema = {
  type: 'object',
  section: 'Guest worker',
  standsAt: 'workers[]',
  reload: 'restart of all',
  description:
    'A program of any kind that the node starts and ends, with all that it starts itself. Guests start when all routers listen.',
  looks: 'guest',
  required: ['type', 'executable'],
  additionalProperties: false,
  properties: {
    type: { const: 'guest', description: 'The word for this worker.' },
    id: {
      ...idKeywords,
      absent: '`worker001`, `worker002`, ... in order',
      description: 'The name of this worker in the log.',
    },
    executable: {
      type: 'string',
      minLength: 1,
      description: 'The program: a file in `workdir`, else a name for the `PATH` of the node.',
    },
    arguments: {
      type: 'array',
      default: [],
      items: { type: 'string', description: 'An argument, as it stands: no shell reads it.' },
      description: 'Its arguments.',
    },
    options: guestOptionsSchema,
  },
} as const satisfies ConfigSchema;

/** A checked guest: paths are absolute, `disabled` is resolved. */
export interface GuestWorkerConfig {
  readonly type: 'guest';
  readonly id: string;
  readonly executable: string;
  readonly arguments: readonly string[];
  readonly options: {
    readonly disabled: boolean;
    readonly env: EnvironmentConfig;
    readonly workdir?: string;
    readonly stdin?: 'close' | { readonly type: 'json'; readonly value: unknown; readonly close: boolean };
    readonly stdout: 'log' | 'close' | 'drop';
    readonly stderr: 'log' | 'close' | 'drop';
    readonly watch?: { readonly directories: readonly string[] };
    readonly restart: 'no' | 'on-failure' | 'always';
    readonly shutdown: boolean;
  };
}
