/** The gate, fed in every way in which a network can cut bytes, before the receiver of `ws`, which must get the same messages. */
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { FrameGate } from '../../../../src/transport/websocket/frame-gate.js';
import type { GateOwner } from '../../../../src/transport/websocket/frame-gate.js';

interface Receiver {
  write(chunk: Buffer): void;
  on(event: string, listener: (data: Buffer | number) => void): this;
}
const require = createRequire(import.meta.url);
const ReceiverOfWs = require('ws').Receiver as new (options: object) => Receiver;

const FINAL = 0x80;
const [TEXT, BINARY, CLOSE, PING] = [1, 2, 8, 9];
const LIMIT = 2 ** 21;

function frame(
  first: number,
  payload: Buffer,
  { mask = Buffer.from('3a5c7e91', 'hex'), declared = payload.length } = {},
): Buffer {
  const [head, kind] = declared < 126 ? [2, declared] : declared < 65_536 ? [4, 126] : [10, 127];
  const bytes = Buffer.alloc(head + 4 + payload.length);
  bytes.writeUInt8(first);
  bytes.writeUInt8(0x80 | kind, 1);
  if (kind === 126) bytes.writeUInt16BE(declared, 2);
  if (kind === 127) bytes.writeBigUInt64BE(BigInt(declared), 2);
  mask.copy(bytes, head);
  for (let at = 0; at < payload.length; at++) bytes[head + 4 + at] = (payload[at] ?? 0) ^ (mask[at & 3] ?? 0);
  return bytes;
}

const letters = (length: number): Buffer => Buffer.alloc(length, 'abcdefghijklmnopqrstuvw');

function world(overrides: Partial<GateOwner> = {}): { gate: FrameGate; got: string[]; fed: Buffer[]; held: number[] } {
  const [got, fed, held]: [string[], Buffer[], number[]] = [[], [], []];
  const receiver = new ReceiverOfWs({ isServer: true, maxPayload: LIMIT });
  for (const event of ['message', 'ping', 'conclude', 'error']) {
    receiver.on(event, (data) => got.push(`${event}:${String(data)}`));
  }
  const gate = new FrameGate(LIMIT, 0, {
    // The receiver unmasks in place.
    feed: (chunk) => (fed.push(chunk), receiver.write(Buffer.from(chunk))),
    mayBeLarge: () => true,
    holds: (bytes) => held.push(bytes),
    ...overrides,
  });
  return { gate, got, fed, held };
}

const SMALL = Buffer.concat([
  frame(FINAL | TEXT, letters(3)),
  frame(FINAL | PING, Buffer.alloc(0)),
  frame(TEXT, letters(2)),
  frame(FINAL | PING, letters(1)),
  frame(0, letters(0)),
  frame(FINAL | 0, letters(130)),
  frame(FINAL | BINARY, letters(0)),
  frame(FINAL | CLOSE, Buffer.from([3, 232])),
]);
const MESSAGES = ['message:abc', 'ping:', 'ping:a', `message:ab${String(letters(130))}`, 'message:', 'conclude:1000'];

describe('small frames', () => {
  it('pass in the chunk in which they came', () => {
    const { gate, got, fed } = world();
    const chunk = Buffer.concat([
      frame(FINAL | TEXT, letters(3)),
      frame(FINAL | PING, letters(4)),
      frame(FINAL | TEXT, letters(5)),
    ]);
    gate.push(chunk);
    expect(fed).toEqual([chunk]);
    expect(fed[0]).toBe(chunk);
    expect(got).toEqual(['message:abc', 'ping:abcd', 'message:abcde']);
  });

  it('come out the same, wherever they are cut', () => {
    for (let a = 0; a <= SMALL.length; a++) {
      const b = (a * 7) % SMALL.length;
      const { gate, got } = world();
      for (const part of [
        SMALL.subarray(0, Math.min(a, b)),
        SMALL.subarray(Math.min(a, b), Math.max(a, b)),
        SMALL.subarray(Math.max(a, b)),
      ]) {
        gate.push(part);
      }
      expect(got, `cut at ${a} and ${b}`).toEqual(MESSAGES);
    }
  });

  it('byte by byte', () => {
    const { gate, got } = world();
    for (const byte of SMALL) gate.push(Buffer.of(byte));
    expect(got).toEqual(MESSAGES);
  });

  it('behind a close frame are dropped', () => {
    const { gate, got } = world();
    gate.push(Buffer.concat([SMALL, frame(FINAL | TEXT, letters(3))]));
    gate.push(frame(FINAL | TEXT, letters(3)));
    expect(got).toEqual(MESSAGES);
  });

  it('that are a small part of what was read do not keep it alive, where they are fragments', () => {
    const { gate, fed, got } = world();
    const part = frame(TEXT, letters(10));
    gate.push(Buffer.concat([part, frame(FINAL | PING, Buffer.alloc(100)), frame(FINAL | PING, Buffer.alloc(100))]));
    expect(fed[0]).toEqual(part);
    expect(fed[0]?.buffer.byteLength).toBe(part.length);
    gate.push(frame(FINAL, letters(1)));
    expect(got.at(-1)).toBe(`message:${String(letters(10))}a`);
  });
});

describe('a large frame', () => {
  const payload = letters(700_001);
  const STREAM = Buffer.concat([
    frame(FINAL | TEXT, letters(3)),
    frame(TEXT, letters(2)),
    frame(FINAL, payload),
    frame(FINAL | BINARY, payload),
    frame(FINAL | TEXT, letters(4)),
  ]);

  it.each([STREAM.length, 65_536, 65_537, 262_144, 262_150, 999, 17])(
    'is passed on in pieces when %i bytes come at once',
    (size) => {
      const { gate, got, fed } = world();
      for (let at = 0; at < STREAM.length; at += size) gate.push(STREAM.subarray(at, at + size));
      expect(got.map((line) => line.length)).toEqual([11, 700_011, 700_009, 12]);
      expect(got).toEqual([
        'message:abc',
        `message:ab${String(payload)}`,
        `message:${String(payload)}`,
        'message:abcd',
      ]);
      expect(fed.filter((chunk) => chunk.length > 262_144)).toEqual([]);
    },
  );

  it('is counted until it is complete, or the connection is over', () => {
    const { gate, held } = world();
    const bytes = frame(FINAL | TEXT, payload);
    gate.push(bytes.subarray(0, 100_014));
    gate.push(bytes.subarray(100_014, 200_014));
    gate.push(bytes.subarray(200_014));
    gate.push(frame(FINAL | TEXT, letters(4)));
    gate.push(bytes.subarray(0, 100_014));
    gate.stop();
    expect(held).toEqual([100_000, 200_000, 0, 100_000, 0]);
  });

  it('is counted with the fragments before it, and no longer when another message has begun', () => {
    const { gate, held } = world();
    for (let index = 0; index < 3; index++) gate.push(frame(index === 0 ? TEXT : 0, letters(50_000)));
    gate.push(Buffer.concat([frame(FINAL, letters(1)), frame(TEXT, letters(10))]));
    expect(held).toEqual([100_000, 150_000, 0]);
  });

  it('is refused for its header where it may not come, behind what came before', () => {
    const { gate, got, fed } = world({ mayBeLarge: () => false });
    gate.push(Buffer.concat([frame(FINAL | TEXT, letters(3)), frame(FINAL | TEXT, letters(1), { declared: 65_537 })]));
    gate.push(frame(FINAL | TEXT, letters(3)));
    expect(got).toEqual(['message:abc']);
    expect(fed).toHaveLength(1);
  });

  it('is refused as well when it comes in fragments', () => {
    const { gate, got } = world({ mayBeLarge: () => false });
    gate.push(frame(FINAL | TEXT, letters(65_536)));
    gate.push(frame(TEXT, letters(40_000)));
    gate.push(frame(FINAL, letters(25_537)));
    gate.push(frame(FINAL | TEXT, letters(3)));
    expect(got.map((line) => line.length)).toEqual([65_544]);
  });

  it('that is larger than a message may be is refused by ws for its header', async () => {
    const { gate, got } = world();
    gate.push(frame(TEXT, letters(LIMIT)));
    gate.push(frame(FINAL, letters(0), { declared: 70_000 }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(got).toEqual(['error:RangeError: Max payload size exceeded']);
  });

  it('without a mask is refused by ws', async () => {
    const { gate, got } = world();
    const header = Buffer.alloc(20);
    header.writeUInt16BE(0x817f);
    header.writeBigUInt64BE(300_000n, 2);
    gate.push(header);
    await new Promise((resolve) => setImmediate(resolve));
    expect(got).toEqual(['error:RangeError: Invalid WebSocket frame: MASK must be set']);
  });
});

it('says when a message begins, and counts what may become of a compressed one', () => {
  const held: number[] = [];
  let begun = 0;
  const gate = new FrameGate(LIMIT, 0, {
    feed: () => undefined,
    mayBeLarge: () => true,
    holds: (bytes) => held.push(bytes),
    begins: () => {
      begun++;
    },
  });
  gate.push(frame(0x40 | TEXT, letters(66_000)));
  gate.push(frame(0, letters(10)));
  gate.push(frame(FINAL, letters(10)));
  expect([begun, held]).toEqual([1, [LIMIT, LIMIT, 0]]);
});
