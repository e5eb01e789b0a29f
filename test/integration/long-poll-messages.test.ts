/** Large messages over long-poll, with the real daemon: in every serializer, both ways, and those that are too large. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BUILT } from '../support/built.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { LongPollClient } from '../support/long-poll-client.js';
import { nodeConfig } from '../support/node-config.js';

const MIB = 1024 * 1024;
const TOPIC = 'com.example.large';
const LIMIT = 8 * MIB;

let daemon: Daemon;
const open: LongPollClient[] = [];
beforeAll(async () => {
  const options = { max_message_size: LIMIT };
  daemon = await startDaemon({ config: nodeConfig({ paths: { lp: { type: 'longpoll', options } } }) });
});
afterAll(() => daemon.dispose());
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});

type Options = Partial<Parameters<typeof LongPollClient.connect>[0]>;

async function connect(options: Options = {}): Promise<LongPollClient> {
  const client = await LongPollClient.connect({ port: daemon.port, path: '/lp', ...options });
  open.push(client);
  return client;
}

async function join(options?: Options): Promise<LongPollClient> {
  const client = await connect(options);
  await client.hello();
  return client;
}

/** Equal, without a difference of megabytes in the report. */
const same = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

const ROWS = BUILT.serializers.flatMap((serializer) => [
  { serializer, batched: false },
  { serializer, batched: true },
]);

describe.each(ROWS)('in $serializer, batched: $batched', (row) => {
  // Below and above what is taken apart in a thread, and more than a socket takes at once.
  it.each([70_000, 300_000, 5 * MIB])(
    '%d octets go both ways, in their place between small messages',
    async (octets) => {
      const [publisher, subscriber] = [await join(row), await join(row)];
      const [, , subscription] = await subscriber.ask([32, 1, {}, TOPIC]);
      await subscriber.ask([64, 2, {}, 'com.example.echo']);
      const args = ['é', 'x'.repeat(octets), [1.5]];
      const id = expect.any(Number) as number;
      publisher.send([16, 1, {}, TOPIC, ['before']]);
      publisher.send([16, 2, {}, TOPIC, args]);
      publisher.send([16, 3, {}, TOPIC, ['behind']]);
      expect(await subscriber.next()).toEqual([36, subscription, id, {}, ['before']]);
      expect(same((await subscriber.next())[4], args)).toBe(true);
      expect(await subscriber.next()).toEqual([36, subscription, id, {}, ['behind']]);
      publisher.send([48, 4, {}, 'com.example.echo', args]);
      const [type, request, , , received] = await subscriber.next();
      expect(type).toBe(68);
      subscriber.send([70, request, {}, received]);
      expect(same(await publisher.next(), [50, 4, {}, args])).toBe(true);
    },
  );
});

describe('a message that is too large', () => {
  it('ends the session with 413; its size is what counts, and the others go on', async () => {
    const [client, other] = [await join(), await join()];
    const message = (octets: number): string => `[16,1,{"acknowledge":true},"${TOPIC}",["${'x'.repeat(octets)}"]]`;
    const frame = message(0).length;
    client.pause();
    expect((await client.request('send', message(LIMIT - frame))).status).toBe(204);
    const { status, body } = await client.request('send', message(LIMIT - frame + 1));
    expect([status, body.toString()]).toEqual([413, expect.stringContaining(`more than ${LIMIT} bytes`)]);
    // What was sent before is still there to be fetched; then the session is over.
    await daemon.waitForLog('message too large, connection closed');
    expect((await other.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
  });

  it('of a stranger gets ABORT besides, from 64 KiB on', async () => {
    const client = await connect();
    const hello = JSON.stringify([1, 'realm1', { roles: { caller: {} }, authextra: { x: 'x'.repeat(65_536) } }]);
    expect((await client.request('send', hello)).status).toBe(413);
    expect((await client.next()).slice(0, 3)).toEqual([3, expect.anything(), 'wamp.error.protocol_violation']);
  });
});
