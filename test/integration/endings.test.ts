/** Connections that the node ends: the log and the close frame say who ended them, and why. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon, LogRecord } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { rawFrame, RawSocketClient, RawSocketWire } from '../support/rawsocket-client.js';
import { WampClient } from '../support/wamp-client.js';

const SMALL = { max_message_size: 1024 };
const SMALL_FRAMES = { max_frame_size: 512, max_message_size: 1024 };
const HASTY = { hello_timeout: 1000 };
const PINGING = { auto_ping_interval: 1000, auto_ping_timeout: 1000 };
const TICKET = { ticket: { type: 'static', principals: { joe: { ticket: 'x', role: 'anonymous' } } } };

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({
    config: nodeConfig({
      websocket: { options: SMALL },
      paths: {
        frames: { type: 'websocket', options: { ...SMALL_FRAMES, compression: { deflate: {} } } },
        wide: { type: 'websocket', options: { max_frame_size: 300_000, max_message_size: 1_000_000 } },
        hasty: { type: 'websocket', options: HASTY },
        pinging: { type: 'websocket', options: PINGING },
        late: { type: 'websocket', options: { authenticate_timeout: 1000 }, auth: TICKET },
      },
      transports: [
        { type: 'websocket', id: 'dropping', endpoint: LOOPBACK, options: { ...SMALL_FRAMES, fail_by_drop: true } },
        { type: 'rawsocket', id: 'small', endpoint: LOOPBACK, options: SMALL },
        { type: 'rawsocket', id: 'hasty', endpoint: LOOPBACK, options: HASTY },
        { type: 'rawsocket', id: 'pinging', endpoint: LOOPBACK, options: PINGING },
      ],
    }),
  });
});
afterAll(() => daemon.dispose());

function place(id: string): { host: string; port: number } {
  const port = daemon.listening().find((record) => record['transport'] === id)?.['port'];
  return { host: '127.0.0.1', port: Number(port) };
}

const ofSession = (msg: string, sessionId: number): Promise<LogRecord> =>
  daemon.waitForLog((record) => record.msg === msg && record['sessionId'] === sessionId);

/** What lies below a WebSocket: no decent client would send such frames. */
const socketOf = (client: WampClient): Socket => (client.socket as unknown as { readonly _socket: Socket })._socket;

describe('a WebSocket', () => {
  it.each<[string, (client: WampClient) => void, number, string, string]>([
    [
      'a message that is too large',
      (client) => client.send('x'.repeat(1025)),
      1009,
      'the message is larger than max_message_size',
      'message too large, connection closed',
    ],
    [
      'text that is not UTF-8',
      (client) => client.socket.send(Buffer.from([0xff, 0xfe]), { binary: false }),
      1007,
      'a text message is not valid UTF-8',
      'message is not UTF-8, connection closed',
    ],
    [
      'a frame with a reserved bit',
      (client) => void socketOf(client).write(Buffer.from([0xc1, 0x80, 0, 0, 0, 0])),
      1002,
      'a frame breaks the protocol',
      'bad frame, connection closed',
    ],
  ])('%s', async (_what, offend, code, reason, line) => {
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    offend(client);
    expect(await client.closed).toEqual({ code, reason });
    expect(await ofSession(line, client.sessionId)).toMatchObject({
      level: 'warn',
      peer: expect.stringContaining('127.0.0.1') as string,
      transport: expect.any(String) as string,
      reason: expect.any(String) as string,
    });
    expect(await ofSession('session left', client.sessionId)).toMatchObject({ reason });
  });

  it('no HELLO in time: closed with 1008, without ABORT, which clients take for final', async () => {
    const client = await WampClient.connect(daemon.url('/hasty', 'ws'));
    await expect(client.next()).rejects.toThrow("closed with 1008 'no session within 1000 ms'");
    expect(await daemon.waitForLog('no session in time, connection closed')).toMatchObject({ level: 'info' });
  });

  it('no answer to a challenge in time: ABORT, because somebody waits for the verdict', async () => {
    const client = await WampClient.connect(daemon.url('/late', 'ws'));
    client.send([1, 'realm1', { authmethods: ['ticket'], authid: 'joe', roles: { caller: {} } }]);
    expect((await client.next())[0]).toBe(4);
    expect((await client.next())[2]).toBe('wamp.error.timeout');
    expect((await client.closed).code).toBe(1008);
  });

  it('no pong', async () => {
    const client = await WampClient.join(daemon.url('/pinging', 'ws'), 'realm1', { autoPong: false });
    await ofSession('no pong, connection dropped', client.sessionId);
    expect(await ofSession('session left', client.sessionId)).toMatchObject({ reason: 'no answer to a ping' });
  });

  it('a message that is no WAMP', async () => {
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    client.send('{}');
    expect((await client.next())[0]).toBe(3);
    expect((await client.closed).code).toBe(1002);
    expect(await ofSession('session left', client.sessionId)).toMatchObject({
      reason: 'wamp.error.protocol_violation',
    });
  });
});

describe('max_frame_size', () => {
  it.each([false, true])('a larger frame is closed with 1009 (compression: %s)', async (deflate) => {
    const client = await WampClient.join(daemon.url('/frames', 'ws'), 'realm1', { deflate });
    client.socket.send('x'.repeat(513), { compress: false });
    const reason = 'the frame is larger than max_frame_size';
    expect(await client.closed).toEqual({ code: 1009, reason });
    expect(await ofSession('session left', client.sessionId)).toMatchObject({ reason });
    expect(await daemon.waitForLog('frame too large, connection closed')).toMatchObject({ level: 'warn' });
  });

  it('holds for frames of any size', async () => {
    const client = await WampClient.join(daemon.url('/wide', 'ws'));
    client.send([48, 1, {}, 'com.example.nobody', ['x'.repeat(290_000)]]);
    expect((await client.next())[0]).toBe(8);
    client.send('x'.repeat(400_000));
    expect(await client.closed).toEqual({ code: 1009, reason: 'the frame is larger than max_frame_size' });
  });

  it('is not for messages: pieces of that size may form a larger one', async () => {
    const client = await WampClient.join(daemon.url('/frames', 'ws'));
    const call = JSON.stringify([48, 1, {}, 'com.example.nobody', ['x'.repeat(600)]]);
    client.socket.send(call.slice(0, 512), { fin: false });
    client.socket.send(call.slice(512));
    expect((await client.next()).slice(0, 5)).toEqual([8, 48, 1, {}, 'wamp.error.no_such_procedure']);
  });
});

describe('fail_by_drop', () => {
  const cut = { code: 1006, reason: '' };
  const url = (): string => `ws://127.0.0.1:${place('dropping').port}/`;

  it.each<[string, (client: WampClient) => void, string]>([
    [
      'a message that is too large',
      (client) => {
        client.socket.send('x'.repeat(512), { fin: false });
        client.socket.send('x'.repeat(512), { fin: false });
        client.socket.send('x');
      },
      'message too large, connection closed',
    ],
    ['a frame that is too large', (client) => client.send('x'.repeat(513)), 'frame too large, connection closed'],
    [
      'a frame with a reserved bit',
      (client) => void socketOf(client).write(Buffer.from([0xc1, 0x80, 0, 0, 0, 0])),
      'bad frame, connection closed',
    ],
  ])('%s: the connection is cut without a close frame, and the log says why', async (_what, offend, line) => {
    const client = await WampClient.join(url());
    offend(client);
    expect(await client.closed).toEqual(cut);
    await daemon.waitForLog(line);
    await ofSession('session left', client.sessionId);
  });

  it('a message that is no WAMP: behind the ABORT', async () => {
    const client = await WampClient.join(url());
    client.send('{}');
    expect((await client.next())[2]).toBe('wamp.error.protocol_violation');
    expect(await client.closed).toEqual(cut);
  });

  it('who is refused has a close frame all the same', async () => {
    const client = await WampClient.connect(url());
    client.send([1, 'com.example.elsewhere', { roles: { caller: {} } }]);
    expect((await client.next())[0]).toBe(3);
    expect((await client.closed).code).toBe(1000);
  });
});

describe('a RawSocket', () => {
  it.each<[string, Buffer, string, string]>([
    [
      'a message that is too large',
      rawFrame(0, Buffer.alloc(0), 1025),
      'the message is larger than max_message_size',
      'message too large, connection closed',
    ],
    ['a reserved type', Buffer.from([7, 0, 0, 0]), 'a frame breaks the protocol', 'bad frame, connection closed'],
  ])('%s', async (_what, octets, reason, line) => {
    const client = await RawSocketClient.join(place('small'));
    client.wire.write(octets);
    await client.closed;
    expect(await ofSession(line, client.sessionId)).toMatchObject({ level: 'warn', transport: 'small' });
    expect(await ofSession('session left', client.sessionId)).toMatchObject({ reason, transport: 'small' });
    expect(await ofSession('session joined', client.sessionId)).toMatchObject({ transport: 'small' });
  });

  it('no HELLO in time: closed, without ABORT', async () => {
    const client = await RawSocketClient.connect(place('hasty'));
    await expect(client.next()).rejects.toThrow('closed');
    const isOurs = (record: LogRecord): boolean =>
      record.msg === 'no session in time, connection closed' && record['transport'] === 'hasty';
    expect(await daemon.waitForLog(isOurs)).toMatchObject({ reason: 'no session within 1000 ms' });
  });

  it('no pong', async () => {
    const client = await RawSocketClient.join(place('pinging'), 'realm1', { autoPong: false });
    await ofSession('no pong, connection dropped', client.sessionId);
    expect(await ofSession('session left', client.sessionId)).toMatchObject({ reason: 'no answer to a ping' });
  });

  it('a handshake that is refused', async () => {
    const wire = await RawSocketWire.open(place('small'));
    wire.write(Buffer.from('7ff9ffff', 'hex'));
    await wire.closed;
    expect(await daemon.waitForLog('rawsocket refused')).toMatchObject({ level: 'warn', transport: 'small' });
  });
});

it('strangers cannot fill the log with it', async () => {
  for (let i = 0; i < 20; i++) {
    const client = await WampClient.connect(daemon.url('/ws', 'ws'));
    client.send('x'.repeat(1025));
    await client.closed;
  }
  const lines = daemon.logs.filter(
    ({ msg, transport }) =>
      msg === 'message too large, connection closed' && transport !== 'small' && transport !== 'dropping',
  );
  expect(lines).toHaveLength(1);
});
