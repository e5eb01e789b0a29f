/** The `websocket-testee` worker in the config. */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { testeeTransportSchema } from '../../transport/testee/schema.js';
import type { WebSocketTesteeConfig } from '../../transport/testee/schema.js';
import { disabledSchema, idKeywords } from '../common-schema.js';

const NO_PYTHON = 'no Python runs in this worker';

export const testeeWorkerSchema = {
  type: 'object',
  section: 'Testee worker',
  standsAt: 'workers[]',
  reload: 'restart of all',
  description:
    'A WebSocket that sends every message back as it is, for the test suites of WebSocket libraries and for measuring. Everybody may connect.',
  required: ['type', 'transport'],
  additionalProperties: false,
  properties: {
    type: { const: 'websocket-testee', description: 'The word for this worker.' },
    id: {
      ...idKeywords,
      absent: '`worker001`, `worker002`, ... in order',
      description: 'The name of this worker in the log.',
    },
    options: {
      type: 'object',
      section: 'Testee worker options',
      standsAt: 'workers[].options',
      default: {},
      description: 'Options of the worker.',
      additionalProperties: false,
      properties: { disabled: disabledSchema },
      noEffect: {
        title: 'all workers live in one process, and "title" of "controller.options" names it',
        cpu_affinity: 'all workers live in one process, which may run on every processor',
        reactor: 'it names an event loop of Python, and Node.js has its own',
        expose_controller: 'Crossbar.io does not use it either',
        expose_shared: 'Crossbar.io does not use it either',
        python: NO_PYTHON,
        pythonpath: NO_PYTHON,
        env: NO_PYTHON,
        extra: 'nothing in this worker asks for it',
      },
    },
    transport: testeeTransportSchema,
  },
} as const satisfies ConfigSchema;

/** A checked worker; `disabled` is resolved. */
export interface TesteeWorkerConfig extends Pick<Checked<typeof testeeWorkerSchema>, 'type'> {
  readonly id: string;
  readonly options: { readonly disabled: boolean };
  readonly transport: WebSocketTesteeConfig;
}
