/** Traces go through the daemon: in every serializer, from the client libraries, and from programs behind the HTTP bridge. */
import autobahn from 'autobahn';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Wampy } from 'wampy';
import { WebSocket } from 'ws';

import type { AnySerializerName } from '../support/codec.js';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { WampClient, within } from '../support/wamp-client.js';
import type { JoinedClient } from '../support/wamp-client.js';

const PARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const STATE = 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE';
const TRACE = { _traceparent: PARENT, _tracestate: STATE };
const SERIALIZERS: readonly AnySerializerName[] = ['json', 'msgpack', 'cbor', 'ubjson'];
const PROCEDURE = 'com.example.procedure';
const TOPIC = 'com.example.topic';

let node: Daemon;

beforeAll(async () => {
  const all = { call: true, register: true, publish: true, subscribe: true };
  const roles = [
    { name: 'anonymous', permissions: [{ uri: 'com.example.*', allow: all }] },
    { name: 'closed', permissions: [] },
  ];
  const service = { realm: 'realm1', role: 'anonymous' };
  node = await startDaemon({
    config: nodeConfig({
      realms: [{ name: 'realm1', roles }],
      websocket: { serializers: SERIALIZERS },
      paths: {
        publish: { type: 'publisher', ...service },
        call: { type: 'caller', ...service },
        hook: { type: 'webhook', ...service, options: { topic: TOPIC } },
      },
    }),
  });
});
afterAll(() => node.dispose());

async function join(serializer: AnySerializerName = 'json'): Promise<JoinedClient> {
  const client = await WampClient.join(node.url('/ws', 'ws'), 'realm1', { serializer });
  onTestFinished(async () => {
    await client.drop();
  });
  return client;
}

/** A client that has the topic and the procedure of this file until the test ends. */
async function receiver(serializer?: AnySerializerName): Promise<JoinedClient> {
  const client = await join(serializer);
  expect((await client.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
  expect((await client.ask([64, 2, {}, PROCEDURE]))[0]).toBe(65);
  return client;
}

/** The details of the next INVOCATION, which is answered, or EVENT. */
async function nextDetails(client: JoinedClient): Promise<unknown> {
  const [type, request, , details] = await client.next();
  if (type === 68) client.send([70, request, {}]);
  return details;
}

describe.each(SERIALIZERS)('a sender in %s', (from) => {
  it.each(SERIALIZERS)(
    'and a receiver in %s: details say what options said, and nothing that is no trace',
    async (to) => {
      const [sender, client] = [await join(from), await receiver(to)];
      sender.send([48, 1, { ...TRACE, _other: 1 }, PROCEDURE]);
      expect(await nextDetails(client)).toEqual(TRACE);
      sender.send([48, 2, { _traceparent: 'x', _tracestate: STATE }, PROCEDURE]);
      expect(await nextDetails(client)).toEqual({});
      sender.send([16, 3, { acknowledge: true, ...TRACE }, TOPIC]);
      expect(await nextDetails(client)).toEqual(TRACE);
      await client.leave();
    },
  );
});

describe('the trace of', () => {
  it('autobahn-js', async () => {
    const client = await receiver();
    const connection = new autobahn.Connection({ url: node.url('/ws', 'ws'), realm: 'realm1', max_retries: 0 });
    const session = await within(
      new Promise<autobahn.Session>((resolve) => {
        connection.onopen = resolve;
        connection.open();
      }),
      'session of autobahn-js',
    );
    onTestFinished(() => connection.close());
    void session.call(PROCEDURE, [], {}, TRACE);
    expect(await nextDetails(client)).toEqual(TRACE);
    void session.publish(TOPIC, [], {}, { acknowledge: true, ...TRACE });
    expect(await nextDetails(client)).toEqual(TRACE);
    await client.leave();
  });

  it('wampy', async () => {
    const client = await receiver();
    const wampy = new Wampy(node.url('/ws', 'ws'), { realm: 'realm1', autoReconnect: false, ws: WebSocket as never });
    await within(wampy.connect(), 'session of wampy');
    onTestFinished(async () => {
      await wampy.disconnect();
    });
    void wampy.call(PROCEDURE, null, TRACE);
    expect(await nextDetails(client)).toMatchObject(TRACE);
    await wampy.publish(TOPIC, null, TRACE);
    expect(await nextDetails(client)).toEqual(TRACE);
    await client.leave();
  });

  it.each([
    ['publisher', '/publish', { topic: TOPIC }],
    ['caller', '/call', { procedure: PROCEDURE }],
    ['webhook', '/hook', {}],
  ])('a program at the service %s', async (_service, path, body) => {
    const client = await receiver();
    const post = async (headers: Readonly<Record<string, string>>): Promise<unknown> => {
      const options = { method: 'POST', body: JSON.stringify(body), headers };
      const response = fetch(node.url(path), options);
      const details = await nextDetails(client);
      expect((await response).ok).toBe(true);
      return details;
    };
    const json = { 'Content-Type': 'application/json' };
    expect(await post({ ...json, traceparent: PARENT, tracestate: STATE })).toEqual(TRACE);
    expect(await post({ ...json, traceparent: `${PARENT}0`, tracestate: STATE })).toEqual({});
    expect(await post({ ...json, tracestate: STATE })).toEqual({});
    await client.leave();
  });

  it('a call that is denied is in the log', async () => {
    const client = await join();
    expect((await client.ask([48, 1, TRACE, 'org.example.closed']))[0]).toBe(8);
    expect(await node.waitForLog('action denied')).toMatchObject({ uri: 'org.example.closed', trace: PARENT });
  });
});
