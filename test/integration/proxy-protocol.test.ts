/** The PROXY protocol: clients behind HAProxy and curl, by their own addresses, and those who only say that they are a proxy. */
import { execFile, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';

import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import { runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { HAS_HAPROXY, startHaproxy } from '../support/front-proxies.js';
import type { StartedServer } from '../support/front-proxies.js';
import { describeNeeds, itNeeds } from '../support/needs.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { freePorts } from '../support/ports.js';
import { upgradeLines } from '../support/wamp-client.js';

/** Another address of this machine than 127.0.0.1, which is the one that is trusted. */
const CLIENT = '127.0.0.77';
const HEADER = 'PROXY TCP4 198.51.100.7 203.0.113.9 4711 443\r\n';
const HAS_CURL = spawnSync('curl', ['--version']).status === 0;

let certificates: Certificates;
let node: Daemon;
let ports: Readonly<Record<'web' | 'secure' | 'universal' | 'rawsocket' | 'websocket', number>>;

const endpoint = { ...LOOPBACK, proxy_protocol: 'required' };
const tlsOf = () => ({
  key: certificates.file('server.key'),
  certificate: certificates.file('server.pem'),
  chain_certificates: [certificates.file('intermediate.pem')],
});

beforeAll(async () => {
  const directory = temporaryDirectory();
  if (HAS_OPENSSL) certificates = new Certificates(directory);
  const tls = HAS_OPENSSL ? { tls: tlsOf() } : {};
  const universal = { type: 'universal', rawsocket: {}, websocket: { ws: { cookie: {} } }, web: {} };
  const config = nodeConfig({
    websocket: { cookie: {}, options: { max_unauthenticated_per_address: 2 } },
    transport: { endpoint, options: { access_log: true } },
    transports: [
      { ...universal, endpoint: { ...endpoint, ...tls } },
      { ...universal, endpoint },
      { type: 'rawsocket', endpoint },
      { type: 'websocket', endpoint },
      { type: 'rawsocket', endpoint: { type: 'unix', path: 'raw.sock', proxy_protocol: 'required' } },
    ],
  });
  node = await startDaemon({
    config: { ...config, controller: { options: { trusted_proxies: ['127.0.0.1', 'unix'] } } },
    args: ['--loglevel', 'debug'],
  });
  const [web, secure, all, rawsocket, websocket] = node.listening().map(({ port }) => Number(port));
  ports = { web, secure, universal: all, rawsocket, websocket } as typeof ports;
});
afterAll(() => node.dispose());

/** What a session says of its transport. */
interface Facts {
  readonly peer: string;
  readonly via?: string;
  readonly is_secure: boolean;
  readonly channel_type: string;
}

interface Joined {
  readonly facts: Facts;
  readonly setCookie: string;
}

/** Joins by WebSocket, and asks the router for what it knows of the connection. */
async function join(url: string, options: WebSocket.ClientOptions = {}): Promise<Joined> {
  const ws = new WebSocket(url, ['wamp.2.json'], { localAddress: CLIENT, rejectUnauthorized: false, ...options });
  onTestFinished(() => ws.terminate());
  let setCookie = '';
  ws.on('upgrade', ({ headers }) => (setCookie = String(headers['set-cookie'])));
  await once(ws, 'open');
  const ask = async (message: unknown[]): Promise<unknown[]> => {
    ws.send(JSON.stringify(message));
    const [answer] = (await once(ws, 'message')) as [Buffer];
    return JSON.parse(answer.toString()) as unknown[];
  };
  const [, id] = await ask([1, 'realm1', { roles: { caller: {} } }]);
  const [, , , [details]] = (await ask([48, 1, {}, 'wamp.session.get', [id]])) as [0, 0, 0, [{ transport: Facts }]];
  return { facts: details.transport, setCookie };
}

/** A connection without anything sent. */
async function open(port: number, localAddress = '127.0.0.1'): Promise<Socket & { readonly text: () => string }> {
  const socket = createConnection({ port, host: '127.0.0.1', localAddress });
  onTestFinished(() => void socket.destroy());
  let received = '';
  socket.setEncoding('latin1').on('data', (text: string) => (received += text));
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return Object.assign(socket, { text: () => received });
}

/** Whether by an end or a reset. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once('close', () => resolve()));
}

async function until(socket: Socket, isDone: () => boolean): Promise<void> {
  while (!isDone()) await once(socket, 'data');
}

const GET = 'GET / HTTP/1.1\r\nHost: us\r\nConnection: close\r\n';

describeNeeds('HAProxy', HAS_HAPROXY && HAS_OPENSSL)('behind HAProxy', () => {
  let proxy: StartedServer;
  let fronts: Readonly<Record<'v1' | 'v2' | 'tls' | 'terminated', number>>;

  beforeAll(async () => {
    const [v1, tls, terminated] = await freePorts(3);
    const pem = certificates.text('server.pem') + certificates.text('server.key');
    certificates.write('both.pem', pem);
    const listen = (name: string, bind: string, server: string): string =>
      `listen ${name}\n  bind 127.0.0.1:${bind}\n  server s 127.0.0.1:${server}\n`;
    const options = 'proxy-v2-options ssl,unique-id,crc32c,authority,cert-cn';
    proxy = await startHaproxy(
      (v2) =>
        `defaults\n  mode tcp\n  timeout connect 5s\n  timeout client 60s\n  timeout server 60s\n` +
        listen('v1', `${v1}`, `${ports.web} send-proxy`) +
        listen('v2', `${v2}`, `${ports.web} send-proxy-v2 ${options}`) +
        listen('tls', `${tls}`, `${ports.secure} send-proxy-v2 check inter 100ms check-send-proxy`) +
        listen('ended', `${terminated} ssl crt both.pem`, `${ports.web} send-proxy-v2-ssl ${options}`),
      certificates.directory,
    );
    fronts = { v1, v2: proxy.port, tls, terminated } as typeof fronts;
  });
  afterAll(() => proxy.program.stop());

  const CLAIMS = { 'X-Forwarded-For': '6.6.6.6', 'X-Forwarded-Proto': 'https', Forwarded: 'for=6.6.6.6;proto=https' };

  it.each(['v1', 'v2'] as const)(
    'by %s a session has the address of its client, whatever that says',
    async (version) => {
      const { facts, setCookie } = await join(`ws://127.0.0.1:${fronts[version]}/ws`, { headers: CLAIMS });
      expect(facts).toMatchObject({ via: '127.0.0.1', is_secure: false, channel_type: 'tcp' });
      expect(facts.peer).toMatch(/^127\.0\.0\.77:\d+$/);
      expect(setCookie).not.toContain('Secure');
      const joined = await node.waitForLog(({ msg, peer }) => msg === 'session joined' && peer === facts.peer);
      expect(joined.level).toBe('info');
    },
  );

  it('a client that is a trusted proxy itself tells of another one by its headers', async () => {
    const headers = { 'X-Forwarded-For': '203.0.113.5', 'X-Forwarded-Proto': 'https' };
    const { facts, setCookie } = await join(`ws://127.0.0.1:${fronts.v2}/ws`, { headers, localAddress: '127.0.0.1' });
    expect(facts).toMatchObject({ peer: '203.0.113.5', via: '127.0.0.1', is_secure: true, channel_type: 'tcp' });
    expect(setCookie).toContain('; Secure');
  });

  it('TLS that HAProxy passes on is TLS, and the header stands before it; its checks are not worth a word', async () => {
    const { facts, setCookie } = await join(`wss://127.0.0.1:${fronts.tls}/ws`);
    expect(facts).toMatchObject({ via: '127.0.0.1', is_secure: true, channel_type: 'tls' });
    expect(facts.peer).toMatch(/^127\.0\.0\.77:\d+$/);
    expect(setCookie).toContain('; Secure');
    const told = node.logs.filter(({ level, transport }) => transport === 'transport002' && level !== 'debug');
    expect(told.map(({ msg }) => msg).filter((msg) => !/^session /.test(msg))).toEqual(['transport started']);
  });

  it('TLS that ends at HAProxy makes cookies Secure', async () => {
    const { facts, setCookie } = await join(`wss://127.0.0.1:${fronts.terminated}/ws`);
    expect(facts).toMatchObject({ via: '127.0.0.1', is_secure: true, channel_type: 'tcp' });
    expect(setCookie).toContain('; Secure');
  });
});

describe('a connection with a header', () => {
  it.each(['web', 'universal', 'rawsocket', 'websocket'] as const)('is read octet by octet (%s)', async (transport) => {
    const socket = await open(ports[transport]);
    socket.setNoDelay(true);
    const isRaw = transport === 'rawsocket';
    const begin = isRaw ? '\x7f\xf1\0\0' : `${upgradeLines('/ws').join('\r\n')}\r\n\r\n`;
    const header = HEADER.replace('4711', String(ports[transport]));
    for (const octet of header + begin) {
      socket.write(octet, 'latin1');
      await new Promise(setImmediate);
    }
    await until(socket, () => socket.text().includes(isRaw ? '\x7f' : '101 Switching'));
    const told = await node.waitForLog(
      ({ msg, peer }) => msg === 'connection by a proxy' && peer === `198.51.100.7:${ports[transport]}`,
    );
    expect(told['via']).toBe('127.0.0.1');
  });

  it('comes to a socket file, too', async () => {
    const socket = createConnection(path.join(node.cbdir, 'raw.sock'));
    onTestFinished(() => void socket.destroy());
    socket.write(`${HEADER.replace('4711', '4712')}\x7f\xf1\0\0`, 'latin1');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    expect(reply[0]).toBe(0x7f);
    const told = await node.waitForLog(({ peer }) => peer === '198.51.100.7:4712');
    expect(told['via']).toBe('unix');
  });

  it('is counted by the address of its client', async () => {
    const sockets: Socket[] = [];
    for (const address of ['198.51.100.8', '198.51.100.9', '198.51.100.9', '198.51.100.9']) {
      const socket = await open(ports.web);
      sockets.push(socket);
      socket.write(`PROXY TCP4 ${address} 203.0.113.9 1 2\r\n${upgradeLines('/ws').join('\r\n')}\r\n\r\n`);
      await until(socket, () => socket.text().includes('101 Switching'));
    }
    const told = await node.waitForLog('too many connections without a session, the oldest ones closed');
    expect(told).toMatchObject({ limit: 'max_unauthenticated_per_address', address: '198.51.100.9' });
    if (sockets[1]?.closed === false) await closed(sockets[1]);
    expect(sockets.map(({ closed }) => closed)).toEqual([false, true, false, false]);
  });

  it('keeps the address of its peer where nobody is behind it', async () => {
    const socket = await open(ports.web);
    socket.write(`PROXY UNKNOWN\r\n${GET}\r\n`);
    await closed(socket);
    expect(socket.text()).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('of a check that says nothing more leaves no trace in the log', async () => {
    const before = node.logs.length;
    for (const port of Object.values(ports)) {
      for (const header of ['PROXY UNKNOWN\r\n', '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0']) {
        const socket = await open(port);
        socket.end(header, 'latin1');
        await closed(socket);
      }
    }
    const last = await open(ports.web);
    last.write(`${HEADER.replace('4711', '4713')}${GET}\r\n`);
    await node.waitForLog(({ peer }) => peer === '198.51.100.7:4713');
    const told = node.logs.slice(before).filter(({ peer, msg }) => peer !== '198.51.100.7:4713' && msg !== 'request');
    expect(told.filter(({ transport }) => transport !== 'transport002')).toEqual([]);
  });

  itNeeds('curl', HAS_CURL)('is what curl sends, too', async () => {
    const { stdout } = await promisify(execFile)('curl', [
      ...['-s', '--haproxy-protocol', '--noproxy', '*', '--interface', '127.0.0.1', `http://127.0.0.1:${ports.web}/`],
    ]);
    expect(JSON.parse(stdout)).toEqual({ here: true });
    await node.waitForLog(({ msg, peer }) => msg === 'connection by a proxy' && String(peer).startsWith('127.0.0.1:'));
  });
});

describe('a connection is cut', () => {
  const cut = async (reason: string, begin: string, from?: string): Promise<string> => {
    const socket = await open(ports.web, from);
    if (begin !== '') socket.write(begin, 'latin1');
    await closed(socket);
    await node.waitForLog((line) => line['reason'] === reason);
    return socket.text();
  };

  it('from a peer that is not trusted, whatever it says', async () => {
    expect(await cut('not a trusted proxy', `${HEADER}${GET}\r\n`, CLIENT)).toBe('');
    const told = await node.waitForLog(({ reason }) => reason === 'not a trusted proxy');
    expect(told).toMatchObject({ level: 'warn', msg: 'connection without PROXY header, dropped' });
    expect(told).toMatchObject({ remedy: 'name the address in "trusted_proxies", if it is that of a proxy of yours' });
    expect(String(told['peer'])).toMatch(/^127\.0\.0\.77:\d+$/);
  });

  it('without a header', async () => {
    expect(await cut('no header of the PROXY protocol', `${GET}X-Forwarded-For: 6.6.6.6\r\n\r\n`)).toBe('');
  });

  it('with a header that is none', async () => {
    const begin = HEADER.replace('198', '0198');
    expect(await cut('an address that is none of TCP4', `${begin}${GET}\r\n`)).toBe('');
  });

  it('with a header that does not end within 3 seconds', async () => {
    expect(await cut('no whole header within 3 seconds', HEADER.slice(0, 20))).toBe('');
  });

  it('when the node stops', async () => {
    const config = nodeConfig({ transport: { endpoint, options: { trusted_proxies: ['loopback'] } } });
    const other = await startDaemon({ config });
    onTestFinished(() => other.dispose());
    const socket = await open(other.port);
    socket.write(HEADER.slice(0, 20));
    const isClosed = closed(socket);
    expect(await other.stop()).toBe(0);
    await isClosed;
  });
});

it('`check` wants to know the proxies', async () => {
  const cbdir = temporaryDirectory();
  writeFileSync(path.join(cbdir, 'config.json'), JSON.stringify(nodeConfig({ transport: { endpoint } })));
  const { code, stderr } = await runCli(['check', '--cbdir', cbdir]);
  expect(code).toBe(1);
  expect(stderr).toContain(
    '/workers/0/transports/0/endpoint/proxy_protocol: found without a proxy that is trusted, so nobody could connect',
  );
});
