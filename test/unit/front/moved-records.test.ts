/** Records between a front and its router, when the memory of one changes hands while more has come behind it. */
import { expect, it } from 'vitest';
import { Kind, RecordWriter } from '../../../src/front/records.js';
import { RecordReader } from '../../../src/system/stream/record-reader.js';
import { movable } from '../../../src/serializer/large-frame.js';

const LARGE = Buffer.alloc(300_000, 'x');
const SMALL = Buffer.from('behind it');
const CHUNK_BYTES = 65_536;

function written(): Buffer {
  const writer = new RecordWriter();
  writer.record(Kind.MESSAGE, 1, SMALL);
  writer.record(Kind.MESSAGE, 2, LARGE);
  for (let number = 3; number < 6; number++) writer.record(Kind.MESSAGE, number, SMALL);
  return Buffer.concat(writer.take());
}

/** What a reader finds in these bytes, in pieces, while the memory of all that is large goes to somebody else. */
function read(bytes: Buffer, firstBytes: number): [number, number, string][] {
  const found: [number, number, string][] = [];
  const reader = new RecordReader<Kind>((_kind, number, content) => {
    found.push([number, content.length, content.toString('latin1', 0, 9)]);
    const own = movable(content);
    if (content.length === LARGE.length) structuredClone(own.buffer, { transfer: [own.buffer as ArrayBuffer] });
  }, 1_000_000);
  for (let at = 0; at < bytes.length;) {
    const end = at === 0 ? firstBytes : at + CHUNK_BYTES;
    expect(reader.push(Buffer.from(bytes.subarray(at, end)))).toBeUndefined();
    at = end;
  }
  return found;
}

it.each([1, 4, 9, 18, 20, 26, 27, 40, 5000, CHUNK_BYTES])(
  'finds what came behind a large record, when the first piece has %d bytes',
  (firstBytes) => {
    const small = (number: number): [number, number, string] => [number, SMALL.length, 'behind it'];
    expect(read(written(), firstBytes)).toEqual([
      small(1),
      [2, LARGE.length, 'xxxxxxxxx'],
      small(3),
      small(4),
      small(5),
    ]);
  },
);
