import { describe, expect, it } from 'vitest';
import { isPassthru, passthrough } from '../../../src/router/passthru.js';
import { ProtocolViolation } from '../../../src/wamp/error.js';

describe('passthrough', () => {
  it('finds nothing in options without the attributes', () => {
    expect(passthrough({ acknowledge: true })).toBeUndefined();
    expect(isPassthru({ enc_algo: 'cryptobox' })).toBe(false);
  });

  it('copies the attributes of both forms, and nothing else', () => {
    const ppt = { ppt_scheme: 'wamp', ppt_serializer: 'cbor', ppt_cipher: 'xsalsa20poly1305', ppt_keyid: 'k1' };
    expect(passthrough({ ...ppt, timeout: 5 })).toEqual(ppt);
    expect(isPassthru(ppt)).toBe(true);
    const enc = { enc_algo: 'cryptobox', enc_key: 'k', enc_serializer: 'json' };
    expect(passthrough({ ...enc, progress: true })).toEqual(enc);
  });

  it('throws for an attribute that is no string', () => {
    expect(() => passthrough({ ppt_scheme: 1 })).toThrow(ProtocolViolation);
    expect(() => passthrough({ enc_algo: 'x', enc_key: new Uint8Array(1) })).toThrow(ProtocolViolation);
  });
});
