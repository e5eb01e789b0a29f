/**
 * What the binary serializers have in common: how a message is taken apart and put together. The envelope is read and
 * checked; Arguments and ArgumentsKw are only passed over, and stay the bytes that the client sent.
 */
import { ProtocolViolation } from '../wamp/error.js';
import { isId } from '../wamp/id.js';
import * as m from '../wamp/message.js';
import { carriesOpaquePayload, envelopeOf, parseMessage, payloadPosition } from '../wamp/parse.js';
import { NO_PAYLOAD } from '../wamp/payload.js';
import { lengthPrefixed } from './batch.js';
import { MAX_ENVELOPE_BYTES, envelopeTooLarge } from './envelope.js';
import { allocateFrame } from './frame-memory.js';
import { LARGE_PAYLOAD_BYTES, LargeFrame, ownBytes, SharedBytes } from './large-frame.js';
import { WirePayload, elementsOf } from './wire-payload.js';
import type { ClientMessage, Message } from '../wamp/message.js';
import type { Payload } from '../wamp/payload.js';
import type { BinaryReader } from './binary-reader.js';
import type { BinaryWriter } from './binary-writer.js';
import type { Frame, Framing, MessageParts, Serializer } from './serializer.js';
import type { Steps, ValueSink } from './value-sink.js';
import type { PayloadForm } from './wire-payload.js';

/** No message of WAMP has more elements. */
const MAX_ELEMENTS = 7;

/** The elements behind the envelope, as they stand in the message. */
class BinaryPayload extends WirePayload {
  readonly format: BinaryFormat;
  readonly bytes: Buffer;
  /** How many elements `bytes` are. */
  readonly count: number;
  /** Only where it is large. */
  #shared: SharedBytes | undefined;

  constructor(format: BinaryFormat, bytes: Buffer, count: number) {
    super();
    this.format = format;
    this.bytes = bytes;
    this.count = count;
  }

  get byteLength(): number {
    return this.bytes.length;
  }

  /** The bytes are part of what a socket read, and the copy must not be part of a pool either. */
  detach(): BinaryPayload {
    const copy = Buffer.allocUnsafeSlow(this.bytes.length);
    this.bytes.copy(copy);
    return new BinaryPayload(this.format, copy, this.count);
  }

  get formType(): string {
    return this.format.type;
  }

  passOn(to: ValueSink, steps?: Steps): number {
    const reader = this.format.reader(this.bytes);
    reader.strictKeys = false;
    if (steps !== undefined) reader.steps = steps;
    for (let index = 0; index < this.count; index++) {
      reader.pass(to, 0);
      to.endItem();
    }
    return this.count;
  }

  elements(): readonly unknown[] {
    const reader = this.format.reader(this.bytes);
    reader.strictKeys = false;
    return Array.from({ length: this.count }, () => reader.value(0));
  }

  /** The bytes for several frames: they may have to wait, and then must not keep all that came with them. */
  shared(): Buffer {
    this.#shared ??= new SharedBytes();
    return this.#shared.get(() => ownBytes(this.bytes));
  }
}

/** One binary format, with the two serializers that speak it. */
export class BinaryFormat implements PayloadForm<BinaryPayload> {
  readonly type: string;
  readonly reader: (bytes: Buffer) => BinaryReader;
  readonly #writer: BinaryWriter;

  /** @param reader makes a reader for the bytes of one message. */
  constructor(type: string, reader: (bytes: Buffer) => BinaryReader, writer: BinaryWriter) {
    this.type = type;
    this.reader = reader;
    this.#writer = writer;
  }

  serializer(): Serializer {
    return {
      type: this.type,
      form: this,
      binary: true,
      decode: (bytes) => this.#decode(bytes, parseMessage),
      takeApart: (bytes) => this.#takeApart(bytes),
      putTogether: (bytes, parts) => this.#putTogether(bytes, parts),
      values: (bytes) => this.#values(bytes),
      encode: (message, framing) => this.#encode(message, framing, 0),
      encodeShared: (event, framing) => this.#encodeShared(event, framing, 0),
    };
  }

  batchedSerializer(): Serializer {
    return {
      type: `${this.type}.batched`,
      form: this,
      binary: true,
      split: lengthPrefixed,
      decode: (bytes) => this.#decode(bytes, parseMessage),
      takeApart: (bytes) => this.#takeApart(bytes),
      putTogether: (bytes, parts) => this.#putTogether(bytes, parts),
      values: (bytes) => this.#values(bytes),
      encode: (message, framing) => this.#encode(message, framing, 4),
      encodeShared: (event, framing) => this.#encodeShared(event, framing, 4),
    };
  }

  write(elements: readonly unknown[]): BinaryPayload {
    const writer = this.#writer;
    writer.reset();
    for (const element of elements) writer.value(element);
    return this.#written(elements.length);
  }

  translate(payload: WirePayload, steps?: Steps): BinaryPayload {
    this.#writer.reset();
    return this.#written(payload.passOn(this.#writer, steps));
  }

  adopt(bytes: Buffer, count: number): BinaryPayload {
    return new BinaryPayload(this, bytes, count);
  }

  #written(count: number): BinaryPayload {
    const bytes = Buffer.allocUnsafe(this.#writer.length);
    this.#writer.copyTo(bytes, 0);
    return new BinaryPayload(this, bytes, count);
  }

  #values(bytes: Buffer): readonly unknown[] {
    const reader = this.reader(bytes);
    reader.strictKeys = false;
    const count = reader.listHead();
    const values: unknown[] = [];
    while (reader.hasMore(count, values.length)) values.push(reader.value(0));
    if (reader.at !== bytes.length) throw new ProtocolViolation('there is something behind the message');
    return values;
  }

  #takeApart(bytes: Buffer): MessageParts {
    return this.#decode(bytes, (fields, length, payload) => {
      if (!(payload instanceof BinaryPayload)) return { fields, length };
      const start = payload.bytes.byteOffset - bytes.byteOffset;
      const place = { start, end: start + payload.bytes.length, count: payload.count };
      return { fields, length, payload: place };
    });
  }

  #putTogether(bytes: Buffer, { fields, length, payload: place }: MessageParts): ClientMessage {
    const payload =
      place === undefined ? NO_PAYLOAD : new BinaryPayload(this, bytes.subarray(place.start, place.end), place.count);
    return parseMessage(fields, length, payload);
  }

  #decode<T>(bytes: Buffer, make: Make<T>): T {
    const reader = this.reader(bytes);
    const count = reader.listHead();
    const fields: unknown[] = [];
    let position = MAX_ELEMENTS;
    let more = reader.hasMore(count, 0);
    while (more && fields.length < position) {
      // Type, ids, dictionaries and URIs.
      const isFloat = reader.kind() === 'float';
      const value = bytes.length > MAX_ENVELOPE_BYTES ? boundedValue(reader) : reader.value(0);
      if (isFloat && !isLargeId(value)) throw new ProtocolViolation('found a float where WAMP has integers');
      fields.push(value);
      if (fields.length === 1) position = payloadPosition(fields[0]) ?? MAX_ELEMENTS;
      more = reader.hasMore(count, fields.length);
    }
    if (fields.length === 0) throw new ProtocolViolation('a message must be a non-empty list');
    if (!more) return finish(reader, fields, fields.length, NO_PAYLOAD, make);
    if (fields.length === MAX_ELEMENTS) throw new ProtocolViolation('the message has too many elements');
    return this.#decodePayload(reader, fields, count, make);
  }

  /** Goes on where Arguments begin. */
  #decodePayload<T>(reader: BinaryReader, fields: readonly unknown[], count: number, make: Make<T>): T {
    const start = reader.at;
    const kind = reader.kind();
    const opaque = (kind === 'text' || kind === 'bytes') && carriesOpaquePayload(fields);
    if (!opaque && kind !== 'list') throw new ProtocolViolation('Arguments must be a list');
    let args = 1;
    if (opaque) reader.skip(0);
    else args = reader.skipList(0);
    let length = fields.length + 1;
    let { at: end } = reader;
    let elements = args === 0 ? 0 : 1;
    if (reader.hasMore(count, length)) {
      if (opaque || reader.kind() !== 'dict') throw new ProtocolViolation('ArgumentsKw must be a dictionary');
      // An empty ArgumentsKw should not be sent (section "Message Structure"): leave it out.
      if (reader.skipDict(0) > 0) {
        end = reader.at;
        elements = 2;
      }
      length++;
      if (reader.hasMore(count, length)) throw new ProtocolViolation('the message has too many elements');
    }
    const payload = elements === 0 ? NO_PAYLOAD : new BinaryPayload(this, reader.bytes.subarray(start, end), elements);
    return finish(reader, fields, length, payload, make);
  }

  /** @param prefix bytes in front of the message for its length: 4 in batches, else 0. */
  #encode(message: Message, framing: Framing, prefix: number): Buffer {
    // First, because a translation uses the writer, too.
    const payload = 'payload' in message ? this.#payloadOf(message.payload) : undefined;
    return this.#encodeWith(message, payload, framing, prefix);
  }

  #encodeShared(event: m.Event, framing: Framing, prefix: number): Frame {
    const payload = this.#payloadOf(event.payload);
    if (payload === undefined || payload.bytes.length < LARGE_PAYLOAD_BYTES) {
      return this.#encodeWith(event, payload, framing, prefix);
    }
    const writer = this.#writer;
    writer.reset();
    writeEnvelope(writer, event, payload.count);
    const bytes = writer.length + payload.bytes.length;
    const header = framing.headerBytes(prefix + bytes);
    const head = Buffer.allocUnsafeSlow(header + prefix + writer.length);
    framing.writeHeader(head, prefix + bytes);
    if (prefix !== 0) head.writeUInt32BE(bytes, header);
    writer.copyTo(head, header + prefix);
    return new LargeFrame(head, payload.shared());
  }

  #encodeWith(message: Message, payload: BinaryPayload | undefined, framing: Framing, prefix: number): Buffer {
    const writer = this.#writer;
    writer.reset();
    writeEnvelope(writer, message, payload?.count ?? 0);
    const bytes = writer.length + (payload?.bytes.length ?? 0);
    const header = framing.headerBytes(prefix + bytes);
    const frame = allocateFrame(header + prefix + bytes);
    framing.writeHeader(frame, prefix + bytes);
    if (prefix !== 0) frame.writeUInt32BE(bytes, header);
    writer.copyTo(frame, header + prefix);
    payload?.bytes.copy(frame, header + prefix + writer.length);
    return frame;
  }

  #payloadOf(payload: Payload): BinaryPayload | undefined {
    if (payload === NO_PAYLOAD) return undefined;
    if (payload instanceof BinaryPayload && payload.format === this) return payload;
    return payload instanceof WirePayload ? payload.in(this) : this.write(elementsOf(payload));
  }
}

/** @returns a value that lies before the payload. */
function boundedValue(reader: BinaryReader): unknown {
  const { at } = reader;
  reader.skip(0);
  if (reader.at > MAX_ENVELOPE_BYTES) throw envelopeTooLarge();
  reader.at = at;
  return reader.value(0);
}

/** What becomes of the fields before the payload, of how many elements there are, and of the payload. */
type Make<T> = (fields: readonly unknown[], length: number, payload: Payload) => T;

/**
 * Whether a float before the payload is an id. The specification wants an integer from 1 to 2^53 (section "IDs"), and a serialization as
 * integer. The numbers of JavaScript are floats, though, and libraries that write the small ones as integers (cbor-x and msgpack, which
 * wampy and others have) write those that do not fit in 32 bits as float64. It holds 2^53 and all below exactly, so nothing is lost by
 * reading it as the integer that is meant. The ids of realms on many nodes are such ones.
 *
 * A float of 32 bits or less is a mistake of the client, as is one in any other place: `parseMessage` wants an id only where WAMP has one.
 * Numbers in the payload are nobody's business here: its bytes pass as they came.
 */
function isLargeId(value: unknown): boolean {
  return isId(value) && value > 0xff_ff_ff_ff;
}

function finish<T>(
  reader: BinaryReader,
  fields: readonly unknown[],
  length: number,
  payload: Payload,
  make: Make<T>,
): T {
  if (reader.at !== reader.bytes.length) throw new ProtocolViolation('there is something behind the message');
  return make(fields, length, payload);
}

/** Writes everything before the payload. The messages of the hot path are spelled out. */
function writeEnvelope(writer: BinaryWriter, message: Message, payloadElements: number): void {
  switch (message.type) {
    case m.EVENT:
      writer.listHead(4 + payloadElements);
      writer.integer(m.EVENT);
      writer.integer(message.subscription);
      writer.integer(message.publication);
      return writer.dict(message.details);
    case m.INVOCATION:
      writer.listHead(4 + payloadElements);
      writer.integer(m.INVOCATION);
      writer.integer(message.requestId);
      writer.integer(message.registration);
      return writer.dict(message.details);
    case m.RESULT:
      writer.listHead(3 + payloadElements);
      writer.integer(m.RESULT);
      writer.integer(message.requestId);
      return writer.dict(message.details);
    case m.PUBLISHED:
      writer.listHead(3);
      writer.integer(m.PUBLISHED);
      writer.integer(message.requestId);
      return writer.integer(message.publication);
    default: {
      const envelope = envelopeOf(message);
      writer.listHead(envelope.length + payloadElements);
      for (const field of envelope) writer.value(field);
    }
  }
}
