/** Translations in advance: another thread makes them, and they must be what a translation in time would be. */
import { describe, expect, it } from 'vitest';
import { keepTranslations, translationsOf } from '../../../src/serializer/translations.js';
import { SERIALIZERS } from '../../../src/serializer/registry.js';
import { WirePayload } from '../../../src/serializer/wire-payload.js';
import type { Framing, Serializer } from '../../../src/serializer/serializer.js';
import { WampError } from '../../../src/wamp/error.js';
import * as m from '../../../src/wamp/message.js';

const UNFRAMED: Framing = { headerBytes: () => 0, writeHeader: () => undefined };
const FORMATS = Object.values(SERIALIZERS).map(({ single }) => single);
const WORDS = FORMATS.map(({ type }) => type);
const PAIRS = FORMATS.flatMap((from) => FORMATS.filter((to) => to !== from).map((to) => ({ from, to })));
const ARGS = [1.5, 'é😀', [null, { deep: [true] }], Buffer.from([0, 255]), 'x'.repeat(5000)];

function payloadIn(serializer: Serializer, args: readonly unknown[]): WirePayload {
  const message = { type: m.CALL, requestId: 1, options: {}, procedure: 'a.b', payload: { args, kwargs: { k: 1 } } };
  const { payload } = serializer.decode(serializer.encode(message as unknown as m.Message, UNFRAMED)) as m.Call;
  if (payload instanceof WirePayload) return payload;
  throw new TypeError('a payload without bytes');
}

function eventIn(serializer: Serializer, payload: WirePayload): Buffer {
  return serializer.encode(
    { type: m.EVENT, subscription: 1, publication: 2, details: {}, payload, frames: [] },
    UNFRAMED,
  );
}

describe('a payload', () => {
  it.each(PAIRS)(
    'in $from.type has the same translation to $to.type when another thread has made it',
    ({ from, to }) => {
      const found = structuredClone(translationsOf(payloadIn(from, ARGS), [to.type]));
      const payload = payloadIn(from, ARGS);
      keepTranslations(payload, found);
      Object.defineProperty(payload, 'passOn', { value: () => expect.unreachable('translated a second time') });
      expect(eventIn(to, payload)).toEqual(eventIn(to, payloadIn(from, ARGS)));
    },
  );

  it.each(FORMATS)('in $type that has no place in another form is told so as it would be in time', (from) => {
    const nested = { args: JSON.parse(`${'['.repeat(70)}${']'.repeat(70)}`) as unknown[] };
    const json = JSON.stringify([48, 1, {}, 'a.b', nested.args]);
    const { payload } = SERIALIZERS.json.single.decode(Buffer.from(json)) as m.Call;
    if (!(payload instanceof WirePayload)) throw new TypeError('a payload without bytes');
    keepTranslations(payload, structuredClone(translationsOf(payload, [from.type])));
    if (from.type === 'json') expect(eventIn(from, payload).length).toBeGreaterThan(140);
    else expect(() => eventIn(from, payload)).toThrow(WampError);
  });

  it('is translated to no form that we do not have, and to each of those that we have', () => {
    const payload = payloadIn(SERIALIZERS.cbor.single, ARGS);
    expect(translationsOf(payload, ['wonders'])).toEqual([]);
    expect(translationsOf(payload, WORDS).map(({ form }) => form)).toEqual(WORDS);
  });
});
