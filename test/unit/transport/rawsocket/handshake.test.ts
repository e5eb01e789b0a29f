import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { serializers } from '../../../support/serializers.js';
import { announcedLimit, negotiate } from '../../../../src/transport/rawsocket/handshake.js';
import type { HandshakeRules } from '../../../../src/transport/rawsocket/handshake.js';

interface Vectors {
  readonly length_field: readonly { readonly nibble: number; readonly max_octets: number }[];
}
const file = path.resolve(import.meta.dirname, '../../../fixtures/wamp/own-vectors/rawsocket.json');
const { length_field: lengths } = JSON.parse(readFileSync(file, 'utf8')) as Vectors;

const json = serializers.get('json');
if (json === undefined) throw new Error('there is no JSON');
const rules: HandshakeRules = { bySerializerId: new Map([[1, json]]), maxMessageBytes: 1_048_576 };

/** @returns the reply in hex, and what was agreed on. */
function answer(hex: string, given = rules): unknown {
  const result = negotiate(Buffer.from(hex, 'hex'), given);
  if ('reason' in result) return result.answer?.toString('hex') ?? 'close';
  return [result.answer.toString('hex'), result.serializer.type, result.peerMaxBytes];
}

describe('the handshake', () => {
  it.each(lengths)('length $nibble of the client is $max_octets', ({ nibble, max_octets }) => {
    expect(answer(`7f${nibble.toString(16)}10000`)).toEqual(['7fb10000', 'json', max_octets]);
  });

  it.each(lengths)('our limit of $max_octets is announced as $nibble', ({ nibble, max_octets }) => {
    const expected = `7f${nibble.toString(16)}10000`;
    expect(answer('7ff10000', { ...rules, maxMessageBytes: max_octets })).toEqual([expected, 'json', 2 ** 24]);
  });

  it('refuses every serializer that the transport does not have', () => {
    for (let id = 0; id < 16; id++) {
      if (id === 1) continue;
      expect(answer(`7ff${id.toString(16)}0000`), String(id)).toBe('7f100000');
    }
  });

  it.each(['7ff10100', '7ff10001', '7ff1ffff', '7ff00100'])('refuses reserved octets: %s', (hex) => {
    expect(answer(hex)).toBe('7f300000');
  });

  it.each(['47455420', '00000000', 'fff10000', '7ef10000'])('says nothing to %s', (hex) => {
    expect(answer(hex)).toBe('close');
  });
});

it.each([
  [1, 512],
  [511, 512],
  [512, 512],
  [1023, 512],
  [1024, 1024],
  [1_000_000, 524_288],
  [1_048_576, 1_048_576],
  [16_777_215, 8_388_608],
  [16_777_216, 16_777_216],
])('a configured limit of %i bytes is announced as %i', (configured, announced) => {
  expect(announcedLimit(configured)).toBe(announced);
});
