/** Messages of a router: what the specification allows becomes a message, anything else ends the session. */
import { describe, expect, it } from 'vitest';

import { parseRouterMessage } from '../../../src/remote/router-message.js';
import { ProtocolViolation } from '../../../src/wamp/error.js';
import { SERIALIZERS } from '../../../src/serializer/registry.js';
import { envelopeOf } from '../../../src/wamp/parse.js';
import type { Framing } from '../../../src/serializer/serializer.js';
import type { RouterMessage } from '../../../src/wamp/message.js';

const PLAIN: Framing = { headerBytes: () => 0, writeHeader: () => undefined };

const MESSAGES: readonly (readonly unknown[])[] = [
  [2, 7, { roles: { broker: {}, dealer: {} }, realm: 'realm1', authid: 'joe' }],
  [3, { message: 'no' }, 'wamp.error.no_such_realm'],
  [4, 'ticket', {}],
  [6, {}, 'wamp.close.normal'],
  [8, 48, 3, {}, 'com.example.error', [1, 'ü'], { a: null }],
  [17, 3, 4],
  [33, 3, 4],
  [35, 3],
  [35, 0, { subscription: 4, reason: 'gone' }],
  [36, 4, 5, { topic: 'a' }, [new Uint8Array([1, 2])], { b: [1.5, true] }],
  [50, 3, {}, [2 ** 40]],
  [50, 3, {}],
  [65, 3, 4],
  [67, 3],
  [68, 3, 4, { procedure: 'a' }, [], { c: {} }],
  [69, 3, { mode: 'kill' }],
];

describe.each(Object.values(SERIALIZERS).map(({ single }) => [single.type, single] as const))(
  'from %s',
  (_, serializer) => {
    it.each(MESSAGES.map((fields) => [JSON.stringify(fields).slice(0, 60), fields] as const))('%s', (_text, fields) => {
      const message = parseRouterMessage(fields);
      const read = parseRouterMessage(serializer.values(serializer.encode(message, PLAIN)));
      expect(plain(read)).toEqual(plain(message));
    });

    it('refuses bytes that are no message', () => {
      expect(() => parseRouterMessage(serializer.values(Buffer.from('{')))).toThrow(ProtocolViolation);
      expect(() => parseRouterMessage(serializer.values(Buffer.alloc(0)))).toThrow(ProtocolViolation);
    });
  },
);

/** @returns what a message says, in whatever classes. */
function plain(message: RouterMessage): unknown {
  if (!('payload' in message)) return envelopeOf(message);
  const { args, kwargs } = message.payload;
  const bytes = args.map((arg) => (arg instanceof Uint8Array ? [...arg] : arg));
  return [...envelopeOf(message), bytes, kwargs];
}

describe('a message that no router sends', () => {
  it.each([
    [[]],
    [[1, 'realm1', {}]],
    [[2, 'seven', {}]],
    [[2, 7, []]],
    [[4, 'ticket']],
    [[36, 4, 5]],
    [[36, 4, 5, {}, [], 'no dictionary']],
    [[50, -1, {}]],
    [['50', 1, {}]],
    [[35, 'x']],
  ])('%j', (fields) => {
    expect(() => parseRouterMessage(fields)).toThrow(ProtocolViolation);
  });
});
