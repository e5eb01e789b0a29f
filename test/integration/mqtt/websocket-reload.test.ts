/** MQTT over WebSockets while the config changes: connections and kept clients stay with the path, and go with it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import mqtt from 'mqtt';
import type { IClientOptions, MqttClient } from 'mqtt';
import { openRealm } from '../../support/node-config.js';
import { onceOf } from '../../support/mqtt-clients.js';
import { endpointAt, ReloadedDaemon } from '../../support/reloading.js';
import { within } from '../../support/wamp-client.js';

const config =
  (services: object) =>
  ([web = 0]: readonly number[]): object => ({
    version: 2,
    workers: [
      {
        type: 'router',
        realms: [openRealm('realm1')],
        transports: [
          { type: 'web', endpoint: endpointAt(web), paths: { '/': { type: 'json', value: 'here' }, ...services } },
        ],
      },
    ],
  });

const service = (options: object = {}): object => ({
  mqtt: { type: 'mqtt', options: { realm: 'realm1', ...options } },
});

let node: ReloadedDaemon;
beforeAll(async () => {
  node = await ReloadedDaemon.start(config(service()), { portCount: 1 });
});
afterAll(() => node.dispose());

const take = (services: object) => node.take(config(services)(node.ports));

const connectNow = (options: IClientOptions = {}): MqttClient =>
  mqtt.connect(`ws://127.0.0.1:${node.ports[0] ?? 0}/mqtt`, { reconnectPeriod: 0, ...options });

async function connect(options: IClientOptions = {}): Promise<MqttClient> {
  const client = connectNow(options);
  await within(onceOf(client, 'connect'), 'CONNACK');
  return client;
}

it('a new config holds for new connections; the others, and clients that are away, stay', async () => {
  const away = await connect({ clientId: 'away', clean: false });
  await away.subscribeAsync('kept', { qos: 1 });
  await away.endAsync();
  const before = await connect();
  expect(await before.subscribeAsync('a', { qos: 2 })).toMatchObject([{ qos: 2 }]);

  await take(service({ max_qos: 1 }));
  const after = await connect();
  expect(await after.subscribeAsync('a', { qos: 2 })).toMatchObject([{ qos: 1 }]);
  const got = onceOf(before, 'message');
  await after.publishAsync('a', 'hello', { qos: 1 });
  expect((await within(got, 'message'))[0]).toBe('a');
  await before.publishAsync('kept', 'while you were away', { qos: 1 });

  const back = connectNow({ clientId: 'away', clean: false });
  const kept = onceOf(back, 'message');
  const [connack] = (await within(onceOf(back, 'connect'), 'CONNACK')) as [{ sessionPresent: boolean }];
  expect(connack.sessionPresent).toBe(true);
  expect(String((await within(kept, 'message'))[1])).toBe('while you were away');
  await Promise.all([before, after, back].map((client) => client.endAsync()));
});

it('a client of the old config gives way to one of the new with the same id', async () => {
  const old = await connect({ clientId: 'same' });
  await take(service({ max_inflight: 10 }));
  const closed = onceOf(old, 'close');
  const next = await connect({ clientId: 'same' });
  await within(closed, 'close');
  await next.endAsync();
});

it('a path that goes ends its connections', async () => {
  const client = await connect();
  const closed = onceOf(client, 'close');
  await take({});
  await within(closed, 'close');
  await take(service());
  await (await connect()).endAsync();
});
