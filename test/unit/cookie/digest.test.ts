import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { cookieDigest } from '../../../src/cookie/digest.js';

const cbtid = 'abcdefghijklmnopqrstuvwx';

describe('the digest of a cookie id', () => {
  it('is the same for the same id and another for another', () => {
    expect(cookieDigest(cbtid)).toMatch(/^[\w-]{16}$/);
    expect(cookieDigest(cbtid)).toBe(cookieDigest(cbtid));
    expect(cookieDigest(`${cbtid}y`)).not.toBe(cookieDigest(cbtid));
  });

  it('is no part of the id nor of its plain hash', () => {
    const hash = createHash('sha256').update(cbtid).digest('base64url');
    expect(cbtid).not.toContain(cookieDigest(cbtid));
    expect(hash).not.toContain(cookieDigest(cbtid));
  });
});
