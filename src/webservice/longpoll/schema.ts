/** The `longpoll` service in the config. */
import { debugWithoutEffect } from '../../transport/connection-schema.js';
import { longPollKeys } from '../../transport/longpoll/schema.js';
import type { ConfigSchema } from '../../schema/dialect.js';
import type { Rules } from '../../schema/rules.js';
import type { LongPollConfig } from '../../transport/longpoll/schema.js';
import { serviceIdSchema } from '../service-schema.js';

/** Behind fronts its clients are those of the process of the node. */
const noteRealmsApart: Rules = ({ path }, { apart, note }) => {
  if (apart.size === 0) return;
  const realms = [...apart.keys()].map((name) => JSON.stringify(name)).join(', ');
  const there = 'have processes of their own, where a transport of the worker may have such a path';
  note(path, `clients of long-poll cannot join ${realms} here: these realms ${there}`);
};

export const longPollSchema = {
  type: 'object',
  section: 'Service "longpoll"',
  description:
    'Takes WAMP clients that cannot open WebSockets, over plain HTTP requests: the transport `longpoll` of autobahn-js.',
  clients: { by: 'long-poll service', browsers: true },
  required: ['type'],
  additionalProperties: false,
  properties: {
    type: { const: 'longpoll', description: 'The word for this service.' },
    id: serviceIdSchema,
    ...longPollKeys,
  },
  noEffect: debugWithoutEffect,
  rules: noteRealmsApart,
} as const satisfies ConfigSchema;

/** A checked service. */
export interface LongPollServiceConfig extends LongPollConfig {
  readonly type: 'longpoll';
  readonly id?: string;
}
