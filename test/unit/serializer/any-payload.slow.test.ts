/** Any payload, in any format, to any format: the search that the other tests of the formats leave out, because it takes a while. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { serializers } from '../../support/serializers.js';
import type { Framing, Serializer } from '../../../src/serializer/serializer.js';
import * as m from '../../../src/wamp/message.js';
import { FORMATS, mapScalars } from '../../support/formats.js';

const UNFRAMED: Framing = { headerBytes: () => 0, writeHeader: () => undefined };
const pairs = FORMATS.flatMap((from) => FORMATS.map((to) => [from.type, to.type, from, to] as const));

function serializerOf(type: string): Serializer {
  const serializer = serializers.get(type);
  if (serializer === undefined) throw new Error(`no serializer ${type}`);
  return serializer;
}

/** The payload of a PUBLISH with these bytes, as an EVENT shows it to a peer with another serializer. */
function passOn(from: Serializer, to: Serializer, publish: Buffer): Buffer {
  const { payload } = from.decode(publish) as m.Publish;
  const event: m.Event = { type: m.EVENT, subscription: 1, publication: 2, details: m.NO_DETAILS, payload, frames: [] };
  return to.encode(event, UNFRAMED);
}

describe.each(pairs)('from %s to %s', (_from, _to, from, to) => {
  it('has an answer for every payload', () => {
    fc.assert(
      fc.property(fc.array(anyValue()), fc.dictionary(anyKey(), anyValue()), (args, kwargs) => {
        const sent = from.type === 'json' ? plainJson([args, kwargs]) : [args, kwargs];
        const [list, dict] = sent as [unknown[], object];
        const received = to.read(
          passOn(serializerOf(from.type), serializerOf(to.type), from.write([16, 1, {}, 'a.b', list, dict])),
        );
        const expected = [36, 1, 2, {}, list, ...(Object.keys(dict).length === 0 ? [] : [dict])];
        if (list.length > 0 || expected.length === 6) expect(plainJson(received)).toEqual(plainJson(expected));
      }),
      { numRuns: 60 },
    );
  });
});

/** Values as JSON shows them: byte strings as text. */
function plainJson(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(
      mapScalars(value, (scalar) =>
        scalar instanceof Uint8Array ? `\0${Buffer.from(scalar).toString('base64')}` : scalar,
      ),
    ),
  );
}

/** All but one, which one of the libraries refuses. */
function anyKey(): fc.Arbitrary<string> {
  return fc.string().filter((key) => key !== '__proto__');
}

function anyValue(): fc.Arbitrary<unknown> {
  const scalar = fc.oneof(
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, min: -1e15, max: 1e15 }),
    fc.string({ unit: 'grapheme' }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array(),
  );
  return fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, scalar, fc.array(tie('value')), fc.dictionary(anyKey(), tie('value'))),
  })).value;
}
