/** What TLS does for authentication, over the real thing: client certificates, and signatures that hold for one connection. */
import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cryptosignAnswer, JOE_KEYS } from '../support/auth-clients.js';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import type { Daemon } from '../support/daemon.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import { describeNeeds } from '../support/needs.js';
import { LOOPBACK, nodeConfig } from '../support/node-config.js';
import { RawSocketClient } from '../support/rawsocket-client.js';
import { WampClient } from '../support/wamp-client.js';

const ROLES = ['anonymous', 'user'].map((name) => ({ name, permissions: [] }));

describeNeeds('the openssl command', HAS_OPENSSL)('authentication over TLS', () => {
  let certificates: Certificates;
  let daemon: Daemon;
  beforeAll(async () => {
    certificates = new Certificates(temporaryDirectory());
    const server = {
      key: certificates.file('server.key'),
      certificate: certificates.file('server.pem'),
      chain_certificates: [certificates.file('intermediate.pem')],
    };
    const endpoint = { ...LOOPBACK, tls: { ...server, ca_certificates: [certificates.file('root.pem')] } };
    const fingerprint = new X509Certificate(certificates.text('client.pem')).fingerprint;
    const auth = {
      anonymous: { type: 'static', role: 'anonymous' },
      tls: { type: 'static', principals: { device: { 'certificate-sha1': fingerprint, role: 'user' } } },
      cryptosign: { type: 'static', principals: { joe: { authorized_keys: [JOE_KEYS.pubkey], role: 'user' } } },
    };
    daemon = await startDaemon({
      config: nodeConfig({
        realms: [{ name: 'realm1', roles: ROLES }],
        transports: [
          { type: 'websocket', id: 'secure', endpoint, auth },
          { type: 'rawsocket', id: 'raw', endpoint, auth },
        ],
      }),
    });
  });
  afterAll(() => daemon.dispose());

  const portOf = (id: string): number =>
    daemon.listening().find((record) => record['transport'] === id)?.['port'] as number;
  const url = (): string => `wss://127.0.0.1:${String(portOf('secure'))}/`;
  const as = (name: string) => ({
    ca: certificates.text('root.pem'),
    key: certificates.text(`${name}.key`),
    cert: certificates.text(`${name}.pem`),
  });
  const hello = (authmethods: readonly string[], more: object = {}) => [
    1,
    'realm1',
    { roles: { caller: {} }, authmethods, ...more },
  ];

  it('lets a client in by its certificate, on a WebSocket and on a RawSocket', async () => {
    for (const client of [
      await WampClient.connect(url(), { tls: as('client') }),
      await RawSocketClient.connect({ port: portOf('raw'), tls: as('client') }),
    ]) {
      const [type, , details] = await client.ask(hello(['tls']));
      expect(type).toBe(2);
      expect(details).toMatchObject({ authid: 'device', authrole: 'user', authmethod: 'tls', authprovider: 'static' });
      await client.leave();
    }
  });

  it('refuses a certificate that the authority signed, but nobody has', async () => {
    const client = await WampClient.connect(url(), { tls: as('intermediate') });
    expect(await client.ask(hello(['tls', 'anonymous']))).toEqual([3, expect.anything(), 'wamp.error.not_authorized']);
  });

  /** A challenge of the connection, signed for `channel`. */
  async function signedFor(client: WampClient, channel: TLSSocket): Promise<readonly unknown[]> {
    const authextra = { pubkey: JOE_KEYS.pubkey, channel_binding: 'tls-exporter' };
    const [type, method, extra] = await client.ask(hello(['cryptosign'], { authid: 'joe', authextra }));
    expect([type, method]).toEqual([4, 'cryptosign']);
    const { challenge, channel_binding: binding } = extra as { challenge: string; channel_binding: unknown };
    expect(binding).toBe('tls-exporter');
    const channelId = channel.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0));
    const message = Buffer.from(challenge, 'hex').map((octet, i) => octet ^ (channelId[i] ?? 0));
    return client.ask([5, cryptosignAnswer(Buffer.from(message).toString('hex'), JOE_KEYS), {}]);
  }

  it('takes a signature that is bound to its connection, and to no other', async () => {
    const client = await WampClient.connect(url(), { tls: as('client') });
    const other = await WampClient.connect(url(), { tls: as('client') });
    expect((await signedFor(client, socketOf(client)))[0]).toBe(2);
    const third = await WampClient.connect(url(), { tls: as('client') });
    expect(await signedFor(third, socketOf(other))).toEqual([3, expect.anything(), 'wamp.error.not_authorized']);
  });

  it('refuses a kind of binding that the connection does not have', async () => {
    const client = await WampClient.connect(url(), { tls: as('client') });
    const authextra = { pubkey: JOE_KEYS.pubkey, channel_binding: 'tls-unique' };
    const answer = await client.ask(hello(['cryptosign'], { authid: 'joe', authextra }));
    expect(answer[0]).toBe(3);
  });
});

function socketOf(client: WampClient): TLSSocket {
  return (client.socket as unknown as { readonly _socket: TLSSocket })._socket;
}
