/**
 * Logins over long-poll, with the real daemon: every method of `test/support/auth-clients.ts`, the session of a web application, one-time
 * tickets, cookies and client certificates. All of them see the client through the request that opened its connection.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { AUTH_CLIENTS } from '../support/auth-clients.js';
import type { AuthClient } from '../support/auth-clients.js';
import { Certificates, HAS_OPENSSL } from '../support/certificates.js';
import { startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { LongPollClient } from '../support/long-poll-client.js';
import { describeNeeds } from '../support/needs.js';
import { ALLOW_ALL, LOOPBACK, nodeConfig } from '../support/node-config.js';
import { ALL_ROLES, cookieValue } from '../support/wamp-client.js';
import { SECRET, WebApp } from '../support/web-app.js';

const ISSUE = 'crossbar.ticket.issue';
const TICKET = 'the secret of the backend';
const ORIGIN = 'https://app.example.com';
const DENIED = 'wamp.error.not_authorized';

const ROLES = ['anonymous', 'user', 'member'].map((name) => ({ name, permissions: ALLOW_ALL }));
const BACKEND = { name: 'backend', permissions: [...ALLOW_ALL, { uri: ISSUE, allow: { call: true } }] };
const MAPPING = {
  authid: 'passport.user.id',
  role: { path: 'passport.user.role', map: { member: 'member' } },
};
const ticketOf = (authid: string, role: string): object => ({
  ticket: { type: 'static', principals: { [authid]: { ticket: TICKET, role } } },
});
const LIMITS = { max_auth_failures: 0, max_auth_failures_per_address: 0 };

let daemon: Daemon;
let app: WebApp;
const open: LongPollClient[] = [];

beforeAll(async () => {
  app = await WebApp.start();
  const place = (auth: object, more: object = {}): object => ({ type: 'longpoll', auth, ...more, options: LIMITS });
  const session = {
    type: 'express',
    secrets: [SECRET],
    store: { type: 'http', url: `${app.origin}/session` },
    ...MAPPING,
  };
  const oneTime = { one_time: { from: ['challenge', 'authextra', 'query'] }, ...ticketOf('backend', 'backend') };
  daemon = await startDaemon({
    args: ['--loglevel', 'trace'],
    config: nodeConfig({
      realms: [{ name: 'realm1', roles: [...ROLES, BACKEND] }],
      paths: {
        ...Object.fromEntries(AUTH_CLIENTS.map(({ name, config }) => [name, place(config)])),
        session: place({ session, anonymous: { type: 'static' } }),
        'one-time': place(oneTime),
        cookie: place({ ...ticketOf('joe', 'user'), cookie: {}, anonymous: { type: 'static' } }, { cookie: {} }),
      },
      transport: { options: { trusted_proxies: ['127.0.0.1'] } },
    }),
  });
});
afterAll(async () => {
  await daemon.dispose();
  app.close();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client.close()));
});

async function connect(name: string, more: object = {}): Promise<LongPollClient> {
  const client = await LongPollClient.connect({ port: daemon.port, path: `/${name}`, ...more });
  open.push(client);
  return client;
}

const hello = (authmethods: readonly string[], more: object = {}): readonly unknown[] => [
  1,
  'realm1',
  { roles: ALL_ROLES, authmethods, ...more },
];
const welcome = (details: object): unknown[] => [2, expect.any(Number), expect.objectContaining(details)];

describe.each(AUTH_CLIENTS)('$name', (player: AuthClient) => {
  const login = async (knows: boolean): Promise<unknown[]> => {
    const client = await connect(player.name);
    const { authmethod } = player;
    const [type, , extra] = await client.ask(hello([authmethod], player.hello('joe')));
    expect(type).toBe(4);
    const answer = player.answer({ extra: extra as Readonly<Record<string, unknown>> }, 'joe', knows);
    return client.ask([5, answer.signature, answer.extra ?? {}]);
  };

  it('lets joe in, and nobody who does not know his secret', async () => {
    expect(await login(true)).toEqual(welcome({ authid: 'joe', authrole: 'user' }));
    expect((await login(false)).slice(0, 3)).toEqual([3, expect.anything(), DENIED]);
  });
});

describe('a session of Express', () => {
  it('is one in the realm, and ends there with its logout', async () => {
    const visitor = await app.login('joe');
    const asJoe = hello(['session', 'anonymous']);
    const client = await connect('session', { headers: { cookie: visitor.cookie } });
    expect(await client.ask(asJoe)).toEqual(welcome({ authid: 'joe', authrole: 'member', authmethod: 'session' }));
    const { cookie } = visitor;
    await visitor.post('/logout');
    // The web application is asked at each HELLO, and the answer is news for all sessions of the browser.
    const other = await connect('session', { headers: { cookie } });
    expect(await other.ask(asJoe)).toEqual(welcome({ authmethod: 'anonymous' }));
    expect((await client.next()).slice(0, 3)).toEqual([6, expect.anything(), 'crossbar.close.session_ended']);
    expect(await (await connect('session')).ask(asJoe)).toEqual(welcome({ authmethod: 'anonymous' }));
  });
});

describe('one-time tickets', () => {
  let requests = 0;
  async function issue(backend: LongPollClient, more: object = {}): Promise<string> {
    const answer = await backend.ask([48, ++requests, {}, ISSUE, [], { authid: 'joe', role: 'member', ...more }]);
    return (answer[3] as readonly { readonly ticket: string }[])[0]?.ticket ?? '';
  }

  it('let in once by each way that a handshake over HTTP has', async () => {
    const backend = await connect('one-time');
    expect((await backend.ask(hello(['ticket'], { authid: 'backend' })))[0]).toBe(4);
    expect((await backend.ask([5, TICKET, {}]))[0]).toBe(2);
    const tickets = [await issue(backend), await issue(backend), await issue(backend, { origin: ORIGIN })];
    const [asked = '', inHello = '', inUrl = ''] = tickets;
    const joe = welcome({ authid: 'joe', authrole: 'member', authmethod: 'one_time' });

    const byChallenge = await connect('one-time');
    expect((await byChallenge.ask(hello(['ticket'])))[0]).toBe(4);
    expect(await byChallenge.ask([5, asked, {}])).toEqual(joe);
    for (const expected of [joe, expect.arrayContaining([3, DENIED])]) {
      const byHello = await connect('one-time');
      expect(await byHello.ask(hello(['ticket'], { authextra: { ticket: inHello } }))).toEqual(expected);
    }
    for (const expected of [joe, expect.arrayContaining([3, DENIED])]) {
      const byUrl = await connect('one-time', { query: `?x=1&ticket=${inUrl}`, headers: { origin: ORIGIN } });
      expect(await byUrl.ask(hello([]))).toEqual(expected);
    }
    for (const ticket of tickets) expect(daemon.output).not.toContain(ticket.slice(5, 20));
  });
});

describe('a cookie', () => {
  const logIn = async (headers: Readonly<Record<string, string>>): Promise<LongPollClient> => {
    const client = await connect('cookie', { headers });
    expect((await client.ask(hello(['ticket'], { authid: 'joe' })))[0]).toBe(4);
    expect((await client.ask([5, TICKET, {}]))[0]).toBe(2);
    return client;
  };
  /** What is told with an answer behind `/open`. */
  const told = async ({ answers }: LongPollClient): Promise<string> => {
    for (;;) {
      const [line] = answers.flatMap(({ headers }) => headers['set-cookie'] ?? []);
      if (line !== undefined) return line;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  it('lets its browser in by the login that it remembers', async () => {
    const first = await connect('cookie');
    const cookie = `cbtid=${cookieValue(String(first.handshake.headers['set-cookie']))}`;
    const client = await logIn({ cookie });
    const renewed = `cbtid=${cookieValue(await told(client))}`;
    const again = await connect('cookie', { headers: { cookie: renewed } });
    expect(await again.ask(hello(['cookie']))).toEqual(
      welcome({ authid: 'joe', authmethod: 'ticket', authprovider: 'cookie' }),
    );
    const stranger = await connect('cookie');
    expect((await stranger.ask(hello(['cookie'])))[0]).toBe(3);
  });

  it('that a proxy has taken over TLS stays Secure, also when it gets a new id and when it is taken away', async () => {
    const proxied = { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https' };
    const first = await connect('cookie', { headers: proxied });
    const given = String(first.handshake.headers['set-cookie']);
    expect(given).toContain('; Secure');
    const client = await logIn({ ...proxied, cookie: `cbtid=${cookieValue(given)}` });
    const renewed = await told(client);
    expect(renewed).toContain('; Secure');
    client.headers = { ...proxied, cookie: `cbtid=${cookieValue(renewed)}` };
    client.send([6, {}, 'wamp.close.logout']);
    expect((await client.next())[0]).toBe(6);
    await client.close();
    const lines = client.answers.flatMap(({ headers }) => headers['set-cookie'] ?? []);
    expect(lines.at(-1)).toMatch(/^cbtid=; .*Secure/);
  });
});

describeNeeds('the openssl command', HAS_OPENSSL)('a client certificate', () => {
  let certificates: Certificates;
  let secure: Daemon;
  beforeAll(async () => {
    certificates = new Certificates(temporaryDirectory());
    certificates.openssl('x509', '-in', 'client.pem', '-noout', '-fingerprint', '-sha256', '-out', 'sha256.txt');
    const sha256 = certificates.text('sha256.txt').trim().split('=')[1];
    const endpoint = {
      ...LOOPBACK,
      tls: {
        key: certificates.file('server.key'),
        certificate: certificates.file('server.pem'),
        chain_certificates: [certificates.file('intermediate.pem')],
        ca_certificates: [certificates.file('root.pem')],
      },
    };
    const auth = { tls: { type: 'static', principals: { joe: { 'certificate-sha256': sha256, role: 'user' } } } };
    secure = await startDaemon({
      config: nodeConfig({
        realms: [{ name: 'realm1', roles: ROLES }],
        paths: { lp: { type: 'longpoll', auth } },
        transport: { endpoint },
      }),
    });
  });
  afterAll(() => secure.dispose());

  const as = (name: string, headers = {}): Promise<LongPollClient> =>
    connect('lp', {
      port: secure.port,
      headers,
      tls: {
        ca: certificates.text('root.pem'),
        cert: certificates.text(`${name}.pem`),
        key: certificates.text(`${name}.key`),
      },
    });

  it('lets its owner in without a question, whatever becomes of the connection that showed it', async () => {
    // Each request has a connection of its own.
    const client = await as('client', { connection: 'close' });
    const answer = await client.ask(hello(['tls']));
    expect(answer).toEqual(welcome({ authid: 'joe', authrole: 'user', authmethod: 'tls' }));
    const details = await client.ask([48, 1, {}, 'wamp.session.get', [answer[1]]]);
    expect(details[3]).toMatchObject([
      { transport: { channel_type: 'tls', channel_framing: 'longpoll', is_secure: true } },
    ]);
  });

  it('that nobody here has is refused, and one of a stranger comes to no request', async () => {
    const unknown = await as('intermediate');
    expect((await unknown.ask(hello(['tls'])))[2]).toBe(DENIED);
    await expect(as('strangers-client')).rejects.toThrow();
  });
});
