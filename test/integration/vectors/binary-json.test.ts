/**
 * Byte strings between serializers: a byte string of MessagePack or CBOR is NUL and Base64 for a JSON client, and back,
 * at any depth. The JSON side is compared as text, because that is what the rule is about.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT } from '../../support/built.js';
import type { Daemon } from '../../support/daemon.js';
import { startDaemon } from '../../support/daemon.js';
import { nodeConfig } from '../../support/node-config.js';
import { loadVectors } from '../../support/scenario.js';
import { WampClient } from '../../support/wamp-client.js';

const { samples, plain } = loadVectors('binary-json.json') as {
  readonly samples: readonly { readonly hex: string; readonly json_text: string }[];
  readonly plain: readonly string[];
};
const others = BUILT.serializers.filter((serializer) => serializer !== 'json');

it('has samples', () => expect([samples.length, plain.length]).toEqual([6, 4]));

describe.each(others)('between JSON and %s', (serializer) => {
  let daemon: Daemon;
  let json: WampClient;
  let binary: WampClient;
  let requestId = 0;
  beforeAll(async () => {
    daemon = await startDaemon({ config: nodeConfig() });
    json = await WampClient.join(daemon.url('/ws', 'ws'));
    binary = await WampClient.join(daemon.url('/ws', 'ws'), 'realm1', { serializer });
    await json.ask([32, 1, {}, 'com.example.bytes']);
    await binary.ask([32, 1, {}, 'com.example.bytes']);
    requestId = 1;
  });
  afterAll(() => daemon.dispose());
  const publish = (args: unknown, kwargs: unknown): readonly unknown[] => [
    16,
    ++requestId,
    {},
    'com.example.bytes',
    args,
    kwargs,
  ];

  it.each(samples)('$hex', async ({ hex, json_text }) => {
    const value = { $bin: hex };
    binary.send(publish([value, [value]], { k: { deep: [value] } }));
    const text = await json.nextText();
    const expected = `[${json_text},[${json_text}]],{"k":{"deep":[${json_text}]}}]`;
    expect(text.endsWith(expected), text).toBe(true);

    json.send(`[16,${++requestId},{},"com.example.bytes",[${json_text},[${json_text}]],{"k":{"deep":[${json_text}]}}]`);
    expect((await binary.next()).slice(4)).toEqual([[value, [value]], { k: { deep: [value] } }]);
  });

  it.each(plain)('%j stays a string', async (text) => {
    json.send(publish([text, [text]], {}));
    expect((await binary.next())[4]).toEqual([text, [text]]);
    binary.send(publish([text, [text]], {}));
    expect((await json.next())[4]).toEqual([text, [text]]);
  });
});
