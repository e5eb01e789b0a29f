/** Counting the values of a payload: the same on the wire as over values, and no further than asked. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serializers } from '../../support/serializers.js';
import type * as m from '../../../src/wamp/message.js';
import { countValues, payloadOf } from '../../../src/wamp/payload.js';
import type { Dict, Payload } from '../../../src/wamp/payload.js';
import { FORMATS } from '../../support/formats.js';

const MANY = 1_000_000;

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(fc.string(), tie('value'), { maxKeys: 6, noNullPrototype: true }),
  ),
})).value;

describe.each(FORMATS)('a payload in $type', ({ type, write }) => {
  function published(args: unknown[], kwargs?: Dict): Payload {
    const bytes = write([16, 1, {}, 'a.b', args, ...(kwargs === undefined ? [] : [kwargs])]);
    return (serializers.get(type)?.decode(bytes) as m.Publish).payload;
  }

  it('has as many values as are built of it', () => {
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 6 }), (args) => {
        const payload = published(args, { args });
        const counted = payload.countValues?.(MANY, 60);
        const found = [
          countValues(payloadOf(payload.args, payload.kwargs), MANY, 60),
          payload.countValues?.(counted ?? 0, 60),
          payload.countValues?.((counted ?? 0) - 1, 60),
        ];
        expect(found).toEqual([counted, counted, Infinity]);
      }),
      { numRuns: 200 },
    );
  });

  it('counts lists, dictionaries, keys and all else', () => {
    expect(published([1, 'a', [true, null]], { a: { b: 1.5 } }).countValues?.(MANY, 60)).toBe(6 + 5);
    expect(countValues(payloadOf([1, 'a', [true, null]], { a: { b: 1.5 } }), MANY, 60)).toBe(6 + 5);
  });

  it('has no number when it is deeper than asked', () => {
    const deep = [[[[1]]]];
    expect(published(deep).countValues?.(MANY, 4)).toBe(5);
    expect(published(deep).countValues?.(MANY, 3)).toBe(Infinity);
    expect(countValues(payloadOf(deep), MANY, 4)).toBe(5);
    expect(countValues(payloadOf(deep), MANY, 3)).toBe(Infinity);
  });
});
