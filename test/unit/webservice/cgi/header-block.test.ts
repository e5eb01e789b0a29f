/** What a script says before the body, in one piece or byte by byte. */
import { describe, expect, it } from 'vitest';

import { HeaderBlock, MAX_HEADER_BLOCK_BYTES, parseHead } from '../../../../src/webservice/cgi/header-block.js';

describe('a header block', () => {
  it.each(['A: b\nC: d\n\nbody\n\n', 'A: b\r\nC: d\r\n\r\nbody\n\n', 'A: b\nC: d\n\r\nbody\n\n'])(
    'ends with the first empty line, however it comes: %j',
    (text) => {
      for (const size of [1, 2, 3, 5, text.length]) {
        const collected = new HeaderBlock();
        let body: string | undefined;
        let block = '';
        for (let at = 0; at < text.length; at += size) {
          const chunk = Buffer.from(text.slice(at, at + size));
          const found = body === undefined ? collected.add(chunk) : undefined;
          if (body !== undefined) body += chunk.toString();
          if (found === 'too large') throw new Error('it is small');
          if (found !== undefined) [block, body] = [found.block, found.body.toString()];
        }
        expect(block.replaceAll('\r', '')).toBe('A: b\nC: d');
        expect(body).toBe('body\n\n');
      }
    },
  );

  it('has a bound', () => {
    const collected = new HeaderBlock();
    expect(collected.add(Buffer.alloc(MAX_HEADER_BLOCK_BYTES, 'a'))).toBeUndefined();
    expect(collected.add(Buffer.from('a\n\n'))).toBe('too large');
  });
});

describe('a head', () => {
  it.each([
    ['Content-Type: text/plain', 200, undefined],
    ['Status: 404 Not Found\r\nContent-Length: 7\r', 404, 7],
    ['Location: /elsewhere', 302, undefined],
    ['Status: 307\nLocation: /elsewhere', 307, undefined],
  ])('of %j', (block, status, length) => {
    expect(parseHead(block)).toMatchObject({ status, length });
  });

  it('has its headers in their order, without those of the connection', () => {
    const lines = [
      'Status: 201',
      'Set-Cookie: a=1',
      'Set-Cookie: b=2',
      'Connection: close',
      'Transfer-Encoding: chunked',
    ];
    expect(parseHead([...lines, 'X-Empty:', 'X-Blank: \t c d \t'].join('\r\n'))).toMatchObject({
      headers: [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-Empty', ''],
        ['X-Blank', 'c d'],
      ],
    });
  });

  it.each([
    ['', 'a line of its header is none'],
    ['HTTP/1.1 200 OK\nA: b', 'it speaks HTTP itself'],
    ['A: b\n c', 'a line of its header is none'],
    ['A b: c', 'a line of its header is none'],
    ['A: b\x01', 'a line of its header is none'],
    ['Status: 99', 'its Status is none'],
    ['Status: 101', 'its Status is none'],
    ['Status: 600', 'its Status is none'],
    ['Status: OK', 'its Status is none'],
    ['Content-Length: -1', 'its Content-Length is none'],
  ])('is none: %j', (block, problem) => expect(parseHead(block)).toBe(problem));

  // In steps that grow with the square of the length it would take minutes.
  it('is not searched long in blanks', () => {
    const block = `A: ${' '.repeat(300_000)}`;
    expect(parseHead(`${block}\x01`)).toBe('a line of its header is none');
    expect(parseHead(`${block}b${' '.repeat(300_000)}`)).toMatchObject({ headers: [['A', 'b']] });
  });
});
