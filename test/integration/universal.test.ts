/**
 * The universal transport: RawSocket, WebSocket and web pages on one port, over TCP, TLS and a socket file.
 */
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import type { Daemon } from '../support/daemon.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { placeOf, RawSocketClient, RawSocketWire } from '../support/rawsocket-client.js';
import type { RawSocketPlace } from '../support/rawsocket-client.js';
import { rawHttp, WampClient, within } from '../support/wamp-client.js';

const PARTS = {
  type: 'universal',
  rawsocket: { options: { hello_timeout: 1000 } },
  websocket: { ws: { cookie: { store: { type: 'memory' } }, options: { open_handshake_timeout: 1000 } } },
  // Of a path that is there twice that of `websocket` counts.
  web: { paths: { '/': { type: 'json', value: { here: true } }, ws: { type: 'json', value: 'no WebSocket' } } },
};

let daemon: Daemon;
let ca = '';
async function start(tls?: object): Promise<void> {
  const secure = tls === undefined ? [] : [{ ...PARTS, id: 'tls', endpoint: { ...LOOPBACK, tls } }];
  const { rawsocket, ...onlyHttp } = PARTS;
  daemon = await startDaemon({
    config: nodeConfig({
      transports: [
        { ...PARTS, id: 'tcp', endpoint: LOOPBACK },
        { ...PARTS, id: 'file', endpoint: { type: 'unix', path: 'all.sock' } },
        { ...onlyHttp, id: 'http', endpoint: LOOPBACK },
        { type: 'universal', rawsocket, id: 'raw', endpoint: LOOPBACK },
        { type: 'universal', id: 'empty', endpoint: LOOPBACK },
        ...secure,
      ],
    }),
  });
}

beforeAll(async () => {
  if (!HAS_OPENSSL) return start();
  const certificates = new Certificates(temporaryDirectory());
  ca = certificates.text('root.pem');
  await start({
    key: certificates.file('server.key'),
    certificate: certificates.file('server.pem'),
    chain_certificates: [certificates.file('intermediate.pem')],
  });
});
afterAll(async () => {
  const faults = daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  await daemon.dispose();
  expect(faults).toEqual([]);
});

const recordOf = (id: string) => {
  const record = daemon.listening().find((listening) => listening['transport'] === id);
  if (record === undefined) throw new Error(`${id} does not listen`);
  return record;
};
const portOf = (id: string): number => recordOf(id)['port'] as number;
const rawPlace = (id: string): RawSocketPlace =>
  id === 'tls'
    ? { port: portOf(id), tls: { ca } }
    : placeOf((recordOf(id)['beside'] as readonly { url: string }[])[0]?.url ?? '');
const webSocketUrl = (id: string): string => {
  if (id === 'file') return `ws+unix://${recordOf(id)['address'] as string}:/ws`;
  return `${id === 'tls' ? 'wss' : 'ws'}://127.0.0.1:${portOf(id)}/ws`;
};
const tlsOf = (id: string): { readonly tls?: ConnectionOptions } => (id === 'tls' ? { tls: { ca } } : {});

/** The body behind a path. */
function get(id: string, path: string): Promise<{ status: number; body: string }> {
  const place =
    id === 'file' ? { socketPath: recordOf(id)['address'] as string } : { host: '127.0.0.1', port: portOf(id) };
  const request = id === 'tls' ? httpsRequest({ ...place, path, ca }) : httpRequest({ ...place, path });
  return new Promise((resolve, reject) => {
    request
      .on('response', (res) => {
        let body = '';
        res.setEncoding('utf8').on('data', (text: string) => (body += text));
        res.on('end', () => resolve({ status: res.statusCode ?? 0, body }));
      })
      .on('error', reject)
      .end();
  });
}

it('without anything in it there is nothing to be found', async () => {
  expect((await get('empty', '/')).status).toBe(404);
});

function suite(id: string): void {
  it('takes RawSockets, WebSockets and requests, which meet on the realm', async () => {
    const raw = await RawSocketClient.join(rawPlace(id), 'realm1', { serializer: 'cbor' });
    const web = await WampClient.join(webSocketUrl(id), 'realm1', tlsOf(id));
    expect(web.handshake.setCookie).toHaveLength(1);
    await raw.ask([64, 1, {}, `com.example.${id}`]);
    web.send([48, 1, {}, `com.example.${id}`, ['x'.repeat(200_000)]]);
    const [, invocation, , , args] = await raw.next();
    raw.send([70, invocation, {}, args]);
    expect((await web.next()).slice(0, 2)).toEqual([50, 1]);
    expect(await get(id, '/')).toEqual({ status: 200, body: '{"here":true}\n' });
    await Promise.all([raw.leave(), web.leave()]);
  });

  it('reads the octets of a handshake and what comes with it as they come', async () => {
    const wire = await RawSocketWire.open(rawPlace(id));
    for (const octet of [0x7f, 0xf1, 0, 0]) {
      wire.write(Buffer.of(octet));
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await wire.read(4)).toString('hex')).toBe('7ff10000');
    wire.socket.destroy();
  });

  it('drops who says nothing', async () => {
    const wire = await RawSocketWire.open(rawPlace(id));
    await within(wire.closed, 'close');
    expect(wire.unread).toHaveLength(0);
  });

  it('lets go of who ends without a word', async () => {
    const wire = await RawSocketWire.open(rawPlace(id));
    wire.socket.end();
    await within(wire.closed, 'close');
  });
}

describe('over TCP', () => suite('tcp'));
describe('over a socket file', () => suite('file'));
describeNeeds('the openssl command', HAS_OPENSSL)('over TLS', () => suite('tls'));

describe('one port', () => {
  it('is told in the log with both of its URLs and all paths', () => {
    expect(recordOf('tcp')).toMatchObject({
      type: 'universal',
      url: `http://127.0.0.1:${portOf('tcp')}/`,
      beside: [{ type: 'rawsocket', url: `rs://127.0.0.1:${portOf('tcp')}/` }],
      paths: [
        { path: '/', type: 'json' },
        { path: '/ws', type: 'websocket' },
      ],
    });
    expect(recordOf('http')).not.toHaveProperty('beside');
  });

  it('answers what is neither as HTTP does', async () => {
    expect((await rawHttp(portOf('tcp'), ['\x10\x00 MQTT'])).status).toBe(400);
    expect((await get('tcp', '/none')).status).toBe(404);
  });

  it('without `rawsocket` is HTTP only', async () => {
    const wire = await RawSocketWire.open({ port: portOf('http') });
    wire.write(Buffer.from('7ff10000', 'hex'));
    expect((await wire.read(12)).toString()).toBe('HTTP/1.1 400');
    wire.socket.destroy();
  });

  it('without paths has RawSockets, and 404 for all requests', async () => {
    await (await RawSocketClient.join(rawPlace('raw'))).leave();
    expect((await get('raw', '/')).status).toBe(404);
  });

  it('keeps the time limit for headers', async () => {
    const socket = connectTo('tcp');
    socket.write('GET / HTTP/1.1\r\n');
    let answer = '';
    socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
    await within(new Promise((resolve) => socket.once('close', resolve)), 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 408 /);
  });
});

function connectTo(id: string): Socket {
  return connect(portOf(id), '127.0.0.1').on('error', () => undefined);
}

it('closes all when it stops, and cuts who has said nothing', async () => {
  const raw = await RawSocketClient.join(rawPlace('tcp'));
  const web = await WampClient.join(webSocketUrl('tcp'));
  const silent = connectTo('tcp');
  const closed = new Promise((resolve) => silent.once('close', resolve));
  expect(await daemon.stop()).toBe(0);
  await Promise.all([raw.closed, closed]);
  expect((await web.closed).code).toBe(1001);
});
