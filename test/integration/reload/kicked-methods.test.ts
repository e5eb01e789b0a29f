/** Who is ended with `kick` after a reload, by each method that asks for a secret, and by client certificates. */
import type { ConnectionOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OutdatedSession } from '../../../src/node/reload/report.js';
import { AUTH_CLIENTS } from '../../support/auth-clients.js';
import type { AuthClient } from '../../support/auth-clients.js';
import { Certificates, HAS_OPENSSL } from '../../support/certificates.js';
import { temporaryDirectory } from '../../support/daemon.js';
import { describeNeeds } from '../../support/needs.js';
import { ALLOW_ALL, LOOPBACK } from '../../support/node-config.js';
import { ReloadedDaemon } from '../../support/reloading.js';
import { ALL_ROLES, WampClient } from '../../support/wamp-client.js';

type Section = Readonly<Record<string, unknown>>;

interface Player {
  readonly name: string;
  readonly auth: Readonly<Record<string, Section>>;
  /** Undefined for one whom the connection proves. */
  readonly client?: AuthClient;
}

/** What becomes of the section by which a client came in. */
const CHANGES: Readonly<Record<string, { readonly change: (section: Section) => Section | undefined }>> = {
  stays: { change: (section) => section },
  nobody: { change: withoutAnybody },
  gone: { change: () => undefined },
  asked: {
    change: (section) => ('issuers' in section ? withoutAnybody(section) : ASKED),
  },
};
const ASKED = { type: 'dynamic', authenticator: 'com.example.auth', 'authenticator-realm': 'realm1' };
/** Beside it, `ticket` is the name of several methods. */
const ONE_TIME = { one_time: {} };

function withoutAnybody(section: Section): Section {
  const { issuers } = section as { readonly issuers?: readonly object[] };
  if (issuers !== undefined)
    return { ...section, issuers: issuers.map((issuer) => ({ ...issuer, issuer: 'https://other.example.com' })) };
  return { ...section, ['users' in section ? 'users' : 'principals']: {} };
}

describeNeeds('the openssl command', HAS_OPENSSL)('of those who came by', () => {
  let node: ReloadedDaemon;
  let tls: ConnectionOptions;
  let outdated: readonly OutdatedSession[];
  const players: Player[] = [];
  // name and change -> session
  const clients = new Map<string, WampClient>();

  const config = (isChanged: boolean, files: object): object => ({
    version: 2,
    controller: { options: { reload: { kick: true } } },
    workers: [
      {
        type: 'router',
        realms: [{ name: 'realm1', roles: [{ name: 'user', permissions: ALLOW_ALL }] }],
        transports: [
          {
            ...{ type: 'web', endpoint: { ...LOOPBACK, tls: files } },
            paths: Object.fromEntries(
              players.flatMap(({ name, auth }) =>
                Object.entries(CHANGES).map(([word, { change }]) => {
                  const [[key, section] = ['', {}]] = Object.entries(auth);
                  const next = isChanged ? change(section) : section;
                  return [
                    `${name}-${word}`,
                    { type: 'websocket', auth: { ...ONE_TIME, ...(next && { [key]: next }) } },
                  ];
                }),
              ),
            ),
          },
        ],
      },
    ],
  });

  async function join({ name, client: player }: Player, word: string): Promise<void> {
    const client = await WampClient.connect(node.daemon.url(`/${name}-${word}`, 'wss'), { tls });
    const asking = { roles: ALL_ROLES, authmethods: [player?.authmethod ?? name], ...player?.hello('joe') };
    let answer = await client.ask([1, 'realm1', asking]);
    if (player !== undefined) {
      const { signature, extra = {} } = player.answer({ extra: answer[2] as Section }, 'joe', true);
      answer = await client.ask([5, signature, extra]);
    }
    expect(answer).toMatchObject([2, expect.any(Number), { authid: 'joe', authrole: 'user' }]);
    clients.set(`${name}-${word}`, client);
  }

  beforeAll(async () => {
    const certificates = new Certificates(temporaryDirectory());
    certificates.openssl('x509', '-in', 'client.pem', '-noout', '-fingerprint', '-sha256', '-out', 'sha256.txt');
    const fingerprint = certificates.text('sha256.txt').trim().split('=')[1];
    players.push(
      ...AUTH_CLIENTS.map((client) => ({ name: client.name, auth: client.config as Player['auth'], client })),
    );
    const joe = { 'certificate-sha256': fingerprint, role: 'user' };
    players.push({ name: 'tls', auth: { tls: { type: 'static', principals: { joe } } } });
    const files = {
      ...{ key: certificates.file('server.key'), certificate: certificates.file('server.pem') },
      chain_certificates: [certificates.file('intermediate.pem')],
      ca_certificates: [certificates.file('root.pem')],
    };
    const [ca, cert, key] = ['root.pem', 'client.pem', 'client.key'].map((name) => certificates.text(name));
    tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
    node = await ReloadedDaemon.start(config(false, files));
    for (const player of players) for (const word of Object.keys(CHANGES)) await join(player, word);
    const report = await node.take(config(true, files));
    expect(report.outdated).toMatchObject({ count: 3 * players.length, killed: 3 * players.length });
    outdated = report.outdated.sessions;
  });
  afterAll(() => node.dispose());

  describe.each([...AUTH_CLIENTS.map(({ name }) => name), 'tls'])('%s', (name) => {
    it.each(['nobody', 'gone', 'asked'])('ends them where the section is: %s', async (word) => {
      const client = clients.get(`${name}-${word}`);
      expect(await client?.next()).toEqual([6, { message: expect.any(String) as string }, 'wamp.close.killed']);
      await client?.drop();
    });

    it('leaves those in peace whose section stays', async () => {
      const client = clients.get(`${name}-stays`);
      expect(await client?.ask([32, 1, {}, 'com.example.news'])).toMatchObject([33, 1, expect.any(Number)]);
      await client?.drop();
    });
  });

  it('says why', () => {
    const words = new Set(outdated.map(({ why }) => why));
    expect([...words].toSorted()).toEqual(['no such method', 'no such principal']);
    expect(outdated.map(({ authid }) => authid)).toEqual(outdated.map(() => 'joe'));
  });
});
