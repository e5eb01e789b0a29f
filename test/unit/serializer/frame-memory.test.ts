import { describe, expect, it } from 'vitest';
import { allocateFrame, joinFrames } from '../../../src/serializer/frame-memory.js';

/** A frame that is full of one byte. */
const frameOf = (bytes: number, value: number): Buffer => allocateFrame(bytes).fill(value);

const textOf = (frames: readonly Buffer[]): string => frames.map((frame) => frame.toString('latin1')).join('');

describe('memory for frames', () => {
  it('is nobody else’s, whatever the length', () => {
    const frames = Array.from({ length: 3000 }, (_, i) =>
      frameOf([0, 1, 60, 511, 512, 1100, 8192, 8193][i % 8] ?? 0, i & 255),
    );
    const others = frames.filter((frame, i) => !frame.equals(Buffer.alloc(frame.length, i & 255)));
    expect(others).toEqual([]);
  });

  it.each([
    ['neighbours', [600, 700, 800]],
    ['short ones', [60, 70, 80]],
    ['a short one between long ones', [600, 60, 700]],
    ['a long one that has memory of its own', [600, 9000, 600]],
    ['more than a piece has', Array.from({ length: 40 }, () => 2000)],
    ['a single one', [1000]],
  ])('joins %s', (_name, lengths) => {
    const [first = Buffer.alloc(0), ...rest] = lengths.map((length, i) => frameOf(length, 65 + (i % 26)));
    const all = textOf([first, ...rest]);
    expect(joinFrames(first, rest, all.length).toString('latin1')).toBe(all);
  });

  it('joins what does not follow each other', () => {
    const [a, b, c] = [frameOf(600, 65), frameOf(600, 66), frameOf(600, 67)];
    expect(joinFrames(a, [c], 1200).toString('latin1')).toBe(textOf([a, c]));
    expect(joinFrames(c, [b, a], 1800).toString('latin1')).toBe(textOf([c, b, a]));
    expect(joinFrames(b, [b], 1200).toString('latin1')).toBe(textOf([b, b]));
  });

  it('copies nothing for neighbours', () => {
    const frames = Array.from({ length: 50 }, (_, i) => frameOf(600, i));
    const at = frames.findIndex(({ buffer }, i) => buffer === frames[i + 1]?.buffer);
    const [one, two] = [frames[at], frames[at + 1]];
    if (one === undefined || two === undefined) throw new Error('no two frames lie in one piece');
    expect(joinFrames(one, [two], 1200).buffer).toBe(one.buffer);
  });
});
