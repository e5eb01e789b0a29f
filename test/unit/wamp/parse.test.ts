/** What stands first in a message is what the client put there: nothing may be made of it before it is a number. */
import { describe, expect, it } from 'vitest';

import { ProtocolViolation } from '../../../src/wamp/error.js';
import { carriesOpaquePayload, payloadPosition } from '../../../src/wamp/parse.js';
import { FORMATS } from '../../support/formats.js';
import { serializers } from '../../support/serializers.js';

const NO_CODES: readonly unknown[] = [
  {},
  { toString: 1 },
  [[{}]],
  'constructor',
  '__proto__',
  '48',
  '',
  true,
  null,
  [48],
];

describe('a message without a code', () => {
  it.each(NO_CODES)('%j has no payload', (code) => {
    const value = code !== null && typeof code === 'object' ? Object.assign(Object.create(null) as object, code) : code;
    expect(payloadPosition(value)).toBeUndefined();
    expect(carriesOpaquePayload([value, 1, { enc_algo: 'x' }, { enc_algo: 'x' }])).toBe(false);
  });

  it.each(FORMATS)('is a fault of the client in $type', ({ type, write }) => {
    for (const code of NO_CODES) {
      const decode = (): unknown => serializers.get(type)?.decode(write([code, 1, {}, 'com.example', ['x'], {}]));
      expect(decode, JSON.stringify(code)).toThrow(ProtocolViolation);
    }
  });
});
