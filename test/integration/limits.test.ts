/**
 * What a hostile or broken client can do to the daemon: nothing but lose its own connection. Each limit is set low here
 * and waited for by its effect; another client is served meanwhile.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { ALL_ROLES, rawHttp, upgradeLines, WampClient, within } from '../support/wamp-client.js';

const MAX_MESSAGE = 2048;
const HELLO = JSON.stringify([1, 'realm1', { roles: ALL_ROLES }]);

let daemon: Daemon;
let witness: WampClient;
beforeAll(async () => {
  const options = {
    hello_timeout: 1000,
    open_handshake_timeout: 1000,
    close_handshake_timeout: 1000,
    max_message_size: MAX_MESSAGE,
  };
  const pinging = { auto_ping_interval: 1000, auto_ping_timeout: 1000, auto_ping_size: 20 };
  daemon = await startDaemon({
    config: nodeConfig({
      websocket: { options },
      paths: {
        pinging: { type: 'websocket', options: pinging },
        slow: { type: 'websocket', options: { max_unsent_bytes: 1_048_576 } },
        narrow: { type: 'websocket', options: { max_unsent_bytes: 65_536 } },
      },
    }),
  });
});
afterAll(() => daemon.dispose());
beforeEach(async () => {
  witness = await WampClient.join(daemon.url('/ws', 'ws'));
});
afterEach(async () => {
  // Whatever happened: others are served, the old session and a new one.
  expect((await witness.ask([32, 1, {}, 'com.example.witness']))[0]).toBe(33);
  await witness.leave();
  await (await WampClient.join(daemon.url('/ws', 'ws'))).leave();
});

const connect = (path = '/ws', options = {}): Promise<WampClient> =>
  WampClient.connect(daemon.url(path, 'ws'), options);
const join = (path = '/ws', options = {}): Promise<WampClient> =>
  WampClient.join(daemon.url(path, 'ws'), 'realm1', options);

describe('time', () => {
  it('closes a connection on which no HELLO comes, without an ABORT, which clients take for final', async () => {
    const client = await connect();
    await expect(client.next()).rejects.toThrow("closed with 1008 'no session within 1000 ms'");
  });

  it('closes a connection whose handshake does not get on', async () => {
    const socket = connectSocket(daemon.port, '127.0.0.1');
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.resume().on('error', () => undefined);
    const [line = '', ...headers] = upgradeLines('/ws');
    socket.write(`${line}\r\n${headers.slice(0, 2).join('\r\n')}\r\nX-Slow: `);
    const dripping = setInterval(() => socket.write('x'), 100);
    await within(ended, 'end of a connection that sends its headers letter by letter', 25_000);
    clearInterval(dripping);
  });

  it('cuts a client that does not answer our close frame', async () => {
    const { socket } = await rawHttp(daemon.port, upgradeLines('/ws'), maskedText('[]'));
    const ended = new Promise((resolve) => socket.once('close', resolve));
    socket.resume().on('error', () => undefined);
    await within(ended, 'end of a connection that ignores the close frame');
  });

  it('is not fooled by pings and unfinished frames', async () => {
    const client = await connect();
    const pinger = setInterval(() => client.socket.ping(), 50);
    client.socket.send('[1,', { fin: false });
    await within(client.closed, 'close of a connection that only pings');
    clearInterval(pinger);
  });

  it('leaves a session alone that said HELLO in time', async () => {
    const [silent, talking] = [await connect(), await join()];
    await within(silent.closed, 'the HELLO deadline of a connection as old');
    expect((await talking.ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
    await talking.leave();
  });

  it('sets a new deadline when a session has ended and the connection stays open', async () => {
    const client = await join();
    client.send([6, {}, 'wamp.close.normal']);
    expect((await client.next())[0]).toBe(6);
    await within(client.closed, 'close of a connection without session');
  });

  it('pings, and drops a client that does not answer', async () => {
    const [dead, alive] = [await join('/pinging', { autoPong: false }), await join('/pinging')];
    const payloads: Buffer[] = [];
    dead.socket.on('ping', (data: Buffer) => payloads.push(data));
    const { code } = await within(dead.closed, 'drop of a dead client');
    expect(code).toBe(1006);
    expect(payloads.map((payload) => payload.length)).toEqual(payloads.map(() => 20));
    expect(payloads.length).toBeGreaterThan(0);
    expect(alive.isOpen).toBe(true);
    expect((await alive.ask([32, 1, {}, 'com.example.topic']))[0]).toBe(33);
    await alive.leave();
  });

  it('answers pings of the client with the same bytes', async () => {
    const client = await join();
    client.socket.ping('are you there?');
    const [data] = (await once(client.socket, 'pong')) as [Buffer];
    expect(data.toString()).toBe('are you there?');
    await client.leave();
  });
});

describe('size', () => {
  /** A PUBLISH whose text has exactly `bytes` bytes. */
  function publishOf(bytes: number): string {
    const empty = JSON.stringify([16, 7, { acknowledge: true }, 'com.example.topic', ['']]);
    return empty.replace('[""]', `["${'x'.repeat(bytes - empty.length)}"]`);
  }

  it('takes a message of exactly max_message_size', async () => {
    const client = await join();
    client.send(publishOf(MAX_MESSAGE));
    expect((await client.next()).slice(0, 2)).toEqual([17, 7]);
    await client.leave();
  });

  it('closes with 1009 for one byte more, also in fragments', async () => {
    const [whole, fragmented] = [await join(), await join()];
    whole.send(publishOf(MAX_MESSAGE + 1));
    const text = publishOf(MAX_MESSAGE + 1);
    fragmented.socket.send(text.slice(0, 1024), { fin: false });
    fragmented.socket.send(text.slice(1024), { fin: true });
    expect((await within(whole.closed, 'close for size')).code).toBe(1009);
    expect((await within(fragmented.closed, 'close for size in fragments')).code).toBe(1009);
  });

  it('closes with 1009 before HELLO too', async () => {
    const client = await connect();
    client.send(publishOf(MAX_MESSAGE + 1));
    expect((await within(client.closed, 'close for size')).code).toBe(1009);
  });

  it('cuts a subscriber that never reads, while publisher and other subscribers go on', async () => {
    const [publisher, reader, stuck] = [await join('/slow'), await join('/slow'), await join('/slow')];
    for (const subscriber of [reader, stuck]) await subscriber.ask([32, 1, {}, 'com.example.flood']);
    await stuck.ask([64, 2, {}, 'com.example.stuck']);
    stuck.socket.pause();
    // A call to the stuck client is answered when the client is gone, and not before.
    const caller = await join();
    caller.send([48, 1, {}, 'com.example.stuck']);
    let cut = false;
    const canceled = caller.next(60_000).then((answer) => {
      cut = true;
      return answer;
    });

    // The kernel buffers some megabytes first. The other subscriber gets every event, in order.
    const filler = 'x'.repeat(32_768);
    for (let sent = 0; !cut; sent += 16) {
      for (let i = 0; i < 16; i++) publisher.send([16, 5, {}, 'com.example.flood', [sent + i, filler]]);
      for (let i = 0; i < 16; i++) expect((await reader.next())[4]).toEqual([sent + i, filler]);
      if (sent > 16_384) throw new Error('half a gigabyte was kept for a client that does not read');
    }
    expect((await canceled).slice(0, 5)).toEqual([8, 48, 1, {}, 'wamp.error.canceled']);
    expect((await publisher.ask([32, 9, {}, 'com.example.topic']))[0]).toBe(33);
    stuck.socket.resume();
    await within(stuck.closed, 'end of the stuck client');
    await Promise.all([publisher.leave(), reader.leave(), caller.leave()]);
  });
});

describe('max_unsent_bytes', () => {
  it('does not cut a client that reads, not even for one message that is larger', async () => {
    const [publisher, subscriber] = [await join('/narrow'), await join('/narrow')];
    await subscriber.ask([32, 1, {}, 'com.example.large']);
    const large = 'x'.repeat(81_920);
    publisher.send([16, 2, {}, 'com.example.large', [large]]);
    expect((await subscriber.next())[4]).toEqual([large]);
    await Promise.all([publisher.leave(), subscriber.leave()]);
  });
});

describe('frames', () => {
  it('closes with 1007 for text that is not UTF-8', async () => {
    const client = await join();
    client.socket.send(Buffer.from([0x5b, 0x22, 0xff, 0xfe, 0x22, 0x5d]), { binary: false });
    expect((await within(client.closed, 'close for invalid UTF-8')).code).toBe(1007);
  });

  it('takes a fragmented message, with a ping between the fragments', async () => {
    const client = await join();
    const text = JSON.stringify([48, 3, {}, 'com.example.none', ['€ in two fragments']]);
    const bytes = Buffer.from(text);
    const middleOfEuro = bytes.indexOf(0xe2) + 1;
    client.socket.send(bytes.subarray(0, middleOfEuro), { fin: false, binary: false });
    client.socket.ping();
    client.socket.send(bytes.subarray(middleOfEuro), { fin: true });
    expect((await client.next()).slice(0, 3)).toEqual([8, 48, 3]);
    await client.leave();
  });

  it('takes a HELLO that follows the handshake in the same packet', async () => {
    const answer = await rawHttp(daemon.port, upgradeLines('/ws'), maskedText(HELLO));
    expect(answer.status).toBe(101);
    const first = answer.body === '' ? await within(once(answer.socket, 'data'), 'WELCOME') : [answer.body];
    expect(String(first[0])).toContain('[2,');
    answer.socket.destroy();
  });

  it('refuses a frame that is not masked, a reserved bit and an unknown opcode with 1002', async () => {
    for (const bytes of [
      [0x81, 0x02, 0x5b, 0x5d],
      [0xc1, 0x80, 0, 0, 0, 0],
      [0x83, 0x80, 0, 0, 0, 0],
    ]) {
      const { socket } = await rawHttp(daemon.port, upgradeLines('/ws'));
      socket.write(Buffer.from(bytes));
      const [data] = (await within(once(socket, 'data'), 'close frame')) as [Buffer];
      const close = data.indexOf(0x88);
      expect([close >= 0, data.readUInt16BE(close + 2)]).toEqual([true, 1002]);
      socket.destroy();
    }
  });

  it('survives 1,000 random frames on 200 connections, before and in a session', async () => {
    const connections = Array.from({ length: 200 }, async (_, index) => {
      const { socket } = await rawHttp(daemon.port, upgradeLines('/ws'));
      const ended = new Promise((resolve) => socket.once('close', resolve));
      socket.on('data', () => undefined);
      socket.on('error', () => undefined);
      if (index % 2 === 0) socket.write(maskedText(HELLO));
      for (let frame = 0; frame < 5 && socket.writable; frame++) {
        socket.write(index % 4 < 2 ? randomBytes(randomInt(1, 64)) : maskedText(randomMessage()));
      }
      socket.end();
      await within(ended, 'end of a connection that sent garbage');
    });
    await Promise.all(connections);
  });
});

function maskedText(text: string): Buffer {
  const payload = Buffer.from(text);
  const head =
    payload.length < 126 ? [0x80 | payload.length] : [0x80 | 126, payload.length >> 8, payload.length & 0xff];
  return Buffer.concat([Buffer.from([0x81, ...head, 0, 0, 0, 0]), payload]);
}

/** An array that looks like a message: any code, any elements. */
function randomMessage(): string {
  const values = [
    0,
    1,
    -1,
    1e300,
    null,
    true,
    {},
    [],
    '',
    'com.example.topic',
    { acknowledge: 1 },
    { roles: {} },
    [[[[]]]],
  ];
  const elements = Array.from({ length: randomInt(0, 7) }, () => values[randomInt(values.length)]);
  return JSON.stringify([randomInt(0, 80), ...elements]);
}

it('is the same process as before, and has logged no fault of its own', () => {
  expect(daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
});
