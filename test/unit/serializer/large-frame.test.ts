import { describe, expect, it } from 'vitest';
import { LARGE_PAYLOAD_BYTES, LargeFrame } from '../../../src/serializer/large-frame.js';
import { serializers } from '../../support/serializers.js';
import type { Frame, Serializer } from '../../../src/serializer/serializer.js';
import { RAWSOCKET_FRAMING } from '../../../src/transport/rawsocket/framing.js';
import { websocketCodec } from '../../../src/transport/websocket/framing.js';
import { EVENT, PUBLISH } from '../../../src/wamp/message.js';
import type { Event } from '../../../src/wamp/message.js';
import type { Payload } from '../../../src/wamp/payload.js';
import { NO_PAYLOAD } from '../../../src/wamp/payload.js';
import { FORMATS } from '../../support/formats.js';

function eventOf(payload: Payload, subscription: number): Event {
  return { type: EVENT, subscription, publication: 2 ** 52, details: { topic: 'com.tëst' }, payload, frames: [] };
}

/** The payload of a publication as a client sends it. */
function payloadOf(type: string, text: string, batch = 1): Payload {
  const format = FORMATS.find((candidate) => candidate.type === type.replace('.batched', ''));
  const serializer = serializers.get(type.replace('.batched', ''));
  if (format === undefined || serializer === undefined) throw new Error(`no format ${type}`);
  const bytes = format.write([PUBLISH, 1, {}, 'com.example.topic', [text]]);
  const read = Buffer.alloc(bytes.length * batch);
  bytes.copy(read);
  const message = serializer.decode(read.subarray(0, bytes.length));
  return 'payload' in message ? message.payload : NO_PAYLOAD;
}

function wholeOf(frame: Frame): Buffer {
  return frame instanceof LargeFrame ? frame.joined() : frame;
}

const ALL = [...serializers].map(([type, serializer]) => ({ type, serializer }));

describe.each(ALL)('a large payload in $type', ({ type, serializer }) => {
  const framings = { WebSocket: websocketCodec(serializer, true).framing, RawSocket: RAWSOCKET_FRAMING };

  it.each([
    ['ASCII', 'x'],
    ['beyond ASCII', 'ü€'],
  ])('is in memory once, however many subscriptions match it (%s)', (_name, text) => {
    const payload = payloadOf(type, text.repeat(100_000));
    for (const framing of Object.values(framings)) {
      const [one, other] = [1, 2].map((id) => serializer.encodeShared(eventOf(payload, id), framing));
      if (!(one instanceof LargeFrame) || !(other instanceof LargeFrame)) throw new Error('not shared');
      expect(other.body).toBe(one.body);
      expect(one.head.length + (one.tail?.length ?? 0)).toBeLessThan(200);
      expect(one.head.buffer.byteLength).toBeLessThan(200);
      expect(one.length).toBe(one.joined().length);
      for (const [frame, id] of [
        [one, 1],
        [other, 2],
      ] as const) {
        expect(frame.joined().equals(serializer.encode(eventOf(payload, id), framing))).toBe(true);
      }
    }
  });

  it('is one frame, as ever, where it is small', () => {
    for (const payload of [NO_PAYLOAD, payloadOf(type, 'x'), payloadOf(type, 'x'.repeat(LARGE_PAYLOAD_BYTES - 100))]) {
      for (const framing of Object.values(framings)) {
        const frame = serializer.encodeShared(eventOf(payload, 1), framing);
        expect(frame).toBeInstanceOf(Buffer);
        expect(wholeOf(frame).equals(serializer.encode(eventOf(payload, 1), framing))).toBe(true);
      }
    }
  });

  it('does not keep the batch that it came in', () => {
    const payload = payloadOf(type, 'x'.repeat(20_000), 20);
    const frame = serializer.encodeShared(eventOf(payload, 1), RAWSOCKET_FRAMING);
    expect(frame).toBeInstanceOf(LargeFrame);
    if (frame instanceof LargeFrame) expect(frame.body.buffer.byteLength).toBeLessThan(80_000);
  });
});

describe('a large payload', () => {
  it('is translated and shared for the clients of another serializer', () => {
    const payload = payloadOf('json', 'x'.repeat(100_000));
    const msgpack = serializers.get('msgpack') as Serializer;
    const [one, other] = [1, 2].map((id) => msgpack.encodeShared(eventOf(payload, id), RAWSOCKET_FRAMING));
    expect(one instanceof LargeFrame && other instanceof LargeFrame && one.body === other.body).toBe(true);
  });
});
