/** The batched subprotocols: several messages in one WebSocket message. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { subprotocolOf } from '../../../src/serializer/registry.js';
import { batchedSerializers, serializers } from '../../support/serializers.js';
import type { Framing, Serializer } from '../../../src/serializer/serializer.js';
import { ProtocolViolation } from '../../../src/wamp/error.js';
import type { Event, Publish } from '../../../src/wamp/message.js';
import { EVENT } from '../../../src/wamp/message.js';
import { FORMATS } from '../../support/formats.js';

const UNFRAMED: Framing = { headerBytes: () => 0, writeHeader: () => undefined };

interface BatchVector {
  readonly name: string;
  readonly subprotocol: string;
  readonly hex: string;
  readonly messages?: unknown[][];
}
const { samples } = JSON.parse(
  readFileSync(new URL('../../fixtures/wamp/own-vectors/batched.json', import.meta.url), 'utf8'),
) as { samples: BatchVector[] };

function bySubprotocol(subprotocol: string): Serializer {
  const found = [...batchedSerializers.values()].find((serializer) => subprotocolOf(serializer) === subprotocol);
  if (found === undefined) throw new Error(`no serializer for ${subprotocol}`);
  return found;
}

const split = (serializer: Serializer, bytes: Buffer): Buffer[] => [...(serializer.split?.(bytes) ?? [])];

describe('batches', () => {
  it.each(samples)('$name', ({ subprotocol, hex, messages }) => {
    const serializer = bySubprotocol(subprotocol);
    const bytes = Buffer.from(hex, 'hex');
    if (messages === undefined) {
      expect(() => split(serializer, bytes)).toThrow(ProtocolViolation);
      return;
    }
    const found = split(serializer, bytes).map((part) => serializer.decode(part));
    expect(found).toMatchObject(messages.map(([type, requestId, , topic]) => ({ type, requestId, topic })));
    const written = Buffer.concat(found.map((message) => serializer.encode(message, UNFRAMED)));
    expect(written.toString('hex')).toBe(hex.replace(/18(?=5b|$)/g, '1e'));
  });

  it.each(FORMATS)(
    'of $type hold what the plain serializer writes, behind the header of the framing',
    ({ type, write }) => {
      const plain = serializers.get(type) as Serializer;
      const batched = batchedSerializers.get(type) as Serializer;
      const { payload } = plain.decode(write([16, 1, {}, 'a.b', ['ü', { k: 1 }], { k: [] }])) as Publish;
      const event: Event = { type: EVENT, subscription: 1, publication: 2, details: {}, payload, frames: [] };
      const announced: number[] = [];
      const framing: Framing = { headerBytes: () => 2, writeHeader: (_frame, bytes) => announced.push(bytes) };
      const frame = batched.encode(event, framing);
      expect(announced).toEqual([frame.length - 2]);
      expect(split(batched, frame.subarray(2))).toEqual([plain.encode(event, UNFRAMED)]);
    },
  );

  it('are split as far as they are good', () => {
    const parts: string[] = [];
    const take = (serializer: Serializer | undefined, bytes: Buffer) => {
      for (const part of serializer?.split?.(bytes) ?? []) parts.push(part.toString());
    };
    expect(() => take(batchedSerializers.get('json'), Buffer.from('[1]\x1e[2]'))).toThrow(ProtocolViolation);
    expect(() => take(batchedSerializers.get('cbor'), Buffer.from('00000001610000', 'hex'))).toThrow(ProtocolViolation);
    expect(parts).toEqual(['[1]', 'a']);
  });
});
