/** How a node stops, as its clients see it: they come back to the next one, and nothing is lost on the way. */
import autobahn from 'autobahn';
import { Wampy } from 'wampy';
import { WebSocket } from 'ws';
import { afterEach, describe, expect, it } from 'vitest';
import type { Daemon, DaemonOptions } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { mailbox } from '../support/mailbox.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { RawSocketClient } from '../support/rawsocket-client.js';
import { WampClient, within } from '../support/wamp-client.js';

// It tells of every connection that it lost.
autobahn.log.warn = () => undefined;

const running: Daemon[] = [];

async function started(options: DaemonOptions): Promise<Daemon> {
  const daemon = await startDaemon(options);
  running.push(daemon);
  return daemon;
}

/** Stops the daemon and starts it again on the same port. */
async function restarted(daemon: Daemon): Promise<Daemon> {
  const again = await daemon.restart();
  running.push(again);
  return again;
}

afterEach(async () => {
  await Promise.all(running.splice(0).map((daemon) => daemon.dispose()));
});

const PORT = { type: 'tcp', port: '$PORT', interface: '127.0.0.1' } as const;
const onSamePort = (parts = {}) => nodeConfig({ transport: { endpoint: PORT }, ...parts });
const RAW = { type: 'rawsocket', endpoint: LOOPBACK };

function rawPlace(daemon: Daemon): { host: string; port: number } {
  return { host: '127.0.0.1', port: Number(daemon.listening()[1]?.['port']) };
}

describe('a client comes back by itself after a restart', () => {
  it('autobahn-js', async () => {
    const daemon = await started({ config: onSamePort() });
    const joined = mailbox<number>();
    const lost = mailbox<string | null>();
    const connection = new autobahn.Connection({
      realm: 'realm1',
      url: daemon.url('/ws', 'ws'),
      max_retries: -1,
      initial_retry_delay: 0.05,
      max_retry_delay: 0.5,
      use_es6_promises: true,
    });
    connection.onopen = ({ id }) => joined.put(id);
    let isOver = false;
    connection.onclose = (_reason, { reason }) => {
      lost.put(reason);
      return isOver;
    };
    connection.open();
    const first = await joined.take();
    await restarted(daemon);
    expect(await joined.take()).not.toBe(first);
    // The reason of a GOODBYE.
    expect(await lost.take()).toBeNull();
    isOver = true;
    connection.close();
  });

  it('wampy', async () => {
    const daemon = await started({ config: onSamePort() });
    const reconnected = mailbox<true>();
    const client = new Wampy(daemon.url('/ws', 'ws'), {
      realm: 'realm1',
      ws: WebSocket as never,
      reconnectInterval: 50,
      maxRetries: 0,
      onReconnectSuccess: () => reconnected.put(true),
    });
    await client.connect();
    await restarted(daemon);
    await reconnected.take();
    await client.disconnect();
  });
});

describe('SIGTERM', () => {
  it('closes WebSockets with 1001 and RawSockets with the end of the connection, both without GOODBYE', async () => {
    const daemon = await started({ config: nodeConfig({ transports: [RAW] }) });
    const web = await WampClient.join(daemon.url('/ws', 'ws'));
    const raw = await RawSocketClient.join(rawPlace(daemon));
    daemon.signal('SIGTERM');
    await expect(web.next()).rejects.toThrow("closed with 1001 'the router is shutting down'");
    await expect(raw.next()).rejects.toThrow('closed');
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    const left = daemon.logs.filter(({ msg }) => msg === 'session left');
    expect(left.map(({ reason }) => reason)).toEqual(Array(2).fill('wamp.close.system_shutdown'));
  });

  it('with shutdown_goodbye says GOODBYE and waits for the answer', async () => {
    const config = { ...nodeConfig({ transports: [RAW] }), controller: { options: { shutdown_goodbye: true } } };
    const daemon = await started({ config });
    const web = await WampClient.join(daemon.url('/ws', 'ws'));
    const raw = await RawSocketClient.join(rawPlace(daemon));
    daemon.signal('SIGTERM');
    for (const client of [web, raw]) {
      expect(await client.next()).toMatchObject([6, {}, 'wamp.close.system_shutdown']);
      client.send([6, {}, 'wamp.close.goodbye_and_out']);
    }
    expect((await web.closed).code).toBe(1001);
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
  });

  it('lets a call in flight be answered: its caller leaves behind the answer, its callee last', async () => {
    const daemon = await started({ config: nodeConfig({ transports: [RAW] }) });
    const callee = await RawSocketClient.join(rawPlace(daemon));
    await callee.ask([64, 1, {}, 'com.example.slow']);
    const bystander = await WampClient.join(daemon.url('/ws', 'ws'));
    const caller = await WampClient.join(daemon.url('/ws', 'ws'));
    caller.send([48, 7, {}, 'com.example.slow']);
    const invocation = await callee.next();
    daemon.signal('SIGTERM');
    expect((await bystander.closed).code).toBe(1001);
    callee.send([70, invocation[1], {}, ['done']]);
    expect(await caller.next()).toEqual([50, 7, {}, ['done']]);
    expect((await caller.closed).code).toBe(1001);
    await callee.closed;
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    const left = daemon.logs.filter(({ msg }) => msg === 'session left').map(({ sessionId }) => sessionId);
    expect(left).toEqual([bystander.sessionId, caller.sessionId, callee.sessionId]);
  });

  it('does not wait for a callee that never answers', async () => {
    const daemon = await started({ config: nodeConfig() });
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    await client.ask([64, 1, {}, 'com.example.never']);
    client.send([48, 2, {}, 'com.example.never']);
    await client.next();
    daemon.signal('SIGTERM');
    expect((await client.closed).code).toBe(1001);
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
  });

  it('lets in nobody new while calls in flight hold it up', async () => {
    const daemon = await started({ config: onSamePort() });
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    await client.ask([64, 1, {}, 'com.example.never']);
    client.send([48, 2, {}, 'com.example.never']);
    await client.next();
    daemon.signal('SIGTERM');
    await daemon.waitForLog('closing connections');
    await expect(WampClient.connect(daemon.url('/ws', 'ws'))).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    await client.closed;
  });

  it('a client that is being authenticated hears no ABORT, which it would take for final', async () => {
    const websocket = { auth: { ticket: { type: 'static', principals: { joe: { ticket: 'x', role: 'anonymous' } } } } };
    const daemon = await started({ config: nodeConfig({ websocket }) });
    const client = await WampClient.connect(daemon.url('/ws', 'ws'));
    client.send([1, 'realm1', { authmethods: ['ticket'], authid: 'joe', roles: { caller: {} } }]);
    expect((await client.next())[0]).toBe(4);
    daemon.signal('SIGTERM');
    await expect(client.next()).rejects.toThrow('closed with 1001');
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
  });

  it('two hundred clients are gone at once, each with 1001', async () => {
    const daemon = await started({ config: nodeConfig() });
    const clients = await Promise.all(Array.from({ length: 200 }, () => WampClient.join(daemon.url('/ws', 'ws'))));
    daemon.signal('SIGTERM');
    const codes = await within(Promise.all(clients.map(async ({ closed }) => (await closed).code)), 'close');
    expect(codes).toEqual(Array(200).fill(1001));
    expect(await daemon.waitForLog('closing connections')).toMatchObject({ connections: 200, spreadMs: 200 });
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
  });
});
