/**
 * The services `healthz`, `readyz` and `health` in the config. They take no `cookie` section: who asks is a program of the operator.
 */
import { secretSchema } from '../../auth/secret-schema.js';
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { serviceIdSchema } from '../service-schema.js';
import type { Service } from '../service-schema.js';

const token = secretSchema(
  'Who sends it, as `Authorization: Bearer ...`, is told what each check has found, as programs of this machine are. All others get one word.',
);

export const healthzSchema = {
  type: 'object',
  section: 'Service "healthz"',
  description:
    'Answers 200 as long as the node answers at all: whether to kill it and start it again. It depends on nothing else. An addition to the services of Crossbar.io.',
  required: ['type'],
  additionalProperties: false,
  properties: { type: { const: 'healthz', description: 'The word for this service.' }, id: serviceIdSchema },
} as const satisfies ConfigSchema;

export const readyzSchema = {
  type: 'object',
  section: 'Service "readyz"',
  description:
    'Answers 200 when clients can come, and else 503: while the node starts, from the first moment of its end, and while no cookie can be stored where all clients need one. For load balancers. An addition to the services of Crossbar.io.',
  required: ['type'],
  additionalProperties: false,
  properties: { type: { const: 'readyz', description: 'The word for this service.' }, id: serviceIdSchema, token },
} as const satisfies ConfigSchema;

export const healthSchema = {
  type: 'object',
  section: 'Service "health"',
  description: 'Both in one: `healthz` and `readyz` below its path. An addition to the services of Crossbar.io.',
  required: ['type'],
  additionalProperties: false,
  properties: { type: { const: 'health', description: 'The word for this service.' }, id: serviceIdSchema, token },
} as const satisfies ConfigSchema;

export type HealthzConfig = Service<Checked<typeof healthzSchema>>;
export type ReadyzConfig = Service<Checked<typeof readyzSchema>>;
export type HealthConfig = Service<Checked<typeof healthSchema>>;
