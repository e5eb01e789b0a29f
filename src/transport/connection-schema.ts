/**
 * What is configured alike for every kind of connection that carries WAMP.
 */
import type { ConfigSchema } from '../schema/dialect.js';
import type { Adapt } from '../schema/rules.js';

const SERIALIZER_WORDS = ['json', 'msgpack', 'cbor', 'ubjson'] as const;

/** Takes out `flatbuffers`, and what is there twice. With other words in the list, the schema check says what is wrong. */
const spokenSerializers: Adapt = (value) => {
  if (!Array.isArray(value)) return undefined;
  const found: readonly unknown[] = value;
  const spoken = SERIALIZER_WORDS.filter((word) => found.includes(word));
  const hasFlatBuffers = found.includes('flatbuffers');
  const known = spoken.length + (hasFlatBuffers ? 1 : 0);
  if (spoken.length === 0 || spoken.length === found.length || new Set(found).size !== known) return undefined;
  const note = hasFlatBuffers
    ? '"flatbuffers" has no effect: it is not spoken here, and clients choose another one of the list'
    : 'found a serializer twice, which means the same as once';
  return { value: spoken, note };
};

export const serializersSchema = {
  type: 'array',
  reload: 'new connections',
  adapt: spokenSerializers,
  refuses: {
    'a list of which nothing is left': 'name at least one of the serializers that are spoken here',
    'a word that is no serializer': 'leave it out; batched forms need no word of their own',
  },
  minItems: 1,
  uniqueItems: true,
  items: {
    type: 'string',
    enum: SERIALIZER_WORDS,
    notYet: { flatbuffers: 'leave it out, clients speak one of the others, too' },
    description:
      'A serializer. On a WebSocket and over long-poll `json` stands for the subprotocols `wamp.2.json` and `wamp.2.json.batched`.',
  },
  default: ['json', 'msgpack', 'cbor'],
  description:
    'The serializers that clients may choose from. Their order does not matter: the client says which it prefers.',
} as const satisfies ConfigSchema;

/** A key that Crossbar.io had where clients connect. */
export const debugWithoutEffect = { debug: '"--loglevel" of the command sets how much the whole node logs' } as const;

export const maxUnsentBytesSchema = {
  type: 'integer',
  minimum: 65_536,
  maximum: 1_073_741_824,
  default: 16_777_216,
  description:
    'How much may wait for a client that does not read before it is disconnected. 16 MiB. Each piece that waits counts 256 bytes more. One message may be larger, and small ones may wait behind it. What may wait for all clients together is `max_unsent_bytes` of `controller.options`. An addition to the keys of Crossbar.io.',
} as const satisfies ConfigSchema;

export const slowConsumerSchema = {
  type: 'string',
  enum: ['disconnect', 'drop_events'],
  default: 'disconnect',
  description:
    'What happens to a client that reads more slowly than it is sent to. It is disconnected when more than `max_unsent_bytes` wait; with `drop_events` it loses events while more than a quarter of that waits, which the log says, and is disconnected only when the rest does not fit either. An addition to the keys of Crossbar.io.',
} as const satisfies ConfigSchema;

export const tcpNodelaySchema = {
  type: 'boolean',
  default: true,
  description: 'Sends small messages at once instead of waiting for more (switches the algorithm of Nagle off).',
} as const satisfies ConfigSchema;

/** How many connections there may be. On a web transport each path counts its own. */
export const connectionLimitKeys = {
  max_connections: {
    type: 'integer',
    minimum: 0,
    maximum: 2_147_483_647,
    default: 0,
    description:
      'How many connections there may be at once; 0 is no limit. Beyond it the one that has waited longest without a session is closed for the new one; if none waits, a WebSocket or long-poll is answered with 503, a RawSocket with its error 4. Off: the node as a whole has a limit (`max_connections` of `controller.options`). An addition to the keys of Crossbar.io.',
  },
  max_unauthenticated: {
    type: 'integer',
    minimum: 0,
    maximum: 2_147_483_647,
    default: 1000,
    description:
      'How many connections without a session there may be at once; 0 is no limit. Beyond it the one that has waited longest is closed for the new one (WebSocket: code 1013): clients that mean it join within milliseconds, so they are never the oldest of 1000, and the memory that others can take is limited. An addition to the keys of Crossbar.io.',
  },
  max_unauthenticated_per_address: {
    type: 'integer',
    minimum: 0,
    maximum: 2_147_483_647,
    default: 100,
    description:
      'The same for one address (of IPv6: one /64 network); 0 is no limit. Connections from this machine are not counted, because a reverse proxy stands for all of its clients; for a proxy on another machine switch it off. An addition to the keys of Crossbar.io.',
  },
} as const satisfies Readonly<Record<string, ConfigSchema>>;

/** Crossbar.io reads such texts as numbers. */
const numberFromText: Adapt = (value) => {
  if (typeof value !== 'string' || !/^\d{1,10}$/.test(value)) return undefined;
  return { value: Number(value), note: `found "${value}", taken as the number ${Number(value)}` };
};

/** 0 switches off; values below one second are slips of people who think in seconds. */
export function timeout<const Default extends number>(defaultMs: Default, description: string) {
  return {
    type: 'integer',
    minimum: 0,
    maximum: 2_147_483_647,
    not: { exclusiveMinimum: 0, exclusiveMaximum: 1000 },
    allowed: '0 (off), or milliseconds from 1000 to 2147483647',
    adapt: numberFromText,
    default: defaultMs,
    description: `${description} In milliseconds; 0 switches it off.`,
  } as const;
}

export const authenticateTimeoutSchema = timeout(
  10_000,
  'How long a client may take to answer a challenge: a person may have to type a password. An addition to the keys of Crossbar.io.',
);
