/**
 * A PUBLISH to clients (MQTT 3.1.1, section 3.3): one for all subscribers that get it with the same QoS. Packet ids are the node's to
 * choose, for each client those that it has not in use: all get the id that the first one gets, if they can, and so the same bytes.
 */
import { LARGE_PAYLOAD_BYTES, LargeFrame } from '../../serializer/large-frame.js';
import type { Frame } from '../../serializer/serializer.js';
import type { Qos } from '../../wamp/message.js';

const PUBLISH = 0x30;
const DUP = 0x08;
const RETAIN = 0x01;

/** One message, for all who get it with one QoS. It has memory of its own, but for a large payload. */
export class PublishFrame {
  readonly qos: Qos;
  /** With which it was sent first; 0 before, and with QoS 0. */
  id = 0;
  /** For how many clients it waits (`queued-memory.ts`). */
  waitingFor = 0;
  /** All of it; of a large message what stands before the payload. */
  readonly #packet: Buffer;
  /** A large payload: nobody gets a copy of it. */
  readonly #body: Buffer | undefined;
  /** What was made with {@link id}. */
  #first: Frame | undefined;
  /** Where the id stands in it. */
  readonly #idAt: number;

  /**
   * @param topic at most 65,535 octets of UTF-8
   * @param payload one of {@link LARGE_PAYLOAD_BYTES} and more is kept as it is
   */
  constructor(topic: string, payload: Buffer, { qos, retain }: { readonly qos: Qos; readonly retain: boolean }) {
    this.qos = qos;
    const topicBytes = Buffer.byteLength(topic);
    const remaining = 2 + topicBytes + (qos === 0 ? 0 : 2) + payload.length;
    const isLarge = payload.length >= LARGE_PAYLOAD_BYTES;
    const size = 1 + lengthBytes(remaining) + remaining - (isLarge ? payload.length : 0);
    // Frames of QoS 1 and 2 may wait for hours: they must not hold on to memory that others have used, too.
    const packet = qos === 0 ? Buffer.allocUnsafe(size) : Buffer.allocUnsafeSlow(size);
    packet[0] = PUBLISH | (qos << 1) | (retain ? RETAIN : 0);
    let at = writeLength(packet, remaining);
    at = packet.writeUInt16BE(topicBytes, at);
    at += packet.write(topic, at);
    this.#idAt = at;
    if (qos > 0) at = packet.writeUInt16BE(0, at);
    if (!isLarge) packet.set(payload, at);
    this.#packet = packet;
    this.#body = isLarge ? payload : undefined;
  }

  /** How much memory it takes, about, in bytes. */
  get bytes(): number {
    return this.#packet.length + (this.#body?.length ?? 0) + OVERHEAD_BYTES;
  }

  /**
   * @param id ignored with QoS 0. @param isAgain whether it was sent before: not with QoS 0
   * @returns the same bytes for all, but for those who get another id, or get it again.
   */
  write(id: number, isAgain: boolean): Frame {
    const packet = this.#packet;
    if (this.qos === 0 || (id === this.id && !isAgain)) return (this.#first ??= this.#whole(packet));
    if (this.id === 0 && !isAgain) {
      this.id = id;
      packet.writeUInt16BE(id, this.#idAt);
      return (this.#first = this.#whole(packet));
    }
    const other = Buffer.from(packet);
    other.writeUInt16BE(id, this.#idAt);
    if (isAgain) other[0] = (packet[0] ?? 0) | DUP;
    return this.#whole(other);
  }

  #whole(packet: Buffer): Frame {
    return this.#body === undefined ? packet : new LargeFrame(packet, this.#body, undefined, this.qos > 0);
  }
}

/** Of the objects, besides the packet: what a heap of Node.js 20 has more of for each that waits. */
const OVERHEAD_BYTES = 320;

/** @returns how many octets the "remaining length" of a packet takes (section 2.2.3). */
function lengthBytes(remaining: number): number {
  if (remaining < 128) return 1;
  if (remaining < 16_384) return 2;
  return remaining < 2_097_152 ? 3 : 4;
}

/** Writes the "remaining length" behind the first octet. @returns where the rest begins. */
function writeLength(frame: Buffer, remaining: number): number {
  let at = 1;
  let left = remaining;
  while (left >= 128) {
    frame[at++] = (left % 128) | 0x80;
    left = Math.floor(left / 128);
  }
  frame[at++] = left;
  return at;
}
