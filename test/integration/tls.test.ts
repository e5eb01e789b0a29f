/**
 * TLS endpoints: every transport over TLS, client certificates, what is known of the client, and starts that fail because
 * of a file.
 */
import { chmodSync } from 'node:fs';
import { request } from 'node:https';
import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls, TLSSocket } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLogger, silentLogger } from '../../src/log/logger.js';
import type { TlsConfig } from '../../src/transport/tls/schema.js';
import { readTlsFiles } from '../../src/transport/tls/files.js';
import { channelBindingOf, tlsPeerOf } from '../../src/transport/tls/peer.js';
import type { ChannelBindingType } from '../../src/transport/tls/peer.js';
import { EndpointServer } from '../../src/transport/endpoint.js';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import type { Daemon } from '../support/daemon.js';
import { spawnDaemon, startDaemon, temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { RawSocketClient, RawSocketWire } from '../support/rawsocket-client.js';
import { WampClient, within } from '../support/wamp-client.js';

describeNeeds('the openssl command', HAS_OPENSSL)('TLS', () => {
  let certificates: Certificates;
  let files: { key: string; certificate: string; chain_certificates: string[] };
  let daemon: Daemon;
  beforeAll(async () => {
    certificates = new Certificates(temporaryDirectory());
    files = {
      key: certificates.file('server.key'),
      certificate: certificates.file('server.pem'),
      chain_certificates: [certificates.file('intermediate.pem')],
    };
    certificates.openssl('genpkey', '-genparam', '-algorithm', 'DH', '-pkeyopt', 'group:ffdhe2048', '-out', 'dh.pem');
    const over = (tls: object) => ({ ...LOOPBACK, tls: { ...files, ...tls } });
    const known = over({ ca_certificates: [certificates.file('root.pem')] });
    daemon = await startDaemon({
      config: nodeConfig({
        transport: { endpoint: over({}) },
        websocket: { cookie: { store: { type: 'memory' } } },
        transports: [
          { type: 'rawsocket', id: 'raw', endpoint: over({}) },
          { type: 'websocket', id: 'ws_known', endpoint: known },
          { type: 'rawsocket', id: 'raw_known', endpoint: known },
          {
            type: 'websocket',
            id: 'picky',
            endpoint: over({ ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', dhparam: certificates.file('dh.pem') }),
          },
        ],
      }),
    });
  });
  afterAll(async () => {
    const faults = daemon.logs.filter(({ level }) => level === 'error' || level === 'fatal');
    await daemon.dispose();
    expect(faults).toEqual([]);
  });

  const urlOf = (id: string): string =>
    daemon.listening().find((record) => record['transport'] === id)?.['url'] as string;
  const portOf = (id: string): number => Number(/:(\d+)\/$/.exec(urlOf(id))?.[1]);
  const trusting = (): ConnectionOptions => ({ ca: certificates.text('root.pem') });
  const as = (name: string): ConnectionOptions => ({
    ...trusting(),
    cert: certificates.text(`${name}.pem`),
    key: certificates.text(`${name}.key`),
  });

  describe('an endpoint', () => {
    it('is called https, wss and rss', () => {
      expect(daemon.listening().map(({ url }) => String(url).replace(/\d+\/$/, ''))).toEqual(
        ['https', 'rss', 'wss', 'rss', 'wss'].map((scheme) => `${scheme}://127.0.0.1:`),
      );
    });

    it('serves web pages', async () => {
      const answer = await new Promise<string>((resolve, reject) => {
        request(`https://127.0.0.1:${daemon.port}/`, trusting(), (res) => {
          res.setEncoding('utf8').on('data', resolve);
        })
          .on('error', reject)
          .end();
      });
      expect(JSON.parse(answer)).toEqual({ here: true });
    });

    it('carries WebSockets, with a cookie that comes back over TLS only', async () => {
      const client = await WampClient.join(daemon.url('/ws', 'wss'), 'realm1', { tls: trusting() });
      expect(client.handshake.setCookie).toEqual([expect.stringMatching(/^cbtid=.+; Secure/)]);
      const [, , , [details]] = (await client.ask([48, 1, {}, 'wamp.session.get', [client.sessionId]])) as [
        ...[number, number, object],
        [object],
      ];
      expect(details).toMatchObject({
        transport: { is_secure: true, channel_type: 'tls', channel_framing: 'websocket' },
      });
      await client.leave();
    });

    it('carries RawSockets, with messages of any size', async () => {
      const client = await RawSocketClient.join({ port: portOf('raw'), tls: trusting() });
      const [, , , [details]] = (await client.ask([48, 1, {}, 'wamp.session.get', [client.sessionId]])) as [
        ...[number, number, object],
        [object],
      ];
      expect(details).toMatchObject({
        transport: { is_secure: true, channel_type: 'tls', channel_framing: 'rawsocket' },
      });
      await client.ask([64, 2, {}, 'com.example.echo']);
      const text = 'x'.repeat(500_000);
      client.send([48, 3, {}, 'com.example.echo', [text]]);
      const [, invocation, , , args] = await client.next();
      client.send([70, invocation, {}, args]);
      expect((await client.next())[3]).toEqual([text]);
      await client.leave();
    });

    it('cuts who does not speak TLS, and goes on', async () => {
      const socket = connectPlain(portOf('raw'), '127.0.0.1');
      socket.on('error', () => undefined).resume();
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.write('GET / HTTP/1.1\r\n\r\n');
      await within(closed, 'close');
      await (await RawSocketClient.join({ port: portOf('raw'), tls: trusting() })).leave();
    });

    it('speaks TLS 1.2 and 1.3, and no older version', async () => {
      const protocolOf = (version: 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3') =>
        // Level 0 lets this side offer what is too old.
        handshake(portOf('raw'), {
          ...trusting(),
          minVersion: version,
          maxVersion: version,
          ciphers: 'DEFAULT@SECLEVEL=0',
        }).then((socket) => socket.getProtocol());
      expect(await protocolOf('TLSv1.2')).toBe('TLSv1.2');
      expect(await protocolOf('TLSv1.3')).toBe('TLSv1.3');
      await expect(protocolOf('TLSv1.1')).rejects.toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    });

    it('has the cipher suites of the config', async () => {
      const v12: ConnectionOptions = { ...trusting(), maxVersion: 'TLSv1.2' };
      const socket = await handshake(portOf('picky'), v12);
      expect(socket.getCipher().name).toBe('ECDHE-ECDSA-AES128-GCM-SHA256');
      await expect(handshake(portOf('picky'), { ...v12, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' })).rejects.toThrow();
    });

    it.each(['TLSv1.2', 'TLSv1.3'] as const)('does not resume sessions: %s', async (maxVersion) => {
      const tickets: Buffer[] = [];
      const first = await RawSocketClient.connect({ port: portOf('raw'), tls: { ...trusting(), maxVersion } });
      const socket = secure(first.wire.socket);
      const session = socket.getSession();
      socket.on('session', (ticket: Buffer) => tickets.push(ticket));
      await first.hello('realm1');
      await first.leave();
      const again = await handshake(portOf('raw'), { ...trusting(), maxVersion, session: tickets[0] ?? session });
      expect(again.isSessionReused()).toBe(false);
    });
  });

  describe('ca_certificates', () => {
    it('let clients in whose certificate they signed', async () => {
      const client = await WampClient.join(urlOf('ws_known'), 'realm1', { tls: as('client') });
      await client.leave();
      const raw = await RawSocketClient.join({ port: portOf('raw_known'), tls: as('client') });
      await raw.leave();
    });

    it.each(['TLSv1.2', 'TLSv1.3'] as const)('keep all others out: %s', async (maxVersion) => {
      for (const tls of [trusting(), as('strangers-client')]) {
        await expect(WampClient.connect(urlOf('ws_known'), { tls: { ...tls, maxVersion } })).rejects.toThrow();
        await expect(handshakeAndRead(portOf('raw_known'), { ...tls, maxVersion })).rejects.toThrow();
      }
    });
  });

  describe('what is known of the client', () => {
    /** Both ends of a connection. */
    async function ends(tls: Partial<TlsConfig>, client: ConnectionOptions): Promise<[TLSSocket, TLSSocket]> {
      let accepted: (socket: TLSSocket) => void = () => undefined;
      const server = new EndpointServer(
        { ...LOOPBACK, backlog: 5, shared: false, tls: { ...files, ...tls } },
        { accept: (socket) => accepted(secure(socket)), stop: () => Promise.resolve() },
        silentLogger(),
      );
      const bound = await server.start();
      const there = new Promise<TLSSocket>((resolve) => (accepted = resolve));
      const here = await handshake('port' in bound ? bound.port : 0, client);
      stops.push(() => server.stop());
      return [await there, here];
    }
    const stops: (() => Promise<void>)[] = [];
    afterAll(() => Promise.all(stops.map((stop) => stop())));

    it('is its certificate, when it was asked for one', async () => {
      const [socket] = await ends({ ca_certificates: [certificates.file('root.pem')] }, as('client'));
      certificates.openssl('x509', '-in', 'client.pem', '-noout', '-fingerprint', '-sha1', '-out', 'sha1.txt');
      const hex = '[0-9A-F]{2}';
      const peer = tlsPeerOf(socket);
      expect(peer).toMatchObject({ protocol: 'TLSv1.3', verified: true, certificate: { commonName: 'client' } });
      expect(peer?.cipher).toMatch(/^TLS_/);
      expect(peer?.certificate?.sha1).toMatch(new RegExp(`^${hex}(:${hex}){19}$`));
      expect(peer?.certificate?.sha256).toMatch(new RegExp(`^${hex}(:${hex}){31}$`));
      expect(certificates.text('sha1.txt').trim()).toMatch(new RegExp(`=${peer?.certificate?.sha1 ?? '?'}$`));
    });

    it('is no certificate otherwise, even if it has one', async () => {
      const [socket] = await ends({}, as('client'));
      expect(tlsPeerOf(socket)).toMatchObject({ verified: false, certificate: undefined });
    });

    it('is nothing without TLS', () => {
      const socket = connectPlain(portOf('raw'), '127.0.0.1');
      expect(tlsPeerOf(socket)).toBeUndefined();
      expect(channelBindingOf(socket, 'tls-exporter')).toBeUndefined();
      socket.destroy();
    });

    it('is the channel: both ends find the same binding, which no other connection has', async () => {
      const seen = new Set<string>();
      for (const [maxVersion, type, other] of [
        ['TLSv1.2', 'tls-unique', 'tls-exporter'],
        ['TLSv1.2', 'tls-unique', 'tls-exporter'],
        ['TLSv1.3', 'tls-exporter', 'tls-unique'],
        ['TLSv1.3', 'tls-exporter', 'tls-unique'],
      ] satisfies [ConnectionOptions['maxVersion'], ChannelBindingType, ChannelBindingType][]) {
        const [there, here] = await ends({}, { ...trusting(), maxVersion });
        const expected =
          type === 'tls-unique'
            ? here.getFinished()
            : here.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
        const binding = channelBindingOf(there, type);
        expect(binding).toEqual(expected);
        expect(binding?.length).toBeGreaterThan(0);
        expect(channelBindingOf(there, other)).toBeUndefined();
        seen.add(binding?.toString('hex') ?? '');
      }
      expect(seen.size).toBe(4);
    });
  });

  describe('files', () => {
    const read = (parts: Partial<TlsConfig>, log = silentLogger()) => readTlsFiles({ ...files, ...parts }, log);

    it.each<[string, () => Partial<TlsConfig>, RegExp]>([
      [
        'a missing key',
        () => ({ key: '/none.key' }),
        /^endpoint\/tls\/key: \/none\.key cannot be read: there is no such/,
      ],
      [
        'a directory',
        () => ({ certificate: '/tmp' }),
        /^endpoint\/tls\/certificate: \/tmp cannot be read: this is a dir/,
      ],
      [
        'a key that is none',
        () => ({ key: files.certificate }),
        /\/key: \S+server\.pem cannot be used: no private key/,
      ],
      [
        'a certificate that is none',
        () => ({ certificate: files.key }),
        /\/certificate: \S+\.key cannot be used: no cert/,
      ],
      [
        'a key of another',
        () => ({ key: certificates.file('root.key') }),
        /root\.key does not belong to \S+ certificate/,
      ],
      [
        'an encrypted key',
        () => ({ key: encryptedKey() }),
        /\/key: \S+encrypted\.key cannot be used: the key is encrypted/,
      ],
      [
        'a chain that is none',
        () => ({ chain_certificates: [files.key] }),
        /\/chain_certificates\/0: \S+ cannot be used/,
      ],
      [
        'CAs that are none',
        () => ({ ca_certificates: [files.certificate, '/none'] }),
        /\/ca_certificates\/1: \/none cann/,
      ],
      [
        'unknown ciphers',
        () => ({ ciphers: 'ROT13' }),
        /\/ciphers: "ROT13" cannot be used: no cipher suite that OpenSSL/,
      ],
      ['parameters that are none', () => ({ dhparam: files.key }), /\/dhparam: \S+ cannot be used: no Diffie-Hellman/],
    ])('%s is named', async (_what, parts, message) => {
      await expect(read(parts())).rejects.toMatchObject({ name: 'TlsFileError', code: 'ERR_TLS_FILE' });
      await expect(read(parts())).rejects.toThrow(message);
    });

    function encryptedKey(): string {
      certificates.openssl('pkey', '-in', 'server.key', '-aes128', '-passout', 'pass:secret', '-out', 'encrypted.key');
      return certificates.file('encrypted.key');
    }

    it('are warned of: a key that others can read, a certificate that is past', async () => {
      const lines: string[] = [];
      const log = createLogger({ level: 'warn', destination: { write: (line: string) => void lines.push(line) } });
      await read({}, log);
      expect(lines).toEqual([]);
      certificates.write('open.key', certificates.text('server.key'));
      chmodSync(certificates.file('open.key'), 0o640);
      await read({ key: certificates.file('open.key') }, log);
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        { msg: 'others can read the key of this transport', mode: '640', file: certificates.file('open.key') },
      ]);
      expect(lines.join()).not.toContain('BEGIN');
      lines.length = 0;
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3 * 24 * 60 * 60 * 1000 });
      await read({}, log).finally(() => vi.useRealTimers());
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        { msg: 'a certificate of this transport is not valid now', file: files.certificate },
        { msg: 'a certificate of this transport is not valid now', file: files.chain_certificates[0] },
      ]);
    });

    it('are warned of: a certificate that ends soon', async () => {
      const lines: string[] = [];
      const log = createLogger({ level: 'warn', destination: { write: (line: string) => void lines.push(line) } });
      // They are made for two days.
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 42 * 60 * 60 * 1000 });
      await read({}, log).finally(() => vi.useRealTimers());
      expect(JSON.parse(lines[0] ?? '')).toMatchObject({
        msg: 'a certificate of this transport ends soon',
        file: files.certificate,
        validTo: expect.any(String) as string,
      });
    });

    it('are warned of: a certificate without the one of its issuer, wherever it could stand', async () => {
      const lines: string[] = [];
      const log = createLogger({ level: 'warn', destination: { write: (line: string) => void lines.push(line) } });
      await read({ chain_certificates: [] }, log);
      expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
        {
          msg: expect.stringContaining('the certificate of the issuer is missing') as string,
          file: files.certificate,
          issuer: 'CN=intermediate',
        },
      ]);
      lines.length = 0;
      await read({ chain_certificates: [certificates.file('root.pem')] }, log);
      expect(lines).toHaveLength(1);
      lines.length = 0;
      // In the same file, among those who sign clients, or its own issuer.
      certificates.write('both.pem', certificates.text('server.pem') + certificates.text('intermediate.pem'));
      await read({ certificate: certificates.file('both.pem'), chain_certificates: [] }, log);
      await read({ chain_certificates: [], ca_certificates: [certificates.file('intermediate.pem')] }, log);
      const self = { certificate: certificates.file('root.pem'), key: certificates.file('root.key') };
      await read({ ...self, chain_certificates: [] }, log);
      expect(lines).toEqual([]);
    });

    it('that are wrong keep the node from starting: one line says which, where and why', async () => {
      const tls = { key: 'server.key', certificate: 'server.pem' };
      const started = spawnDaemon({ config: nodeConfig({ transport: { endpoint: { ...LOOPBACK, tls } } }) });
      expect((await started.exited).code).toBe(1);
      const file = `${started.cbdir}/server.key`;
      expect(started.stderr).toContain(
        `transport transport001 (/workers/0/transports/0): endpoint/tls/key: ${file} cannot be read: there is no such file (ENOENT)`,
      );
      expect(started.stderr).not.toContain('    at ');
      await started.dispose();
    });
  });
});

function secure(socket: Socket): TLSSocket {
  if (!(socket instanceof TLSSocket)) throw new Error('no TLS');
  return socket;
}

/** A TLS connection, when both sides have agreed as far as this one knows: in TLS 1.3 the other may still refuse. */
function handshake(port: number, options: ConnectionOptions): Promise<TLSSocket> {
  return within(
    new Promise((resolve, reject) => {
      const socket = connectTls({ port, host: '127.0.0.1', ...options }, () => resolve(socket));
      socket.on('error', reject);
    }),
    'TLS handshake',
  );
}

/** As {@link handshake}, then a RawSocket handshake: a connection that is cut gives no answer. */
async function handshakeAndRead(port: number, tls: ConnectionOptions): Promise<void> {
  const wire = await RawSocketWire.open({ port, tls });
  wire.write(Buffer.from('7ff10000', 'hex'));
  if ((await wire.read(4)).length < 4) throw new Error('closed without an answer');
}
