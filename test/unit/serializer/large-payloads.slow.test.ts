/** Payloads of megabytes, made to hurt. */
import { describe, expect, it } from 'vitest';
import { serializers } from '../../support/serializers.js';
import type { Serializer } from '../../../src/serializer/serializer.js';
import type * as m from '../../../src/wamp/message.js';

function serializerOf(type: string): Serializer {
  const serializer = serializers.get(type);
  if (serializer === undefined) throw new Error(`no serializer ${type}`);
  return serializer;
}

describe('a payload made to hurt', () => {
  it('JSON: a byte string of megabytes is translated', () => {
    const bytes = Buffer.alloc(12 << 20, 7);
    const text = `[16,1,{},"a.b",["\\u0000${bytes.toString('base64')}",${'9'.repeat(1 << 20)}]]`;
    const { payload } = serializerOf('json').decode(Buffer.from(text)) as m.Publish;
    expect(bytes.equals(payload.args[0] as Buffer)).toBe(true);
  });

  it('CBOR: a string in a million parts is put together', () => {
    const parts = 1 << 20;
    const body = Buffer.concat([
      Buffer.from('851001a063612e62815f', 'hex'),
      Buffer.alloc(2 * parts, '4107', 'hex'),
      Buffer.from('ff', 'hex'),
    ]);
    const { payload } = serializerOf('cbor').decode(body) as m.Publish;
    expect((payload.args[0] as Uint8Array).length).toBe(parts);
  });
});
