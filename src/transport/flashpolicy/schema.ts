/**
 * The `flashpolicy` transport. It keeps its place in the list of transports, and its name; nothing else of it counts.
 */
import type { ConfigSchema } from '../../schema/dialect.js';
import { transportIdSchema } from '../endpoint-schema.js';

export const flashPolicyTransportSchema = {
  type: 'object',
  section: 'Transport "flashpolicy"',
  reload: 'restart of all',
  standsAt: 'workers[].transports[]',
  description: 'Told Flash players whether they may connect. Nothing listens.',
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'flashpolicy', description: 'The word for this transport.' },
    id: transportIdSchema,
  },
  noEffect: 'Flash is gone',
} as const satisfies ConfigSchema;

/** A checked transport of type `flashpolicy`. */
export interface FlashPolicyTransportConfig {
  readonly type: 'flashpolicy';
  readonly id: string;
  readonly endpoint?: undefined;
}
