/** Bytes of a program become lines: cut anywhere, endless, or no text at all. */
import { describe, expect, it } from 'vitest';
import { LineSplitter } from '../../../../src/system/process/lines.js';

/** @returns the lines of some chunks. */
function linesOf(chunks: readonly (string | Uint8Array)[], maxBytes = 100): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter(maxBytes, (line) => lines.push(line()));
  for (const chunk of chunks) splitter.write(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
  splitter.end();
  return lines;
}

describe('lines of a process', () => {
  it.each([
    ['several in a chunk', ['a\nb\nc\n'], ['a', 'b', 'c']],
    ['one in several chunks', ['a', 'b', 'c\nd'], ['abc', 'd']],
    ['empty ones', ['\n\na\n'], ['', '', 'a']],
    ['with the line ends of Windows, also cut between the two', ['a\r\nb\r', '\nc\r\n'], ['a', 'b', 'c']],
    ['none', [''], []],
    ['without an end', ['abc'], ['abc']],
  ])('%s', (_, chunks, expected) => {
    expect(linesOf(chunks)).toEqual(expected);
  });

  it('keep their characters wherever the chunks are cut', () => {
    const text = 'grüße 🎈 日本語';
    const bytes = Buffer.from(`${text}\n`);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      expect(linesOf([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual([text]);
    }
  });

  it.each(['x', 'ü', '日', '🎈'])('have a bounded length, and are cut between the characters: %s', (character) => {
    const text = `a${character.repeat(50)}`;
    const lines = linesOf([`${text}\n`], 10);
    expect(lines.join('')).toBe(text);
    expect(Math.max(...lines.map((line) => Buffer.byteLength(line)))).toBeLessThanOrEqual(10);
    expect(
      linesOf(
        [...Buffer.from(text)].map((byte) => Uint8Array.of(byte)),
        10,
      ),
    ).toEqual(lines);
  });

  it('of exactly the greatest length are one', () => {
    expect(linesOf(['0123456789\nx\n'], 10)).toEqual(['0123456789', 'x']);
  });

  it('of what is no UTF-8 show that, and lose nothing else', () => {
    expect(linesOf([Buffer.from([0x61, 0xff, 0x62, 0x0a]), Buffer.alloc(12, 0x80)], 10)).toEqual([
      'a\ufffdb',
      '\ufffd'.repeat(10),
      '\ufffd'.repeat(2),
    ]);
  });
});
