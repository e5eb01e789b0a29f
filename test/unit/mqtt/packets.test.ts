/** Reading and writing packets of MQTT, and what is refused; what the package `mqtt-packet` would take is in `left-to-us.test.ts`. */
import fc from 'fast-check';
import mqttPacket from 'mqtt-packet';
import { describe, expect, it } from 'vitest';

import { loadPacketCodec } from '../../../src/mqtt/packets/packet-codec.js';
import { MAX_FILTERS, checkPacket } from '../../../src/mqtt/packets/packet-check.js';
import { plainPacket } from '../../../src/mqtt/packets/plain-packets.js';
import { PacketError } from '../../../src/mqtt/packets/packet.js';
import type { ClientPacket, ServerPacket } from '../../../src/mqtt/packets/packet.js';
import type { PacketReader } from '../../../src/mqtt/packets/packet-reader.js';
import { connect, field, packet, publish } from '../../support/mqtt-packets.js';

const codec = await loadPacketCodec('a test');
const LIMITS = { maxConnectBytes: 1000, maxBytes: 100_000 };

const newReader = (): PacketReader => codec.reader(LIMITS);

function drain(reader: PacketReader): readonly ClientPacket[] {
  const found: ClientPacket[] = [];
  for (let next = reader.next(); next !== undefined; next = reader.next()) found.push(next);
  return found;
}

function read(...chunks: readonly Uint8Array[]): readonly ClientPacket[] {
  const reader = newReader();
  return chunks.flatMap((chunk) => {
    reader.push(Buffer.from(chunk));
    return drain(reader);
  });
}

/** What comes behind a good CONNECT. */
function readConnected(...chunks: readonly Uint8Array[]): readonly ClientPacket[] {
  return read(connect(), ...chunks).slice(1);
}

describe('a packet is read', () => {
  it('CONNECT of 3.1.1 with all it may have', () => {
    const rest = [field('me'), field('last/will'), field('bye'), field('joe'), field('secret')];
    expect(read(connect({ flags: 0b1111_0110, rest }))).toMatchObject([
      {
        ...{ cmd: 'connect', protocolVersion: 4, clientId: 'me', clean: true, keepalive: 60 },
        will: { topic: 'last/will', payload: Buffer.from('bye'), qos: 2, retain: true },
        ...{ username: 'joe', password: Buffer.from('secret') },
      },
    ]);
  });

  it('CONNECT of 3.1', () => {
    expect(read(connect({ name: 'MQIsdp', level: 3 }))).toMatchObject([{ cmd: 'connect', protocolVersion: 3 }]);
  });

  it.each([
    [publish('a/b', 'x'), { cmd: 'publish', topic: 'a/b', payload: Buffer.from('x'), qos: 0, retain: false }],
    [publish('a'), { cmd: 'publish', payload: Buffer.alloc(0) }],
    [publish('\ufeffa'), { topic: '\ufeffa' }],
    [packet(0x3d, field('a'), [1, 2], [9]), { qos: 2, dup: true, retain: true, messageId: 0x102 }],
    [packet(0x40, [0, 7]), { cmd: 'puback', messageId: 7 }],
    [packet(0x50, [0, 7]), { cmd: 'pubrec', messageId: 7 }],
    [packet(0x62, [0, 7]), { cmd: 'pubrel', messageId: 7 }],
    [packet(0x70, [255, 255]), { cmd: 'pubcomp', messageId: 65535 }],
    [
      packet(0x82, [0, 1], field('a/#'), [2], field('+'), [0]),
      {
        ...{ cmd: 'subscribe', messageId: 1 },
        subscriptions: [
          { topic: 'a/#', qos: 2 },
          { topic: '+', qos: 0 },
        ],
      },
    ],
    [packet(0xa2, [0, 1], field('a/#')), { cmd: 'unsubscribe', messageId: 1, unsubscriptions: ['a/#'] }],
    [packet(0xc0), { cmd: 'pingreq' }],
    [packet(0xe0), { cmd: 'disconnect' }],
  ])('%#', (bytes, expected) => {
    expect(readConnected(bytes)).toMatchObject([expected]);
  });

  it('a filter that is none is no reason to end: the answer says so', () => {
    expect(readConnected(packet(0x82, [0, 1], field('a#'), [0]))).toHaveLength(1);
  });

  it('what says in MQTT 3.1 that it is repeated', () => {
    const repeated = [packet(0x6a, [0, 7]), packet(0x8a, [0, 7], field('a'), [0]), packet(0xaa, [0, 7], field('a'))];
    expect(read(connect({ name: 'MQIsdp', level: 3 }), ...repeated)).toHaveLength(4);
    for (const bytes of repeated) expect(() => readConnected(bytes)).toThrow(PacketError);
  });
});

describe('the end of the connection', () => {
  it.each([
    ['a large CONNECT', [Buffer.from([0x10, 0xe6, 7])], 'a packet of 1001 bytes; 1000 are allowed'],
    ['HTTP', [Buffer.from('GET / HTTP/1.1\r\n')], 'the first packet is no CONNECT'],
    ['another protocol', [connect({ name: 'AMQP' })], 'the client speaks another protocol'],
    ['QoS of no will', [connect({ flags: 0x0a })], 'the packet is wrong: Will QoS'],
    ['the reserved flag', [connect({ flags: 3 })], 'the packet is wrong: Connect flag bit 0'],
    ['no client id', [connect({ rest: [] })], 'the packet ends within a field'],
  ])('%s', (_name, chunks, text) => {
    expect(() => read(...chunks)).toThrow(text);
  });

  it.each([
    ['type 0', packet(0x00), 'a client sends no packet of type 0'],
    ['AUTH', packet(0xf0), 'a client sends no packet of type 15'],
    ['a large packet', Buffer.from([0x30, 0xa1, 0x8d, 0x06]), 'a packet of 100005 bytes; 100000 are allowed'],
    ['a fifth octet of length', Buffer.from([0x30, 255, 255, 255, 255, 1]), 'takes more than four octets'],
    ['no topic', packet(0x30), 'the packet ends within a field'],
    ['half a topic', packet(0x30, [0, 5, 97]), 'the packet ends within a field'],
    ['QoS 3', packet(0x36, field('a'), [0, 1]), 'the packet is wrong: '],
    ['no id', packet(0x32, field('a')), 'the packet ends within a field'],
    ['PUBACK of nothing', packet(0x40), 'the packet ends within a field'],
    ['PUBREL with wrong flags', packet(0x60, [0, 1]), 'the packet is wrong: '],
    ['SUBSCRIBE without QoS', packet(0x82, [0, 1], field('a')), 'the packet ends within a field'],
    ['SUBSCRIBE with QoS 3', packet(0x82, [0, 1], field('a'), [3]), 'the packet is wrong: '],
    ['SUBSCRIBE with wrong flags', packet(0x80, [0, 1], field('a'), [0]), 'the packet is wrong: '],
    [
      'more filters than anybody needs',
      packet(0xa2, [0, 1], ...Array.from({ length: MAX_FILTERS + 1 }, () => field('a'))),
      'the packet has more than 1000 filters',
    ],
    ['DISCONNECT with flags', packet(0xe1), 'the packet is wrong: '],
  ])('%s', (_name, bytes, text) => {
    expect(() => readConnected(bytes)).toThrow(text);
    expect(() => readConnected(bytes)).toThrow(PacketError);
  });

  it.each([
    ['MQTT', 5, 'the client speaks MQTT 5; MQTT 3.1.1 and 3.1 are spoken here'],
    ['MQTT', 3, 'MQTT of level 3 is not spoken'],
    ['MQTT', 6, 'MQTT of level 6 is not spoken'],
    ['MQTT', 0x84, 'MQTT of level 132 is not spoken'],
    ['MQIsdp', 0x83, 'MQTT of level 131 is not spoken'],
  ])('%s of level %d is answered with code 1', (name, level, text) => {
    let error: unknown;
    try {
      read(connect({ name, level }));
    } catch (caught) {
      error = caught;
    }
    expect(error).toMatchObject({ code: 'ERR_MQTT_PACKET', returnCode: 1, message: text });
  });

  it('MQTT 5 is known by its level: what stands behind has another form', () => {
    // Properties, and a client id behind them.
    const bytes = packet(0x10, field('MQTT'), [5, 2, 0, 60, 5, 0x11, 0, 0, 0, 10], field('me'));
    expect(() => read(bytes)).toThrow('the client speaks MQTT 5');
  });

  it('nothing comes behind an error, and what came before it is good', () => {
    const reader = newReader();
    reader.push(Buffer.concat([connect(), publish('a'), publish(''), publish('b')]));
    expect(reader.next()).toMatchObject({ cmd: 'connect' });
    expect(reader.next()).toMatchObject({ topic: 'a' });
    expect(() => reader.next()).toThrow(PacketError);
    expect(reader.next()).toBeUndefined();
    reader.push(publish('c'));
    expect(reader.next()).toBeUndefined();
  });
});

it('a wrong packet of one connection is nothing to the next one', () => {
  const subscribe = packet(0x82, [0, 1], field('a'), [1]);
  for (const wrong of [packet(0x82, [0, 1], field('a'), [3]), packet(0x36, field('a'), [0, 1]), packet(0xe1)]) {
    expect(() => readConnected(wrong)).toThrow('the packet is wrong');
    expect(readConnected(subscribe)).toMatchObject([{ cmd: 'subscribe', subscriptions: [{ topic: 'a', qos: 1 }] }]);
  }
  const old = connect({ name: 'MQIsdp', level: 3 });
  const [one, other] = [newReader(), newReader()];
  one.push(Buffer.concat([old, packet(0x8a, [0, 7], field('a'), [0])]));
  other.push(Buffer.concat([connect(), subscribe]));
  expect([one.next(), other.next(), one.next(), other.next()]).toMatchObject([
    { cmd: 'connect', protocolVersion: 3 },
    { cmd: 'connect', protocolVersion: 4 },
    { cmd: 'subscribe', messageId: 7 },
    { cmd: 'subscribe', messageId: 1 },
  ]);
});

describe('packets in pieces', () => {
  const stream = Buffer.concat([
    connect(),
    publish('a/b', 'x'.repeat(300)),
    packet(0xc0),
    publish('c'),
    packet(0x82, [0, 1], field('a'), [1]),
    packet(0xe0),
  ]);
  const whole = read(stream);

  it('are those that come whole, wherever they are cut', () => {
    expect(whole).toHaveLength(6);
    const cuts = fc.array(fc.nat(stream.length), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (places) => {
        const at = [0, ...places.sort((a, b) => a - b), stream.length];
        const chunks = at.slice(1).map((end, index) => stream.subarray(at[index], end));
        expect(read(...chunks)).toEqual(whole);
      }),
    );
  });

  it('wait where the reader is asked later', () => {
    const reader = newReader();
    for (const octet of stream) reader.push(Buffer.from([octet]));
    expect(drain(reader)).toEqual(whole);
  });
});

describe('hostile octets', () => {
  const good = [
    connect(),
    connect({ flags: 0b1111_0110, rest: [field('me'), field('t'), field('w'), field('u'), field('p')] }),
    publish('a/b', 'payload'),
    packet(0x32, field('a'), [0, 1], [9]),
    packet(0x62, [0, 7]),
    packet(0x82, [0, 1], field('a/#'), [2], field('+'), [0]),
    packet(0xa2, [0, 1], field('a/#')),
    packet(0xc0),
  ];
  const mutated = fc
    .tuple(fc.constantFrom(...good), fc.array(fc.tuple(fc.nat(80), fc.nat(255)), { maxLength: 4 }), fc.nat(80))
    .map(([bytes, changes, cut]) => {
      const copy = Buffer.from(bytes);
      for (const [at, octet] of changes) copy[at % copy.length] = octet;
      return cut < copy.length ? copy.subarray(0, cut) : copy;
    });
  const anything = fc.oneof(mutated, fc.uint8Array({ maxLength: 40 }));

  it('are packets or a PacketError, and never another error', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.array(anything, { maxLength: 5 }), (isConnected, chunks) => {
        const reader = newReader();
        try {
          for (const chunk of [...(isConnected ? [connect()] : []), ...chunks]) {
            reader.push(Buffer.from(chunk));
            for (const { cmd } of drain(reader)) expect(cmd).toBeTypeOf('string');
          }
        } catch (error) {
          if (!(error instanceof PacketError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe('packets of the node', () => {
  it.each<[ServerPacket, Buffer]>([
    [{ cmd: 'connack', returnCode: 4, sessionPresent: false }, packet(0x20, [0, 4])],
    [{ cmd: 'connack', returnCode: 0, sessionPresent: true }, packet(0x20, [1, 0])],
    [{ cmd: 'suback', messageId: 7, granted: [0, 2, 128] }, packet(0x90, [0, 7, 0, 2, 128])],
    [{ cmd: 'unsuback', messageId: 7 }, packet(0xb0, [0, 7])],
    [{ cmd: 'puback', messageId: 0x102 }, packet(0x40, [1, 2])],
    [{ cmd: 'pubrec', messageId: 65_535 }, packet(0x50, [255, 255])],
    [{ cmd: 'pubrel', messageId: 7 }, packet(0x62, [0, 7])],
    [{ cmd: 'pubcomp', messageId: 7 }, packet(0x70, [0, 7])],
    [{ cmd: 'pingresp' }, packet(0xd0)],
    [
      {
        cmd: 'publish',
        topic: 'é',
        payload: Buffer.from('x'),
        qos: 2,
        retain: true,
        dup: true,
        messageId: 300,
      },
      packet(0x3d, field('é'), [1, 44], Buffer.from('x')),
    ],
  ])('%#', (value, expected) => {
    expect(codec.encode(value)).toEqual(expected);
  });
});

describe('a plain packet', () => {
  const parser = mqttPacket.parser();
  const parsed: unknown[] = [];
  parser.on('packet', (value) => parsed.push(value));
  parser.on('error', (error: Error) => parsed.push(error));

  /** As the package reads it, behind the same checks as all that are not plain. */
  function readSlowly(bytes: Buffer, start: number): unknown {
    checkPacket(bytes, start);
    parsed.length = 0;
    parser.parse(bytes);
    return parsed[0];
  }

  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 8 }),
    fc.constantFrom('a/b', 'ä/☃', '', 'a\0', '+', '\ufeff'),
  );
  const octets = fc.uint8Array({ maxLength: 6 });
  const first = fc.oneof(fc.constantFrom(0x30, 0x32, 0x35, 0x3c, 0x40, 0x50, 0x62, 0x70, 0xc0, 0xe0), fc.nat(255));
  const body = fc.oneof(
    octets,
    fc.tuple(text, octets).map(([topic, rest]) => Buffer.concat([field(topic), rest])),
    fc.tuple(fc.uint8Array({ maxLength: 4 }), octets).map(([topic, rest]) => Buffer.concat([field(topic), rest])),
  );

  it('is what the package reads, and never what is refused', () => {
    let plain = 0;
    fc.assert(
      fc.property(first, body, octets, octets, (type, fields, before, behind) => {
        const bytes = packet(type, fields);
        const around = Buffer.concat([before, bytes, behind]);
        const at = before.length;
        const found = plainPacket(around, at, at + bytes.length - fields.length, at + bytes.length);
        if (found === undefined) return;
        plain += 1;
        expect(readSlowly(bytes, bytes.length - fields.length)).toMatchObject(found);
      }),
      { numRuns: 3000 },
    );
    expect(plain).toBeGreaterThan(100);
  });
});
