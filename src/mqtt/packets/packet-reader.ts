/**
 * From what a connection reads to the packets of a client, one by one. The length that a packet says is looked at before anything is
 * kept of it, and what comes of it in pieces is gathered in one buffer, which is never much larger than what has come: neither many
 * small pieces nor a large length make it slow or cost memory. The package `mqtt-packet` gets one whole, checked packet at a time, if
 * it is none of the plain ones (`plain-packets.ts`).
 */
import { PacketType, checkPacket, checkType } from './packet-check.js';
import { PacketError } from './packet.js';
import { plainPacket } from './plain-packets.js';
import type { ClientPacket } from './packet.js';

/** How large packets may be, in bytes. */
export interface PacketLimits {
  /** Of the CONNECT, which a stranger sends. */
  readonly maxConnectBytes: number;
  readonly maxBytes: number;
}

/** Takes one whole packet. @throws PacketError when it is none. */
export type ParsePacket = (bytes: Buffer) => ClientPacket;

const NOTHING: Buffer = Buffer.alloc(0);
/** The first octet, and up to four for the length. */
const MAX_HEADER_BYTES = 5;
/** The first buffer for a packet that comes in pieces. */
const FIRST_BYTES = 512;

/** What stands before the fields of a packet. */
interface Header {
  readonly headerBytes: number;
  /** Of the whole packet. */
  readonly packetBytes: number;
}

/** One for each connection. After a PacketError it gives nothing more. */
export class PacketReader {
  readonly #limits: PacketLimits;
  readonly #parse: ParsePacket;
  #chunk = NOTHING;
  /** How much of the chunk is read. */
  #at = 0;
  /** The beginning of a packet whose end has not come. */
  #gathered = NOTHING;
  #gatheredBytes = 0;
  /** Of that packet, once it has come. */
  #header: Header | undefined;
  /** What the CONNECT says; undefined before it. */
  #version: 3 | 4 | undefined;
  #hasFailed = false;

  constructor(limits: PacketLimits, parse: ParsePacket) {
    this.#limits = limits;
    this.#parse = parse;
  }

  /**
   * Takes what the connection has read. Ask {@link next} before more is read.
   * @param chunk the payloads of packets refer to it: it must never be written to again.
   */
  push(chunk: Buffer): void {
    if (this.#hasFailed) return;
    const rest = this.#chunk.subarray(this.#at);
    this.#chunk = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    this.#at = 0;
  }

  /** Whether {@link next} has something to look at. */
  get hasUnread(): boolean {
    return this.#at < this.#chunk.length;
  }

  /** How much is kept of a packet whose end has not come. */
  get gatheredBytes(): number {
    return this.#gatheredBytes;
  }

  /** Nothing more is wanted: what has come is dropped. */
  stop(): void {
    this.#hasFailed = true;
    this.#chunk = this.#gathered = NOTHING;
    this.#at = this.#gatheredBytes = 0;
  }

  /**
   * @returns the next packet, undefined when it has not come.
   * @throws PacketError
   */
  next(): ClientPacket | undefined {
    if (this.#hasFailed) return undefined;
    try {
      return this.#gatheredBytes === 0 ? this.#fromChunk() : this.#fromGathered();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** A packet that has come in one piece is not copied. */
  #fromChunk(): ClientPacket | undefined {
    const chunk = this.#chunk;
    const start = this.#at;
    if (start === chunk.length) return undefined;
    const header = this.#headerIn(chunk, start, chunk.length);
    const end = start + (header?.packetBytes ?? Infinity);
    if (header === undefined || end > chunk.length) return this.#fromGathered();
    this.#at = end;
    return plainPacket(chunk, start, start + header.headerBytes, end) ?? this.#take(chunk.subarray(start, end), header);
  }

  #fromGathered(): ClientPacket | undefined {
    const bytes = this.#gather();
    const header = this.#header;
    if (bytes === undefined || header === undefined) return undefined;
    this.#header = undefined;
    return plainPacket(bytes, 0, header.headerBytes, bytes.length) ?? this.#take(bytes, header);
  }

  /** Moves what has come of a packet into a buffer of its own. */
  #gather(): Buffer | undefined {
    while (this.#header === undefined) {
      if (this.#at === this.#chunk.length) return undefined;
      this.#move(1);
      this.#header = this.#headerIn(this.#gathered, 0, this.#gatheredBytes);
    }
    const { packetBytes } = this.#header;
    this.#move(Math.min(packetBytes - this.#gatheredBytes, this.#chunk.length - this.#at));
    if (this.#gatheredBytes < packetBytes) return undefined;
    const whole = this.#gathered.subarray(0, packetBytes);
    this.#gathered = NOTHING;
    this.#gatheredBytes = 0;
    return whole;
  }

  #move(count: number): void {
    const needed = this.#gatheredBytes + count;
    if (needed > this.#gathered.length) {
      const most = this.#header?.packetBytes ?? FIRST_BYTES;
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, Math.min(most, Math.max(FIRST_BYTES, 2 * needed))));
      this.#gathered.copy(grown, 0, 0, this.#gatheredBytes);
      this.#gathered = grown;
    }
    this.#chunk.copy(this.#gathered, this.#gatheredBytes, this.#at, this.#at + count);
    this.#gatheredBytes = needed;
    this.#at += count;
  }

  /** @returns undefined when there is not enough of it between `start` and `end`. */
  #headerIn(bytes: Buffer, start: number, end: number): Header | undefined {
    const type = (bytes[start] ?? 0) >> 4;
    checkType(type);
    this.#checkOrder(type);
    let length = 0;
    for (let at = 1; at < MAX_HEADER_BYTES; at++) {
      const octet = bytes[start + at];
      if (octet === undefined || start + at >= end) return undefined;
      length += (octet & 0x7f) * 128 ** (at - 1);
      if (octet >= 0x80) continue;
      const packetBytes = at + 1 + length;
      const max = this.#version === undefined ? this.#limits.maxConnectBytes : this.#limits.maxBytes;
      if (packetBytes > max) {
        throw new PacketError(`a packet of ${packetBytes} bytes; ${max} are allowed`, { isTooLarge: true });
      }
      return { headerBytes: at + 1, packetBytes };
    }
    throw new PacketError('the length of the packet takes more than four octets');
  }

  #checkOrder(type: number): void {
    if (type === PacketType.CONNECT) {
      if (this.#version !== undefined) throw new PacketError('there is a second CONNECT');
    } else if (this.#version === undefined) {
      throw new PacketError('the first packet is no CONNECT');
    }
  }

  /** A packet of which something has to be looked at more closely. */
  #take(bytes: Buffer, { headerBytes }: Header): ClientPacket {
    checkPacket(bytes, headerBytes);
    if (this.#version === 3) clearRepeated(bytes);
    const packet = this.#parse(bytes);
    if (packet.cmd === 'connect') this.#version = packet.protocolVersion;
    return packet;
  }
}

/** In MQTT 3.1 these packets may say that they are repeated (section "DUP"); 3.1.1, and so the package, takes that for wrong. */
function clearRepeated(bytes: Buffer): void {
  const first = bytes[0] ?? 0;
  const type = first >> 4;
  if (type === PacketType.PUBREL || type === PacketType.SUBSCRIBE || type === PacketType.UNSUBSCRIBE) {
    bytes[0] = first & 0xf7;
  }
}
