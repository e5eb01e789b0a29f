/** What is written as records is read as the same records, however it comes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Kind, RecordWriter, eventsIn } from '../../../src/front/records.js';
import { RecordReader } from '../../../src/system/stream/record-reader.js';

/** One record as a text, whichever way it came; events to many are told as one for each. */
type Told = string;

const told = (kind: number, number: number, content: Buffer): Told => `${kind} ${number} ${content.toString('hex')}`;

function toldOf(kind: Kind, number: number, content: Buffer): readonly Told[] {
  if (kind !== Kind.EVENTS) return [told(kind, number, content)];
  const events = eventsIn(number, content);
  if (events === undefined) throw new Error('the list of an event is too short');
  return events.numbers.map((receiver) => told(Kind.EVENT, receiver, events.frame));
}

/** @returns what is in the bytes, when they come in pieces of these lengths, in turn. */
function read(bytes: Buffer, lengths: readonly number[]): readonly Told[] {
  const found: Told[] = [];
  const reader = new RecordReader<Kind>((...record) => found.push(...toldOf(...record)), bytes.length);
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const end = at + (lengths[turn % lengths.length] ?? 1);
    expect(reader.push(bytes.subarray(at, end))).toBeUndefined();
    at = end;
  }
  return found;
}

/** Frames of which the largest are not copied. */
const FRAMES = [0, 1, 9, 300, 16_384, 16_385, 70_000].map((length, index) => Buffer.alloc(length, index + 1));
/** What a test writes that is not an event. */
const KINDS = [Kind.FRAME, Kind.CREDIT, Kind.FORGOTTEN, Kind.MESSAGE] as const;

type Step =
  | { readonly act: 'take' }
  | { readonly act: 'record'; readonly kind: Kind; readonly number: number; readonly frame: number }
  | { readonly act: 'event'; readonly number: number; readonly frame: number };

const numbers = fc.oneof(fc.nat(5), fc.integer({ min: 0, max: 0xffff_ffff }));
const frames = fc.nat(FRAMES.length - 1);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.constant<Step>({ act: 'take' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constant('record' as const),
      kind: fc.constantFrom(...KINDS),
      number: numbers,
      frame: frames,
    }),
  },
  // Mostly the same one, as when many are subscribed.
  {
    weight: 5,
    arbitrary: fc.record({ act: fc.constant('event' as const), number: numbers, frame: fc.constantFrom(2, 2, 3, 6) }),
  },
);

const frameOf = (index: number): Buffer => FRAMES[index] ?? Buffer.alloc(0);

/** @returns what was written, and the bytes of it. */
function write(all: readonly Step[]): { readonly written: readonly Told[]; readonly bytes: Buffer } {
  const writer = new RecordWriter();
  const written: Told[] = [];
  const pieces: Buffer[] = [];
  const take = (): void => {
    const taken = writer.take();
    expect(writer.bytes).toBe(0);
    pieces.push(...taken);
  };
  for (const step of all) {
    if (step.act === 'take') take();
    else if (step.act === 'event') {
      writer.event(step.number, frameOf(step.frame));
      written.push(told(Kind.EVENT, step.number, frameOf(step.frame)));
    } else {
      writer.record(step.kind, step.number, frameOf(step.frame));
      written.push(told(step.kind, step.number, frameOf(step.frame)));
    }
  }
  take();
  return { written, bytes: Buffer.concat(pieces) };
}

describe('records', () => {
  const event = (number: number, frame: number): Step => ({ act: 'event', number, frame });
  const record = (number: number, frame: number): Step => ({ act: 'record', kind: Kind.FRAME, number, frame });

  it('are read as they were written, in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(steps, { maxLength: 60 }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constantFrom(9, 1000, 65_536, 200_000)), {
          minLength: 1,
          maxLength: 5,
        }),
        (all, lengths) => {
          const { written, bytes } = write(all);
          // Pieces of one byte each would make a test of minutes of the largest.
          const least = Math.ceil(bytes.length / 2000);
          expect(
            read(
              bytes,
              lengths.map((length) => Math.max(length, least)),
            ),
          ).toEqual(written);
        },
      ),
      {
        numRuns: 150,
        examples: [
          [[], [1]],
          [[event(1, 2), event(2, 2), event(1, 2), record(1, 0), event(1, 2)], [1]],
          [[event(1, 2), { act: 'take' }, event(2, 2)], [9]],
          [[event(1, 6), event(2, 6), record(2, 6), event(3, 3)], [65_536]],
          [
            [record(1, 4), record(1, 5), record(1, 4), record(1, 4), record(1, 4), record(1, 4)],
            [7, 9],
          ],
        ],
      },
    );
  });

  it('of an event to more connections than fit into a block', () => {
    const many = Array.from({ length: 20_000 }, (_, index) => event(index, 2));
    const { written, bytes } = write(many);
    expect(read(bytes, [65_536])).toEqual(written);
    expect(bytes.length).toBeLessThan(4 * many.length + 100);
  });

  it('leave large contents where they are, and count them', () => {
    const writer = new RecordWriter();
    const large = Buffer.alloc(16_385);
    writer.record(Kind.MESSAGE, 1, large);
    writer.event(1, large);
    writer.event(2, large);
    const small = Buffer.alloc(16_384);
    writer.record(Kind.MESSAGE, 1, small);
    expect(writer.bytes).toBe(9 + large.length + (9 + 8 + large.length) + 9 + small.length);
    const pieces = writer.take();
    expect(pieces.filter((piece) => piece === large)).toHaveLength(2);
    expect(pieces).not.toContain(small);
  });

  it('are independent of what is written later', () => {
    const writer = new RecordWriter();
    const content = Buffer.from('first');
    writer.record(Kind.MESSAGE, 1, content);
    const [before] = writer.take();
    const text = before?.toString('hex');
    content.fill(0);
    for (let i = 0; i < 10_000; i += 1) writer.record(Kind.MESSAGE, i, content);
    writer.take();
    expect(before?.toString('hex')).toBe(text);
  });

  const header = (length: number): Buffer => {
    const bytes = Buffer.alloc(9);
    bytes.writeUInt32LE(length);
    bytes[4] = Kind.MESSAGE;
    return bytes;
  };
  const good = Buffer.concat([header(6), Buffer.from('x')]);

  it.each([
    ['too short to have a number', 4],
    ['empty', 0],
    ['longer than records may be', 97],
    ['as long as a number can say', 0xffff_ffff],
  ])('a record that is %s is told, and what comes behind it is not read', (_what, length) => {
    for (const cut of [1, 9, 10, 11, 19, 1000]) {
      let found = 0;
      const reader = new RecordReader<Kind>(() => (found += 1), 100);
      const bytes = Buffer.concat([good, header(length), good, good]);
      const problems = [reader.push(bytes.subarray(0, cut)), reader.push(bytes.subarray(cut))];
      expect(problems.filter((problem) => problem !== undefined)).toEqual([`a record of ${4 + length} bytes`]);
      expect(found).toBe(1);
    }
  });

  it('a record as long as they may be is none of those', () => {
    let bytes = 0;
    const reader = new RecordReader<Kind>((_kind, _number, content) => (bytes = content.length), 100);
    expect(reader.push(Buffer.concat([header(96), Buffer.alloc(91)]))).toBeUndefined();
    expect(bytes).toBe(91);
  });

  it('of an event whose list is too short are none', () => {
    const content = Buffer.alloc(12);
    expect(eventsIn(3, content)).toEqual({ numbers: [0, 0, 0], frame: Buffer.alloc(0) });
    expect(eventsIn(4, content)).toBeUndefined();
    expect(eventsIn(0xffff_ffff, content)).toBeUndefined();
  });

  it('are not read any more once the reader was stopped, also of the same piece', () => {
    const found: number[] = [];
    const reader = new RecordReader<Kind>((_kind, number) => {
      found.push(number);
      if (found.length === 2) reader.stop();
    }, 100);
    expect(reader.push(Buffer.concat([good, good, good]))).toBeUndefined();
    expect(reader.push(header(0))).toBeUndefined();
    expect(found).toHaveLength(2);
  });
});
