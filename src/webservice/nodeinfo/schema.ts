/**
 * The `nodeinfo` service in the config.
 */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { serviceKeys } from '../service-schema.js';
import type { Service } from '../service-schema.js';
import { checkNodeInfo } from './rules.js';

export const nodeInfoSchema = {
  type: 'object',
  section: 'Service "nodeinfo"',
  description: 'Serves a short page about the node: its version, and since when it runs.',
  rules: checkNodeInfo,
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'nodeinfo', description: 'The word for this service.' },
    ...serviceKeys,
    options: {
      type: 'object',
      section: 'Node info options',
      default: {},
      description: 'Who is told more. An addition to the keys of Crossbar.io.',
      additionalProperties: false,
      properties: {
        realm: {
          type: 'string',
          is: 'realm',
          absent: 'any realm of the worker',
          description: 'The realm of the logins that `roles` are about.',
        },
        roles: {
          type: 'array',
          uniqueItems: true,
          default: [],
          items: { type: 'string', is: 'role', description: 'A role.' },
          description:
            'Browsers whose cookie is logged in with one of these roles are also told the process, the node directory, the workers, the number of sessions and the paths of WebSockets. Needs a `cookie` section. Crossbar.io tells everybody.',
        },
      },
    },
  },
} as const satisfies ConfigSchema;

export type NodeInfoConfig = Service<Checked<typeof nodeInfoSchema>>;
