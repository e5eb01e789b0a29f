import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { RECORD_SEPARATOR } from '../../../src/serializer/batch.js';
import { batchedJsonSerializer, jsonSerializer } from '../../../src/serializer/json.js';
import type { Framing } from '../../../src/serializer/serializer.js';
import { EVENT, NO_DETAILS, WELCOME } from '../../../src/wamp/message.js';
import type { Event, Publish, Welcome } from '../../../src/wamp/message.js';
import { NO_PAYLOAD } from '../../../src/wamp/payload.js';

const UNFRAMED: Framing = { headerBytes: () => 0, writeHeader: () => undefined };

/** The payload of a PUBLISH with this text, as it comes out in an EVENT. */
function throughRouter(message: string): string {
  const { payload } = jsonSerializer.decode(Buffer.from(message)) as Publish;
  const event: Event = { type: EVENT, subscription: 1, publication: 2, details: {}, payload, frames: [] };
  return jsonSerializer.encode(event, UNFRAMED).toString();
}

describe('JSON ids', () => {
  it.each([1, 9, 10, 999_999_999, 1e9, 1e9 + 1, 1e15, 123_456_700_000_008, 2 ** 52, 2 ** 53 - 1, 2 ** 53])(
    'are written with all digits: %d',
    (publication) => {
      const event: Event = { type: EVENT, subscription: 1, publication, details: {}, payload: NO_PAYLOAD, frames: [] };
      expect(jsonSerializer.encode(event, UNFRAMED).toString()).toBe(`[36,1,${publication},{}]`);
    },
  );
});

describe('WELCOME in JSON', () => {
  const roles: Welcome['roles'] = { broker: { features: { publisher_exclusion: true } } };
  const welcome = (details: Welcome['details']): Welcome => ({ type: WELCOME, session: 2 ** 53 - 1, roles, details });

  it.each([
    ['no details', {}],
    ['a plain name', { realm: 'realm1', authid: 'joe' }],
    ['a name beyond ASCII', { authid: 'Žluťoučký 漢字 😀', authrole: 'é' }],
    ['what JSON escapes', { authid: '"\\\n\u0000' }],
    ['more than simple values', { authid: 'ž', authextra: { list: [1, { of: 'é' }] } }],
    ['much', { authid: 'x'.repeat(70_000) }],
  ])('says the same each time, with %s', (_what, details) => {
    const text = JSON.stringify([2, 2 ** 53 - 1, { roles, ...details }]);
    for (const end of ['', RECORD_SEPARATOR]) {
      const serializer = end === '' ? jsonSerializer : batchedJsonSerializer;
      for (let time = 0; time < 2; time++) {
        expect(serializer.encode(welcome(details), UNFRAMED).toString()).toBe(`${text}${end}`);
      }
    }
  });

  it('stands behind the header of its frame', () => {
    const framing: Framing = {
      headerBytes: () => 3,
      writeHeader: (frame, payloadBytes) => frame.writeUIntBE(payloadBytes, 0, 3),
    };
    const frame = jsonSerializer.encode(welcome({ authid: 'ž' }), framing);
    expect(frame.readUIntBE(0, 3)).toBe(frame.length - 3);
    expect(frame.toString('utf8', 3)).toBe(JSON.stringify([2, 2 ** 53 - 1, { roles, authid: 'ž' }]));
  });
});

describe('JSON payloads', () => {
  it.each([
    '[1.0,12345678901234567890,-0.0,1e21,"\\u0000AA=="]',
    '["\\ud800"]',
    '["a\\"],[\\\\"],{"z":1,"a":2,"z":3}',
    '[[[[{"a":[]}]]]]',
    '["]}",{"k":"\\\\"}],{"[":"]"}',
    '[ 1 , 2 ] , { "k" : 3 }',
  ])('leave as the text that came in: %s', (payload) => {
    expect(throughRouter(`[16,1,{},"a.b",${payload}]`)).toBe(`[36,1,2,{},${payload}]`);
  });

  it('are found behind any envelope', () => {
    const envelopes = [
      '[16,1,{},"a.b",',
      ' [ 16 , 1 , { "x" : [ "]" , "\\"" , {} ] } , "a.b" , ',
      '\n[16,1,{"exclude_authid":["a,b","\\\\"],"q":true,"n":null,"f":-1.5e3},"a.b",\t',
      '[16,1,{},"\\u0061.\\"b",',
    ];
    for (const envelope of envelopes) expect(throughRouter(`${envelope}["x"]]`)).toBe('[36,1,2,{},["x"]]');
    expect(throughRouter('[16,1,{},"a.b",["x"] , {} ]')).toBe('[36,1,2,{},["x"]]');
    expect(throughRouter('[16,1,{},"a.b",["x"]\n]  ')).toBe('[36,1,2,{},["x"]\n]');
  });

  it('survive deep nesting', () => {
    const deep = `${'['.repeat(10_000)}${']'.repeat(10_000)}`;
    expect(throughRouter(`[16,1,{},"a.b",[${deep}]]`)).toBe(`[36,1,2,{},[${deep}]]`);
  });
});

interface Vector {
  readonly name: string;
  readonly direction: 'C>R' | 'R>C' | 'both';
  readonly json: string;
}
const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/wamp/own-vectors/messages.json', import.meta.url), 'utf8'),
) as { samples: Vector[] };

describe('messages of clients', () => {
  it.each(vectors.samples.filter(({ direction }) => direction !== 'R>C'))('$name', ({ json }) => {
    expect(jsonSerializer.encode(jsonSerializer.decode(Buffer.from(json)), UNFRAMED).toString()).toBe(json);
  });
});

describe('JSON frames', () => {
  const LENGTHS = [0, 1, 100, 125, 126, 127, 128, 129, 500, 512, 8180, 8192, 66_000];
  const FILLERS = { ASCII: 'x', 'two bytes a character': 'é', 'four bytes a character': '😀', control: '\\u0001' };
  const DETAILS = [NO_DETAILS, { topic: 'com.example' }, { topic: 'com.exämple' }];

  /** With its own length in front. */
  const PREFIXED: Framing = {
    headerBytes: () => 4,
    writeHeader: (frame, payloadBytes) => void frame.writeUInt32BE(payloadBytes),
  };

  it.each(Object.entries(FILLERS))('are as long as they say, and say what came in: %s', (_kind, filler) => {
    for (const serializer of [jsonSerializer, batchedJsonSerializer]) {
      for (const length of LENGTHS) {
        const text = `["${filler.repeat(length)}"]`;
        const { payload } = serializer.decode(Buffer.from(`[16,1,{},"a.b",${text}]`)) as Publish;
        for (const details of DETAILS) {
          const event: Event = { type: EVENT, subscription: 1, publication: 2, details, payload, frames: [] };
          const frame = serializer.encode(event, PREFIXED);
          expect(frame.readUInt32BE()).toBe(frame.length - 4);
          const end = serializer === jsonSerializer ? '' : '\x1e';
          expect(frame.toString('utf8', 4)).toBe(`[36,1,2,${JSON.stringify(details)},${text}]${end}`);
        }
      }
    }
  });

  it('are UTF-8, also where nobody has checked what came in (`validate_utf8: false`)', () => {
    for (const length of LENGTHS) {
      const message = Buffer.from(`[16,1,{},"a.b",["${'x'.repeat(length)}?"]]`);
      message[message.length - 4] = 0xff;
      const { payload } = jsonSerializer.decode(message) as Publish;
      const event: Event = { type: EVENT, subscription: 1, publication: 2, details: NO_DETAILS, payload, frames: [] };
      const frame = jsonSerializer.encode(event, PREFIXED);
      expect(frame.readUInt32BE()).toBe(frame.length - 4);
      expect(frame.toString('utf8', 4)).toBe(`[36,1,2,{},["${'x'.repeat(length)}\uFFFD"]]`);
    }
  });

  it('keep what they say when many more are written', () => {
    const written = Array.from({ length: 2000 }, (_, i) => {
      const text = JSON.stringify([i, 'x'.repeat(i % 1500)]);
      const { payload } = jsonSerializer.decode(Buffer.from(`[16,1,{},"a.b",${text}]`)) as Publish;
      const event: Event = { type: EVENT, subscription: i, publication: 2, details: NO_DETAILS, payload, frames: [] };
      return { frame: jsonSerializer.encode(event, UNFRAMED), expected: `[36,${i},2,{},${text}]` };
    });
    for (const { frame, expected } of written) expect(frame.toString()).toBe(expected);
  });
});
