/**
 * Clients that end their half of a connection without a closing handshake: they are gone, but get what was on its way.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import type { Daemon } from '../support/daemon.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { ALL_ROLES, WampClient } from '../support/wamp-client.js';

const PATHS = { '/': { type: 'nodeinfo' }, ws: { type: 'websocket' } };

/** A WebSocket by hand, because a library would not end it in this way. */
class Wire {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => (this.#received = Buffer.concat([this.#received, chunk])));
  }

  static async open(url: URL): Promise<Wire> {
    const place = { host: url.hostname, port: Number(url.port), allowHalfOpen: true };
    const isTls = url.protocol === 'https:';
    const socket = isTls ? connectTls({ ...place, rejectUnauthorized: false }) : connect(place);
    await once(socket, isTls ? 'secureConnect' : 'connect');
    const wire = new Wire(socket);
    socket.write(
      [
        'GET /ws HTTP/1.1',
        'Host: localhost',
        'Upgrade: websocket',
        'Connection: Upgrade',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        'Sec-WebSocket-Protocol: wamp.2.json',
        '',
        '',
      ].join('\r\n'),
    );
    while (!wire.#received.includes('\r\n\r\n')) await once(socket, 'data');
    wire.#received = wire.#received.subarray(wire.#received.indexOf('\r\n\r\n') + 4);
    return wire;
  }

  /** Messages in one piece; with `end`, the end of our half right behind them. */
  send(messages: readonly unknown[], { end = false } = {}): void {
    const bytes = Buffer.concat(messages.map((message) => frameOf(JSON.stringify(message))));
    if (end) this.#socket.end(bytes);
    else this.#socket.write(bytes);
  }

  /** Ends our half. Resolves when the system has been told. */
  async end(): Promise<void> {
    const told = once(this.#socket, 'finish');
    this.#socket.end();
    await told;
  }

  /** Waits until so many messages have come. */
  async receive(count: number): Promise<unknown[][]> {
    while (this.messages.length < count) await once(this.#socket, 'data');
    return this.messages;
  }

  pause(): void {
    this.#socket.pause();
  }

  /** Reads on to the end of the connection. @returns all messages. */
  async rest(): Promise<unknown[][]> {
    if (!this.#socket.readableEnded) {
      this.#socket.resume();
      await once(this.#socket, 'end');
    }
    return this.messages;
  }

  /** All that came, as far as the frames are whole. */
  get messages(): unknown[][] {
    const messages: unknown[][] = [];
    for (let at = 0; at + 2 <= this.#received.length;) {
      const short = this.#received.readUInt8(at + 1);
      const [head, bytes] =
        short < 126
          ? [2, short]
          : short === 126
            ? [4, this.#received.readUInt16BE(at + 2)]
            : [10, Number(this.#received.readBigUInt64BE(at + 2))];
      const text = this.#received.subarray(at + head, at + head + bytes);
      if (text.length < bytes) break;
      messages.push(JSON.parse(text.toString()) as unknown[]);
      at += head + bytes;
    }
    return messages;
  }
}

/** A text frame with a mask that changes nothing. */
function frameOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  const head = Buffer.from([0x81, 0xfe, 0, 0, 0, 0, 0, 0]);
  head.writeUInt16BE(bytes.length, 2);
  return Buffer.concat([head, bytes]);
}

const HELLO = [1, 'realm1', { roles: ALL_ROLES }];
async function sessions(asker: WampClient): Promise<number> {
  const [, , , [count]] = (await asker.ask([48, 1, {}, 'wamp.session.count'])) as [0, 0, 0, [number]];
  return count;
}

describeNeeds('the openssl command', HAS_OPENSSL).each(['ws', 'wss'])(
  'a client that ends its half (%s)',
  (protocol) => {
    let daemon: Daemon;
    let url: URL;
    beforeAll(async () => {
      const certificates = new Certificates(temporaryDirectory());
      const files = { key: certificates.file('server.key'), certificate: certificates.file('server.pem') };
      const secure = { type: 'web', id: 'secure', endpoint: { ...LOOPBACK, tls: files }, paths: PATHS };
      daemon = await startDaemon({ config: nodeConfig({ paths: PATHS, transports: [secure] }) });
      const isSecure = protocol === 'wss';
      const record = daemon.listening().find(({ transport }) => (transport === 'secure') === isSecure);
      url = new URL(String(record?.['url']));
    });
    afterAll(() => daemon.dispose());

    it('gets the answers to what it sent right before, and is gone', async () => {
      const wire = await Wire.open(url);
      wire.send([HELLO]);
      await wire.receive(1);
      const asker = await WampClient.join(daemon.url('/ws', 'ws'));
      expect(await sessions(asker)).toBe(2);
      wire.send(
        [
          [48, 1, {}, 'wamp.session.count'],
          [48, 2, {}, 'wamp.session.count'],
        ],
        { end: true },
      );
      expect((await wire.rest()).slice(1)).toEqual([
        [50, 1, {}, [2]],
        [50, 2, {}, [2]],
      ]);
      while ((await sessions(asker)) > 1) await new Promise(setImmediate);
      await asker.leave();
    });

    it('gets all that was waiting for it because it did not read', async () => {
      const wire = await Wire.open(url);
      wire.send([HELLO, [32, 1, {}, 'com.example.topic']]);
      await wire.receive(2);
      wire.pause();
      const publisher = await WampClient.join(daemon.url('/ws', 'ws'));
      const text = 'x'.repeat(100_000);
      for (let i = 1; i <= 100; i++)
        await publisher.ask([16, i, { acknowledge: true }, 'com.example.topic', [i, text]]);
      await wire.end();
      // The end has reached the router before anything is read: it was there before these questions were.
      for (let i = 0; i < 2; i++) await sessions(publisher);
      const events = (await wire.rest()).slice(2);
      expect(events.map(([type, , , , args]) => [type, (args as unknown[])[0]])).toEqual(
        Array.from({ length: 100 }, (_, i) => [36, i + 1]),
      );
      await publisher.leave();
    });
  },
);
