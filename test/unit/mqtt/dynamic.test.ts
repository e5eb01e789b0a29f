/** Payloads that procedures make: order, time, and what waits meanwhile. */
import { describe, expect, it } from 'vitest';
import { MqttCounts } from '../../../src/metrics/mqtt-counts.js';
import { loadPacketCodec } from '../../../src/mqtt/packets/packet-codec.js';
import { DYNAMIC_TIMEOUT_MS, MAX_CALLS, dynamicMapping } from '../../../src/mqtt/payload/dynamic.js';
import type { PayloadMapping } from '../../../src/mqtt/payload/mapping.js';
import { mqttOptionsSchema } from '../../../src/mqtt/schema.js';
import type { MqttOptions } from '../../../src/mqtt/schema.js';
import { mqttDeps } from '../../../src/mqtt/transport-deps.js';
import { NO_PAYLOAD } from '../../../src/wamp/payload.js';
import { defaultsOf } from '../../support/mqtt-transport.js';
import { MqttWorld, settled } from '../../support/mqtt-world.js';

const codec = await loadPacketCodec('the test');

interface Call {
  readonly procedure: string;
  readonly text: string;
  readonly answer: (result: unknown) => void;
}

/** Calls that the test answers. */
function procedures(): { readonly calls: Call[]; readonly mapping: PayloadMapping } {
  const calls: Call[] = [];
  const mapping = dynamicMapping({
    ...{ encoder: 'enc', decoder: 'dec', uriOf: (topic) => topic },
    call: (procedure, [, , what]) =>
      new Promise((resolve) => {
        const text = Buffer.isBuffer(what) ? what.toString() : JSON.stringify(what);
        calls.push({ procedure, text, answer: (result) => resolve({ args: [result], kwargs: undefined }) });
      }),
  });
  return { calls, mapping };
}

describe('messages that wait for a procedure', () => {
  it('are published in their order, and acknowledged then', async () => {
    const { calls, mapping } = procedures();
    const world = new MqttWorld({ mappingOf: () => mapping });
    const sender = await world.connect('sender');
    const wamp = world.insider();
    wamp.tell(32, 1, {}, 'a');
    sender.publish('a', 'one', 1).publish('a', 'two', 1).publish('a', 'three', 1);
    expect(calls.map(({ text }) => text)).toEqual(['one', 'two', 'three']);
    calls[2]?.answer({ args: [3] });
    calls[1]?.answer('nonsense');
    await settled();
    expect(sender.got).toEqual(['connack 0']);
    calls[0]?.answer({ args: [1] });
    await settled();
    expect(sender.got).toEqual(['puback 1', 'puback 2', 'puback 3']);
    expect(world.counts.refusedMessages).toBe(1);
  });

  it('are published although their client has gone meanwhile', async () => {
    const { calls, mapping } = procedures();
    const world = new MqttWorld({ mappingOf: () => mapping });
    const watcher = world.insider();
    watcher.tell(32, 1, {}, 'a');
    const sender = await world.connect('sender');
    sender.publish('a', 'one', 0).leave();
    expect(world.sessions).toBe(2);
    calls[0]?.answer({ args: [1] });
    await settled();
    expect(watcher.heard().filter(([type]) => type === 36)).toHaveLength(1);
    expect(world.sessions).toBe(1);
  });

  it('are no more than 100, or a megabyte: then nothing more is read of their client', async () => {
    const { calls, mapping } = procedures();
    const world = new MqttWorld({ mappingOf: () => mapping });
    const many = await world.connect('many');
    for (let n = 0; n < 99; n += 1) many.publish('a', 'x');
    expect(many.isPaused).toBe(false);
    many.publish('a', 'x');
    expect(many.isPaused).toBe(true);
    for (const { answer } of calls.splice(0, 51)) answer({});
    await settled();
    expect(many.isPaused).toBe(false);
    const large = await world.connect('large');
    large.publish('a', 'x'.repeat(700_000)).publish('a', 'x'.repeat(700_000));
    expect(large.isPaused).toBe(true);
  });
});

describe('events that wait for a procedure', () => {
  it('come in their order, with one call for all who get them, and are dropped for nonsense', async () => {
    const { calls, mapping } = procedures();
    const world = new MqttWorld({ mappingOf: () => mapping });
    const clients = [await world.connect('one'), await world.connect('two'), await world.connect('gone')];
    for (const client of clients) client.subscribe(['a', 1]);
    const wamp = world.insider();
    for (const [index, text] of ['first', 'second', 'third'].entries()) wamp.tell(16, index + 1, {}, 'a', [text]);
    expect(calls.map(({ text }) => text)).toEqual(['["first"]', '["second"]', '["third"]']);
    clients[2]?.leave();
    calls[2]?.answer('3');
    calls[1]?.answer(5);
    await settled();
    calls[0]?.answer('1');
    await settled();
    for (const client of clients.slice(0, 2)) expect(client.got).toEqual(['connack 0', 'suback 1: 1', 'a 1', 'a 3']);
    expect(clients[2]?.got).toEqual(['connack 0', 'suback 1: 1']);
    expect(world.clients.size.clients).toBe(2);
  });

  it('are bounded for each client like all that waits for it, in number and in bytes', async () => {
    const { calls, mapping } = procedures();
    const world = new MqttWorld({ mappingOf: () => mapping, limits: { maxQueued: 3 } });
    const client = await world.connect('one');
    client.subscribe(['a', 1]);
    const sender = world.insider();
    for (let n = 0; n < 5; n += 1) sender.tell(16, n + 1, {}, 'a', [n]);
    for (const { text, answer } of calls) answer(text);
    await settled();
    expect(client.got.slice(2)).toEqual(['a [0]', 'a [1]', 'a [2]']);
  });

  it('are dropped when too many calls wait in all', async () => {
    const { calls, mapping } = procedures();
    const encoded = Array.from({ length: MAX_CALLS + 1 }, () => mapping.encode({ topic: 'a', payload: NO_PAYLOAD }));
    await expect(encoded.at(-1)).rejects.toThrow('too many calls of enc wait');
    expect(calls).toHaveLength(MAX_CALLS);
    calls[0]?.answer('done');
    await encoded[0];
    await settled();
    void mapping.encode({ topic: 'a', payload: NO_PAYLOAD });
    expect(calls).toHaveLength(MAX_CALLS + 1);
  });

  it('are dropped when the procedure has not answered in time', async () => {
    const world = new MqttWorld();
    const dynamic = { type: 'dynamic', encoder: 'enc', decoder: 'dec' } as const;
    const given = { realm: 'realm1', payload_mapping: { '': dynamic } };
    const options = { ...defaultsOf(mqttOptionsSchema), ...given } as unknown as MqttOptions;
    const { sessions } = world.deps;
    const { mappingOf } = mqttDeps(options, { sessions, codec, counts: new MqttCounts() });
    world.insider().tell(64, 1, {}, 'enc');
    const encoded = Promise.resolve(mappingOf('a')?.encode({ topic: 'a', payload: NO_PAYLOAD }));
    let failure: unknown;
    encoded.catch((error: unknown) => (failure = error));
    world.clock.advance(DYNAMIC_TIMEOUT_MS - 1);
    await settled();
    expect(failure).toBeUndefined();
    world.clock.advance(1);
    await settled();
    expect(failure).toMatchObject({ name: 'PayloadError', message: 'enc failed' });
    expect(world.clock.waiting).toBe(0);
  });
});
