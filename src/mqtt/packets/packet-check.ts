/**
 * What a packet must be beyond what the package `mqtt-packet` looks at: its fields end where it ends, its text is UTF-8 without NUL,
 * ids are not 0, lists are not empty, and only clients send it. The octets are looked at, because what is wrong with them cannot be
 * seen in the values. It builds no values but the topic of a message.
 */
import { isUtf8 } from 'node:buffer';
import { ConnectCode, PacketError } from './packet.js';
import { topicFault } from '../topics.js';

/** The number of a packet, the first four bits of it (section "MQTT Control Packet type"). */
export const PacketType = {
  CONNECT: 1,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  SUBSCRIBE: 8,
  UNSUBSCRIBE: 10,
  PINGREQ: 12,
  DISCONNECT: 14,
} as const;

const FROM_CLIENTS: ReadonlySet<number> = new Set(Object.values(PacketType));

/** A SUBSCRIBE with more filters would be worked on for too long. Libraries put one or a few into a packet. */
export const MAX_FILTERS = 1000;

/** @throws PacketError for a packet that a client never sends. @param type the first four bits of a packet */
export function checkType(type: number): void {
  if (!FROM_CLIENTS.has(type)) throw new PacketError(`a client sends no packet of type ${type}`);
}

/**
 * Checks a packet, but for what `mqtt-packet` does: the flags in its first octet, and the QoS of filters.
 *
 * @param bytes one whole packet
 * @param start where its fields begin
 * @throws PacketError
 */
export function checkPacket(bytes: Buffer, start: number): void {
  const fields = new Fields(bytes, start);
  const type = (bytes[0] ?? 0) >> 4;
  switch (type) {
    case PacketType.CONNECT:
      checkConnect(fields);
      break;
    case PacketType.PUBLISH:
      return checkPublish(fields, bytes);
    case PacketType.SUBSCRIBE:
    case PacketType.UNSUBSCRIBE:
      fields.id();
      checkFilters(fields, type === PacketType.SUBSCRIBE);
      break;
    case PacketType.PINGREQ:
    case PacketType.DISCONNECT:
      break;
    default:
      checkType(type);
      fields.id();
  }
  if (!fields.atEnd) throw new PacketError('the packet goes on behind its fields');
}

/** Bits of the flags of a CONNECT. */
const WILL = 0x04;
const PASSWORD = 0x40;
const USER_NAME = 0x80;

function checkConnect(fields: Fields): void {
  checkVersion(fields.text('the name of the protocol'), fields.octet());
  const flags = fields.octet();
  // Before what needs memory, and before a package is asked that looks at it later.
  if ((flags & PASSWORD) !== 0 && (flags & USER_NAME) === 0) {
    throw new PacketError('there is a password, but no user name');
  }
  if ((flags & WILL) !== 0 && ((flags >> 3) & 3) === 3) throw new PacketError('the will has QoS 3');
  fields.octets(2);
  fields.text('the client id');
  if ((flags & WILL) !== 0) {
    checkTopic(fields.text('the topic of the will'));
    fields.octets(fields.uint16());
  }
  if ((flags & USER_NAME) !== 0) fields.text('the user name');
  if ((flags & PASSWORD) !== 0) fields.octets(fields.uint16());
}

/** Bridges of mosquitto set the highest bit of the level, and take back what they asked for when they get this answer. */
function checkVersion(name: Buffer, level: number): void {
  const protocol = name.toString('latin1');
  if (protocol !== 'MQTT' && protocol !== 'MQIsdp') throw new PacketError('the client speaks another protocol');
  if (level === (protocol === 'MQTT' ? 4 : 3)) return;
  const text =
    level === 5
      ? 'the client speaks MQTT 5; MQTT 3.1.1 and 3.1 are spoken here'
      : `MQTT of level ${level} is not spoken`;
  throw new PacketError(text, { returnCode: ConnectCode.UNACCEPTABLE_VERSION });
}

function checkPublish(fields: Fields, bytes: Buffer): void {
  checkTopic(fields.text('the topic'));
  if (((bytes[0] ?? 0) & 0x06) !== 0) fields.id();
}

function checkTopic(bytes: Buffer): void {
  const fault = topicFault(bytes.toString('utf8'));
  if (fault !== undefined) throw new PacketError(fault);
}

/** What a filter may be is said to the client in the answer, for each one. */
function checkFilters(fields: Fields, withQos: boolean): void {
  let count = 0;
  do {
    if (++count > MAX_FILTERS) throw new PacketError(`the packet has more than ${MAX_FILTERS} filters`);
    if (fields.atEnd) throw new PacketError('the packet has no filter');
    fields.text('a filter');
    if (withQos) fields.octet();
  } while (!fields.atEnd);
}

/** The fields of a packet, read one after the other. */
class Fields {
  readonly #bytes: Buffer;
  #at: number;

  constructor(bytes: Buffer, start: number) {
    this.#bytes = bytes;
    this.#at = start;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** @returns the next `count` octets. */
  octets(count: number): Buffer {
    const end = this.#at + count;
    if (end > this.#bytes.length) throw new PacketError('the packet ends within a field');
    const found = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return found;
  }

  octet(): number {
    return this.octets(1)[0] ?? 0;
  }

  uint16(): number {
    return this.octets(2).readUInt16BE();
  }

  /** The id of the packet. */
  id(): void {
    if (this.uint16() === 0) throw new PacketError('the id of the packet is 0');
  }

  /** @param what it is, for the error. @returns its octets, which are UTF-8. */
  text(what: string): Buffer {
    const octets = this.octets(this.uint16());
    if (!isUtf8(octets)) throw new PacketError(`${what} is not UTF-8`);
    if (octets.includes(0)) throw new PacketError(`${what} has a NUL in it`);
    return octets;
  }
}
