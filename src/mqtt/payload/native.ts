/** The payload as a dictionary with `args` and `kwargs`, in the format of a serializer of WAMP, both ways. */
import { isUtf8 } from 'node:buffer';
import { SERIALIZERS } from '../../serializer/registry.js';
import { MAX_NESTING } from '../../serializer/wire-payload.js';
import { ProtocolViolation, WampError } from '../../wamp/error.js';
import { countValues } from '../../wamp/payload.js';
import { dictionaryOf, publicationFrom } from './dictionary.js';
import { KeptResults } from './kept-results.js';
import { PayloadError } from './mapping.js';
import type { Payload } from '../../wamp/payload.js';
import type { PayloadMapping } from './mapping.js';

/** The formats that it is done with, as the config calls them. */
export type NativeFormat = keyof typeof SERIALIZERS;

/** So large a payload may be: its values are built while others wait. */
export const MAX_NATIVE_BYTES = 262_144;
/** So many values may be built of an event. */
const MAX_VALUES = 100_000;

/** How each format begins and ends a list with one value in it. */
const LIST_OF_ONE: Readonly<Record<NativeFormat, readonly [string, string]>> = {
  json: ['[', ']'],
  msgpack: ['\x91', ''],
  cbor: ['\x81', ''],
  ubjson: ['[', ']'],
};

/** The config word `native`. @param format the serializer of the payloads */
export function nativeMapping(format: NativeFormat): PayloadMapping {
  const { form } = SERIALIZERS[format].single;
  if (form === undefined) throw new Error(`the serializer ${format} writes no payloads`);
  const kept = new KeptResults<Buffer>();
  return {
    decode: ({ payload }) => publicationFrom(valueOf(payload, format), form),
    encode: (event) =>
      kept.of(event, () =>
        explained('the event has no place in MQTT', () => form.write([dictionaryOf(values(event.payload))]).shared()),
      ),
  };
}

function valueOf(bytes: Buffer, format: NativeFormat): unknown {
  if (bytes.length > MAX_NATIVE_BYTES) {
    throw new PayloadError(`a payload of ${bytes.length} bytes; ${MAX_NATIVE_BYTES} are taken apart`);
  }
  const { single } = SERIALIZERS[format];
  if (!single.binary && !isUtf8(bytes)) throw new PayloadError('the payload is not UTF-8');
  const [before, behind] = LIST_OF_ONE[format].map((text) => Buffer.from(text, 'latin1'));
  const list = Buffer.concat([before ?? bytes, bytes, behind ?? bytes]);
  const found = explained(`the payload is not ${format}`, () => single.values(list));
  if (found.length !== 1) throw new PayloadError(`the payload is not ${format}: it is not one value`);
  return found[0];
}

/** @returns the values of an event, where they are not too many. */
export function values(payload: Payload): Pick<Payload, 'args' | 'kwargs'> {
  const count = payload.countValues?.(MAX_VALUES, MAX_NESTING) ?? countValues(payload, MAX_VALUES, MAX_NESTING);
  if (count > MAX_VALUES) throw new PayloadError('the event has too many values, or they cannot be made');
  return payload.values?.() ?? payload;
}

function explained<T>(what: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof ProtocolViolation || error instanceof WampError)) throw error;
    throw new PayloadError(`${what}: ${error.message}`, { cause: error });
  }
}
