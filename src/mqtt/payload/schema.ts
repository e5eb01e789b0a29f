/** How payloads of MQTT become payloads of WAMP, in the config. */
import type { Checked, ConfigSchema } from '../../schema/dialect.js';

/** Examples of Crossbar.io have it. */
const matchWithoutEffect = {
  match: 'the key is the beginning of a URI in any case; Crossbar.io does not read it either',
} as const;

/** The value of `payload_mapping`. */
export const payloadMappingSchema = {
  type: 'object',
  section: 'MQTT payload mapping',
  default: { '': { type: 'passthrough' } },
  description:
    'What becomes of payloads, by the beginning of the URI of their topic: the longest key that fits counts. A message for which no key fits is dropped, whoever sends it.',
  additionalProperties: {
    type: 'object',
    description: 'What becomes of these payloads.',
    discriminator: { propertyName: 'type' },
    required: ['type'],
    oneOf: [
      {
        type: 'object',
        section: 'MQTT payload "passthrough"',
        description:
          'The payload stays as it is. WAMP clients get it as a byte string in the place of Arguments, with `enc_algo` `mqtt` in the details.',
        required: ['type'],
        additionalProperties: false,
        properties: { type: { const: 'passthrough', description: 'The word for this mapping.' } },
        noEffect: matchWithoutEffect,
      },
      {
        type: 'object',
        section: 'MQTT payload "native"',
        description:
          'The payload is a dictionary with `args`, `kwargs` and, from clients, `exclude`, `eligible` and what WAMP has of that kind besides.',
        required: ['type', 'serializer'],
        additionalProperties: false,
        properties: {
          type: { const: 'native', description: 'The word for this mapping.' },
          serializer: {
            type: 'string',
            enum: ['json', 'msgpack', 'cbor', 'ubjson'],
            description: 'The format of the dictionary.',
          },
        },
        noEffect: matchWithoutEffect,
      },
      {
        type: 'object',
        section: 'MQTT payload "dynamic"',
        description:
          'Procedures make the payloads. One that takes longer than 5 seconds has failed: the message is dropped.',
        required: ['type', 'encoder', 'decoder'],
        additionalProperties: false,
        properties: {
          type: { const: 'dynamic', description: 'The word for this mapping.' },
          encoder: {
            type: 'string',
            is: 'uri',
            minLength: 1,
            description: 'The procedure that gets URI, topic, args and kwargs of an event, and returns a byte string.',
          },
          decoder: {
            type: 'string',
            is: 'uri',
            minLength: 1,
            description:
              'The procedure that gets URI, topic and payload of a message, and returns a dictionary as that of `native`.',
          },
          realm: {
            type: 'string',
            is: 'realm',
            minLength: 1,
            absent: 'the realm of the clients',
            description: 'The realm in which the procedures are.',
          },
        },
        noEffect: matchWithoutEffect,
      },
    ],
  },
} as const satisfies ConfigSchema;

/** Prefix of a URI -> what is done with its payloads. */
export type PayloadMappingConfig = Checked<typeof payloadMappingSchema>;
