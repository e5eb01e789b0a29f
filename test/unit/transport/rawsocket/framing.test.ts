import { describe, expect, it } from 'vitest';
import {
  controlFrame,
  FrameType,
  frameLengthAt,
  frameTypeOf,
  MAX_FRAME_BYTES,
  RAWSOCKET_FRAMING,
} from '../../../../src/transport/rawsocket/framing.js';

function prefixOf(bytes: number): string {
  const frame = Buffer.alloc(4);
  RAWSOCKET_FRAMING.writeHeader(frame, bytes);
  return frame.toString('hex');
}

describe('the prefix of a RawSocket frame', () => {
  it.each([
    [0, '00000000'],
    [1, '00000001'],
    [0x123456, '00123456'],
    [2 ** 24 - 1, '00ffffff'],
    [2 ** 24, '08000000'],
  ])('of %i bytes is %s', (bytes, hex) => {
    expect(prefixOf(bytes)).toBe(hex);
    expect(frameLengthAt(Buffer.from(hex, 'hex'), 0)).toBe(bytes);
    expect(RAWSOCKET_FRAMING.headerBytes(bytes)).toBe(4);
  });

  it('with more than the 25th bit means more than there may be', () => {
    expect(frameLengthAt(Buffer.from('08000001', 'hex'), 0)).toBeGreaterThan(MAX_FRAME_BYTES);
  });

  it('has three types, and everything else is reserved', () => {
    const types = Array.from({ length: 256 }, (_, first) => frameTypeOf(first));
    expect([types[0], types[1], types[2], types[8], types[9], types[10]]).toEqual([0, 1, 2, 0, 1, 2]);
    expect(types.filter((type) => type !== undefined)).toHaveLength(6);
  });

  it('stands in front of a ping, too', () => {
    expect(controlFrame(FrameType.PING, Buffer.from('abc')).toString('hex')).toBe('01000003616263');
    expect(controlFrame(FrameType.PONG, Buffer.alloc(0)).toString('hex')).toBe('02000000');
  });
});
