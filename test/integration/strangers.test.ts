/**
 * What strangers can do to a node by connecting alone, and by being sent what they do not take: descriptors, memory and log are
 * not theirs to fill, and whoever means it gets in.
 */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { itNeeds } from '../support/needs.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { placeOf, rawFrame, RawSocketClient, RawSocketWire } from '../support/rawsocket-client.js';
import { ALL_ROLES, rawHttp, upgradeLines, WampClient } from '../support/wamp-client.js';

const open: Socket[] = [];
afterEach(() => open.splice(0).forEach((socket) => socket.destroy()));

/** A connection that says nothing, or only the beginning of something. */
async function stranger(port: number, says = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  open.push(socket);
  // A reset is an end, too.
  await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  if (says !== '') socket.write(says);
  return socket;
}

describe('a node that may have 80 files open', () => {
  let daemon: Daemon;
  beforeAll(async () => {
    const rawsocket = { type: 'rawsocket', id: 'raw', endpoint: LOOPBACK };
    daemon = await startDaemon({ config: nodeConfig({ transports: [rawsocket] }), openFiles: 80 });
  });
  afterAll(async () => {
    const faults = daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal');
    await daemon.dispose();
    expect(faults).toEqual([]);
  });

  it.each([
    ['say nothing', ''],
    ['send half of their headers', 'GET / HTTP/1.1\r\nHost: x\r\n'],
    ['have asked for something once', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ])('lets everybody in who means it while 150 others %s', async (_what, says) => {
    for (let i = 0; i < 150; i++) await stranger(daemon.port, says);
    const client = await WampClient.join(daemon.url('/ws', 'ws'));
    for (let i = 0; i < 150; i++) await stranger(daemon.port, says);
    expect(await client.ask([48, 1, {}, 'wamp.session.count', []])).toMatchObject([50, 1, {}, [1]]);
    await client.leave();
  });

  it('says in the log what to do, once', async () => {
    const isFull = ({ msg }: { msg: string }): boolean => msg.startsWith('no place for another connection');
    expect(await daemon.waitForLog(isFull)).toMatchObject({
      level: 'warn',
      limit: 27,
      address: '127.0.0.1',
      advice: expect.stringContaining('ulimit -n') as string,
    });
    expect(daemon.logs.filter(isFull)).toHaveLength(1);
  });

  it('refuses the next one when all are in use', async () => {
    const url = String(daemon.listening().find((record) => record['transport'] === 'raw')?.['url']);
    // Strangers of the tests before may still be on their way in, one after the other, and take the place of who is not in yet.
    const last = await stranger(daemon.port, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(last, 'data');
    const clients: RawSocketClient[] = [];
    for (let i = 0; i < 27; i++) clients.push(await RawSocketClient.join(url));
    const socket = await stranger(daemon.port);
    if (!socket.destroyed) await once(socket.resume(), 'close');
    expect(await clients[0]?.ask([48, 1, {}, 'wamp.session.count', []])).toMatchObject([50, 1, {}, [27]]);
    await daemon.waitForLog(({ msg }) => msg === 'no place for another connection: it was closed');
    await Promise.all(clients.map((client) => client.leave()));
  });
});

describe('a node', () => {
  let daemon: Daemon;
  const rawUrl = (): string => String(daemon.listening().find((record) => record['transport'] === 'raw')?.['url']);
  beforeAll(async () => {
    const rawsocket = { type: 'rawsocket', id: 'raw', endpoint: LOOPBACK };
    const pingless = { type: 'websocket', id: 'pingless', endpoint: LOOPBACK, options: { auto_ping_interval: 0 } };
    const patient = { ...pingless, id: 'patient', options: { open_handshake_timeout: 0 } };
    daemon = await startDaemon({ config: nodeConfig({ transports: [rawsocket, pingless, patient] }) });
  });
  afterAll(() => daemon.dispose());

  itNeeds('/proc/net/tcp', existsSync('/proc/net/tcp'))(
    'has the system ask after peers that are silent where nothing else ends a connection: who vanished is missed',
    async () => {
      const timerOf = async (at: number, { localPort }: Socket): Promise<string> => {
        const [here, there] = [at, Number(localPort)].map(
          (end) => `0100007F:${end.toString(16).toUpperCase().padStart(4, '0')}`,
        );
        for (;;) {
          const found = readFileSync('/proc/net/tcp', 'utf8')
            .split('\n')
            .map((line) => line.trim().split(/\s+/))
            .find(([, local, remote]) => local === here && remote === there)?.[5];
          if (found !== undefined) return found;
          await new Promise(setImmediate);
        }
      };
      const portOf = (id: string): number =>
        Number(new URL(String(daemon.listening().find(({ transport }) => transport === id)?.['url'])).port);
      const upgrade = (path: string): string => [...upgradeLines(path), '', ''].join('\r\n');
      const { port: raw } = placeOf(rawUrl()) as { port: number };
      const [pingless, patient] = [portOf('pingless'), portOf('patient')];
      for (const [at, says] of [
        [raw, ''],
        [pingless, upgrade('/')],
        [patient, ''],
      ] as const) {
        const socket = await stranger(at, says);
        if (says !== '') await once(socket, 'data');
        // 02: keep-alive; its time is in hundredths of a second.
        await expect.poll(async () => (await timerOf(at, socket)).split(':')[0]).toBe('02');
        expect(Number.parseInt((await timerOf(at, socket)).split(':')[1] ?? '', 16)).toBeLessThanOrEqual(6000);
      }
      // Pings and time limits do the same, at no cost for each connection.
      const pinged = await stranger(daemon.port, upgrade('/ws'));
      await once(pinged, 'data');
      await expect.poll(async () => (await timerOf(daemon.port, pinged)).split(':')[0]).toBe('00');
    },
  );

  it('writes one line when many messages are too large for a client', async () => {
    const small = await RawSocketClient.connect(rawUrl(), { lengthNibble: 1 });
    await small.hello('realm1', { roles: { subscriber: {} } });
    for (let i = 0; i < 50; i++)
      await small.ask([32, i + 1, { match: 'prefix' }, 'com.example.'.slice(0, i % 12 || 12)]);
    const publisher = await WampClient.join(daemon.url('/ws', 'ws'));
    for (let i = 1; i <= 20; i++) {
      await publisher.ask([16, i, { acknowledge: true }, 'com.example.topic', ['x'.repeat(2000)]]);
    }
    const isDrop = ({ msg }: { msg: string }): boolean => msg === 'message dropped';
    expect(await daemon.waitForLog(isDrop)).toMatchObject({ level: 'warn', messageType: 36 });
    expect(daemon.logs.filter(isDrop)).toHaveLength(1);
    await Promise.all([small, publisher].map((client) => client.leave()));
  });

  it.each([
    ['of nothing', 0],
    ['of one byte', 1],
  ])('a message in pieces without end, each %s, is not waited for', async (_what, bytes) => {
    const { socket } = await rawHttp(daemon.port, upgradeLines('/ws', ['Sec-WebSocket-Protocol: wamp.2.json']));
    open.push(socket);
    const piece = (first: number, text: string): Buffer =>
      Buffer.concat([Buffer.from([first, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]);
    const received: Buffer[] = [];
    const welcome = once(
      socket.removeAllListeners('data').on('data', (data: Buffer) => received.push(data)),
      'data',
    );
    // With a session nothing else ends it.
    socket.write(piece(0x81, JSON.stringify([1, 'realm1', { roles: { caller: {} } }])));
    await welcome;
    const closed = once(socket, 'close');
    socket.write(Buffer.concat([piece(1, '['), ...Array.from({ length: 5000 }, () => piece(0, '1'.repeat(bytes)))]));
    await closed;
    const farewell = Buffer.concat(received).subarray(-40);
    const text = 'the message comes in too many pieces';
    expect(farewell.toString('latin1')).toBe(`\x88${String.fromCharCode(text.length + 2)}\x03\xf0${text}`);
  });

  it('a message in a thousand pieces is one', async () => {
    const { socket } = await rawHttp(daemon.port, upgradeLines('/ws', ['Sec-WebSocket-Protocol: wamp.2.json']));
    open.push(socket);
    const hello = Buffer.from(JSON.stringify([1, 'realm1', { roles: ALL_ROLES }]).padEnd(1000));
    const pieces = [...hello].map((byte, i) =>
      Buffer.from([(i === 0 ? 1 : 0) | (i === hello.length - 1 ? 0x80 : 0), 0x81, 0, 0, 0, 0, byte]),
    );
    const answer = once(socket.removeAllListeners('data'), 'data');
    socket.write(Buffer.concat(pieces));
    expect(String(await answer)).toContain('[2,');
  });

  it('HELLO and GOODBYE in a loop: no more than ten sessions of a connection in a second, none of them lost', async () => {
    const wire = await RawSocketWire.open(placeOf(rawUrl()));
    wire.write(Buffer.from('7ff10000', 'hex'));
    await wire.read(4);
    const said = [
      [1, 'realm1', { roles: ALL_ROLES }],
      [6, {}, 'wamp.close.normal'],
    ].map((message) => rawFrame(0, Buffer.from(JSON.stringify(message))));
    wire.write(Buffer.concat(Array.from({ length: 25 }, () => said).flat()));
    const ids = new Set<unknown>();
    for (let i = 0; i < 50; i++) {
      const frame = await wire.frame();
      const [type, id] = JSON.parse(String(frame?.payload)) as unknown[];
      expect(type).toBe(i % 2 === 0 ? 2 : 6);
      if (type === 2) ids.add(id);
    }
    wire.socket.destroy();
    const linesOf = (text: string) => daemon.logs.filter(({ msg, sessionId }) => msg === text && ids.has(sessionId));
    await daemon.waitForLog(() => linesOf('session left').length === 25);
    const joined = linesOf('session joined');
    expect(joined).toHaveLength(25);
    const times = joined.map((record) => Date.parse(String(record['time'])));
    for (let i = 10; i < times.length; i++) expect(Number(times[i]) - Number(times[i - 10])).toBeGreaterThan(900);
  });
});
