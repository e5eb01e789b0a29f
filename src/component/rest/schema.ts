/**
 * `extra` of the components that speak HTTP. The keys stand where the classes of Crossbar.io have them, so a component is the same
 * under its class name and under our word.
 */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';
import { checkHttpUrl, checkProcedure, checkTopic } from './rules.js';

const url = (description: string) =>
  ({
    type: 'string',
    pattern: '^[hH][tT][tT][pP][sS]?://.',
    allowed: 'a URL that begins with http:// or https://',
    rules: checkHttpUrl,
    description,
  }) as const;

export const calleeExtraSchema = {
  type: 'object',
  section: 'Component "callee" extra',
  standsAt: 'workers[].components[].extra',
  description: 'The procedure, and where its requests go.',
  required: ['baseurl', 'procedure'],
  additionalProperties: false,
  unknownKeys: 'note',
  properties: {
    baseurl: url('The address that the `url` of a call is relative to.'),
    procedure: {
      type: 'string',
      minLength: 1,
      rules: checkProcedure,
      description: 'The procedure that is registered.',
    },
    allow_absolute: {
      type: 'boolean',
      default: false,
      description:
        'Lets the `url` of a call name another server than `baseurl`: the callers then reach whatever the node reaches. An addition to the keys of Crossbar.io.',
    },
  },
} as const satisfies ConfigSchema;

const forwardingSchema = {
  type: 'object',
  section: 'Component "subscriber" subscription',
  standsAt: 'workers[].components[].extra.subscriptions[]',
  description: 'A topic, and the address that its events go to.',
  required: ['topic', 'url'],
  additionalProperties: false,
  unknownKeys: 'note',
  rules: checkTopic,
  properties: {
    topic: { type: 'string', description: 'The topic, or the pattern of topics.' },
    url: url('Where the events go. Subscriptions with the same address share one queue.'),
    match: {
      type: 'string',
      enum: ['exact', 'prefix', 'wildcard'],
      default: 'exact',
      description: 'How `topic` is compared.',
    },
  },
} as const satisfies ConfigSchema;

export const subscriberExtraSchema = {
  type: 'object',
  section: 'Component "subscriber" extra',
  standsAt: 'workers[].components[].extra',
  description: 'Which events are forwarded, and how.',
  required: ['subscriptions'],
  additionalProperties: false,
  unknownKeys: 'note',
  properties: {
    subscriptions: {
      type: 'array',
      minItems: 1,
      items: forwardingSchema,
      description: 'What is forwarded, and where to.',
    },
    method: {
      type: 'string',
      enum: ['POST', 'PUT', 'PATCH', 'DELETE'],
      default: 'POST',
      description: 'The method of the requests.',
    },
    expectedcode: {
      type: 'integer',
      minimum: 100,
      maximum: 599,
      absent: 'any from 200 to 299',
      description: 'The status that the server answers with. Any other one is an error in the log.',
    },
  },
  noEffect: { debug: '"--loglevel" of the command sets how much the whole node logs' },
} as const satisfies ConfigSchema;

/** A checked `extra` of a callee. */
export type CalleeExtra = Checked<typeof calleeExtraSchema>;

/** A checked `extra` of a subscriber. */
export type SubscriberExtra = Checked<typeof subscriberExtraSchema>;
