/**
 * What is configured alike for every kind of connection that carries WAMP.
 */
import type { ConfigSchema } from '../schema/dialect.js';

export const serializersSchema = {
  type: 'array',
  minItems: 1,
  uniqueItems: true,
  items: {
    type: 'string',
    enum: ['json', 'msgpack', 'cbor'],
    notYet: ['ubjson', 'flatbuffers'],
    description:
      'A serializer. On a WebSocket `json` stands for the subprotocols `wamp.2.json` and `wamp.2.json.batched`.',
  },
  default: ['json', 'msgpack', 'cbor'],
  description:
    'The serializers that clients may choose from. Their order does not matter: the client says which it prefers.',
} as const satisfies ConfigSchema;

export const maxUnsentBytesSchema = {
  type: 'integer',
  minimum: 65_536,
  maximum: 1_073_741_824,
  default: 16_777_216,
  description:
    'How much may wait for a client that does not read before it is disconnected. 16 MiB. An addition to the keys of Crossbar.io.',
} as const satisfies ConfigSchema;

export const tcpNodelaySchema = {
  type: 'boolean',
  default: true,
  description: 'Sends small messages at once instead of waiting for more (switches the algorithm of Nagle off).',
} as const satisfies ConfigSchema;

/** 0 switches off; values below one second are slips of people who think in seconds. */
export function timeout<const Default extends number>(defaultMs: Default, description: string) {
  return {
    type: 'integer',
    minimum: 0,
    maximum: 2_147_483_647,
    not: { exclusiveMinimum: 0, exclusiveMaximum: 1000 },
    allowed: '0 (off), or milliseconds from 1000 to 2147483647',
    default: defaultMs,
    description: `${description} In milliseconds; 0 switches it off.`,
  } as const;
}
