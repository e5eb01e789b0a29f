/** Backends by TLS and on socket files, through both services: who is believed, and what the operator reads where nobody is. */
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { WebSocket, WebSocketServer } from 'ws';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { nodeConfig } from '../support/node-config.js';

const cleanups: (() => unknown)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function start(config: object): Promise<Daemon> {
  const node = await startDaemon({ config });
  cleanups.push(() => node.dispose());
  return node;
}

/** An HTTP server that also takes WebSockets, and sends back what they bring. */
async function listening(server: Server, at: number | string): Promise<number> {
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.on('message', (data: Buffer) => socket.send(`back: ${data.toString()}`)));
  server.listen(at === 0 ? { host: '127.0.0.1', port: 0 } : at);
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
  });
  const address = server.address() as AddressInfo | string;
  return typeof address === 'string' ? 0 : address.port;
}

/** @returns what comes back, or the status of the refusal. */
function throughWebSocket(url: string): Promise<string | number | undefined> {
  const ws = new WebSocket(url);
  return new Promise((resolve) => {
    ws.once('unexpected-response', (req, response) => {
      resolve(response.statusCode);
      req.destroy();
    });
    ws.once('message', (data: Buffer) => {
      resolve(data.toString());
      ws.terminate();
    });
    ws.once('open', () => ws.send('hello'));
    ws.on('error', () => undefined);
  });
}

/** Both services to one endpoint. */
function bothTo(endpoint: object, scheme = 'ws'): Record<string, object> {
  return {
    app: { type: 'reverseproxy', endpoint },
    tunnel: {
      type: 'websocket-reverseproxy',
      backend: { type: 'websocket', url: `${scheme}://backend.example/x?y`, endpoint },
    },
  };
}

describe('a backend on a socket file', () => {
  it('is asked by both services', async () => {
    const file = path.join(temporaryDirectory(), 'socket');
    const hosts: (string | undefined)[] = [];
    const server = createServer((req, res) => {
      hosts.push(req.headers.host);
      res.end(req.url);
    });
    server.on('upgrade', (req) => hosts.push(`${req.headers.host ?? ''} ${req.url ?? ''}`));
    await listening(server, file);
    const node = await start(nodeConfig({ paths: bothTo({ type: 'unix', path: file }) }));
    expect(await (await fetch(node.url('/app/a?b'))).text()).toBe('/a?b');
    expect(await throughWebSocket(node.url('/app/ws', 'ws'))).toBe('back: hello');
    expect(await throughWebSocket(node.url('/tunnel', 'ws'))).toBe('back: hello');
    expect(hosts).toEqual(['localhost', 'localhost /ws', 'backend.example /x?y']);
  });

  it('that is not there is told to the operator, and not to the client', async () => {
    const file = path.join(temporaryDirectory(), 'nobody');
    const node = await start(nodeConfig({ paths: bothTo({ type: 'unix', path: file }) }));
    const answer = await fetch(node.url('/app/'));
    expect([answer.status, (await answer.text()).includes(file)]).toEqual([502, false]);
    expect(await throughWebSocket(node.url('/tunnel', 'ws'))).toBe(503);
    expect(await node.waitForLog('backend does not answer')).toMatchObject({ status: 502, reason: 'ENOENT' });
  });
});

describeNeeds('openssl', HAS_OPENSSL)('a backend by TLS', () => {
  let certificates: Certificates;
  let port = 0;
  /** Whom the backend was asked for, and by whom. */
  const met: { readonly servername: string | false | null; readonly client: unknown }[] = [];
  let requests = 0;

  beforeAll(async () => {
    certificates = new Certificates(temporaryDirectory());
    const chain = `${certificates.text('server.pem')}${certificates.text('intermediate.pem')}`;
    const answer: RequestListener = (req, res) => {
      requests += 1;
      res.end(req.headers.host);
    };
    const server = createTlsServer(
      {
        cert: chain,
        key: certificates.text('server.key'),
        ca: certificates.text('root.pem'),
        requestCert: true,
        rejectUnauthorized: false,
      },
      answer,
    );
    server.on('secureConnection', (socket) => {
      // Without a certificate the object is empty.
      const { subject } = socket.getPeerCertificate() as { readonly subject?: { readonly CN: unknown } };
      met.push({ servername: socket.servername, client: subject?.CN });
    });
    port = await listening(server, 0);
  });

  const to = (host: string, tls: object): object => ({ type: 'tcp', host, port, tls });
  const root = (): object => ({ ca_certificates: [certificates.file('root.pem')] });

  it('is believed when one of the authorities that are named has signed it', async () => {
    const node = await start(nodeConfig({ paths: bothTo(to('127.0.0.1', root()), 'wss') }));
    expect(await (await fetch(node.url('/app/'))).text()).toBe(`127.0.0.1:${port}`);
    expect(await throughWebSocket(node.url('/app/', 'ws'))).toBe('back: hello');
    expect(await throughWebSocket(node.url('/tunnel', 'ws'))).toBe('back: hello');
  });

  it('is asked for the name that is configured, and for none where it has an address only', async () => {
    met.length = 0;
    const named = await start(
      nodeConfig({ paths: bothTo(to('127.0.0.1', { ...root(), hostname: 'localhost' }), 'wss') }),
    );
    expect((await fetch(named.url('/app/'))).status).toBe(200);
    const unnamed = await start(nodeConfig({ paths: bothTo(to('127.0.0.1', root()), 'wss') }));
    expect((await fetch(unnamed.url('/app/'))).status).toBe(200);
    expect(met).toEqual([
      { servername: 'localhost', client: undefined },
      { servername: false, client: undefined },
    ]);
  });

  it('gets the certificate of the node, where it has one', async () => {
    const own = { certificate: certificates.file('client.pem'), key: certificates.file('client.key') };
    const node = await start(nodeConfig({ paths: bothTo(to('localhost', { ...root(), ...own }), 'wss') }));
    expect(await (await fetch(node.url('/app/'))).text()).toBe(`localhost:${port}`);
    expect(met.at(-1)).toEqual({ servername: 'localhost', client: 'client' });
  });

  it.each([
    ['another name', () => ({ ...root(), hostname: 'other.example' }), /CERT_ALTNAME/],
    ['an unknown authority', () => ({}), /UNABLE_TO|SELF_SIGNED/],
    [
      'a stranger as authority',
      () => ({ ca_certificates: [certificates.file('stranger.pem')] }),
      /UNABLE_TO|SELF_SIGNED/,
    ],
  ])('is not believed with %s', async (_what, tls, reason) => {
    const node = await start(nodeConfig({ paths: bothTo(to('127.0.0.1', tls()), 'wss') }));
    const before = requests;
    const answer = await fetch(node.url('/app/secret'));
    expect(answer.status).toBe(502);
    expect(await answer.text()).not.toMatch(/CERT|SIGN/);
    expect(await throughWebSocket(node.url('/tunnel', 'ws'))).toBe(503);
    expect(await throughWebSocket(node.url('/app/', 'ws'))).toBe(502);
    expect(requests).toBe(before);
    const told = await node.waitForLog('backend does not answer');
    expect(String(told['reason'])).toMatch(reason);
  });

  it('that speaks no TLS is no backend', async () => {
    const plain = await listening(
      createServer((_req, res) => res.end('plain')),
      0,
    );
    const node = await start(
      nodeConfig({ paths: bothTo({ type: 'tcp', host: '127.0.0.1', port: plain, tls: root() }, 'wss') }),
    );
    expect((await fetch(node.url('/app/'))).status).toBe(502);
    expect(await throughWebSocket(node.url('/tunnel', 'ws'))).toBe(503);
  });
});
