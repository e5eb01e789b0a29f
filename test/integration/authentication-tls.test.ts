/** What TLS adds to authentication, in the daemon: client certificates, and signatures that hold for one connection. */
import { createHash } from 'node:crypto';
import { connect } from 'node:tls';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cryptosignAnswer, JOE_KEYS, scramProof, SCRAM_JOE } from '../support/auth-clients.js';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import type { Daemon } from '../support/daemon.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { ALLOW_ALL, LOOPBACK, nodeConfig } from '../support/node-config.js';
import { RawSocketClient } from '../support/rawsocket-client.js';
import { ALL_ROLES, WampClient } from '../support/wamp-client.js';

type Extra = Readonly<Record<string, unknown>>;

describeNeeds('the openssl command', HAS_OPENSSL)('over TLS', () => {
  let certificates: Certificates;
  let daemon: Daemon;
  beforeAll(async () => {
    certificates = new Certificates(temporaryDirectory());
    certificates.openssl('x509', '-in', 'client.pem', '-noout', '-fingerprint', '-sha1', '-out', 'sha1.txt');
    certificates.openssl('x509', '-in', 'client.pem', '-noout', '-fingerprint', '-sha256', '-out', 'sha256.txt');
    const [sha1, sha256] = ['sha1', 'sha256'].map((name) => certificates.text(`${name}.txt`).trim().split('=')[1]);
    const files = {
      key: certificates.file('server.key'),
      certificate: certificates.file('server.pem'),
      chain_certificates: [certificates.file('intermediate.pem')],
    };
    const asking = { ...LOOPBACK, tls: { ...files, ca_certificates: [certificates.file('root.pem')] } };
    const role = 'user';
    const auth = {
      tls: { type: 'static', principals: { joe: { 'certificate-sha1': sha1, 'certificate-sha256': sha256, role } } },
      ticket: { type: 'static', principals: { joe: { ticket: 'a ticket', role } } },
    };
    const bound = {
      cryptosign: { type: 'static', principals: { joe: { authorized_keys: [JOE_KEYS.pubkey], role } } },
      scram: { type: 'static', principals: { joe: { ...SCRAM_JOE, role } } },
      tls: auth.tls,
      ticket: auth.ticket,
    };
    daemon = await startDaemon({
      config: nodeConfig({
        realms: [{ name: 'realm1', roles: [{ name: role, permissions: ALLOW_ALL }] }],
        transport: { endpoint: { ...LOOPBACK, tls: files } },
        websocket: { auth: bound },
        transports: [
          { type: 'websocket', id: 'asking', endpoint: asking, auth },
          { type: 'rawsocket', id: 'raw', endpoint: asking, auth },
          { type: 'rawsocket', id: 'plain', endpoint: LOOPBACK, auth: bound },
        ],
      }),
    });
  });
  afterAll(() => daemon.dispose());

  const urlOf = (id: string): string =>
    daemon.listening().find((record) => record['transport'] === id)?.['url'] as string;
  const portOf = (id: string): number => Number(/:(\d+)\/$/.exec(urlOf(id))?.[1]);
  const trusting = (): ConnectionOptions => ({ ca: certificates.text('root.pem') });
  const asClient = (): ConnectionOptions => ({
    ...trusting(),
    cert: certificates.text('client.pem'),
    key: certificates.text('client.key'),
  });
  const hello = (authmethods: readonly string[], more: object = {}): readonly unknown[] => [
    1,
    'realm1',
    { roles: ALL_ROLES, authmethods, ...more },
  ];

  describe('a client certificate', () => {
    const welcome = [
      2,
      expect.any(Number),
      expect.objectContaining({ authid: 'joe', authrole: 'user', authmethod: 'tls' }),
    ];

    it('lets a WebSocket in without a question', async () => {
      const client = await WampClient.connect(urlOf('asking'), { tls: asClient() });
      expect(await client.ask(hello(['tls']))).toEqual(welcome);
      await client.close();
    });

    it('lets a RawSocket in without a question', async () => {
      const client = await RawSocketClient.connect({ port: portOf('raw'), tls: asClient() });
      expect(await client.ask(hello(['tls'], { authid: 'joe' }))).toEqual(welcome);
      await client.close();
    });

    it('that the authority signed, but nobody has, is refused', async () => {
      const unknown = {
        ...trusting(),
        cert: certificates.text('intermediate.pem'),
        key: certificates.text('intermediate.key'),
      };
      const client = await WampClient.connect(urlOf('asking'), { tls: unknown });
      expect((await client.ask(hello(['tls', 'ticket'])))[2]).toBe('wamp.error.not_authorized');
    });

    it('lets nobody in under another name', async () => {
      const client = await RawSocketClient.connect({ port: portOf('raw'), tls: asClient() });
      expect((await client.ask(hello(['tls'], { authid: 'ann' })))[2]).toBe('wamp.error.not_authorized');
    });

    it('that was not asked for is as none: the next method is taken, or nobody is let in', async () => {
      const url = urlOf('transport001').replace(/\/$/, '/ws').replace('https', 'wss');
      const client = await WampClient.connect(url, { tls: asClient() });
      expect((await client.ask(hello(['tls', 'ticket'], { authid: 'joe' }))).slice(0, 2)).toEqual([4, 'ticket']);
      await client.drop();
      const other = await WampClient.connect(url, { tls: asClient() });
      expect((await other.ask(hello(['tls'])))[2]).toBe('wamp.error.no_auth_method');
    });
  });

  describe.each([
    ['TLSv1.2', 'tls-unique'],
    ['TLSv1.3', 'tls-exporter'],
  ] as const)('channel binding, %s', (maxVersion, type) => {
    /** A client and what binds its connection, seen from its own end. */
    async function connectBound(): Promise<{ client: WampClient; data: Buffer }> {
      const url = urlOf('transport001').replace(/\/$/, '/ws').replace('https', 'wss');
      const client = await WampClient.connect(url, { tls: { ...trusting(), maxVersion } });
      const socket = Reflect.get(client.socket, '_socket') as TLSSocket;
      const finished = socket.getFinished() ?? Buffer.alloc(0);
      const data =
        type === 'tls-unique' ? finished : socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
      return { client, data };
    }
    const idOf = (data: Buffer): Buffer => (data.length === 32 ? data : createHash('sha256').update(data).digest());
    const mixed = (challenge: unknown, data: Buffer): string => {
      const id = idOf(data);
      return Buffer.from(Buffer.from(String(challenge), 'hex').map((octet, i) => octet ^ (id[i] ?? 0))).toString('hex');
    };

    it('of cryptosign holds for this connection, and for no other', async () => {
      const authextra = { pubkey: JOE_KEYS.pubkey, channel_binding: type };
      const login = async (dataOf: (own: Buffer) => Buffer): Promise<unknown> => {
        const { client, data } = await connectBound();
        const [, , extra] = await client.ask(hello(['cryptosign'], { authextra }));
        const { challenge, channel_binding: agreed } = extra as Extra;
        expect(agreed).toBe(type);
        const answer = await client.ask([5, cryptosignAnswer(mixed(challenge, dataOf(data)), JOE_KEYS), {}]);
        await client.drop();
        return answer[0];
      };
      const { client: other, data: elsewhere } = await connectBound();
      expect(await login((own) => own)).toBe(2);
      expect(await login(() => elsewhere)).toBe(3);
      await other.drop();
    });

    it('of SCRAM holds for this connection, and for no other', async () => {
      const nonce = Buffer.from('a client nonce').toString('base64');
      const login = async (dataOf: (own: Buffer) => Buffer): Promise<unknown> => {
        const { client, data } = await connectBound();
        const authextra = { nonce, channel_binding: type };
        const [, , extra] = await client.ask(hello(['wamp-scram'], { authid: 'joe', authextra }));
        const channel = Buffer.concat([Buffer.from(`p=${type},,`), dataOf(data)]).toString('base64');
        const answer = { nonce: (extra as Extra)['nonce'], channel_binding: type, cbind_data: data.toString('base64') };
        const verdict = await client.ask([5, scramProof(extra as Extra, 'joe', nonce, channel), answer]);
        await client.drop();
        return verdict[0];
      };
      const { client: other, data: elsewhere } = await connectBound();
      expect(await login((own) => own)).toBe(2);
      expect(await login(() => elsewhere)).toBe(3);
      await other.drop();
    });
  });

  it('channel binding is refused where there is no TLS', async () => {
    const client = await RawSocketClient.connect({ port: portOf('plain') });
    const authextra = { pubkey: JOE_KEYS.pubkey, channel_binding: 'tls-unique' };
    expect((await client.ask(hello(['cryptosign'], { authextra })))[2]).toBe('wamp.error.not_authorized');
  });

  it('a client that goes at once is no trouble', async () => {
    const socket = connect({ port: portOf('raw'), host: '127.0.0.1', ...asClient() });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    socket.destroy();
    const client = await RawSocketClient.connect({ port: portOf('raw'), tls: asClient() });
    expect((await client.ask(hello(['tls'])))[0]).toBe(2);
    await client.close();
    expect(daemon.logs.filter(({ level }) => level === 'error')).toEqual([]);
  });
});
