/** Lines that clients can cause as often as they like: one a minute of each kind, and at the end how many there were. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startDaemon } from '../support/daemon.js';
import type { Daemon, LogRecord } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { directoryWith } from '../support/node-directory.js';
import { RawSocketClient } from '../support/rawsocket-client.js';
import { WampClient } from '../support/wamp-client.js';

const COUNT = 6;
const MAX_UNSENT = 65_536;

const MODULES = {
  'users.mjs': `
    export const lying = () => 7;
    export const broken = () => { throw new Error('no database'); };`,
};

let daemon: Daemon;
beforeAll(async () => {
  const options = { max_unsent_bytes: MAX_UNSENT };
  const raw = { type: 'rawsocket', endpoint: LOOPBACK, options };
  const asking = (name: string) => ({ anonymous: { type: 'function', module: './users.mjs', name } });
  const paths = {
    lying: { type: 'websocket', auth: asking('lying') },
    broken: { type: 'websocket', auth: asking('broken') },
  };
  const config = nodeConfig({ websocket: { options }, paths, transports: [raw] });
  daemon = await startDaemon({ cbdir: directoryWith(MODULES), config });
});
afterAll(() => daemon.dispose());

const linesOf = (message: string): LogRecord[] => daemon.logs.filter(({ msg }) => msg === message);
const rawPlace = () => ({ port: Number(daemon.listening()[1]?.['port']), host: '127.0.0.1' });

/** Clients that subscribe and do not read, until the node has cut all of them. */
async function stuckClients(
  open: () => Promise<{ ask(message: readonly unknown[]): Promise<unknown[]> }>,
  pause: (client: never) => void,
) {
  for (let i = 0; i < COUNT; i++) {
    const client = await open();
    await client.ask([32, 1, {}, 'com.example.much']);
    pause(client as never);
  }
  const publisher = await WampClient.join(daemon.url('/ws', 'ws'));
  const filler = 'x'.repeat(32_768);
  for (let count = COUNT + 1; count > 1;) {
    publisher.send([16, 5, {}, 'com.example.much', [filler]]);
    const [, , , [left]] = (await publisher.ask([48, 6, {}, 'wamp.session.count'])) as [0, 0, 0, [number]];
    count = left;
  }
  await publisher.leave();
}

it('logins that the authenticator is to blame for are not a line for each', async () => {
  for (const path of ['/lying', '/broken']) {
    for (let i = 0; i < COUNT; i++) {
      const client = await WampClient.connect(daemon.url(path, 'ws'));
      const hello = [1, 'realm1', { roles: { caller: {} } }];
      expect((await client.ask(hello))[2]).toBe('wamp.error.authentication_failed');
      await client.closed;
    }
  }
  expect(linesOf('answer of an authenticator is none, client refused')).toHaveLength(1);
  expect(linesOf('authenticator failed, client refused')).toHaveLength(1);
});

it('protocol violations, and clients that do not read, are not a line for each connection', async () => {
  for (let i = 0; i < COUNT; i++) {
    const client = await WampClient.connect(daemon.url('/ws', 'ws'));
    expect((await client.ask([32, 1, {}, 'com.example.much']))[2]).toBe('wamp.error.protocol_violation');
    await client.closed;
  }
  await stuckClients(
    () => WampClient.join(daemon.url('/ws', 'ws')),
    ({ socket }: WampClient) => socket.pause(),
  );
  await stuckClients(
    () => RawSocketClient.join(rawPlace()),
    ({ wire }: RawSocketClient) => wire.socket.pause(),
  );
  await daemon.stop();
  // The first, and when the node stops the last.
  for (const message of ['answer of an authenticator is none', 'authenticator failed']) {
    expect(linesOf(`${message}, client refused`).map(({ omitted }) => omitted)).toEqual([undefined, COUNT - 2]);
  }
  expect(linesOf('protocol violation').map(({ omitted }) => omitted)).toEqual([undefined, COUNT - 2]);
  // For either transport.
  const cuts = linesOf('slow consumer disconnected');
  expect(cuts.map(({ omitted }) => omitted).sort()).toEqual([COUNT - 2, COUNT - 2, undefined, undefined]);
  for (const line of cuts) expect(line).toMatchObject({ level: 'warn', maxUnsentBytes: MAX_UNSENT });
});
