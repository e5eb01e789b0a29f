/** Random packets of MQTT: good ones, odd ones, and what is dear for the node and cheap for a client. */
import { connect, field, packet } from '../support/mqtt-packets.js';
import type { Random } from './random.js';

const TOPICS = [
  'fuzz/a',
  'fuzz/b',
  'fuzz/a/b',
  'fuzz/r/1',
  'fuzz/r/2',
  'fuzz',
  'honest/news',
  'fuzz/é/☃',
  'fuzz/a.b',
  'fuzz//c',
];
const ODD_TOPICS = [
  '',
  '/',
  '//',
  '$SYS/x',
  'wamp/session/on_join',
  'a/+',
  '#',
  'a\0b',
  '%',
  'fuzz/%2E',
  ' ',
  '\ud7ff\ue000',
];
const FILTERS = ['fuzz/a', 'fuzz/#', 'fuzz/+', '+/a', '#', '+/+/#', 'fuzz/+/b', '+', '/#', '$SYS/#', 'fuzz/r/+'];
const ODD_FILTERS = [
  '',
  'a#',
  'a/#/b',
  'a+',
  '#/a',
  '++',
  'wamp/#',
  'crossbar/#',
  'a\0',
  '+/'.repeat(10),
  '/'.repeat(50),
];
const LARGEST_FIELD = 65_535;
/** What is good and what is not. */
const CLIENT_IDS = ['', 'one', 'two', 'three', 'four', 'five', 'six'];
/** In the order of their type; 0 and 15 are none. */
const FLAGS = [0, 0, 0, 0, 0, 0, 2, 0, 2, 0, 2, 0, 0, 0, 0, 0];
const MANY = 1000;

/** One stretch of octets after the other; between two of them the client waits for a while. */
export type Batch = readonly Buffer[];

export class MqttPackets {
  readonly #random: Random;
  /** How often what is sent is not as it should be. */
  readonly oddness: number;
  #lastId = 0;

  constructor(random: Random) {
    this.#random = random;
    this.oddness = random.pick([0, 0, 0.05, 0.3]);
  }

  connect(): Buffer {
    const random = this.#random;
    const hasWill = random.chance(0.4);
    const hasUser = random.chance(0.1);
    const isClean = random.chance(0.6);
    const flags = (isClean ? 2 : 0) | (hasWill ? 4 | (random.between(0, 2) << 3) | (random.between(0, 1) << 5) : 0);
    const rest = [
      field(this.#isOdd ? 'i'.repeat(random.pick([1024, 1025, 20_000])) : random.pick(CLIENT_IDS)),
      ...(hasWill ? [field(this.#topic()), field(this.#payload(random.chance(0.05) ? 60_000 : 500))] : []),
      ...(hasUser ? [field('joe'), field(random.pick(['secret', 'wrong']))] : []),
    ];
    const version = random.chance(0.8) ? { name: 'MQTT', level: 4 } : { name: 'MQIsdp', level: 3 };
    const bytes = connect({ ...version, flags: flags | (hasUser ? 0xc0 : 0), rest });
    // Zero, one second, and for ever.
    bytes.writeUInt16BE(random.pick([0, 1, 60, LARGEST_FIELD]), bytes.indexOf(version.name) + version.name.length + 2);
    return bytes;
  }

  /** Any packet behind the CONNECT. */
  packet(): Buffer {
    const random = this.#random;
    const bytes = this.#isOdd && random.chance(0.3) ? this.#nonsense() : this.#good();
    if (this.#isOdd && random.chance(0.2)) return bytes.subarray(0, random.between(0, bytes.length));
    return bytes;
  }

  publish(topic: string | Buffer, payload: Buffer, qos = this.#random.between(0, 2)): Buffer {
    const retain = this.#random.chance(0.2) ? 1 : 0;
    const dup = qos > 0 && this.#random.chance(0.1) ? 8 : 0;
    return packet(0x30 | dup | (qos << 1) | retain, field(topic), qos === 0 ? [] : this.#id(), payload);
  }

  subscribe(filters: readonly (string | Buffer)[]): Buffer {
    return packet(0x82, this.#id(), ...filters.flatMap((filter) => [field(filter), [this.#random.between(0, 2)]]));
  }

  unsubscribe(filters: readonly (string | Buffer)[]): Buffer {
    return packet(0xa2, this.#id(), ...filters.map((filter) => field(filter)));
  }

  /** PUBACK, PUBREC, PUBREL or PUBCOMP. */
  acknowledge(type: number, id?: number): Buffer {
    return packet((type << 4) | (FLAGS[type] ?? 0), id === undefined ? this.#id() : idOf(id));
  }

  /** What costs the node much. */
  heavy(): readonly Batch[] {
    const random = this.#random;
    return random.pick(HEAVY)(this, random);
  }

  get #isOdd(): boolean {
    return this.#random.chance(this.oddness);
  }

  #good(): Buffer {
    const random = this.#random;
    const kind = random.between(0, 19);
    if (kind < 8) return this.publish(this.#topic(), this.#payload(random.chance(0.02) ? 900_000 : 2000));
    if (kind < 11) return this.subscribe(this.#filters());
    if (kind < 13) return this.unsubscribe(this.#filters());
    if (kind < 18) return this.acknowledge(random.between(4, 7));
    if (kind === 18) return packet(0xc0);
    return random.chance(0.1) ? packet(0xe0) : packet(0xc0);
  }

  /** Any type, any flags, any octets; what only a node sends, too. */
  #nonsense(): Buffer {
    const random = this.#random;
    if (random.chance(0.2)) return this.connect();
    return packet(random.between(0, 255), random.bytes(random.size(200)));
  }

  #topic(): string | Buffer {
    const random = this.#random;
    if (!this.#isOdd) return random.pick(TOPICS);
    return random.pick<string | Buffer>([
      ...ODD_TOPICS,
      random.bytes(random.size(100)),
      'x/'.repeat(random.between(1, LARGEST_FIELD / 2)),
    ]);
  }

  #filters(): readonly (string | Buffer)[] {
    const random = this.#random;
    return Array.from({ length: random.size(20) }, () => {
      if (!this.#isOdd) return random.pick(FILTERS);
      return random.pick<string | Buffer>([...ODD_FILTERS, random.bytes(random.size(100))]);
    });
  }

  #payload(most: number): Buffer {
    return Buffer.alloc(this.#random.size(most), this.#random.pick(['x', '\0', '{"args":[1]}']));
  }

  #id(): Buffer {
    const random = this.#random;
    if (this.#isOdd) return idOf(random.pick([0, 1, random.between(0, LARGEST_FIELD), LARGEST_FIELD]));
    this.#lastId = (this.#lastId % LARGEST_FIELD) + 1;
    return idOf(random.chance(0.2) ? random.between(1, 20) : this.#lastId);
  }
}

type Heavy = (packets: MqttPackets, random: Random) => readonly Batch[];

function times<T>(count: number, make: (i: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** Filters of which each means another part of the same topics. */
function overlapping(i: number): string {
  return `${times(10, (bit) => ((i >> bit) & 1 ? '+' : 'x')).join('/')}/#`;
}

export const HEAVY: readonly Heavy[] = [
  // So many filters in one packet, good and too many.
  (packets, random) => [
    [packets.subscribe(times(random.pick([MANY, 10 * MANY]), (i) => `fuzz/${i}`))],
    [packets.unsubscribe(times(MANY, (i) => `fuzz/${i}`))],
  ],
  // All of them hear of the same.
  (packets) => [
    [packets.subscribe(times(MANY, overlapping))],
    times(20, () => packets.publish('x/x/x/x/x/x/x/x/x/x/y', Buffer.alloc(100))),
  ],
  // What was retained comes for each filter.
  (packets) => [
    times(200, (i) => packet(0x31, field(`fuzz/r/${i}`), Buffer.alloc(1000))),
    times(3, () => packets.subscribe(times(MANY, () => 'fuzz/#'))),
    times(3, () => packets.subscribe(times(MANY, (i) => `${'+/'.repeat(i % 20)}#`))),
  ],
  // The longest names there are.
  (packets) => [
    times(50, () => packets.publish('x/'.repeat(LARGEST_FIELD / 2), Buffer.alloc(10))),
    [packets.subscribe(times(100, () => '+/'.repeat(LARGEST_FIELD / 2)))],
    [packets.subscribe(times(100, (i) => `${'+/'.repeat(500 + (i % 10))}${i}/#`))],
    times(20, () => packets.publish('fuzz/%. #'.repeat(LARGEST_FIELD / 10), Buffer.alloc(10))),
    times(20, () => packets.publish('fuzz/a', Buffer.alloc(10))),
  ],
  // QoS 2 without an end, with the same ids again and again, and ends of what has not begun.
  (packets) => [
    times(3 * MANY, () => packets.publish('fuzz/a', Buffer.alloc(10), 2)),
    times(3 * MANY, (i) => packets.acknowledge(6, (i % LARGEST_FIELD) + 1)),
    times(3 * MANY, (i) => packets.acknowledge(5, (i % LARGEST_FIELD) + 1)),
  ],
  // Subscribed and not, again and again.
  (packets) => [
    times(MANY, (i) => (i % 2 ? packets.unsubscribe(['fuzz/#', '#']) : packets.subscribe(['fuzz/#', '#']))),
    times(MANY, (i) => packets.subscribe([`fuzz/${i}/+`])),
  ],
  // Large messages to many, which nobody acknowledges.
  (packets) => [
    [packets.subscribe(['fuzz/large'])],
    times(10, () => packets.publish('fuzz/large', Buffer.alloc(1_000_000, 'l'))),
    times(MANY, () => packet(0xc0)),
  ],
];

function idOf(id: number): Buffer {
  return Buffer.of(id >> 8, id & 0xff);
}
