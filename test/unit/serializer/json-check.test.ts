import { describe, expect, it } from 'vitest';
import { elementStarts } from '../../../src/serializer/json-check.js';
import { jsonSerializer } from '../../../src/serializer/json.js';
import { seededRandom } from '../../support/cookie-store.js';

/** What the check says of a text: whether it is a list in JSON. */
function isTaken(text: string): boolean {
  try {
    elementStarts(text);
    return true;
  } catch (error) {
    if (error instanceof SyntaxError) return false;
    throw error;
  }
}

function isList(text: string): boolean {
  try {
    return Array.isArray(JSON.parse(text));
  } catch {
    return false;
  }
}

describe('the check of JSON texts', () => {
  it.each([
    ...[
      '[]',
      '[ ]',
      '[1]',
      '\n[\t1 ,\r2 ] ',
      '[[],{}]',
      '[[[]],[[]]]',
      '[{"a":[{"b":null}]},true]',
      '[" "]',
      '["\\u00e9"]',
    ],
    ...[
      '[0]',
      '[-0]',
      '[0.5]',
      '[-1.5e+10]',
      '[1E5]',
      '[1e-5]',
      '[null,true,false]',
      '[{"a":1,"a":2}]',
      '["é😀"]',
      '["\x7f"]',
    ],
    ...[
      '',
      ' ',
      '1',
      '[',
      ']',
      '[]]',
      '[],',
      '[,]',
      '[1,]',
      '[1 2]',
      '[01]',
      '[-]',
      '[+1]',
      '[.5]',
      '[1.]',
      '[1e]',
      '[1e+]',
    ],
    ...[
      '[nul]',
      '[nulll]',
      '[True]',
      '[NaN]',
      '[Infinity]',
      "['a']",
      '["a]',
      '["\n"]',
      '["\x00"]',
      '["\\x"]',
      '["\\u12g4"]',
    ],
    ...[
      '["\\"]',
      '["\\u"]',
      '[{]',
      '[{}',
      '[{a:1}]',
      '[{"a"}]',
      '[{"a":}]',
      '[{"a":1,}]',
      '[{,}]',
      '[{"a":1]}',
      '[1}',
      '[{"a",1}]',
    ],
    ...[
      '\ufeff[]',
      '[\u00a01]',
      '[1\f]',
      '[/**/]',
      '[0x1]',
      '[1_0]',
      '[--1]',
      '[[}',
      '[00]',
      '[-01]',
      '["\\uD800"]',
      '["\ud800"]',
    ],
  ])('takes what the native parser takes: %j', (text) => expect(isTaken(text)).toBe(isList(text)));

  it('agrees with the native parser over texts with faults at random', () => {
    const random = seededRandom(1);
    const signs = [
      '[',
      ']',
      '{',
      '}',
      ',',
      ':',
      '"',
      '\\',
      ' ',
      '\n',
      '0',
      '1',
      '-',
      '.',
      'e',
      'E',
      '+',
      'true',
      'null',
      '"a":',
      'u',
    ];
    const sound = '[48,12,{"a":[1.5e3,-0.1,{"b":"\\u00e9\\n"}],"c":null},"a.b",["x",[],{}],{"k":true}]';
    const wrong: string[] = [];
    for (let round = 0; round < 20_000; round++) {
      const at = Math.floor(random() * (sound.length + 1));
      const sign = signs[Math.floor(random() * signs.length)] ?? '';
      const text = `${sound.slice(0, at)}${sign}${sound.slice(at + Math.floor(random() * 3))}`;
      if (isTaken(text) !== isList(text)) wrong.push(text);
    }
    expect(wrong).toEqual([]);
  });

  it('finds what is wrong in a long string', () => {
    const long = 'x'.repeat(1000);
    for (const text of [
      long,
      `${long}\\"${long}`,
      `\\n${long}`,
      `${long}\n`,
      `\x01${long}`,
      `${long}\\`,
      `${long}\\u12`,
    ]) {
      expect(isTaken(`["${text}"]`), text).toBe(isList(`["${text}"]`));
      expect(isTaken(`["${text}`)).toBe(false);
    }
  });

  it('finds where the elements begin', () => {
    const text = ' [ 48 ,1,{"a":[1,2]} , "a,b",["]"] ] ';
    const starts = elementStarts(text);
    expect(starts.map((at) => text[at])).toEqual(['4', '1', '{', '"', '[', ']']);
    expect(elementStarts('[]')).toEqual([1]);
  });

  it('follows any depth', () => {
    expect(isTaken(`${'['.repeat(200_000)}${']'.repeat(200_000)}`)).toBe(true);
    expect(isTaken(`${'['.repeat(200_000)}${']'.repeat(199_999)}`)).toBe(false);
  });
});

describe('a large JSON message', () => {
  const FILLER = 'x'.repeat(20_000);
  const decoded = (text: string): unknown => {
    const message = jsonSerializer.decode(Buffer.from(text));
    return {
      ...message,
      ...('payload' in message && { payload: message.payload.args, kwargs: message.payload.kwargs }),
    };
  };
  const outcome = (text: string): unknown => {
    try {
      return decoded(text);
    } catch (error) {
      return String(error);
    }
  };

  // Spaces behind the message make it large without changing it.
  it.each([
    ...[
      '[48,1,{},"a.b"]',
      '[48,1,{},"a.b",[]]',
      '[48,1,{},"a.b",[ ],{ }]',
      '[48,1,{},"a.b",[1]]',
      '[48,1,{},"a.b",[1],{}]',
    ],
    ...[
      '[48,1,{},"a.b",[],{"a":1}]',
      '[48,1,{},"a.b",[1,[2]] , {"a":{}} ]',
      '[48,1,{},"a.b",{}]',
      '[48,1,{},"a.b",[],[]]',
    ],
    ...[
      '[48,1,{},"a.b",[],{},1]',
      '[16,1,{"enc_algo":"x"},"a.b","secret"]',
      '[16,1,{"enc_algo":"x"},"a.b","secret",{}]',
    ],
    ...[
      '[16,1,{},"a.b","secret"]',
      '[]',
      '[48]',
      '["48",1,{},"a.b"]',
      '[[48],1]',
      '[999,1,{}]',
      '[32,1,{},"a.b"]',
      '[48,1',
    ],
    ...[
      '[8,68,1,{},"a.b",[1]]',
      '[70,1,{"progress":true},[1]]',
      '[ 70 , 1 , { } , [ "," ] , { "," : "]" } ]',
      '[48,1,{},"a.b",1]',
    ],
  ])('is read as a small one is: %s', (text) => {
    const large = outcome(`${text}${' '.repeat(20_000)}`);
    expect(large).toEqual(outcome(text));
  });

  it('goes on as it came', () => {
    const payload = `["${FILLER}",1.0,9007199254740993],{"k":"é"}`;
    const text = `[16,1,{},"a.b",${payload}]`;
    expect(
      jsonSerializer
        .encode(jsonSerializer.decode(Buffer.from(text)), { headerBytes: () => 0, writeHeader: () => undefined })
        .toString(),
    ).toBe(text);
  });

  it.each(['{}', '"x"', '1', 'x'])('has to be a list: %s', (text) => {
    expect(() => decoded(`${text}${' '.repeat(20_000)}`)).toThrow('the message is not valid JSON');
  });

  it('has options of 256 KiB at most', () => {
    const ids = (count: number): string => Array.from({ length: count }, () => 1234567890123456).join();
    expect(decoded(`[16,1,{"exclude":[${ids(10_000)}]},"a.b",["${FILLER}"]]`)).toMatchObject({ topic: 'a.b' });
    const tooLarge = `[16,1,{"exclude":[${ids(20_000)}]},"a.b"]`;
    expect(() => decoded(tooLarge)).toThrow('a message may have at most 262144 bytes before its payload');
  });
});
