/** One event for many connections is one record: whatever their number, all of them are in it, and in order. */
import { describe, expect, it } from 'vitest';
import { Kind, RecordWriter, eventsIn } from '../../../src/front/records.js';
import { RecordReader } from '../../../src/system/stream/record-reader.js';

interface Seen {
  readonly kind: number;
  readonly number: number;
  readonly content: Buffer;
}

/** What the other end reads of all that was written. */
function readAll(writer: RecordWriter): Seen[] {
  const seen: Seen[] = [];
  const reader = new RecordReader<Kind>((kind, number, content) => seen.push({ kind, number, content }), 2 ** 30);
  for (const piece of writer.take()) expect(reader.push(piece)).toBeUndefined();
  return seen;
}

const numbersTo = (count: number): number[] => Array.from({ length: count }, (_, index) => (index + 1) * 40_503);

describe('an event for many', () => {
  // 4096 numbers fill the largest part of a block that is copied, and 16,384 a block.
  it.each([1, 2, 3, 4095, 4096, 4097, 16_384, 70_000])('has the numbers of all %d', (count) => {
    const writer = new RecordWriter();
    const frame = Buffer.from('the frame');
    const numbers = numbersTo(count);

    writer.record(Kind.FRAME, 5, Buffer.from('before'));
    for (const number of numbers) writer.event(number, frame);
    writer.record(Kind.FRAME, 6, Buffer.from('behind'));

    const [before, event, behind, ...more] = readAll(writer);
    expect(more).toEqual([]);
    expect(before).toEqual({ kind: Kind.FRAME, number: 5, content: Buffer.from('before') });
    expect(behind).toEqual({ kind: Kind.FRAME, number: 6, content: Buffer.from('behind') });
    if (count === 1) return expect(event).toEqual({ kind: Kind.EVENT, number: numbers[0], content: frame });
    expect(event?.kind).toBe(Kind.EVENTS);
    expect(eventsIn(event?.number ?? 0, event?.content ?? frame)).toEqual({ numbers, frame });
  });

  it('has none of the receivers of the one before', () => {
    const writer = new RecordWriter();
    const [first, second] = [Buffer.from('first'), Buffer.from('second')];
    for (const number of numbersTo(10)) writer.event(number, first);
    for (const number of [2 ** 32 - 1, 256, 65_536]) writer.event(number, second);

    const [, event] = readAll(writer);
    expect(eventsIn(event?.number ?? 0, event?.content ?? first)).toEqual({
      numbers: [2 ** 32 - 1, 256, 65_536],
      frame: second,
    });
  });

  it('has a frame that is larger than what is copied', () => {
    const writer = new RecordWriter();
    const frame = Buffer.alloc(100_000, 'x');
    writer.event(1, frame);
    writer.event(2, frame);

    const [event] = readAll(writer);
    expect(eventsIn(2, event?.content ?? Buffer.alloc(0))).toEqual({ numbers: [1, 2], frame });
  });
});
