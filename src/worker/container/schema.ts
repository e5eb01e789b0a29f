/** The worker `container` in the config. */
import { containedComponentSchema } from '../../component/container-schema.js';
import type { ContainedComponentConfig } from '../../component/container-schema.js';
import type { ConfigSchema } from '../../schema/dialect.js';
import { disabledSchema, idKeywords, pythonPathKeywords, pythonSchema, unreadOptions } from '../common-schema.js';
import { environmentKeys } from '../process/environment-schema.js';
import type { EnvironmentConfig } from '../process/environment-schema.js';
import { checkRestart } from './rules.js';

const containerEnvironmentSchema = {
  type: 'object',
  section: 'Container environment',
  standsAt: 'workers[].options.env',
  default: {},
  description: 'The environment variables of the processes.',
  additionalProperties: false,
  properties: environmentKeys,
} as const satisfies ConfigSchema;

const containerOptionsSchema = {
  type: 'object',
  section: 'Container options',
  standsAt: 'workers[].options',
  default: {},
  description: 'Options of the worker.',
  rules: checkRestart,
  additionalProperties: false,
  properties: {
    disabled: disabledSchema,
    shutdown: {
      type: 'string',
      enum: [
        'shutdown-manual',
        'shutdown-on-last-component-stopped',
        'shutdown-on-any-component-failed',
        'shutdown-on-any-component-stopped',
      ],
      default: 'shutdown-manual',
      description:
        'When the container ends by itself: never, also without components; when the last one has ended; when one has failed; when one has ended in any way. A component that is started again has not ended. What the node does then is in `shutdown` of `controller.options`: by default it stops, too.',
    },
    restart: {
      type: 'string',
      enum: ['restart-never', 'restart-on-failed', 'restart-always'],
      default: 'restart-never',
      description:
        'Whether a component is started again when it has ended: never; when it has failed, which is also when its process died or its connection was lost; always. After half a second, and each time after twice as long, up to 30 s; from the beginning when it has run for 10 s. With Crossbar.io `restart-on-failed` restarts nothing.',
    },
    python: pythonSchema,
    pythonpath: { ...pythonPathKeywords, default: [] },
    env: containerEnvironmentSchema,
  },
  noEffect: {
    title: 'the processes of a container have the names of their programs',
    cpu_affinity: 'the system decides which processors a process runs on; "taskset" can change it',
    reactor: 'Twisted takes the best event loop that the system has',
    ...unreadOptions,
    extra: 'nothing in this worker asks for it',
  },
} as const satisfies ConfigSchema;

export const containerWorkerSchema = {
  type: 'object',
  section: 'Container worker',
  standsAt: 'workers[]',
  reload: 'restart of all',
  description:
    'Components in processes of their own, which connect to a router as any client does: one process for those of Python, one for modules of JavaScript. Containers start when all routers listen.',
  looks: 'container',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'container', description: 'The word for this worker.' },
    id: {
      ...idKeywords,
      absent: '`worker001`, `worker002`, ... in order',
      description: 'The name of this worker in the log.',
    },
    options: containerOptionsSchema,
    components: {
      type: 'array',
      items: containedComponentSchema,
      default: [],
      description: 'The components, which start in this order.',
    },
  },
  noEffect: {
    manhole: 'nobody can log in to the processes of a container',
    connections: 'no part of the worker has a use for connections to databases: open them in the component',
  },
} as const satisfies ConfigSchema;

/** When a container ends by itself. */
export type ContainerShutdown =
  | 'shutdown-manual'
  | 'shutdown-on-last-component-stopped'
  | 'shutdown-on-any-component-failed'
  | 'shutdown-on-any-component-stopped';

/** Which components are started again. */
export type ContainerRestart = 'restart-never' | 'restart-on-failed' | 'restart-always';

/** A checked container: paths are absolute, `disabled` is resolved. */
export interface ContainerWorkerConfig {
  readonly type: 'container';
  readonly id: string;
  readonly options: {
    readonly disabled: boolean;
    readonly shutdown: ContainerShutdown;
    readonly restart: ContainerRestart;
    readonly python?: string;
    readonly pythonpath: readonly string[];
    readonly env: EnvironmentConfig;
  };
  readonly components: readonly ContainedComponentConfig[];
}
