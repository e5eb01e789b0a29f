/**
 * The opening octets of a RawSocket connection (section "RawSocket Transport"): what the client asks for, and our answer.
 *
 *     client: 7F | its length limit (4 bits), serializer (4 bits) | 00 00
 *     router: 7F | our length limit (4 bits), the same serializer | 00 00, or 7F | error (4 bits), 0 | 00 00
 *
 * Pure functions; sockets are `rawsocket.ts`'s affair.
 */
import type { SerializerTypes } from '../../serializer/registry.js';
import type { Serializer } from '../../serializer/serializer.js';
import type { RawSocketConfig } from './schema.js';

/** Each way. */
export const HANDSHAKE_BYTES = 4;

/** The first octet of every RawSocket connection. */
export const MAGIC = 0x7f;

/** A length limit L stands for 2 to the power of 9 + L. */
const LEAST_EXPONENT = 9;

/** Why a handshake is refused. 2 (length unacceptable) never happens here. */
const HandshakeError = { SERIALIZER_UNSUPPORTED: 1, RESERVED_BITS_USED: 3, TOO_MANY_CONNECTIONS: 4 } as const;

export interface HandshakeRules {
  /** nibble of the client's octets -> serializer */
  readonly bySerializerId: ReadonlyMap<number, Serializer>;
  /** The limit that is announced: a power of two. */
  readonly maxMessageBytes: number;
}

export interface Agreement {
  readonly serializer: Serializer;
  /** What the client takes at most. */
  readonly peerMaxBytes: number;
  readonly answer: Buffer;
}

export interface Refusal {
  /** For the log. */
  readonly reason: string;
  /** What it is counted as. */
  readonly kind: 'magic' | 'octets' | 'subprotocol';
  /** The error reply; undefined for a client that does not speak RawSocket at all. */
  readonly answer: Buffer | undefined;
}

/** Said to a client before it has said anything, when there is no place for it. */
export const TOO_MANY_CONNECTIONS: Buffer = reply(HandshakeError.TOO_MANY_CONNECTIONS, 0);

/** @returns the rules of a transport, made once. */
export function handshakeRules(
  { serializers: words, options }: RawSocketConfig,
  formats: SerializerTypes,
): HandshakeRules {
  const bySerializerId = new Map<number, Serializer>();
  for (const word of words) {
    const format = formats[word];
    if (format?.rawSocketId !== undefined) bySerializerId.set(format.rawSocketId, format.single);
  }
  return { bySerializerId, maxMessageBytes: announcedLimit(options.max_message_size) };
}

/** @returns the largest limit that can be announced and is no more than `bytes`; 512 is the least there is. */
export function announcedLimit(bytes: number): number {
  return 2 ** Math.max(LEAST_EXPONENT, Math.floor(Math.log2(bytes)));
}

/** Judges the first four octets of a client. */
export function negotiate(octets: Buffer, rules: HandshakeRules): Agreement | Refusal {
  if (octets[0] !== MAGIC) return { reason: 'the client does not speak RawSocket', kind: 'magic', answer: undefined };
  const choice = octets.readUInt8(1);
  if (octets.readUInt16BE(2) !== 0)
    return refusal('octets', 'reserved octets are used', HandshakeError.RESERVED_BITS_USED);
  const id = choice & 0x0f;
  const serializer = rules.bySerializerId.get(id);
  if (serializer === undefined) {
    return refusal('subprotocol', `serializer ${id} is not supported`, HandshakeError.SERIALIZER_UNSUPPORTED);
  }
  const ours = Math.log2(rules.maxMessageBytes) - LEAST_EXPONENT;
  return {
    serializer,
    peerMaxBytes: 2 ** (LEAST_EXPONENT + (choice >>> 4)),
    answer: reply(ours, id),
  };
}

function refusal(kind: Refusal['kind'], reason: string, error: number): Refusal {
  return { reason, kind, answer: reply(error, 0) };
}

function reply(upper: number, lower: number): Buffer {
  return Buffer.of(MAGIC, (upper << 4) | lower, 0, 0);
}
