/** How a node stops, as clients of long-poll see it: also those that are between two requests hear of it. */
import autobahn from 'autobahn';
import { Agent } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { XMLHttpRequest } from 'xhr2';
import { Drain } from '../../src/transport/drain.js';
import { EndpointServer } from '../../src/transport/endpoint.js';
import { HttpAcceptor } from '../../src/http/acceptor.js';
import { createWebService } from '../../src/webservice/registry.js';
import { SERIALIZERS } from '../../src/serializer/registry.js';
import { longPollOptionsSchema } from '../../src/transport/longpoll/schema.js';
import { silentLogger } from '../../src/log/logger.js';
import { Router } from '../../src/router/router.js';
import { startDaemon } from '../support/daemon.js';
import { httpRequest } from '../support/long-poll-client.js';
import type { HttpAnswer } from '../support/long-poll-client.js';
import type { PathServiceConfig } from '../../src/webservice/schema.js';
import { ALLOW_ALL as ANYBODY, FakeClock } from '../support/realm.js';
import { nodeConfig } from '../support/node-config.js';
import { jsonConfig, serviceDeps } from '../support/web.js';
import { within } from '../support/wamp-client.js';

const OPEN = JSON.stringify({ protocols: ['wamp.2.json'] });
const HELLO = '[1,"realm1",{"roles":{"caller":{}}}]';

const agents: Agent[] = [];
afterEach(() => {
  for (const agent of agents.splice(0)) agent.destroy();
});

/** A client that asks for one thing at a time, on one connection. */
async function joined(port: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  agents.push(agent);
  const sockets = new Set<Socket>();
  agent.on('free', (socket: Socket) => sockets.add(socket));
  const request = (method: string, path: string, body?: string): Promise<HttpAnswer> =>
    httpRequest({ port, host: '127.0.0.1', method, path, agent }, body);
  const opened = await request('POST', '/lp/open', OPEN);
  const { transport: id } = JSON.parse(opened.body.toString()) as { transport: string };
  const post = (word: string, body?: string) => request('POST', `/lp/${id}/${word}`, body);
  await post('send', HELLO);
  expect((JSON.parse((await post('receive')).body.toString()) as unknown[])[0]).toBe(2);
  return { request, post, sockets };
}

describe('while connections are closed one by one', () => {
  /** The end of the connections waits at the first one until it is let go. */
  async function stopping() {
    let letGo: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (letGo = resolve));
    let lastId = 0;
    const router = new Router([{ name: 'realm1', roles: [ANYBODY] }], {
      randomId: () => ++lastId,
      clock: Date.now,
      scheduler: new FakeClock(),
    });
    const log = silentLogger();
    let now = 0;
    const wait = async (ms: number): Promise<void> => {
      await gate;
      now += ms;
    };
    const drain = new Drain({ log, saysGoodbye: false, elapsed: () => now, wait, random: () => 0 });
    const options = Object.entries(longPollOptionsSchema.properties).flatMap(([key, schema]) =>
      'default' in schema ? [[key, schema.default] as const] : [],
    );
    const tree = {
      type: 'path',
      paths: {
        '/': jsonConfig(0),
        lp: { type: 'longpoll', serializers: Object.keys(SERIALIZERS), options: Object.fromEntries(options) },
      },
    } as unknown as PathServiceConfig;
    const http = new HttpAcceptor({
      root: createWebService(tree, serviceDeps({ router, drain, log })),
      log,
      http: {},
      dispatcher: { clock: Date.now, headers: {}, accessLog: false, displayTracebacks: false },
    });
    const endpoint = { type: 'tcp', port: 0, interface: '127.0.0.1', shared: false, backlog: 16 } as const;
    const server = new EndpointServer(endpoint, http, log);
    const bound = await server.start();
    const port = 'port' in bound ? bound.port : 0;
    const stop = (): { readonly stopped: Promise<void> } => {
      void drain.run();
      return { stopped: server.stop() };
    };
    return { port, stop, letGo };
  }

  it('a client between two polls is told by the next one, and nobody new comes in', async () => {
    const { port, stop, letGo } = await stopping();
    const [first, second] = [await joined(port), await joined(port)];
    const { stopped } = stop();
    for (const client of [first, second]) {
      const opened = await client.request('POST', '/lp/open', OPEN);
      expect([opened.status, opened.body.toString()]).toEqual([503, expect.stringContaining('shutting down')]);
      expect((await client.request('GET', '/')).status).toBe(503);
    }
    // The first one, or the second, is not closed yet: its poll waits until it is.
    const polls = [first.post('receive'), second.post('receive')];
    letGo();
    expect((await Promise.all(polls)).map(({ status }) => status)).toEqual([503, 503]);
    expect([first.sockets.size, second.sockets.size]).toEqual([1, 1]);
    await stopped;
  });

  it('what it sends meanwhile is not taken for done', async () => {
    const { port, stop, letGo } = await stopping();
    const client = await joined(port);
    const { stopped } = stop();
    letGo();
    expect((await client.post('send', '[48,1,{},"com.example.none"]')).status).toBe(503);
    expect((await client.post('receive')).status).toBe(503);
    await stopped;
  });

  it('other connections between two requests end at once', async () => {
    const { port, stop, letGo } = await stopping();
    const [, other] = [await joined(port), await joined(port)];
    const [idle, unused] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    await new Promise((resolve) => unused.once('connect', resolve));
    idle.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => idle.once('data', resolve));
    const ends = [idle, unused].map((socket) => new Promise((resolve) => socket.resume().once('close', resolve)));
    const { stopped } = stop();
    await within(Promise.all(ends), 'end of a connection that nobody uses');
    expect([...other.sockets].map(({ destroyed }) => destroyed)).toEqual([false]);
    letGo();
    await stopped;
  });
});

describe('with shutdown_goodbye', () => {
  const config = () => ({
    ...nodeConfig({ paths: { lp: { type: 'longpoll' } } }),
    controller: { options: { shutdown_goodbye: true } },
  });
  beforeAll(() => {
    autobahn.log.warn = () => undefined;
    Object.assign(globalThis, { XMLHttpRequest });
  });
  afterAll(() => Object.assign(globalThis, { XMLHttpRequest: undefined }));

  it('a client between two polls gets GOODBYE with the next one, answers and closes', async () => {
    const daemon = await startDaemon({ config: config() });
    const client = await joined(daemon.port);
    daemon.signal('SIGTERM');
    await daemon.waitForLog('closing connections');
    const { body } = await client.post('receive');
    expect(JSON.parse(body.toString())).toMatchObject([6, {}, 'wamp.close.system_shutdown']);
    expect((await client.post('send', '[6,{},"wamp.close.goodbye_and_out"]')).status).toBe(204);
    expect((await client.post('close')).status).toBe(204);
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    await daemon.dispose();
  });

  it('autobahn-js closes in order, and does not come back', async () => {
    const daemon = await startDaemon({ config: config() });
    const connection = new autobahn.Connection({
      realm: 'realm1',
      transports: [{ type: 'longpoll', url: daemon.url('/lp') }],
      max_retries: -1,
    });
    const opened = new Promise<void>((resolve) => (connection.onopen = () => resolve()));
    const closed = new Promise((resolve) => {
      connection.onclose = (reason, details) => {
        resolve([reason, details.reason, details.will_retry]);
        return true;
      };
    });
    connection.open();
    await within(opened, 'session of autobahn-js');
    daemon.signal('SIGTERM');
    expect(await within(closed, 'end of autobahn-js')).toEqual(['closed', 'wamp.close.system_shutdown', false]);
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    await daemon.dispose();
  });
});
