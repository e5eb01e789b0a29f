/** The reader, fed in every way in which a network can cut bytes. */
import { describe, expect, it } from 'vitest';
import { RawSocketReader } from '../../../../src/transport/rawsocket/reader.js';
import { rawFrame } from '../../../support/rawsocket-client.js';

/** Large frames are taken, and not counted. */
const LARGE = { mayBeLarge: () => true, holds: () => undefined };

/** Frames as `message:...`, `ping:...`, `pong`, `bad`. */
function reader(maxFrameBytes = 1024): { push: (bytes: Buffer) => void; stop: () => void; got: string[] } {
  const got: string[] = [];
  const target = new RawSocketReader(maxFrameBytes, {
    onMessage: (payload) => got.push(`message:${payload.toString()}`),
    onPing: (payload) => got.push(`ping:${payload.toString()}`),
    onPong: () => got.push('pong'),
    onBadFrame: (reason) => got.push(`bad:${reason}`),
    ...LARGE,
  });
  return { push: (bytes) => target.push(bytes), stop: () => target.stop(), got };
}

const text = (type: number, payload: string): Buffer => rawFrame(type, Buffer.from(payload));
const STREAM = Buffer.concat([text(0, 'one'), text(1, ''), text(0, ''), text(1, 'p'), text(2, 'x'), text(0, 'four')]);
const FRAMES = ['message:one', 'ping:', 'message:', 'ping:p', 'pong', 'message:four'];

describe('frames', () => {
  it('in one segment', () => {
    const { push, got } = reader();
    push(STREAM);
    expect(got).toEqual(FRAMES);
  });

  it('byte by byte', () => {
    const { push, got } = reader();
    for (const byte of STREAM) push(Buffer.of(byte));
    expect(got).toEqual(FRAMES);
  });

  it('cut in two anywhere', () => {
    for (let at = 0; at <= STREAM.length; at++) {
      const { push, got } = reader();
      push(STREAM.subarray(0, at));
      push(STREAM.subarray(at));
      expect(got, `cut at ${at}`).toEqual(FRAMES);
    }
  });

  it('cut in three anywhere', () => {
    for (let a = 0; a <= STREAM.length; a++) {
      for (let b = a; b <= STREAM.length; b++) {
        const { push, got } = reader();
        for (const part of [STREAM.subarray(0, a), STREAM.subarray(a, b), STREAM.subarray(b)]) push(part);
        expect(got, `cut at ${a} and ${b}`).toEqual(FRAMES);
      }
    }
  });

  it('that are large, in pieces of any size', () => {
    const payload = Buffer.from(Array.from({ length: 50_000 }, (_, index) => 97 + (index % 26)));
    const stream = Buffer.concat([rawFrame(0, payload), text(0, 'next')]);
    for (const size of [1, 3, 4, 4095, 4096, 4097, 49_999, 60_000]) {
      const { push, got } = reader(65_536);
      for (let at = 0; at < stream.length; at += size) push(stream.subarray(at, at + size));
      expect(
        got.map((frame) => frame.length),
        `pieces of ${size}`,
      ).toEqual([50_008, 12]);
      expect(got).toEqual([`message:${payload.toString()}`, 'message:next']);
    }
  });

  it('are kept as they are when more comes', () => {
    const kept: Buffer[] = [];
    const target = new RawSocketReader(1024, {
      onMessage: (payload) => kept.push(payload),
      onPing: () => expect.unreachable(),
      onPong: () => expect.unreachable(),
      onBadFrame: () => expect.unreachable(),
      ...LARGE,
    });
    for (let number = 0; number < 100; number++) {
      const frame = text(0, `message ${number}`);
      target.push(frame.subarray(0, 7));
      target.push(frame.subarray(7));
    }
    expect(kept.map((payload) => payload.toString())).toEqual(kept.map((_, number) => `message ${number}`));
  });
});

describe('what is no frame', () => {
  it.each(['03000000', '04000000', '05000000', '06000000', '07000000', '10000000', '20000000', '40000000', '80000000'])(
    '%s ends the reading, and nothing behind it is looked at',
    (hex) => {
      const { push, got } = reader();
      push(Buffer.concat([text(0, 'good'), Buffer.from(hex, 'hex'), text(0, 'behind')]));
      push(text(0, 'later'));
      expect(got).toEqual(['message:good', expect.stringMatching(/^bad:.*reserved/)]);
    },
  );

  it('a frame of the announced size is none of it, one byte more is told from the prefix alone', () => {
    const { push, got } = reader(512);
    push(rawFrame(0, Buffer.alloc(512, 'a')));
    push(rawFrame(0, Buffer.alloc(0), 513));
    expect(got).toEqual([`message:${'a'.repeat(512)}`, expect.stringMatching(/^bad:.*513.*512/)]);
  });

  it('16 MiB is a frame where it was announced, and more never is', () => {
    const all = reader(2 ** 24);
    all.push(rawFrame(0, Buffer.alloc(2 ** 24, 'a')));
    expect(all.got.map((frame) => frame.length)).toEqual([2 ** 24 + 'message:'.length]);
    all.push(Buffer.from('08000001', 'hex'));
    expect(all.got[1]).toMatch(/^bad:/);
    const less = reader(2 ** 23);
    less.push(Buffer.from('08000000', 'hex'));
    expect(less.got).toEqual([expect.stringMatching(/^bad:/)]);
  });
});

it('stops in the middle of a segment when the receiver wants no more', () => {
  const got: string[] = [];
  const target: RawSocketReader = new RawSocketReader(1024, {
    onMessage: (payload) => {
      got.push(payload.toString());
      target.stop();
    },
    onPing: () => expect.unreachable(),
    onPong: () => expect.unreachable(),
    onBadFrame: () => expect.unreachable(),
    ...LARGE,
  });
  target.push(Buffer.concat([text(0, 'first'), text(0, 'second'), Buffer.of(0xff)]));
  target.push(text(0, 'third'));
  expect(got).toEqual(['first']);
});

describe('a frame of more than 64 KiB', () => {
  const SIZE = 65_537;

  it('is refused for its prefix, behind what came before', () => {
    const got: string[] = [];
    const target = new RawSocketReader(2 ** 20, {
      onMessage: (payload) => got.push(payload.toString()),
      onPing: () => expect.unreachable(),
      onPong: () => expect.unreachable(),
      onBadFrame: () => expect.unreachable(),
      mayBeLarge: () => got.push('large') === 0,
      holds: () => expect.unreachable(),
    });
    target.push(Buffer.concat([text(0, 'before'), rawFrame(0, Buffer.alloc(10), SIZE)]));
    target.push(rawFrame(0, Buffer.alloc(SIZE)));
    expect(got).toEqual(['before', 'large']);
  });

  it('is counted until it is complete, or nobody waits for it', () => {
    const held: number[] = [];
    const target = new RawSocketReader(2 ** 20, {
      onMessage: (payload) => held.push(-payload.length),
      onPing: () => expect.unreachable(),
      onPong: () => expect.unreachable(),
      onBadFrame: () => expect.unreachable(),
      mayBeLarge: () => true,
      holds: (bytes) => held.push(bytes),
    });
    const frame = rawFrame(0, Buffer.alloc(SIZE));
    for (const [from, to] of [
      [0, 100],
      [100, 200],
      [200, 70_000],
      [0, 50],
      [50, 150],
    ])
      target.push(frame.subarray(from, to));
    target.stop();
    expect(held).toEqual([200, 0, -SIZE, 150, 0]);
  });
});
