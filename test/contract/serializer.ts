/**
 * What every serializer must do. Run it with the serializer and a way to write a WAMP array in its format.
 */
import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Framing, Serializer } from '../../src/serializer/serializer.js';
import { ProtocolViolation } from '../../src/wamp/error.js';
import * as m from '../../src/wamp/message.js';
import { NO_PAYLOAD, payloadOf } from '../../src/wamp/payload.js';

const UNFRAMED: Framing = { headerBytes: () => 0, writeHeader: () => undefined };

/** Marks its header, so that a test sees where it went. */
const MARKED: Framing = {
  headerBytes: (bytes) => (bytes < 100 ? 3 : 5),
  writeHeader: (frame, bytes) => frame.fill(0xee, 0, bytes < 100 ? 3 : 5),
};

export function serializerContract(
  serializer: Serializer,
  write: (fields: unknown[]) => Buffer,
  read: (bytes: Buffer) => unknown,
): void {
  const decode = (...fields: unknown[]) => serializer.decode(write(fields));

  describe(`serializer ${serializer.type}`, () => {
    it('reads envelope and payload', () => {
      const call = decode(48, 9007199254740992, { disclose_me: true, own: 1 }, 'a.b', ['x', 1], { k: null });
      expect(call).toMatchObject({
        type: m.CALL,
        requestId: 9007199254740992,
        procedure: 'a.b',
        options: { disclose_me: true },
      });
      expect((call as m.Call).payload.args).toEqual(['x', 1]);
      expect((call as m.Call).payload.kwargs).toEqual({ k: null });
    });

    it('knows no payload from an empty one, and leaves empty kwargs out', () => {
      for (const rest of [[], [[]], [[], {}]])
        expect((decode(16, 1, {}, 'a.b', ...rest) as m.Publish).payload).toBe(NO_PAYLOAD);
      const { payload } = decode(16, 1, {}, 'a.b', [1], {}) as m.Publish;
      const event: m.Event = { type: m.EVENT, subscription: 1, publication: 2, details: {}, payload, frames: [] };
      expect(read(serializer.encode(event, UNFRAMED))).toEqual([36, 1, 2, {}, [1]]);
    });

    it.each([[[[], { y: 1 }]], [[['x']]], [[['x'], { y: [1, { z: 'ü€😀' }] }]]])('passes the payload %j on', (rest) => {
      const { payload } = decode(16, 1, { exclude_me: false }, 'com.ünï', ...rest) as m.Publish;
      const details = { topic: 'a"b' };
      const messages: [m.RouterMessage, unknown[]][] = [
        [{ type: m.EVENT, subscription: 1, publication: 2, details, payload, frames: [] }, [36, 1, 2, details]],
        [{ type: m.INVOCATION, requestId: 1, registration: 2, details, payload }, [68, 1, 2, details]],
        [{ type: m.RESULT, requestId: 1, details: m.NO_DETAILS, payload }, [50, 1, {}]],
        [{ type: m.ERROR, requestType: 48, requestId: 1, details: {}, error: 'a.b', payload }, [8, 48, 1, {}, 'a.b']],
      ];
      for (const [message, envelope] of messages) {
        expect(read(serializer.encode(message, UNFRAMED))).toEqual([...envelope, ...rest]);
      }
    });

    it('has payloads that can be kept when the memory they came in is used again', () => {
      const bytes = write([16, 1, {}, 'a.b', ['x', 1], { k: 'ü€😀' }]);
      const { payload } = serializer.decode(bytes) as m.Publish;
      const kept = payload.detach?.() ?? payload;
      expect(kept).not.toBe(payload);
      expect(kept.byteLength).toBe(payload.byteLength);
      bytes.fill(0);
      const event: m.Event = { type: m.EVENT, subscription: 1, publication: 2, details: {}, payload: kept, frames: [] };
      expect(read(serializer.encode(event, UNFRAMED))).toEqual([36, 1, 2, {}, ['x', 1], { k: 'ü€😀' }]);
    });

    it('writes payloads that the router made from values', () => {
      const message: m.ErrorMessage = {
        type: m.ERROR,
        requestType: 48,
        requestId: 1,
        details: m.NO_DETAILS,
        error: 'a.b',
        payload: payloadOf(['why'], { a: 1 }),
      };
      expect(read(serializer.encode(message, UNFRAMED))).toEqual([8, 48, 1, {}, 'a.b', ['why'], { a: 1 }]);
    });

    it.each([10, 99, 100, 70_000])('writes a message of about %i bytes behind the header of the framing', (size) => {
      const message: m.Result = {
        type: m.RESULT,
        requestId: 1,
        details: m.NO_DETAILS,
        payload: payloadOf(['ü'.repeat(size / 2)]),
      };
      const plain = serializer.encode(message, UNFRAMED);
      const framed = serializer.encode(message, MARKED);
      const header = MARKED.headerBytes(plain.length);
      expect(framed.subarray(0, header).every((byte) => byte === 0xee)).toBe(true);
      expect(framed.subarray(header).equals(plain)).toBe(true);
    });

    it.each([
      ['no list', {}],
      ['an empty list', []],
      ['a number', 1],
      ['args that are no list', [48, 1, {}, 'a.b', {}]],
      ['args that are null', [48, 1, {}, 'a.b', null]],
      ['kwargs that are no dictionary', [48, 1, {}, 'a.b', [], []]],
      ['kwargs that are null', [48, 1, {}, 'a.b', [], null]],
      ['too many elements', [48, 1, {}, 'a.b', [], {}, 1]],
      ['an unknown type', [99, 1]],
      ['a message of routers', [36, 1, 1, {}]],
      ['a name of Object.prototype as type', ['constructor', 1]],
    ])('refuses %s', (_what, value) => {
      expect(() => serializer.decode(write(value as unknown[]))).toThrow(ProtocolViolation);
    });

    it('builds no more than 256 KiB of what stands before the payload', () => {
      const ids = (count: number): number[] => Array.from({ length: count }, () => 1234567890123456);
      expect(decode(16, 1, { exclude: ids(10_000) }, 'a.b', ['x'.repeat(300_000)])).toMatchObject({ topic: 'a.b' });
      expect(() => decode(16, 1, { exclude: ids(40_000) }, 'a.b', ['x'])).toThrow(
        'a message may have at most 262144 bytes before its payload',
      );
    });

    /** All that may be read of a message, or that it is none. */
    const outcome = (message: () => m.ClientMessage): unknown => {
      try {
        const read = message();
        if (!('payload' in read)) return read;
        const payload = read.payload === NO_PAYLOAD ? 'none' : serializer.encode(eventOf(read.payload), UNFRAMED);
        return { ...read, payload };
      } catch (error) {
        if (error instanceof ProtocolViolation) return 'violation';
        throw error;
      }
    };
    const eventOf = (payload: m.Publish['payload']): m.Event => {
      return { type: m.EVENT, subscription: 1, publication: 2, details: {}, payload, frames: [] };
    };

    it.runIf(serializer.takeApart !== undefined)('finds the same when another thread takes a message apart', () => {
      let seed = 1;
      const random = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
      const payloads = [
        [],
        [[]],
        [[], {}],
        [['x', 1, 'ü€😀', [{}], null], { k: [1.5, { z: '\n"' }] }],
        [[1], {}],
        [[], { y: 1 }],
      ];
      const messages = payloads.flatMap((rest) => [
        [16, 7, { exclude: [1, 2] }, 'com.ünï', ...rest],
        [48, 1, {}, 'a.b', ...rest],
        [70, 1, {}, ...rest],
      ]);
      const others: object[] = [];
      for (const bytes of [...messages, [6, {}, 'a.b'], [1, 'r', { roles: {} }], [], {}].map((value) =>
        write(value as unknown[]),
      )) {
        for (let round = 0; round < 100; round++) {
          const changed = Buffer.from(bytes);
          if (round > 0) changed[random(bytes.length)] = random(256);
          if (!serializer.binary && !isUtf8(changed)) continue;
          const given = Buffer.from(changed);
          const found = outcome(() => {
            const parts = structuredClone(serializer.takeApart?.(given));
            if (parts === undefined || serializer.putTogether === undefined)
              throw new TypeError('it has one half only');
            return serializer.putTogether(given, parts);
          });
          const expected = outcome(() => serializer.decode(changed));
          if (!isDeepStrictEqual(found, expected)) others.push({ bytes: given.toString('hex'), found, expected });
        }
      }
      expect(others).toEqual([]);
    });

    it('refuses bytes that end too early', () => {
      const whole = write([48, 1, { timeout: 5 }, 'a.b', ['x'], { k: [1] }]);
      for (let end = 0; end < whole.length; end++) {
        expect(() => serializer.decode(Buffer.from(whole.subarray(0, end)))).toThrow(ProtocolViolation);
      }
    });
  });
}
