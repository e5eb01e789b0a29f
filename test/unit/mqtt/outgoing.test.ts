import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Incoming } from '../../../src/mqtt/incoming.js';
import { Outgoing } from '../../../src/mqtt/outgoing.js';
import type { OutgoingLimits } from '../../../src/mqtt/outgoing.js';
import { QueuedMemory } from '../../../src/mqtt/queued-memory.js';
import { PublishFrame } from '../../../src/mqtt/packets/publish-frame.js';
import { LargeFrame } from '../../../src/serializer/large-frame.js';
import type { Frame } from '../../../src/serializer/serializer.js';
import type { Qos } from '../../../src/wamp/message.js';

const LIMITS: OutgoingLimits = { maxInflight: 2, maxInflightBytes: 1_000_000, maxQueued: 3, maxQueuedBytes: 1_000_000 };

function frame(text: string, qos: Qos, retain = false): PublishFrame {
  return new PublishFrame('t', Buffer.from(text), { qos, retain });
}

function memoryWithoutEnd(): QueuedMemory {
  return new QueuedMemory(
    () => Infinity,
    () => undefined,
  );
}

/** As `LIMITS`, but for some. */
function outgoingOf(limits: Partial<OutgoingLimits>, memory = memoryWithoutEnd()): Outgoing {
  return new Outgoing({ ...LIMITS, ...limits }, { giveUpForAll: () => undefined }, memory);
}

/** What a client gets, one text for each packet: `!` where it was sent before. */
class Client {
  readonly outgoing: Outgoing;
  #got: string[] = [];

  constructor(limits: Partial<OutgoingLimits> = {}) {
    this.outgoing = outgoingOf(limits);
  }

  connect(): this {
    this.outgoing.connected({ send: (packet) => this.#got.push(shown(packet)) });
    return this;
  }

  deliver(qos: Qos, ...texts: readonly string[]): boolean[] {
    return texts.map((text) => this.outgoing.deliver(frame(text, qos)));
  }

  get got(): string[] {
    return this.#got.splice(0);
  }
}

function whole(frame: Frame): Buffer {
  return frame instanceof LargeFrame ? frame.joined() : frame;
}

/** Of packets of less than 128 octets. */
function shown(sent: Frame): string {
  const packet = whole(sent);
  const first = packet[0] ?? 0;
  if (first === 0x62) return `PUBREL ${packet.readUInt16BE(2)}`;
  const qos = (first >> 1) & 3;
  const id = qos === 0 ? '' : ` ${packet.readUInt16BE(5)}`;
  return `${packet.subarray(qos === 0 ? 5 : 7).toString()}${id}${(first & 8) === 0 ? '' : '!'}`;
}

describe('a PUBLISH to a client', () => {
  it.each([
    [frame('', 0), '30 03 0001 74'],
    [frame('ab', 0, true), '31 05 0001 74 6162'],
    [frame('ab', 1), '32 07 0001 74 0102 6162'],
    [frame('ab', 2, true), '35 07 0001 74 0102 6162'],
    [new PublishFrame('ä/☃', Buffer.of(0), { qos: 0, retain: false }), '30 09 0006 c3a42fe29883 00'],
  ])('has the octets of section 3.3 (%#)', (publish, octets) => {
    expect(whole(publish.write(0x0102, false)).toString('hex')).toBe(octets.replaceAll(' ', ''));
  });

  it('says that it was sent before', () => {
    expect(whole(frame('ab', 1).write(1, true))[0]).toBe(0x3a);
    expect(whole(frame('ab', 2).write(1, true))[0]).toBe(0x3c);
  });

  it.each([
    [124, '7f'],
    [125, '8001'],
    [16_380, 'ff7f'],
    [16_381, '808001'],
    [2_097_148, 'ffff7f'],
    [2_097_149, '80808001'],
  ])('of %i octets has the length %s', (octets, length) => {
    const publish = whole(new PublishFrame('t', Buffer.alloc(octets), { qos: 0, retain: false }).write(0, false));
    expect(publish.subarray(1, 1 + length.length / 2).toString('hex')).toBe(length);
    expect(publish.length).toBe(1 + length.length / 2 + 3 + octets);
  });

  it('is one buffer for all, with QoS 0', () => {
    const publish = frame('ab', 0);
    expect(publish.write(1, false)).toBe(publish.write(2, false));
  });
});

describe('a PUBLISH to many clients', () => {
  const send = (publish: PublishFrame, busy = 0): Frame => {
    let got: Frame = Buffer.alloc(0);
    const outgoing = outgoingOf({ maxInflight: 10 });
    outgoing.connected({ send: (packet) => (got = packet) });
    for (let n = 0; n < busy; n += 1) outgoing.deliver(frame('x', 1));
    outgoing.deliver(publish);
    return got;
  };

  it.each([1, 2] as const)('is one buffer for all who have its id free, with QoS %i', (qos) => {
    const publish = frame('a', qos);
    const first = send(publish, 3);
    expect(shown(first)).toBe('a 4');
    expect(send(publish)).toBe(first);
    // There the id is in use.
    const other = send(publish, 5);
    expect([shown(other), shown(first)]).toEqual(['a 6', 'a 4']);
  });

  it('is not changed for all when one gets it again', () => {
    const publish = frame('a', 1);
    const first = send(publish);
    expect(shown(publish.write(1, true))).toBe('a 1!');
    expect(shown(first)).toBe('a 1');
    const unsent = frame('b', 1);
    expect([shown(unsent.write(7, true)), shown(unsent.write(1, false))]).toEqual(['b 7!', 'b 1']);
  });
});

describe('a large PUBLISH', () => {
  const payload = Buffer.alloc(100_000, 'x');
  const large = (qos: Qos): PublishFrame => new PublishFrame('t', payload, { qos, retain: false });

  it.each([0, 1, 2] as const)('is not copied for anybody, and must not be dropped but with QoS 0: QoS %i', (qos) => {
    const publish = large(qos);
    const frames = [publish.write(1, false), publish.write(1, false), publish.write(2, false), publish.write(1, true)];
    for (const written of frames) expect(written).toMatchObject({ body: payload, isVital: qos > 0 });
    expect(frames[1]).toBe(frames[0]);
    expect(whole(publish.write(1, false))).toHaveLength(1 + 3 + 3 + (qos > 0 ? 2 : 0) + payload.length);
  });

  it('goes to a client for which nothing is kept, however large it is, and to no other', () => {
    const outgoing = outgoingOf({ maxQueuedBytes: 50_000 });
    expect(outgoing.deliver(large(1))).toBe(false);
    const got: number[] = [];
    outgoing.connected({ send: (packet) => void got.push(packet.length) });
    expect([outgoing.deliver(large(1)), outgoing.deliver(large(1)), outgoing.deliver(frame('a', 1))]).toEqual([
      true,
      false,
      false,
    ]);
    outgoing.acknowledged(1);
    expect([outgoing.size, outgoing.dropped, got.length]).toEqual([{ messages: 0, bytes: 0 }, 3, 1]);
    expect(outgoing.deliver(frame('a', 1))).toBe(true);
  });

  it('waits until those before it were answered, where they are too many bytes together', () => {
    const outgoing = outgoingOf({ maxInflight: 10, maxInflightBytes: 250_000 });
    const got: number[] = [];
    outgoing.connected({ send: (packet) => void got.push(packet.length) });
    for (let n = 0; n < 4; n += 1) expect(outgoing.deliver(large(n % 2 ? 1 : 2))).toBe(true);
    expect(got).toHaveLength(2);
    // The client has it: its octets are not in the way of others, its id is.
    outgoing.received(1);
    expect(got).toHaveLength(4);
    outgoing.acknowledged(2);
    expect([got.length, outgoing.size.messages]).toEqual([5, 3]);
  });
});

describe('what goes to a client', () => {
  it('is sent at once with QoS 0, and dropped while the client is away', () => {
    const client = new Client().connect();
    expect(client.deliver(0, 'a')).toEqual([true]);
    client.outgoing.disconnected();
    expect(client.deliver(0, 'b')).toEqual([false]);
    expect(client.connect().got).toEqual(['a']);
    expect(client.outgoing.size).toEqual({ messages: 0, bytes: 0 });
  });

  it('is in flight until PUBACK, so many at a time, in order', () => {
    const client = new Client().connect();
    expect(client.deliver(1, 'a', 'b', 'c', 'd')).toEqual([true, true, true, true]);
    expect(client.got).toEqual(['a 1', 'b 2']);
    client.outgoing.acknowledged(2);
    expect(client.got).toEqual(['c 3']);
    client.outgoing.acknowledged(2);
    client.outgoing.acknowledged(9);
    expect(client.got).toEqual([]);
    client.outgoing.acknowledged(1);
    expect(client.got).toEqual(['d 4']);
  });

  it('is forgotten with QoS 2 when the client has forgotten the id, too', () => {
    const client = new Client().connect();
    client.deliver(2, 'a');
    client.outgoing.acknowledged(1);
    client.outgoing.completed(1);
    expect(client.outgoing.size.messages).toBe(1);
    client.outgoing.received(1);
    // PUBREC again: the PUBREL was lost.
    client.outgoing.received(1);
    expect(client.got).toEqual(['a 1', 'PUBREL 1', 'PUBREL 1']);
    expect(client.outgoing.size).toEqual({ messages: 1, bytes: 0 });
    client.outgoing.completed(1);
    expect(client.outgoing.size).toEqual({ messages: 0, bytes: 0 });
  });

  it('answers PUBREC of an id that is not known, so that the client can forget it', () => {
    const client = new Client().connect();
    client.outgoing.received(7);
    client.deliver(1, 'a');
    client.outgoing.received(1);
    expect(client.got).toEqual(['PUBREL 7', 'a 1']);
  });

  it('is sent again when the client is back, in its old order and before what waits', () => {
    const client = new Client().connect();
    client.deliver(1, 'a');
    client.deliver(2, 'b');
    client.deliver(1, 'c');
    client.outgoing.received(2);
    client.outgoing.disconnected();
    client.outgoing.acknowledged(1);
    client.deliver(1, 'd');
    expect(client.got).toEqual(['a 1', 'b 2', 'PUBREL 2']);
    expect(client.connect().got).toEqual(['PUBREL 2', 'c 3']);
    client.outgoing.completed(2);
    expect(client.got).toEqual(['d 4']);
  });

  it('waits within its bounds, and the newest is dropped', () => {
    const client = new Client();
    expect(client.deliver(1, 'a', 'b', 'c', 'd')).toEqual([true, true, true, false]);
    expect(client.outgoing.dropped).toBe(1);
    expect(client.connect().got).toEqual(['a 1', 'b 2']);
    expect(client.deliver(2, 'e', 'f', 'g')).toEqual([true, true, false]);
    const { size } = client.outgoing;
    expect(size.messages).toBe(5);
    const narrow = new Client({ maxQueuedBytes: 2 * frame('a', 1).bytes });
    expect(narrow.connect().deliver(1, 'a', 'b', 'c')).toEqual([true, true, false]);
    narrow.outgoing.acknowledged(1);
    expect(narrow.deliver(1, 'd')).toEqual([true]);
  });

  it('never has an id twice, and comes once and in order, whatever is answered when', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('deliver' as const), qos: fc.constantFrom(1 as const, 2 as const) }),
      fc.constant({ kind: 'answer' as const }),
      fc.constant({ kind: 'reconnect' as const }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const memory = memoryWithoutEnd();
        const outgoing = outgoingOf({ maxInflight: 3, maxQueued: 5 }, memory);
        const other = outgoingOf({ maxInflight: 3, maxQueued: 5 }, memory);
        // What the client has not answered, by id; what it has seen, and what was taken.
        const open = new Map<number, 'PUBACK' | 'PUBREC' | 'PUBCOMP'>();
        const seen: string[] = [];
        const taken: string[] = [];
        const send = (sent: Frame): void => {
          const packet = whole(sent);
          if (packet[0] === 0x62) return void open.set(packet.readUInt16BE(2), 'PUBCOMP');
          const id = packet.readUInt16BE(5);
          const isAgain = ((packet[0] ?? 0) & 8) !== 0;
          if (isAgain !== open.has(id)) throw new Error(`the id ${id} is in use`);
          open.set(id, ((packet[0] ?? 0) & 6) === 2 ? 'PUBACK' : 'PUBREC');
          if (!isAgain) seen.push(packet.subarray(7).toString());
        };
        const answer = (id: number): void => {
          const what = open.get(id);
          if (what === 'PUBREC') return outgoing.received(id);
          open.delete(id);
          if (what === 'PUBACK') outgoing.acknowledged(id);
          else outgoing.completed(id);
        };
        outgoing.connected({ send });
        for (const [number, { kind, ...rest }] of steps.entries()) {
          if (kind === 'deliver' && 'qos' in rest) {
            const shared = frame(`${number}`, rest.qos);
            if (outgoing.deliver(shared)) taken.push(`${number}`);
            other.deliver(shared);
          } else if (kind === 'answer') for (const [id] of [...open].slice(0, 1)) answer(id);
          else {
            outgoing.disconnected();
            outgoing.connected({ send });
          }
        }
        for (let ids = [...open.keys()]; ids.length > 0; ids = [...open.keys()]) for (const id of ids) answer(id);
        expect(seen).toEqual(taken);
        expect(outgoing.size).toEqual({ messages: 0, bytes: 0 });
        other.end();
        expect([other.size, memory.bytes]).toEqual([{ messages: 0, bytes: 0 }, 0]);
      }),
    );
  });

  it('takes the time of what it is, with a full queue', () => {
    const outgoing = outgoingOf({ maxInflight: 1, maxQueued: 20_000, maxQueuedBytes: 1e9 });
    let last = 0;
    outgoing.connected({ send: (packet) => (last = whole(packet).readUInt16BE(5)) });
    for (let n = 0; n < 20_000; n += 1) outgoing.deliver(frame('a', 1));
    for (let n = 0; n < 20_000; n += 1) outgoing.acknowledged(last);
    expect(outgoing.size).toEqual({ messages: 0, bytes: 0 });
  });
});

describe('what comes from a client with QoS 2', () => {
  it('is new until PUBREL, whatever else is on its way', () => {
    const incoming = new Incoming();
    incoming.ends(5);
    expect([incoming.begins(5), incoming.begins(5), incoming.begins(6), incoming.begins(65_535)]).toEqual([
      true,
      false,
      true,
      true,
    ]);
    incoming.ends(5);
    expect([incoming.begins(6), incoming.begins(5)]).toEqual([false, true]);
  });
});
