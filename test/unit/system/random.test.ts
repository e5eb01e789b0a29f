import { describe, expect, it } from 'vitest';
import { drawBytes } from '../../../src/system/random.js';

describe('drawBytes', () => {
  it('gives as many bytes as were asked for', () => {
    for (const count of [0, 1, 18, 24, 8192]) expect(drawBytes(count).length).toBe(count);
  });

  it('refuses what it cannot give', () => {
    for (const count of [-1, 8193, NaN]) expect(() => drawBytes(count)).toThrow(RangeError);
  });

  it('never gives the same bytes twice, also across pools', () => {
    const drawn = new Set(Array.from({ length: 10_000 }, () => drawBytes(18).toString('hex')));
    expect(drawn.size).toBe(10_000);
  });

  it('leaves what it gave untouched afterwards', () => {
    const mine = drawBytes(24);
    const before = mine.toString('hex');
    for (let i = 0; i < 1000; i++) drawBytes(24).fill(0);
    expect(mine.toString('hex')).toBe(before);
  });

  it('gives every value of a byte about as often as every other', () => {
    const counts = new Array<number>(256).fill(0);
    for (let i = 0; i < 4000; i++) for (const byte of drawBytes(64)) counts[byte]! += 1;
    // 1000 of each are expected, with a deviation of about 32: eight of them are beyond all chance.
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(256);
  });
});
