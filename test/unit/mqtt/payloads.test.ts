/** Payloads of MQTT as payloads of WAMP, and back. */
import { encode as encodeMsgpack } from '@msgpack/msgpack';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { dynamicMapping } from '../../../src/mqtt/payload/dynamic.js';
import { InOrder } from '../../../src/mqtt/payload/in-order.js';
import { PayloadError } from '../../../src/mqtt/payload/mapping.js';
import { payloadMappings } from '../../../src/mqtt/payload/mappings.js';
import { MAX_NATIVE_BYTES, nativeMapping } from '../../../src/mqtt/payload/native.js';
import { passthroughMapping } from '../../../src/mqtt/payload/passthrough.js';
import { payloadMappingSchema } from '../../../src/mqtt/payload/schema.js';
import { SERIALIZERS } from '../../../src/serializer/registry.js';
import { NO_PAYLOAD, payloadOf } from '../../../src/wamp/payload.js';
import type { NativeFormat } from '../../../src/mqtt/payload/native.js';
import type { PayloadMapping, Publication } from '../../../src/mqtt/payload/mapping.js';
import type { Payload } from '../../../src/wamp/payload.js';

const FORMATS = Object.keys(SERIALIZERS) as readonly NativeFormat[];

function decoded(mapping: PayloadMapping, payload: Uint8Array | string): Publication {
  const publication = mapping.decode({ topic: 'a/b', payload: Buffer.from(payload) });
  if (publication instanceof Promise) throw new Error('this one does not wait');
  return publication;
}

function encoded(mapping: PayloadMapping, payload: Payload): Buffer {
  const bytes = mapping.encode({ topic: 'a/b', payload });
  if (bytes instanceof Promise) throw new Error('this one does not wait');
  return bytes;
}

/** A payload as a client with one of our serializers sends it. */
function sent(format: NativeFormat, args: readonly unknown[], kwargs?: Record<string, unknown>): Payload {
  const form = SERIALIZERS[format].single.form;
  if (form === undefined) throw new Error('it has a form');
  return form.write(kwargs === undefined ? [args] : [args, kwargs]);
}

/** What a client with another serializer reads of it. */
function seen(payload: Payload, format: NativeFormat): readonly unknown[] {
  const { form } = SERIALIZERS[format].single;
  if (form === undefined || !('in' in payload)) throw new Error('it has a form');
  return (payload as ReturnType<typeof form.write>).in(form).elements();
}

const unframed = { headerBytes: () => 0, writeHeader: () => undefined };

describe('passthrough', () => {
  it('says what it is', () => {
    expect(decoded(passthroughMapping, 'x').options).toEqual({ enc_algo: 'mqtt' });
  });

  it.each(FORMATS)('WAMP clients get the bytes in the place of Arguments: %s', (format) => {
    const { payload } = decoded(passthroughMapping, Buffer.from([0, 255, 1]));
    const [bytes] = seen(payload, format);
    // UBJSON has no byte strings, but lists of octets.
    expect([...(bytes as Iterable<number>)]).toEqual([0, 255, 1]);
  });

  it('for JSON that is NUL and Base64', () => {
    const { payload } = decoded(passthroughMapping, 'hi');
    const event = { type: 36, subscription: 1, publication: 2, details: {}, payload, frames: [] } as const;
    expect(SERIALIZERS.json.single.encode({ ...event, frames: [] }, unframed).toString()).toBe(
      '[36,1,2,{},"\\u0000aGk="]',
    );
  });

  it('other clients of MQTT get the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 50 }), (bytes) => {
        const { payload } = decoded(passthroughMapping, bytes);
        expect(encoded(passthroughMapping, payload)).toEqual(Buffer.from(bytes));
        expect(encoded(passthroughMapping, payload.detach?.() ?? payload)).toEqual(Buffer.from(bytes));
      }),
    );
  });

  it.each(['json', 'msgpack', 'cbor', 'ubjson'] as const)(
    'one string or byte string of a client is it: %s',
    (format) => {
      expect(encoded(passthroughMapping, sent(format, ['grün'])).toString()).toBe('grün');
      expect(encoded(passthroughMapping, sent(format, ['']))).toHaveLength(0);
      if (format !== 'ubjson') {
        expect(encoded(passthroughMapping, sent(format, [Buffer.from([0, 255])]))).toEqual(Buffer.from([0, 255]));
      }
    },
  );

  it.each(FORMATS)('all else is JSON: %s', (format) => {
    const bytes = encoded(passthroughMapping, sent(format, [1, 'a,b', { k: [] }], { x: { y: 2 } }));
    expect(JSON.parse(bytes.toString())).toEqual({ args: [1, 'a,b', { k: [] }], kwargs: { x: { y: 2 } } });
    expect(encoded(passthroughMapping, sent(format, ['a', 'b'])).toString()).toBe('{"args":["a","b"]}');
    expect(encoded(passthroughMapping, sent(format, [7])).toString()).toBe('{"args":[7]}');
    expect(encoded(passthroughMapping, sent(format, ['a'], { k: 1 })).toString()).toBe(
      '{"args":["a"],"kwargs":{"k":1}}',
    );
  });

  it('also of what the router made', () => {
    expect(encoded(passthroughMapping, payloadOf(['x'])).toString()).toBe('x');
    expect(encoded(passthroughMapping, payloadOf([1], { a: 2 })).toString()).toBe('{"args":[1],"kwargs":{"a":2}}');
    expect(encoded(passthroughMapping, NO_PAYLOAD).toString()).toBe('{"args":[]}');
    expect(encoded(passthroughMapping, payloadOf([{ id: 1 }])).toString()).toBe('{"args":[{"id":1}]}');
  });

  it('what cannot be translated in time is dropped', () => {
    const many = sent(
      'msgpack',
      Array.from({ length: 700_000 }, () => 1),
    );
    expect(() => encoded(passthroughMapping, many)).toThrow(PayloadError);
    expect(() => encoded(passthroughMapping, payloadOf(Array.from({ length: 100_001 }, () => 1)))).toThrow(
      PayloadError,
    );
  });
});

describe('native', () => {
  it.each(FORMATS)('%s: what one client of MQTT sends, another one gets', (format) => {
    const mapping = nativeMapping(format);
    const bytes = encoded(mapping, payloadOf([1, 'x'], { k: [true] }));
    const { options, payload } = decoded(mapping, bytes);
    expect(options).toEqual({});
    expect({ args: payload.args, kwargs: payload.kwargs }).toEqual({ args: [1, 'x'], kwargs: { k: [true] } });
    expect(encoded(mapping, payload)).toEqual(bytes);
  });

  it('the form of the dictionary is that of everybody', () => {
    expect(encoded(nativeMapping('json'), payloadOf([1], { a: 2 })).toString()).toBe('{"args":[1],"kwargs":{"a":2}}');
    const { payload } = decoded(nativeMapping('msgpack'), encodeMsgpack({ args: [1], kwargs: { a: 2 } }));
    expect(payload.args).toEqual([1]);
    expect(encoded(nativeMapping('json'), NO_PAYLOAD).toString()).toBe('{"args":[]}');
    expect(decoded(nativeMapping('json'), '{}').payload).toBe(NO_PAYLOAD);
  });

  it('says who gets the event', () => {
    const options = { exclude: [1], eligible: [2, 3], exclude_authid: ['a'], eligible_authrole: ['b'] };
    const bytes = JSON.stringify({ ...options, args: [1], acknowledge: true, retain: true, other: 1 });
    expect(decoded(nativeMapping('json'), bytes).options).toEqual(options);
  });

  it.each([
    ['json', '', 'the payload is not json'],
    ['json', 'x', 'the payload is not json'],
    ['json', '{},{}', 'it is not one value'],
    ['json', Buffer.from([0x22, 0xff, 0x22]), 'the payload is not UTF-8'],
    ['json', '[1]', 'the payload is no dictionary'],
    ['json', 'null', 'the payload is no dictionary'],
    ['json', '{"args":{}}', '"args" of the payload is no list'],
    ['json', '{"kwargs":[]}', '"kwargs" of the payload is no dictionary'],
    ['json', '{"kwargs":null}', '"kwargs" of the payload is no dictionary'],
    ['json', '{"exclude":[1.5]}', '"exclude" of the payload is no list of ids'],
    ['json', '{"eligible":1}', '"eligible" of the payload is no list of ids'],
    ['json', '{"exclude_authid":[1]}', '"exclude_authid" of the payload is no list of names'],
    ['msgpack', '', 'the payload is not msgpack'],
    ['msgpack', Buffer.from([0x80, 0x80]), 'the payload is not msgpack'],
    ['msgpack', Buffer.from([0x81, 0xa4]), 'the payload is not msgpack'],
    ['cbor', Buffer.from([0xa0, 0]), 'the payload is not cbor'],
    ['ubjson', '{}Z', 'the payload is not ubjson'],
    ['json', Buffer.alloc(MAX_NATIVE_BYTES + 1, ' '), 'a payload of 262145 bytes; 262144 are taken apart'],
  ] as const)('%s, %j is dropped', (format, bytes, text) => {
    expect(() => decoded(nativeMapping(format), bytes)).toThrow(text);
    expect(() => decoded(nativeMapping(format), bytes)).toThrow(PayloadError);
  });

  it.each(FORMATS)('%s: any octets are a dictionary or a PayloadError', (format) => {
    const mapping = nativeMapping(format);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        try {
          decoded(mapping, bytes);
        } catch (error) {
          if (!(error instanceof PayloadError)) throw error;
        }
      }),
      { numRuns: 500 },
    );
  });

  it('an event to many is encoded once', () => {
    const mapping = nativeMapping('json');
    const payload = sent('msgpack', [1]);
    expect(encoded(mapping, payload)).toBe(encoded(mapping, payload));
  });
});

describe('dynamic', () => {
  const calls: unknown[] = [];
  const make = (results: Record<string, unknown>): PayloadMapping =>
    dynamicMapping({
      ...{ encoder: 'enc', decoder: 'dec', uriOf: (topic) => topic.replace('/', '.') },
      call: (procedure, args) => {
        calls.push([procedure, ...args]);
        const result = results[procedure];
        return result instanceof Error
          ? Promise.reject(result)
          : Promise.resolve({ args: [result], kwargs: undefined });
      },
    });

  it('a decoder makes the event', async () => {
    calls.length = 0;
    const mapping = make({ dec: { args: [1], kwargs: { a: 1 }, exclude: [5] } });
    const { options, payload } = await mapping.decode({ topic: 'a/b', payload: Buffer.from('x') });
    expect(calls).toEqual([['dec', 'a.b', 'a/b', Buffer.from('x')]]);
    expect([options, payload.args, payload.kwargs]).toEqual([{ exclude: [5] }, [1], { a: 1 }]);
  });

  it('an encoder makes the payload, once for all who get it', async () => {
    calls.length = 0;
    const mapping = make({ enc: Buffer.from([1, 2]) });
    const payload = sent('json', [1]);
    const event = { topic: 'a/b', payload };
    expect(await Promise.all([mapping.encode(event), mapping.encode(event)])).toEqual([
      Buffer.from([1, 2]),
      Buffer.from([1, 2]),
    ]);
    expect(calls).toEqual([['enc', 'a.b', 'a/b', [1], {}]]);
    await mapping.encode({ topic: 'c', payload: NO_PAYLOAD });
    await mapping.encode({ topic: 'c', payload: NO_PAYLOAD });
    expect(calls).toHaveLength(3);
  });

  it('a text will do', async () => {
    expect(await make({ enc: 'é' }).encode({ topic: 'a', payload: NO_PAYLOAD })).toEqual(Buffer.from('é'));
  });

  it('what fails, or returns something else, drops the message', async () => {
    const event = { topic: 'a', payload: NO_PAYLOAD };
    const message = { topic: 'a', payload: Buffer.from('x') };
    await expect(make({ enc: 5 }).encode(event)).rejects.toThrow('the result of enc is no byte string');
    await expect(make({ enc: new Error('no') }).encode(event)).rejects.toThrow('enc failed');
    await expect(make({ dec: 5 }).decode(message)).rejects.toThrow('the payload is no dictionary');
    await expect(make({ dec: new Error('no') }).decode(message)).rejects.toThrow(PayloadError);
  });
});

describe('the mapping of a URI', () => {
  const notCalled = () => Promise.reject(new Error('not called'));
  const deps = { callIn: () => notCalled, uriOf: (topic: string) => topic };

  it('is that of the longest prefix', () => {
    const mappingOf = payloadMappings(
      { 'a.': { type: 'native', serializer: 'json' }, 'a.b.': { type: 'passthrough' } },
      deps,
    );
    expect(mappingOf('a.b.c')).toBe(passthroughMapping);
    expect(mappingOf('a.c')).not.toBe(passthroughMapping);
    expect(mappingOf('a.c')).toBeDefined();
    expect(mappingOf('b')).toBeUndefined();
  });

  it('calls the procedures in the realm that it names, else in that of the clients', async () => {
    const calls: (string | undefined)[] = [];
    const callIn = (realm: string | undefined) => () => {
      calls.push(realm);
      return Promise.resolve({ args: ['text'], kwargs: undefined });
    };
    const procedures = { type: 'dynamic', encoder: 'enc', decoder: 'dec' } as const;
    const mappingOf = payloadMappings(
      { '': procedures, 'a.': { ...procedures, realm: 'codecs' } },
      { ...deps, callIn },
    );
    for (const topic of ['b', 'a.b']) await mappingOf(topic)?.encode({ topic, payload: NO_PAYLOAD });
    expect(calls).toEqual([undefined, 'codecs']);
  });

  it('without a word about it is passthrough', () => {
    expect(payloadMappings(payloadMappingSchema.default, deps)('x')).toBe(passthroughMapping);
  });
});

describe('in order', () => {
  it('what is here is handed on at once, and what comes behind a wait, waits', async () => {
    const order = new InOrder();
    const done: unknown[] = [];
    const add = (result: unknown): void =>
      order.add(
        result,
        (value) => done.push(value),
        (error) => done.push(String(error)),
      );
    add(1);
    expect(done).toEqual([1]);
    let answer: (value: number) => void = () => undefined;
    add(new Promise<number>((resolve) => (answer = resolve)));
    add(Promise.reject(new Error('second')));
    add(4);
    const end = new Promise<void>((resolve) => {
      order.add(
        0,
        () => resolve(),
        () => resolve(),
      );
    });
    await Promise.resolve();
    expect([done, order.waiting]).toEqual([[1], 4]);
    answer(2);
    await end;
    expect([done, order.waiting]).toEqual([[1, 2, 'Error: second', 4], 0]);
    add(5);
    expect(done.at(-1)).toBe(5);
  });
});
