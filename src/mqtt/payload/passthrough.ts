/**
 * The payload as it is: in WAMP it stands in the place of Arguments (Crossbar.io's payload transparency), and `enc_algo` says so. Back,
 * the same bytes. Of other events of WAMP, Arguments with one string or byte string are the payload, and all else is JSON.
 */
import { jsonForm } from '../../serializer/json.js';
import { JsonBytes, JsonPayload } from '../../serializer/json/payload.js';
import { skipValue } from '../../serializer/json/positions.js';
import { ownBytes } from '../../serializer/large-frame.js';
import { WirePayload, elementsOf } from '../../serializer/wire-payload.js';
import { ErrorUri, WampError } from '../../wamp/error.js';
import { countValues } from '../../wamp/payload.js';
import { PayloadError } from './mapping.js';
import type { Steps, ValueSink } from '../../serializer/value-sink.js';
import type { PayloadForm } from '../../serializer/wire-payload.js';
import type { Payload } from '../../wamp/payload.js';
import type { PayloadMapping } from './mapping.js';

/** What `enc_algo` says of a payload of MQTT. */
const OPTIONS = Object.freeze({ enc_algo: 'mqtt' });

/** The bytes of a message of MQTT: one byte string in the place of Arguments. */
class MqttPayload extends WirePayload {
  readonly bytes: Buffer;
  readonly formType = 'mqtt';
  readonly count = 1;

  constructor(bytes: Buffer) {
    super();
    this.bytes = bytes;
  }

  get byteLength(): number {
    return this.bytes.length;
  }

  /** The bytes are part of what a socket read. */
  detach(): MqttPayload {
    return new MqttPayload(Buffer.from(Uint8Array.from(this.bytes).buffer));
  }

  elements(): readonly unknown[] {
    return [this.bytes];
  }

  passOn(to: ValueSink, _steps?: Steps): number {
    to.byteString(this.bytes, 0, this.bytes.length);
    to.endItem();
    return 1;
  }

  shared(): Buffer {
    return ownBytes(this.bytes);
  }
}

/** Payloads as bytes of MQTT: what is translated is kept with the payload, so a publication to many is translated once. */
const mqttForm: PayloadForm<MqttPayload> = {
  type: 'mqtt',
  write(elements) {
    const [first] = elements;
    const [only] = Array.isArray(first) && first.length === 1 && elements.length === 1 ? (first as unknown[]) : [first];
    return new MqttPayload(bytesOf(only) ?? jsonOf(jsonForm.write(elements).text));
  },
  translate(payload, steps) {
    // Arguments and one value in them, or one value in their place: nothing else counts less.
    const isSmall = payload.countValues(2, 1) <= 2;
    if (isSmall) return this.write(payload.elements());
    return new MqttPayload(jsonOf(inJson(payload, steps)));
  },
  adopt: (bytes) => new MqttPayload(bytes),
};

/** The config word `passthrough`. */
export const passthroughMapping: PayloadMapping = {
  decode: ({ payload }) => ({ options: OPTIONS, payload: new MqttPayload(payload) }),
  encode({ payload }) {
    try {
      return inForm(payload).bytes;
    } catch (error) {
      if (!(error instanceof WampError)) throw error;
      throw new PayloadError(`the event has no place in MQTT: ${error.message}`, { cause: error });
    }
  },
};

/** What the router made has values, and no form. */
function inForm(payload: Payload): MqttPayload {
  if (payload instanceof MqttPayload) return payload;
  if (payload instanceof WirePayload) return payload.in(mqttForm);
  if (countValues(payload, MAX_VALUES, MAX_LEVELS) > MAX_VALUES) {
    throw new WampError(ErrorUri.PAYLOAD_SIZE_EXCEEDED, 'the payload has too many values');
  }
  return mqttForm.write(elementsOf(payload));
}

/** Of values that the router or a component made; what was translated is bounded by its steps. */
const MAX_VALUES = 100_000;
const MAX_LEVELS = 64;

/** @returns undefined for what is neither a string nor a byte string. */
function bytesOf(value: unknown): Buffer | undefined {
  if (typeof value === 'string') return Buffer.from(value);
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : undefined;
}

function inJson(payload: WirePayload, steps: Steps | undefined): string {
  if (payload instanceof JsonPayload || payload instanceof JsonBytes) return payload.text;
  return jsonForm.translate(payload, steps).text;
}

/** @param text Arguments and perhaps ArgumentsKw, with a comma between them. */
function jsonOf(text: string): Buffer {
  const start = /\S/.exec(text)?.index ?? 0;
  const end = skipValue(text, start);
  const comma = text.indexOf(',', end);
  const args = text.slice(start, end);
  return Buffer.from(comma === -1 ? `{"args":${args}}` : `{"args":${args},"kwargs":${text.slice(comma + 1)}}`);
}
