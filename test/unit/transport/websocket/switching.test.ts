/**
 * The 101 that is written without `ws`, and the WebSocket behind it, against those of `ws`: this is where a version of it that does
 * something else is noticed.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';

import { Switching } from '../../../../src/transport/websocket/switching.js';
import type { SwitchingAnswer } from '../../../../src/transport/websocket/switching.js';
import { frame } from '../../../support/compressed-frames.js';

/** The server's end of a connection, and what was written to it. */
class Client extends Duplex {
  sent = '';
  readonly calls: unknown[] = [];

  constructor() {
    super({ allowHalfOpen: true });
  }

  override _read(): void {
    // What it sends is pushed.
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.sent += chunk.toString('latin1');
    done();
  }

  setTimeout(...args: unknown[]): void {
    this.calls.push(['setTimeout', ...args]);
  }

  setNoDelay(...args: unknown[]): void {
    this.calls.push(['setNoDelay', ...args]);
  }

  get socket(): Socket {
    return this as unknown as Socket;
  }
}

const NOTHING: Buffer = Buffer.alloc(0);

class OwnWebSocket extends WebSocket {
  readonly isOurs = true;
}

const OPTIONS = {
  ...{ noServer: true, clientTracking: false, autoPong: false, maxPayload: 1000, maxFragments: 7, closeTimeout: 1234 },
  ...{ maxBufferedChunks: 8, skipUTF8Validation: true, allowSynchronousEvents: true, WebSocket: OwnWebSocket },
};
const DEFLATE = { ...OPTIONS, perMessageDeflate: { serverNoContextTakeover: true } };

interface Made {
  readonly client: Client;
  readonly ws: OwnWebSocket | undefined;
}

function requestOf(headers: IncomingHttpHeaders, client: Client): IncomingMessage {
  const usual = {
    upgrade: 'websocket',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    'sec-websocket-version': '13',
  };
  return { method: 'GET', url: '/', headers: { ...usual, ...headers }, socket: client } as unknown as IncomingMessage;
}

function byUs(
  headers: IncomingHttpHeaders,
  answer: SwitchingAnswer,
  { options = OPTIONS, head = NOTHING, client = new Client() } = {},
): Made {
  let made: OwnWebSocket | undefined;
  new Switching(options).switch(requestOf(headers, client), client.socket, head, answer, (ws) => (made = ws));
  return { client, ws: made };
}

function byThem(
  headers: IncomingHttpHeaders,
  { subprotocol, headers: lines }: SwitchingAnswer,
  { options = OPTIONS, head = NOTHING, client = new Client() } = {},
): Made {
  let made: OwnWebSocket | undefined;
  const server = new WebSocketServer({ ...options, handleProtocols: () => subprotocol ?? false });
  server.on('headers', (all) => all.push(...lines));
  server.handleUpgrade(requestOf(headers, client), client, head, (ws) => (made = ws));
  return { client, ws: made };
}

/** What can be seen of it from outside and inside. */
function shown({ client, ws }: Made): object {
  const listeners = (of: object): object => {
    const emitter = of as Duplex;
    return Object.fromEntries(emitter.eventNames().map((name) => [name, emitter.listeners(name).map(String)]));
  };
  const inside = Object.entries(ws ?? {}).filter(([key]) => !/^_(receiver|sender|socket|events)$/.test(key));
  const { _receiver: receiver, _sender: sender } = ws as unknown as Record<string, Duplex>;
  const plain = (of: object = {}): object =>
    Object.fromEntries(Object.entries(of).filter(([, value]) => typeof value !== 'object' || value === null));
  return {
    sent: client.sent,
    calls: client.calls,
    isOurs: ws?.isOurs,
    ...{ protocol: ws?.protocol, extensions: ws?.extensions, readyState: ws?.readyState },
    inside: inside.map(([key, value]) => [
      key,
      typeof value === 'object' ? Object.keys(value ?? {}) : (value as unknown),
    ]),
    receiver: receiver && [plain(receiver), listeners(receiver)],
    sender: plain(sender),
    socket: listeners(client),
  };
}

const JSON_ONLY = { subprotocol: 'wamp.2.json', headers: ['Server: crossbar-ts'] };
const COOKIE = { subprotocol: undefined, headers: ['Server: crossbar-ts', 'Set-Cookie: cbtid=x; Path=/'] };
const BARE = { subprotocol: undefined, headers: [] };

describe('a 101', () => {
  it.each<[string, IncomingHttpHeaders, SwitchingAnswer, typeof OPTIONS]>([
    ['without a subprotocol', {}, COOKIE, OPTIONS],
    ['without anything', {}, BARE, OPTIONS],
    ['with the subprotocol', { 'sec-websocket-protocol': 'wamp.2.json' }, JSON_ONLY, OPTIONS],
    ['with one of many', { 'sec-websocket-protocol': 'wamp.2.cbor,wamp.2.json, x' }, JSON_ONLY, OPTIONS],
    ['with none of many', { 'sec-websocket-protocol': 'wamp.2.cbor, wamp.2.json' }, BARE, OPTIONS],
    ['where subprotocols are written oddly', { 'sec-websocket-protocol': 'x , wamp.2.json\t,y' }, JSON_ONLY, OPTIONS],
    ['where compression is not on', { 'sec-websocket-extensions': 'permessage-deflate' }, BARE, OPTIONS],
    ['where it is not asked for', {}, BARE, DEFLATE],
    ['with compression', { 'sec-websocket-extensions': 'permessage-deflate' }, BARE, DEFLATE],
    ['where another extension is asked for', { 'sec-websocket-extensions': 'x-other' }, BARE, DEFLATE],
  ])('%s is that of ws, and so is what comes behind it', (_what, headers, answer, options) => {
    const ours = byUs(headers, answer, { options });
    expect(ours.client.sent).toMatch(/^HTTP\/1\.1 101 .*\r\n\r\n$/s);
    expect(shown(ours)).toEqual(shown(byThem(headers, answer, { options })));
  });

  it.each<[string, IncomingHttpHeaders]>([
    ['a subprotocol twice', { 'sec-websocket-protocol': 'wamp.2.json, wamp.2.json' }],
    ['a subprotocol without a name', { 'sec-websocket-protocol': 'wamp.2.json,' }],
    ['no subprotocol', { 'sec-websocket-protocol': '' }],
    ['an odd letter', { 'sec-websocket-protocol': 'wamp 2 json' }],
  ])('is refused as ws does it for %s', (_what, headers) => {
    const ours = byUs(headers, JSON_ONLY);
    expect(ours.ws).toBeUndefined();
    expect(ours.client.sent).toMatch(/^HTTP\/1\.1 400 /);
    expect(ours.client.sent).toBe(byThem(headers, JSON_ONLY).client.sent);
  });

  it('is not written to a client that has ended its half', async () => {
    for (const upgrade of [byUs, byThem]) {
      const client = new Client();
      client.resume().push(null);
      await turn();
      expect(upgrade({}, BARE, { client }).ws).toBeUndefined();
      expect([client.destroyed, client.sent]).toEqual([true, '']);
    }
  });

  it('has behind it what the client sent with its handshake', async () => {
    for (const upgrade of [byUs, byThem]) {
      const { ws } = upgrade({}, BARE, { head: frame(0x81, Buffer.from('hello')) });
      const messages: string[] = [];
      ws?.on('message', (data: Buffer) => void messages.push(data.toString()));
      await turn();
      expect(messages).toEqual(['hello']);
    }
  });
});
