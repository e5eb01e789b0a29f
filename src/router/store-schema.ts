/** The `store` of a realm: which publications are remembered, and how many of them. */
import type { ConfigSchema, Written } from '../schema/dialect.js';

export const storeSchema = {
  type: 'object',
  section: 'Store',
  standsAt: 'workers[].realms[].store',
  reload: 'restart',
  description:
    'Remembers publications for `wamp.subscription.get_events` (event history). One answer has room for 128 KiB and 20,000 values; where there are more it says `more: true`, and is asked again with `after_publication`.',
  required: ['type'],
  additionalProperties: false,
  unknownKeys: 'note',
  noEffect: { 'call-queue': 'a call that finds no callee free is answered at once and never waits in a queue' },
  properties: {
    type: {
      type: 'string',
      enum: ['memory'],
      reload: 'restart',
      description: 'Where publications are kept: in memory. They are lost at a restart.',
    },
    limit: {
      type: 'integer',
      reload: 'at once',
      minimum: 1,
      maximum: 1_000_000,
      default: 100,
      description: 'How many publications each entry of `event-history` remembers, unless it has a `limit` of its own.',
    },
    max_bytes: {
      type: 'integer',
      reload: 'at once',
      minimum: 0,
      default: 67_108_864,
      description:
        'How many bytes all remembered publications of the realm may take together. The oldest are dropped first. A publication that several entries remember counts for each.',
    },
    'event-history': {
      type: 'array',
      default: [],
      reload: 'at once',
      description: 'The topics whose publications are remembered, with or without subscribers.',
      items: {
        type: 'object',
        section: 'Store: event history',
        standsAt: 'workers[].realms[].store.event-history[]',
        description: 'A topic or pattern.',
        required: ['uri'],
        additionalProperties: false,
        unknownKeys: 'note',
        properties: {
          uri: {
            type: 'string',
            pattern: '^[^\\s#]*$',
            allowed: 'a URI without whitespace and "#"',
            description: 'The topic or pattern.',
          },
          match: {
            type: 'string',
            enum: ['exact', 'prefix', 'wildcard'],
            default: 'exact',
            description: 'How `uri` is compared, as in a subscription.',
          },
          limit: {
            type: 'integer',
            minimum: 1,
            maximum: 1_000_000,
            absent: 'the `limit` of the store',
            description: 'How many publications are remembered. The oldest are dropped first.',
          },
        },
      },
    },
  },
} as const satisfies ConfigSchema;

/** A checked store. Written by hand, all but `type` and each `uri` may be left out. */
export type StoreConfig = Written<typeof storeSchema>;
