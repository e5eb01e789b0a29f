/** A PUBLISH to clients (MQTT 3.1.1, section 3.3): one for all subscribers that get it with the same QoS. */
import type { Qos } from '../../wamp/message.js';

const PUBLISH = 0x30;
const DUP = 0x08;
const RETAIN = 0x01;

/** Of one subscription to one client. */
export class PublishFrame {
  readonly qos: Qos;
  readonly #first: number;
  readonly #topic: Buffer;
  readonly #payload: Uint8Array;
  /** Of QoS 0, which has no packet id: the same for everybody. */
  #shared: Buffer | undefined;

  /**
   * @param topic at most 65,535 octets of UTF-8
   * @param payload is kept: memory of its own, or as short-lived as the frame
   */
  constructor(topic: string, payload: Uint8Array, { qos, retain }: { readonly qos: Qos; readonly retain: boolean }) {
    this.qos = qos;
    this.#first = PUBLISH | (qos << 1) | (retain ? RETAIN : 0);
    this.#topic = Buffer.from(topic);
    this.#payload = payload;
  }

  /** How much memory it takes, about, in bytes. */
  get bytes(): number {
    return this.#topic.length + this.#payload.length + OVERHEAD_BYTES;
  }

  /** @param id ignored with QoS 0. @param isAgain whether it was sent before: not with QoS 0 */
  write(id: number, isAgain: boolean): Buffer {
    if (this.qos === 0) return (this.#shared ??= this.#make(0, false));
    return this.#make(id, isAgain);
  }

  #make(id: number, isAgain: boolean): Buffer {
    const idBytes = this.qos === 0 ? 0 : 2;
    const remaining = 2 + this.#topic.length + idBytes + this.#payload.length;
    const frame = Buffer.allocUnsafe(1 + lengthBytes(remaining) + remaining);
    frame[0] = isAgain ? this.#first | DUP : this.#first;
    let at = writeLength(frame, remaining);
    at = frame.writeUInt16BE(this.#topic.length, at);
    at += this.#topic.copy(frame, at);
    if (idBytes > 0) at = frame.writeUInt16BE(id, at);
    frame.set(this.#payload, at);
    return frame;
  }
}

/** Of the object and what it has, besides topic and payload. */
const OVERHEAD_BYTES = 200;

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
