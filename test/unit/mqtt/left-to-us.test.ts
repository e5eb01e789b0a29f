/**
 * What the package `mqtt-packet` takes, or waits for, and no client may send: the node has to look at it. Each row is given to the package
 * as well, so that it is seen when a new version of it looks at one of them itself.
 */
import mqttPacket from 'mqtt-packet';
import { describe, expect, it } from 'vitest';

import { loadPacketCodec } from '../../../src/mqtt/packets/packet-codec.js';
import { PacketError } from '../../../src/mqtt/packets/packet.js';
import { connect, field, packet, publish } from '../../support/mqtt-packets.js';

const LIMITS = { maxConnectBytes: 1000, maxBytes: 100_000 };
const codec = await loadPacketCodec('a test');

const NUL = field('a\0');
const NO_UTF8 = field(Buffer.from([0xc0, 0x80]));
const [WILL, USER_NAME] = [0b0000_0110, 0b1000_0010];

/** The flags of a CONNECT, and what stands behind its client id. */
const connectWith = (flags: number, ...rest: Buffer[]): Buffer => connect({ flags, rest: [field('me'), ...rest] });

type Row = readonly [name: string, bytes: Buffer, text: string];

/** They begin a connection; all others come behind a good CONNECT. */
const CONNECTS: readonly Row[] = [
  // The length says 256 MB, and nothing else has come.
  ['a CONNECT of 256 MB', Buffer.from([0x10, 255, 255, 255, 127]), 'a packet of 268435460 bytes; 1000 are allowed'],
  ['a password without a user name', connectWith(0x42, field('x')), 'there is a password, but no user name'],
  ['a will of QoS 3', connectWith(0x1e, field('t'), field('')), 'the will has QoS 3'],
  ['a client id with NUL', connect({ rest: [NUL] }), 'the client id has a NUL in it'],
  ['a client id that is no UTF-8', connect({ rest: [NO_UTF8] }), 'the client id is not UTF-8'],
  ['a user name with NUL', connectWith(USER_NAME, NUL), 'the user name has a NUL in it'],
  ['a user name that is no UTF-8', connectWith(USER_NAME, NO_UTF8), 'the user name is not UTF-8'],
  ['the topic of a will with NUL', connectWith(WILL, NUL, field('')), 'the topic of the will has a NUL in it'],
  ['the topic of a will that is no UTF-8', connectWith(WILL, NO_UTF8, field('')), 'the topic of the will is not UTF-8'],
  ['a will on a wildcard', connectWith(WILL, field('a/+'), field('')), 'the topic has a wildcard in it'],
  ['a will on an empty topic', connectWith(WILL, field(''), field('')), 'the topic is empty'],
  ['octets behind a CONNECT', connectWith(2, field('x')), 'the packet goes on behind its fields'],
  ['MQTT 5', packet(0x10, field('MQTT'), [5, 2, 0, 60, 0], field('me')), 'the client speaks MQTT 5'],
  ['another packet than CONNECT first', packet(0xc0), 'the first packet is no CONNECT'],
  ['a second CONNECT', Buffer.concat([connect(), connect()]), 'there is a second CONNECT'],
];

const OTHERS: readonly Row[] = [
  ['a packet of 256 MB', Buffer.from([0x30, 255, 255, 255, 127]), 'a packet of 268435460 bytes; 100000 are allowed'],
  ['a topic with NUL', publish('a\0'), 'the topic has a NUL in it'],
  ['a topic that is no UTF-8', publish(Buffer.from([0xc0, 0x80])), 'the topic is not UTF-8'],
  ['a topic with a surrogate', publish(Buffer.from([0xed, 0xa0, 0x80])), 'the topic is not UTF-8'],
  ['a topic with +', publish('a/+'), 'the topic has a wildcard in it'],
  ['a topic with #', publish('a#'), 'the topic has a wildcard in it'],
  ['an empty topic', publish(''), 'the topic is empty'],
  ['a filter with NUL', packet(0x82, [0, 1], NUL, [0]), 'a filter has a NUL in it'],
  ['a filter that is no UTF-8', packet(0x82, [0, 1], NO_UTF8, [0]), 'a filter is not UTF-8'],
  ['the same to be taken back, with NUL', packet(0xa2, [0, 1], NUL), 'a filter has a NUL in it'],
  ['the same to be taken back, no UTF-8', packet(0xa2, [0, 1], NO_UTF8), 'a filter is not UTF-8'],
  ['PUBLISH with id 0', packet(0x32, field('a'), [0, 0]), 'the id of the packet is 0'],
  ['PUBACK with id 0', packet(0x40, [0, 0]), 'the id of the packet is 0'],
  ['PUBREC with id 0', packet(0x50, [0, 0]), 'the id of the packet is 0'],
  ['PUBREL with id 0', packet(0x62, [0, 0]), 'the id of the packet is 0'],
  ['PUBCOMP with id 0', packet(0x70, [0, 0]), 'the id of the packet is 0'],
  ['SUBSCRIBE with id 0', packet(0x82, [0, 0], field('a'), [0]), 'the id of the packet is 0'],
  ['UNSUBSCRIBE with id 0', packet(0xa2, [0, 0], field('a')), 'the id of the packet is 0'],
  ['SUBSCRIBE to nothing', packet(0x82, [0, 1]), 'the packet has no filter'],
  ['UNSUBSCRIBE from nothing', packet(0xa2, [0, 1]), 'the packet has no filter'],
  ['octets behind a PUBACK', packet(0x40, [0, 1, 0]), 'the packet goes on behind its fields'],
  ['octets behind a PUBREC', packet(0x50, [0, 1, 0]), 'the packet goes on behind its fields'],
  ['octets behind a PUBREL', packet(0x62, [0, 1, 0]), 'the packet goes on behind its fields'],
  ['octets behind a PUBCOMP', packet(0x70, [0, 1, 0]), 'the packet goes on behind its fields'],
  ['octets behind a PINGREQ', packet(0xc0, [1]), 'the packet goes on behind its fields'],
  ['octets behind a DISCONNECT', packet(0xe0, [0]), 'the packet goes on behind its fields'],
  ['CONNACK', packet(0x20, [0, 0]), 'a client sends no packet of type 2'],
  ['SUBACK', packet(0x90, [0, 1, 0]), 'a client sends no packet of type 9'],
  ['UNSUBACK', packet(0xb0, [0, 1]), 'a client sends no packet of type 11'],
  ['PINGRESP', packet(0xd0), 'a client sends no packet of type 13'],
];

/** @returns what the package says against it. */
function faultsOfPackage(bytes: readonly Buffer[]): readonly Error[] {
  const faults: Error[] = [];
  const parser = mqttPacket.parser();
  parser.on('error', (error: Error) => faults.push(error));
  for (const chunk of bytes) parser.parse(chunk);
  return faults;
}

function read(bytes: readonly Buffer[]): void {
  const reader = codec.reader(LIMITS);
  for (const chunk of bytes) {
    reader.push(chunk);
    while (reader.next() !== undefined);
  }
}

describe('what the package leaves to us', () => {
  it.each([
    ...CONNECTS.map(([name, bytes, text]) => [name, [bytes], text] as const),
    ...OTHERS.map(([name, bytes, text]) => [name, [connect(), bytes], text] as const),
  ])('%s', (_name, bytes, text) => {
    expect(faultsOfPackage(bytes)).toEqual([]);
    expect(() => read(bytes)).toThrow(text);
    expect(() => read(bytes)).toThrow(PacketError);
  });
});
