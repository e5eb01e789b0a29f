import { describe, expect, it } from 'vitest';
import { MessageCuts } from '../../../src/http/message-cuts.js';

/** Cuts what arrives in such chunks. */
function piecesOf(chunks: readonly string[], cuts = new MessageCuts()): string[] {
  const pieces: string[] = [];
  for (const chunk of chunks) {
    let rest = Buffer.from(chunk);
    while (rest.length > 0) {
      const length = cuts.next(rest);
      if (length <= 0) throw new Error(`a piece of ${length} octets`);
      pieces.push(rest.toString('latin1', 0, length));
      rest = rest.subarray(length);
    }
  }
  return pieces;
}

const A = 'GET /a HTTP/1.1\r\nHost: x\r\n\r\n';
const B = 'GET /b HTTP/1.0\r\n\r\n';

describe('a cut', () => {
  it('is made behind every head', () => {
    expect(piecesOf([A + B + A])).toEqual([A, B, A]);
  });

  it('is made there wherever the bytes are split on their way, twice', () => {
    const text = A + B + A;
    for (let one = 0; one < text.length; one += 1) {
      for (let other = one; other < text.length; other += 1) {
        const pieces = piecesOf([text.slice(0, one), text.slice(one, other), text.slice(other)]);
        expect(pieces.join('')).toBe(text);
        // No piece goes beyond the end of a request.
        expect(pieces.filter((piece) => piece.slice(0, -1).includes('\r\n\r\n'))).toEqual([]);
      }
    }
  });

  it('is made there when byte by byte arrives', () => {
    const bytes = Array.from(A + B);
    expect(piecesOf(bytes)).toEqual(bytes);
  });

  it('is made behind a body of known length, whatever is in it', () => {
    const cuts = new MessageCuts();
    expect(piecesOf([A], cuts)).toEqual([A]);
    cuts.expectBody(10);
    expect(piecesOf(['12\r\n\r\n', `7890${B}`], cuts)).toEqual(['12\r\n\r\n', '7890', B]);
  });

  it('is made behind a chunked body, with and without trailers', () => {
    for (const body of ['3\r\nabc\r\n0\r\n\r\n', '3\r\nabc\r\n0\r\nX: y\r\n\r\n']) {
      expect(piecesOf([body + A])).toEqual([body, A]);
    }
  });

  it('is made behind a head whose lines end without a carriage return', () => {
    const bare = 'GET / HTTP/1.1\nHost: x\n\r\n';
    expect(piecesOf([bare + A])).toEqual([bare, A]);
  });
});
