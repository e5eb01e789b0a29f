/** Batched subprotocols: what is in one WebSocket message is understood message by message, or the transport fails. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT } from '../../support/built.js';
import type { SerializerName } from '../../support/codec.js';
import { CODECS, joinBatch } from '../../support/codec.js';
import type { Daemon } from '../../support/daemon.js';
import { startDaemon } from '../../support/daemon.js';
import { nodeConfig } from '../../support/node-config.js';
import { loadVectors } from '../../support/scenario.js';
import { WampClient, within } from '../../support/wamp-client.js';

interface Sample {
  readonly name: string;
  readonly subprotocol: string;
  readonly hex: string;
  readonly messages?: readonly (readonly unknown[])[];
}

const { samples } = loadVectors('batched.json') as { readonly samples: readonly Sample[] };
const serializerOf = ({ subprotocol }: Sample): SerializerName => subprotocol.split('.')[2] as SerializerName;
const played = samples.filter((sample) => BUILT.batched.includes(serializerOf(sample)));

it('has samples', () => expect(samples).toHaveLength(9));

// With nothing built there is nothing to run.
describe.runIf(BUILT.batched.length > 0)('batches over a real WebSocket', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    daemon = await startDaemon({ config: nodeConfig() });
  });
  afterAll(() => daemon.dispose());
  const join = (serializer: SerializerName): Promise<WampClient> =>
    WampClient.join(daemon.url('/ws', 'ws'), 'realm1', { serializer, batched: true });

  it.each(played)('$name', async (sample) => {
    const client = await join(serializerOf(sample));
    expect(client.handshake.subprotocol).toBe(sample.subprotocol);
    client.sendRaw(Buffer.from(sample.hex, 'hex'));
    if (sample.messages === undefined) {
      const [type] = await client.next().catch(() => [3]);
      expect(type).toBe(3);
      const { code } = await within(client.closed, 'close after a broken batch');
      expect(code).not.toBe(1000);
      return;
    }
    for (const [type, requestId] of sample.messages) {
      expect((await client.next()).slice(0, 2)).toEqual([(type as number) + 1, requestId]);
    }
    await client.leave();
  });

  it.each(BUILT.batched)('a violation in the middle of a batch ends it, %s', async (serializer) => {
    const [watcher, offender] = [await join(serializer), await join(serializer)];
    await watcher.ask([32, 1, {}, 'com.example.batch']);
    const publish = (id: number): readonly unknown[] => [16, id, {}, 'com.example.batch', [id]];
    offender.sendRaw(joinBatch(CODECS[serializer], [publish(1), [99], publish(2)]));
    expect((await offender.next()).slice(0, 3)[2]).toBe('wamp.error.protocol_violation');
    expect((await watcher.next())[4]).toEqual([1]);
    await watcher.silent();
    await watcher.leave();
  });
});
