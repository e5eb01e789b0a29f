/** The package `mqtt-packet`: it reads and writes packets. Only nodes with clients of MQTT load it, and need it. */
import type * as Package from 'mqtt-packet';

import { messageOf } from '../../system/error.js';
import { optionalPackage } from '../../system/optional-package.js';
import { PacketReader } from './packet-reader.js';
import { PacketError } from './packet.js';
import type { ClientPacket, ServerPacket } from './packet.js';
import type { PacketLimits } from './packet-reader.js';

/** Packets to bytes and back. */
export interface PacketCodec {
  /** @returns what reads the packets of one connection. */
  reader(limits: PacketLimits): PacketReader;
  encode(packet: ServerPacket): Buffer;
}

/**
 * @param neededBy what in the config needs it, as the beginning of a sentence.
 * @throws OptionalPackageError
 */
export async function loadPacketCodec(neededBy: string): Promise<PacketCodec> {
  const mqttPacket = await optionalPackage('mqtt-packet', neededBy, () => import('mqtt-packet'));
  // It would make a table of all 65,536 ids, with a buffer for each.
  mqttPacket.writeToStream.cacheNumbers = false;
  const parse = parserOf(mqttPacket);
  return {
    reader: (limits) => new PacketReader(limits, parse),
    // Its types are those of MQTT 5, with what the older versions do not have.
    encode: (packet) => shortAnswer(packet) ?? mqttPacket.generate(packet as Parameters<typeof mqttPacket.generate>[0]),
  };
}

const ANSWERS = { puback: 0x40, pubrec: 0x50, pubrel: 0x62, pubcomp: 0x70 } as const;

/** One of four octets, which each message with QoS 1 and 2 gets; undefined for all else. */
function shortAnswer(packet: ServerPacket): Buffer | undefined {
  switch (packet.cmd) {
    case 'puback':
    case 'pubrec':
    case 'pubrel':
    case 'pubcomp':
      return fourOctets(ANSWERS[packet.cmd], packet.messageId);
    default:
      return undefined;
  }
}

function fourOctets(first: number, id: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes[0] = first;
  bytes[1] = 2;
  bytes[2] = id >> 8;
  bytes[3] = id;
  return bytes;
}

/**
 * One parser for all connections: it takes a stream, and would have one for each of them, of 2 KB. It gets whole packets, of one kind of
 * MQTT, so nothing of one is left when the next one comes. After a CONNECT, or what is wrong, there is a new one.
 */
function parserOf(mqttPacket: typeof Package): (bytes: Buffer) => ClientPacket {
  const got: { packet: ClientPacket | undefined; fault: Error | undefined } = { packet: undefined, fault: undefined };
  const newParser = (): Package.Parser => {
    const parser = mqttPacket.parser();
    // What makes these values differ from its types has been checked (`packet-check.ts`).
    parser.on('packet', (packet) => (got.packet = packet as unknown as ClientPacket));
    parser.on('error', (error: Error) => (got.fault = error));
    return parser;
  };
  let parser = newParser();
  return (bytes) => {
    got.packet = got.fault = undefined;
    const rest = parser.parse(bytes);
    // It would keep the CONNECT, with the password in it.
    const { packet, fault } = got as Parsed;
    const isKept = packet === undefined || packet.cmd === 'connect';
    if (isKept || fault !== undefined || rest > 0) parser = newParser();
    return checked({ packet, fault });
  };
}

interface Parsed {
  readonly packet: ClientPacket | undefined;
  readonly fault: Error | undefined;
}

function checked({ packet, fault }: Parsed): ClientPacket {
  if (fault !== undefined) throw new PacketError(`the packet is wrong: ${messageOf(fault)}`, { cause: fault });
  if (packet === undefined) throw new PacketError('the packet is wrong');
  return packet;
}
