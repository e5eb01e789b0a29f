/**
 * What a serializer is: bytes <-> Message, with the payload kept as the bytes it came in. It knows neither sockets nor
 * sessions. How a transport wraps the bytes (WebSocket header, RawSocket prefix) is told by a {@link Framing}, so that a
 * frame is written into one buffer in one go.
 */
import type { ClientMessage, Event, Message } from '../wamp/message.js';
import type { LargeFrame } from './large-frame.js';
import type { PayloadForm, WirePayload } from './wire-payload.js';

/** How a transport marks one message in its byte stream. Stateless; one constant per kind of transport. */
export interface Framing {
  /** Bytes before a message of `payloadBytes` bytes. */
  headerBytes(payloadBytes: number): number;
  /** Writes them to the start of `frame`. */
  writeHeader(frame: Buffer, payloadBytes: number): void;
}

/** One whole message as it goes out. */
export type Frame = Buffer | LargeFrame;

/** Bytes to messages and back, in one of the formats that a subprotocol names (section "Serializers"). */
export interface Serializer {
  /** The config word and the middle of the subprotocol: `json` in `wamp.2.json`. */
  readonly type: string;
  /**
   * How it writes payloads: between serializers of the same form they travel unchanged. Where it has none, they are translated
   * when they are due.
   */
  readonly form?: PayloadForm<WirePayload>;
  /** Whether messages travel as binary WebSocket messages, as opposed to text. */
  readonly binary: boolean;
  /**
   * Takes a WebSocket message apart, for subprotocols that put several messages into one; absent for all others.
   * @throws ProtocolViolation, perhaps behind some good messages, when it is no batch.
   */
  readonly split?: (bytes: Buffer) => Iterable<Buffer>;
  /**
   * @param bytes one message; for text serializers already known to be valid UTF-8. The payload refers to them: they
   * must never be written to again.
   * @throws ProtocolViolation when it is no message that a client may send.
   */
  decode(bytes: Buffer): ClientMessage;
  /**
   * Builds all values of a message, payload included: for clients, who want to know them. The router does not.
   * @throws ProtocolViolation when the bytes are no list of values.
   */
  values(bytes: Buffer): readonly unknown[];
  /**
   * The first, long half of {@link decode}, for a thread of its own (`decoding-worker.ts`); where it has none, {@link decode} must
   * not take long for any message.
   * @throws ProtocolViolation when it is no message.
   */
  readonly takeApart?: (bytes: Buffer) => MessageParts;
  /** The second half. @param bytes those that {@link takeApart} had, or gave back. */
  readonly putTogether?: (bytes: Buffer, parts: MessageParts) => ClientMessage;
  /**
   * @returns the message in one buffer, behind the header that `framing` wants; with `split`, a batch of one.
   * @throws WampError when the payload came in another format and has no place in this one.
   */
  encode(message: Message, framing: Framing): Buffer;
  /**
   * The same for an event that may go to many, and may be one of many with the same payload: if that is large, it is not
   * copied but shared by their frames.
   */
  encodeShared(event: Event, framing: Framing): Frame;
}

/** What takes messages apart: a serializer, or what knows them in another form. */
export type Decoder = Pick<Serializer, 'type' | 'form' | 'decode' | 'takeApart' | 'putTogether'>;

/** What was found in a message. It can be handed to another thread. */
export interface MessageParts {
  /** What stands before the payload. */
  readonly fields: readonly unknown[];
  /** How many elements the message has. */
  readonly length: number;
  /** Where the payload lies, in bytes. */
  readonly payload?: { readonly start: number; readonly end: number; readonly count: number };
  /** In place of those that it was found in, where these are not fit to be handed on. */
  readonly bytes?: Uint8Array;
}

/** A format as the registry has it: by one word of the config it is spoken singly and in batches. */
export interface SerializerType {
  readonly single: Serializer;
  readonly batched: Serializer;
  /**
   * Its number in the opening octets of a RawSocket (section "RawSocket Transport"), from 1 to 15: 5 belongs to
   * FlatBuffers, those behind are reserved. Without one it is not spoken there.
   */
  readonly rawSocketId?: number;
}

/**
 * A serializer together with a framing: all that decides what the bytes of a shared message look like. Two sessions
 * with the same codec can be sent the very same buffer.
 */
export interface Codec {
  /** Position in `Event.frames`. */
  readonly index: number;
  readonly serializer: Serializer;
  readonly framing: Framing;
}
