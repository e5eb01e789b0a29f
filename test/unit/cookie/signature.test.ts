import { describe, expect, it } from 'vitest';

import { sign, verify } from '../../../src/cookie/signature.js';

describe('a signature', () => {
  it('is that of cookie-signature, as Express puts it on the wire', () => {
    // Made with `openssl dgst -sha256 -hmac`, independently of this code.
    expect(sign('hello', 'tobiiscool')).toBe('s%3Ahello.DGDUkGlIkCzPz%2BC0B064FNgHdEjox7ch8tOBGslZ5QI');
  });

  it('is accepted from each secret, encoded or not', () => {
    const signed = sign('abc', 'second');
    const expected = { value: 'abc', isOutdated: true };
    expect(verify(signed, ['first', 'second'])).toEqual(expected);
    expect(verify(decodeURIComponent(signed), ['first', 'second'])).toEqual(expected);
    expect(verify(signed, ['second', 'first'])).toEqual({ value: 'abc', isOutdated: false });
  });

  it('is not accepted when any character of it is another', () => {
    const signed = decodeURIComponent(sign('abc', 'secret'));
    for (let at = 0; at < signed.length; at += 1) {
      const forged = `${signed.slice(0, at)}${signed[at] === 'A' ? 'B' : 'A'}${signed.slice(at + 1)}`;
      // The last character of 43 carries four bits: another one may stand for the same octets, and is refused too.
      expect(verify(forged, ['secret']), forged).toBeUndefined();
    }
  });

  it.each([
    '',
    's:',
    's:abc',
    's:abc.',
    's:.',
    'abc',
    '%',
    's%3A%',
    's:abc.äääääääääääääääääääääääääääääääääääääääääää',
  ])('is not found in %j', (text) => {
    expect(verify(text, ['secret'])).toBeUndefined();
  });
});
