/** What py-ubjson 0.16.1 wrote, by which Autobahn speaks UBJSON: each PUBLISH as the EVENT that a JSON client gets of it. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import { jsonSerializer } from '../../../src/serializer/json.js';
import { ubjsonSerializer } from '../../../src/serializer/ubjson/ubjson.js';
import type { Framing, Serializer } from '../../../src/serializer/serializer.js';
import * as m from '../../../src/wamp/message.js';
import type { Payload } from '../../../src/wamp/payload.js';
import { payloadOf } from '../../../src/wamp/payload.js';
import { readUbjson } from '../../support/ubjson.js';

const UNFRAMED: Framing = { headerBytes: () => 0, writeHeader: () => undefined };

interface Sample {
  readonly name: string;
  readonly hex: string;
  readonly event: string;
}
const file = new URL('../../fixtures/wamp/py-ubjson.json', import.meta.url);
const { samples } = JSON.parse(readFileSync(file, 'utf8')) as { samples: readonly Sample[] };

function event(serializer: Serializer, payload: Payload): Buffer {
  const message: m.Event = { type: m.EVENT, subscription: 1, publication: 2, details: {}, payload, frames: [] };
  return serializer.encode(message, UNFRAMED);
}

describe('what py-ubjson writes', () => {
  it.each(samples)('$name', ({ hex, event: expected }) => {
    const { payload, options } = ubjsonSerializer.decode(Buffer.from(hex, 'hex')) as m.Publish;
    expect(options).toEqual({ acknowledge: true });
    expect(event(jsonSerializer, payload).toString()).toBe(expected);
    const written = event(ubjsonSerializer, payloadOf(payload.args, payload.kwargs));
    expect(readUbjson(written)).toEqual([36, 1, 2, {}, ...readPayload(hex)]);
  });
});

/** Arguments and ArgumentsKw of a PUBLISH; what is no number reads as null. */
function readPayload(hex: string): readonly unknown[] {
  return (readUbjson(Buffer.from(hex, 'hex')) as unknown[]).slice(4);
}

describe('what one translation leaves behind', () => {
  it('does not change how the next value is written, also when it was given up in a key', () => {
    const deep = `${'['.repeat(70)}${']'.repeat(70)}`;
    const { payload } = jsonSerializer.decode(Buffer.from(`[16,1,{},"a.b",[{"k":${deep}}]]`)) as m.Publish;
    expect(() => event(ubjsonSerializer, payload)).toThrow('nested too deep');
    const { payload: next } = jsonSerializer.decode(Buffer.from('[16,1,{},"a.b",["text"]]')) as m.Publish;
    expect(readUbjson(event(ubjsonSerializer, next))).toEqual([36, 1, 2, {}, ['text']]);
  });
});
