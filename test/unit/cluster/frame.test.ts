/** Messages between nodes as bytes. */
import { expect, it } from 'vitest';

import { decodeFrame, encodeFrame } from '../../../src/cluster/frame.js';
import { passthroughMapping } from '../../../src/mqtt/payload/passthrough.js';
import { SERIALIZERS } from '../../../src/serializer/registry.js';
import { payloadOf } from '../../../src/wamp/payload.js';

it('a payload goes in its form', () => {
  const payload = SERIALIZERS.json.single.form?.write([[1], { a: 2 }]);
  const frame = decodeFrame(encodeFrame({ x: 1 }, payload));
  expect(frame).toMatchObject({ head: { x: 1, p: ['json', 1] }, payload: { args: [1], kwargs: { a: 2 } } });
});

it('what the router made goes in one that has all values', () => {
  expect(decodeFrame(encodeFrame({}, payloadOf([1])))).toMatchObject({ head: { p: ['msgpack', 1] } });
});

it('a payload of MQTT, whose form no other node knows, goes as a byte string, and is the same there', async () => {
  const { payload } = await passthroughMapping.decode({ topic: 'a', payload: Buffer.from([0, 255]) });
  const frame = decodeFrame(encodeFrame({}, payload));
  expect(frame?.head).toEqual({ p: ['msgpack', 1] });
  const there = frame?.payload ?? payloadOf([]);
  expect(await passthroughMapping.encode({ topic: 'a', payload: there })).toEqual(Buffer.from([0, 255]));
});
