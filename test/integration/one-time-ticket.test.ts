/**
 * One-time tickets in the real daemon, at the noisiest log level: a program of a web application gets them from
 * `crossbar.ticket.issue`, and clients show them on WebSockets and RawSockets, on a port that workers share, and through a proxy
 * worker.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { ALLOW_ALL, LOOPBACK } from '../support/node-config.js';
import { freePorts } from '../support/ports.js';
import { RawSocketClient, placeOf } from '../support/rawsocket-client.js';
import { ALL_ROLES, WampClient } from '../support/wamp-client.js';
import type { HandshakeRefused, WampClientOptions } from '../support/wamp-client.js';

const ISSUE = 'crossbar.ticket.issue';
const ORIGIN = 'https://example.com';
const ONE_TIME = { from: ['challenge', 'authextra', 'query', 'subprotocol'] };
const BACKEND_SECRET = 'the secret of the backend';
const DENIED = 'wamp.error.not_authorized';

const backend = { type: 'static', principals: { backend: { ticket: BACKEND_SECRET, role: 'backend' } } };
const realm = (name: string): object => ({
  name,
  roles: [
    { name: 'backend', permissions: [...ALLOW_ALL, { uri: ISSUE, allow: { call: true } }] },
    { name: 'member', permissions: ALLOW_ALL },
    { name: 'guest', permissions: ALLOW_ALL },
    { name: 'anonymous', permissions: ALLOW_ALL },
  ],
});
const router = (id: string, name: string, ...transports: readonly object[]): object => ({
  type: 'router',
  id,
  realms: [realm(name)],
  transports,
});
const web = (endpoint: object, auth: object, more: object = {}): object => ({
  type: 'web',
  endpoint,
  paths: { '/': { type: 'json', value: 0 }, ws: { type: 'websocket', auth, ...more } },
  options: { access_log: true },
});

let daemon: Daemon;
let ports: Readonly<Record<'main' | 'other' | 'raw' | 'shared' | 'front' | 'bare', number>>;
/** All that were issued. */
const issued: string[] = [];
/** What clients and processes said, beside the answers to the backend. */
const said: string[] = [];
const clients: { drop(): unknown }[] = [];

beforeAll(async () => {
  const [main = 0, other = 0, raw = 0, shared = 0, front = 0, bare = 0] = await freePorts(6);
  ports = { main, other, raw, shared, front, bare };
  const at = (port: number): object => ({ ...LOOPBACK, port });
  const together = { ...LOOPBACK, port: shared, shared: true };
  const auth = { one_time: ONE_TIME, ticket: backend, anonymous: { type: 'static' } };
  const limits = { max_auth_failures: 0, max_auth_failures_per_address: 0 };
  const pages = { options: { ...limits, allowed_origins: [ORIGIN, 'https://evil.example'] } };
  daemon = await startDaemon({
    args: ['--loglevel', 'trace'],
    config: {
      version: 2,
      workers: [
        router(
          'main',
          'realm1',
          web(at(main), auth, { cookie: {}, ...pages }),
          web(at(other), { one_time: {} }, { options: limits }),
          { type: 'rawsocket', endpoint: at(raw), auth },
        ),
        // The first one listens, and takes no tickets itself.
        router('first', 'first', web(together, { anonymous: { type: 'static' } })),
        router('second', 'second', web(together, { one_time: ONE_TIME, ticket: backend })),
        {
          type: 'proxy',
          connections: {
            main: { transport: { type: 'rawsocket', endpoint: { type: 'tcp', host: '127.0.0.1', port: raw } } },
          },
          routes: { realm1: { member: 'main' } },
          transports: [web(at(front), { one_time: ONE_TIME })],
        },
        router('without', 'without', { type: 'rawsocket', endpoint: at(bare), auth: { ticket: backend } }),
      ],
    },
  });
});

afterAll(async () => {
  for (const client of clients) client.drop();
  await daemon.dispose();
});

const urlOf = (port: number, query = ''): string => `ws://127.0.0.1:${port}/ws${query}`;

async function connect(url: string, options: WampClientOptions = {}): Promise<WampClient> {
  const client = await WampClient.connect(url, options);
  said.push(JSON.stringify(client.handshake));
  clients.push(client);
  return client;
}

/** What a client says, and what it gets for it: WELCOME without its roles, or the reason of ABORT. */
async function enter(client: WampClient, details: object = {}, name = 'realm1', ticket = ''): Promise<unknown> {
  let answer = await client.ask([1, name, { roles: ALL_ROLES, ...details }]);
  if (answer[0] === 4) answer = await client.ask([5, ticket, {}]);
  said.push(JSON.stringify(answer));
  if (answer[0] !== 2) return answer[2];
  const { realm, authid, authrole, authmethod, authprovider, authextra } = answer[2] as Record<string, unknown>;
  return { realm, authid, authrole, authmethod, authprovider, ...(authextra !== undefined && { authextra }) };
}

async function backendAt(port: number, name: string): Promise<WampClient> {
  const client = await connect(urlOf(port));
  const details = { authid: 'backend', authmethods: ['ticket'] };
  expect(await enter(client, details, name, BACKEND_SECRET)).toMatchObject({ authrole: 'backend' });
  return client;
}

let requests = 0;

async function issueBy(client: WampClient, kwargs: object): Promise<string> {
  const answer = await client.ask([48, ++requests, {}, ISSUE, [], kwargs]);
  const { ticket } = (answer[3] as readonly { readonly ticket: string }[])[0] ?? { ticket: '' };
  expect(ticket).toMatch(/^once-[\w-]{43}$/);
  issued.push(ticket);
  return ticket;
}

const JOE = { authid: 'joe', role: 'member', extra: { name: 'Joe' } };
const JOINED = {
  realm: 'realm1',
  authid: 'joe',
  authrole: 'member',
  authmethod: 'one_time',
  authprovider: 'one_time',
  authextra: { name: 'Joe' },
};
const bearer = (ticket: string): string => `base64url.bearer.wamp.${Buffer.from(ticket).toString('base64url')}`;

describe('tickets of a worker', () => {
  let issue: (more?: object) => Promise<string>;
  beforeAll(async () => {
    const program = await backendAt(ports.main, 'realm1');
    issue = (more = {}) => issueBy(program, { ...JOE, ...more });
  });

  it('let in by each way, whatever HELLO offers where they came with the handshake', async () => {
    const byChallenge = await connect(urlOf(ports.main));
    expect(await enter(byChallenge, { authmethods: ['ticket'] }, 'realm1', await issue())).toEqual(JOINED);
    const byHello = await connect(urlOf(ports.main));
    const authextra = { ticket: await issue() };
    expect(await enter(byHello, { authmethods: ['ticket', 'anonymous'], authextra })).toEqual(JOINED);
    const byUrl = await connect(urlOf(ports.main, `?ticket=${await issue()}`));
    expect(await enter(byUrl, { authmethods: ['cookie', 'anonymous'] })).toEqual(JOINED);
    const subprotocols = [bearer(await issue()), 'wamp.2.json'];
    const bySubprotocol = await connect(urlOf(ports.main), { subprotocols });
    expect(await enter(bySubprotocol)).toEqual(JOINED);
    expect(bySubprotocol.handshake.subprotocol).toBe('wamp.2.json');
    const raw = await RawSocketClient.connect(placeOf(`tcp://127.0.0.1:${ports.raw}`));
    clients.push(raw);
    raw.send([1, 'realm1', { roles: ALL_ROLES, authmethods: ['ticket'], authextra: { ticket: await issue() } }]);
    expect(await raw.next()).toMatchObject([2, expect.any(Number), { authid: 'joe', authmethod: 'one_time' }]);
  });

  it('let exactly one of 50 clients in that come at once, on two transports', async () => {
    for (let round = 0; round < 3; round += 1) {
      const ticket = await issue();
      const crowd = await Promise.all(
        Array.from({ length: 50 }, (_, n) => connect(urlOf(n % 2 === 0 ? ports.main : ports.other))),
      );
      const authextra = { ticket };
      const answers = await Promise.all(crowd.map((client) => enter(client, { authmethods: ['ticket'], authextra })));
      expect(answers.filter((answer) => answer !== DENIED)).toEqual([JOINED]);
      expect(answers).toHaveLength(50);
      for (const client of crowd) void client.drop();
    }
  });

  it('let exactly one of 50 clients in that have it in their URL', async () => {
    const ticket = await issue();
    const crowd = await Promise.all(Array.from({ length: 50 }, () => connect(urlOf(ports.main, `?ticket=${ticket}`))));
    const answers = await Promise.all(crowd.map((client) => enter(client)));
    expect(answers.filter((answer) => answer !== DENIED)).toEqual([JOINED]);
    for (const client of crowd) void client.drop();
  });

  it('are for the pages of their origin, and gone when another one has tried', async () => {
    const ticket = await issue({ origin: ORIGIN });
    const from = (origin: string) =>
      connect(urlOf(ports.main, `?ticket=${ticket}`), { headers: { origin } }).then((client) => enter(client));
    expect(await from('https://evil.example')).toBe(DENIED);
    expect(await from(ORIGIN)).toBe(DENIED);
    const another = await issue({ origin: ORIGIN });
    const page = await connect(urlOf(ports.main, `?ticket=${another}`), { headers: { origin: ORIGIN } });
    expect(await enter(page)).toEqual(JOINED);
    const program = await connect(urlOf(ports.main, `?ticket=${await issue({ origin: ORIGIN })}`));
    expect(await enter(program)).toBe(DENIED);
  });

  it('are refused and gone by a way that the transport does not name', async () => {
    const ticket = await issue();
    expect(await enter(await connect(urlOf(ports.other, `?ticket=${ticket}`)), { authmethods: ['ticket'] })).toBe(
      DENIED,
    );
    expect(await enter(await connect(urlOf(ports.main, `?ticket=${ticket}`)))).toBe(DENIED);
    const subprotocols = ['wamp.2.json', bearer(await issue())];
    expect(await enter(await connect(urlOf(ports.other), { subprotocols }))).toBe(DENIED);
  });

  it('leave no login with the cookie of the browser', async () => {
    const first = await connect(urlOf(ports.main, `?ticket=${await issue()}`));
    const cookie = first.handshake.setCookie[0]?.split(';')[0] ?? '';
    expect(cookie).toMatch(/^cbtid=/);
    expect(await enter(first)).toEqual(JOINED);
    const again = await connect(urlOf(ports.main), { headers: { cookie } });
    expect(await enter(again, { authmethods: ['cookie', 'anonymous'] })).toMatchObject({ authrole: 'anonymous' });
  });

  it('come with a subprotocol of WAMP, or there is no connection', async () => {
    const ticket = await issue();
    const alone = connect(urlOf(ports.main), { subprotocols: [bearer(ticket)] });
    await expect(alone).rejects.toMatchObject({ status: 400 } satisfies Partial<HandshakeRefused>);
    const { offered } = await daemon.waitForLog(({ kind, offered: names }) => kind !== '' && typeof names === 'string');
    expect(offered).toBe('base64url.bearer.…');
    const bare = connect(urlOf(ports.main), { subprotocols: [ticket] });
    await expect(bare).rejects.toMatchObject({ status: 400 });
  });

  it('never let in beyond a role that is gone, or built in', async () => {
    const program = await backendAt(ports.main, 'realm1');
    for (const kwargs of [{ role: 'trusted' }, { role: 'admin' }, { realm: 'second' }, { ttl: 301 }]) {
      const answer = await program.ask([48, ++requests, {}, ISSUE, [], { ...JOE, ...kwargs }]);
      expect(answer.slice(0, 5), JSON.stringify(kwargs)).toMatchObject([
        8,
        48,
        requests,
        {},
        'wamp.error.invalid_argument',
      ]);
    }
  });
});

describe('on a port that workers share', () => {
  it('a ticket of the handshake gets to the router whose realm HELLO names', async () => {
    const program = await backendAt(ports.shared, 'second');
    const joe = { realm: 'second', authid: 'joe', authmethod: 'one_time' };
    const headers = { origin: ORIGIN };
    const ticket = await issueBy(program, { ...JOE, origin: ORIGIN });
    const byUrl = await connect(urlOf(ports.shared, `?ticket=${ticket}`), { headers });
    expect(await enter(byUrl, {}, 'second')).toMatchObject(joe);
    const subprotocols = ['wamp.2.json', bearer(await issueBy(program, { ...JOE, origin: ORIGIN }))];
    const bySubprotocol = await connect(urlOf(ports.shared), { headers, subprotocols });
    expect(await enter(bySubprotocol, {}, 'second')).toMatchObject(joe);
    // The worker of that realm takes none.
    const elsewhere = await connect(urlOf(ports.shared, `?ticket=${await issueBy(program, JOE)}`));
    expect(await enter(elsewhere, {}, 'first')).toMatchObject({ realm: 'first', authmethod: 'anonymous' });
  });
});

describe('through a proxy worker', () => {
  it('tickets of the router behind it count, for roles with a route', async () => {
    const program = await backendAt(ports.main, 'realm1');
    const through = async (kwargs: object): Promise<unknown> =>
      enter(await connect(urlOf(ports.front, `?ticket=${await issueBy(program, { ...JOE, ...kwargs })}`)));
    expect(await through({})).toEqual(JOINED);
    expect(await through({ role: 'guest' })).toBe('wamp.error.no_such_role');
  });
});

describe('a worker where nobody takes tickets', () => {
  it('issues none, and says why', async () => {
    const program = await RawSocketClient.connect(placeOf(`tcp://127.0.0.1:${ports.bare}`));
    clients.push(program);
    program.send([1, 'without', { roles: ALL_ROLES, authid: 'backend', authmethods: ['ticket'] }]);
    expect(await program.next()).toEqual([4, 'ticket', {}]);
    program.send([5, BACKEND_SECRET, {}]);
    expect(await program.next()).toMatchObject([2, expect.any(Number), { authrole: 'backend' }]);
    program.send([48, 1, {}, ISSUE, [], JOE]);
    const text = expect.stringContaining('no transport of this worker has "one_time" in its "auth"') as unknown;
    expect(await program.next()).toEqual([8, 48, 1, {}, 'wamp.error.unavailable', [text]]);
  });
});

describe('no ticket', () => {
  it('stands in a log line, a handshake, WELCOME or ABORT', () => {
    expect(issued.length).toBeGreaterThan(15);
    expect(daemon.logs.filter(({ msg }) => msg === 'session refused').length).toBeGreaterThan(100);
    const text = daemon.output + said.join('\n');
    const leaked = issued.flatMap((ticket) => [ticket.slice(5, 20), bearer(ticket).slice(22, 48)]);
    expect(leaked.filter((part) => text.includes(part))).toEqual([]);
  });
});
