/**
 * Nothing secret gets out: one node at the noisiest log level, every authentication method, logins right and wrong, cookies,
 * logouts, kills, nonsense, a full disk, a damaged file, wrong configs. Everything that the processes write and everything
 * that the meta API answers is kept, and searched for every secret that was used, in every form that it may take.
 */
import { execFileSync } from 'node:child_process';
import { createHash, createHmac, generateKeyPairSync, pbkdf2Sync, randomBytes, sign } from 'node:crypto';
import { appendFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeDirectory, runCli, startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
import { AUDIENCE, ISSUER, secretKey, signed } from '../support/tokens.js';
import { ALL_ROLES, WampClient, cookieValue, rawHttp, upgradeLines } from '../support/wamp-client.js';

type Dict = Readonly<Record<string, unknown>>;

/** Every secret that was used: what it is -> itself. */
const secrets = new Map<string, string>();
/** Everything that could have given one away: where it is from -> text. */
const leaks = new Map<string, string>();

/** A secret that no text has by chance. */
function secret(what: string, value: string = randomBytes(18).toString('base64')): string {
  secrets.set(what, value);
  return value;
}

function keep(where: string, text: string): void {
  leaks.set(where, (leaks.get(where) ?? '') + text);
}

/** A secret as it is, as it looks in JSON and URLs, and encoded. */
function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const encoded = [bytes.toString('base64'), bytes.toString('base64url'), bytes.toString('hex')];
  const escaped = [encodeURIComponent(value), JSON.stringify(value).slice(1, -1), value.replaceAll('/', '\\/')];
  // Base64 without its end, which depends on what comes next.
  return [value, ...encoded.map((text) => text.replace(/=+$/, '').slice(0, -1)), ...escaped];
}

const TICKET = secret('ticket');
const ENV_TICKET = secret('ticket of the environment');
const FILE_SECRET = secret('secret of a file');
const PASSWORD = secret('password');
const SALT = 'salt of joe';
const KEY = secret('derived key', pbkdf2Sync(PASSWORD, SALT, 1000, 32, 'sha256').toString('base64'));
const WRONG = secret('wrong ticket');
const OPERATOR = secret('ticket of the operator');
const COOKIE_SECRET = secret('secret that signs cookies');
const TOKEN_SECRET = secret('secret that signs tokens', randomBytes(24).toString('base64'));

/** What SCRAM makes of the password, and what an Ed25519 key is made of. */
const SCRAM_SALT = randomBytes(16);
const SALTED = pbkdf2Sync(PASSWORD, SCRAM_SALT, 4096, 32, 'sha256');
const CLIENT_KEY = createHmac('sha256', SALTED).update('Client Key').digest();
const STORED_KEY = createHash('sha256').update(CLIENT_KEY).digest();
const SERVER_KEY = createHmac('sha256', SALTED).update('Server Key').digest();
for (const [what, bytes] of Object.entries({ SALTED, CLIENT_KEY, STORED_KEY, SERVER_KEY })) {
  secret(`${what} in hex`, bytes.toString('hex'));
  secret(`${what} in Base64`, bytes.toString('base64'));
}
const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const PUBLIC_KEY = Buffer.from(publicKey.export({ format: 'jwk' }).x ?? '', 'base64url').toString('hex');
secret('private key', Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url').toString('hex'));

const AUTH = {
  cookie: {},
  one_time: {},
  anonymous: { type: 'static' },
  ticket: {
    type: 'static',
    principals: {
      joe: { ticket: TICKET, role: 'member' },
      env: { ticket: '${SECRETS_TEST_TICKET}', role: 'member' },
      operator: { ticket: OPERATOR, role: 'operator' },
    },
  },
  wampcra: {
    type: 'static',
    users: {
      joe: { secret: KEY, salt: SALT, role: 'member' },
      file: { secret: { file: 'secret.txt' }, role: 'member' },
    },
  },
  scram: {
    type: 'static',
    principals: {
      joe: {
        kdf: 'pbkdf2',
        iterations: 4096,
        salt: SCRAM_SALT.toString('hex'),
        'stored-key': STORED_KEY.toString('hex'),
        'server-key': SERVER_KEY.toString('hex'),
        role: 'member',
      },
    },
  },
  cryptosign: { type: 'static', principals: { joe: { authorized_keys: [PUBLIC_KEY], role: 'member' } } },
};

const REALM = {
  name: 'realm1',
  roles: [
    { name: 'anonymous', permissions: ALLOW_ALL },
    { name: 'member', permissions: [{ uri: 'com.', match: 'prefix', allow: { call: true, subscribe: true } }] },
    {
      name: 'operator',
      permissions: [
        ...ALLOW_ALL,
        { uri: 'crossbar.', match: 'prefix', allow: { call: true, register: true, publish: true, subscribe: true } },
      ],
    },
  ],
};

const CONFIG = nodeConfig({
  realms: [REALM, { ...REALM, name: 'realm2' }],
  websocket: {
    auth: AUTH,
    cookie: { store: { type: 'file', filename: 'cookies.dat' } },
    options: { max_auth_failures: 0, max_auth_failures_per_address: 0 },
  },
  // Here the authid is the cookie id, for all to see: only the log must not have it.
  paths: {
    tracked: { type: 'websocket', cookie: { name: 'tracked' } },
    asked: {
      type: 'websocket',
      auth: {
        ticket: { type: 'function', module: './users.mjs', name: 'byTicket' },
        wampcra: { type: 'function', module: './users.mjs', name: 'bySecret' },
        scram: { type: 'dynamic', authenticator: 'com.example.nobody' },
      },
      options: { max_auth_failures: 0, max_auth_failures_per_address: 0 },
    },
    once: {
      type: 'websocket',
      auth: { one_time: { from: ['challenge', 'authextra', 'query', 'subprotocol'] } },
      options: { max_auth_failures: 0, max_auth_failures_per_address: 0 },
    },
    login: {
      type: 'login',
      realm: 'realm1',
      cookie: { store: { type: 'file', filename: 'cookies.dat' } },
      auth: { ticket: AUTH.ticket },
      options: { ticket: true, forms: true, max_auth_failures: 0, max_auth_failures_per_address: 0 },
    },
    signed: { type: 'websocket', cookie: { name: 'signed', secrets: [COOKIE_SECRET], authid: 'derived' } },
    tokens: {
      type: 'websocket',
      auth: { jwt: { issuers: [{ issuer: ISSUER, audience: AUDIENCE, secret: TOKEN_SECRET, role: 'operator' }] } },
      options: { max_auth_failures: 0, max_auth_failures_per_address: 0 },
    },
  },
});

/** Authenticators that let somebody in, refuse, fail, and answer nonsense. */
const USERS = `
export function byTicket(realm, authid, { ticket }) {
  if (authid === 'broken') throw new TypeError('this authenticator does not work');
  if (authid === 'nonsense') return { role: 7, ticket };
  if (ticket === ${JSON.stringify(TICKET)}) return 'member';
  throw Object.assign(new Error('denied'), { error: 'com.example.denied', args: ['who are you?'] });
}
export const bySecret = (realm, authid) => ({ role: authid === 'joe' ? 'member' : 7, secret: ${JSON.stringify(KEY)} });
`;

let daemon: Daemon;
let operator: WampClient;
const clients: WampClient[] = [];

beforeAll(async () => {
  const cbdir = nodeDirectory(CONFIG);
  writeFileSync(path.join(cbdir, 'secret.txt'), `${FILE_SECRET}\n`, { mode: 0o600 });
  writeFileSync(path.join(cbdir, 'users.mjs'), USERS);
  daemon = await startDaemon({
    cbdir,
    args: ['--loglevel', 'trace'],
    env: { SECRETS_TEST_TICKET: ENV_TICKET },
  });
  operator = await connect({});
  await logIn(operator, { authid: 'operator', authmethods: ['ticket'] }, () => OPERATOR);
});

afterAll(() => daemon.dispose());

async function connect(headers: Readonly<Record<string, string>>, urlPath = '/ws'): Promise<WampClient> {
  const client = await WampClient.connect(daemon.url(urlPath, 'ws'), { headers });
  clients.push(client);
  for (const line of client.handshake.setCookie) secret(`cookie ${secrets.size}`, cookieValue(line));
  return client;
}

function hello(details: Dict): readonly unknown[] {
  return [1, 'realm1', { roles: ALL_ROLES, ...details }];
}

/** What a client makes of a challenge: its signature, and what else AUTHENTICATE has to say. */
type Answer = (extra: Dict) => string | readonly [signature: string, extra: Dict];

/** HELLO, and AUTHENTICATE with the answer to the challenge. @returns the last message. */
async function logIn(client: WampClient, details: Dict, answer: Answer): Promise<readonly unknown[]> {
  const challenge = await client.ask(hello(details));
  if (challenge[0] !== 4) return challenge;
  const [signed, extra] = [answer(challenge[2] as Dict)].flat() as [string, Dict?];
  return client.ask([5, signed, extra ?? {}]);
}

const CLIENT_NONCE = randomBytes(16).toString('base64');

/** The proof of SCRAM by a key, right or wrong; the node's own signature is a secret of the client as well. */
function proof(clientKey: Buffer): Answer {
  return ({ nonce, salt, iterations }) => {
    const r = String(nonce);
    const message = `n=joe,r=${CLIENT_NONCE},r=${r},s=${String(salt)},i=${String(iterations)},c=biws,r=${r}`;
    const mask = createHmac('sha256', STORED_KEY).update(message).digest();
    secret(`verifier ${secrets.size}`, createHmac('sha256', SERVER_KEY).update(message).digest('base64'));
    const bytes = Buffer.from(clientKey.map((octet, i) => octet ^ (mask[i] ?? 0)));
    return [secret(`proof ${secrets.size}`, bytes.toString('base64')), { nonce: r }];
  };
}

const ed25519: Answer = ({ challenge }) => {
  const bytes = Buffer.from(String(challenge), 'hex');
  return secret(`signature ${secrets.size}`, sign(null, bytes, privateKey).toString('hex')) + String(challenge);
};

function signature(key: string): Answer {
  return ({ challenge }) =>
    secret(`signature ${secrets.size}`, createHmac('sha256', key).update(String(challenge)).digest('base64'));
}

/** A browser with a cookie that is logged in. */
async function loggedIn(authid = 'joe', ticket = TICKET): Promise<{ client: WampClient; cookie: string }> {
  const client = await connect({});
  const cookie = cookieValue(client.handshake.setCookie[0] ?? '');
  expect(await logIn(client, { authid, authmethods: ['ticket'] }, () => ticket)).toMatchObject([2, {}, {}]);
  return { client, cookie };
}

/** Lets the browser come again, with whatever cookie it has then. */
async function comeAgain(cookie: string): Promise<{ client: WampClient; cookie: string; answer: readonly unknown[] }> {
  const client = await connect({ cookie: `cbtid=${cookie}` });
  const answer = await client.ask(hello({ authmethods: ['cookie', 'anonymous'] }));
  const [line] = client.handshake.setCookie;
  return { client, answer, cookie: line === undefined ? cookie : cookieValue(line) };
}

let requestId = 0;

/** Calls a meta procedure and keeps the answer and whatever events come before it. */
async function meta(procedure: string, args: readonly unknown[] = []): Promise<readonly unknown[]> {
  operator.send([48, ++requestId, {}, procedure, args]);
  for (;;) {
    const message = await operator.next();
    keep('meta API', JSON.stringify(message));
    if (message[0] === 50 || message[0] === 8) return message;
  }
}

async function watch(topics: readonly string[]): Promise<void> {
  for (const topic of topics) {
    operator.send([32, ++requestId, {}, topic]);
    let message: readonly unknown[];
    do {
      message = await operator.next();
      keep('meta API', JSON.stringify(message));
    } while (message[0] === 36);
    expect(message[0]).toBe(33);
  }
}

async function askAboutEverything(): Promise<void> {
  const sessions = resultOf(await meta('wamp.session.list')) as number[];
  expect(sessions.length).toBeGreaterThan(0);
  for (const id of sessions) await meta('wamp.session.get', [id]);
  for (const kind of ['registration', 'subscription']) {
    const lists = resultOf(await meta(`wamp.${kind}.list`)) as Dict;
    for (const id of Object.values(lists).flat()) await meta(`wamp.${kind}.get`, [id]);
  }
  for (const procedure of ['crossbar.cookie.list', 'crossbar.cookie.count']) await meta(procedure);
}

function resultOf(answer: readonly unknown[]): unknown {
  return (answer[3] as readonly unknown[])[0];
}

/** The daemon refuses to write to files beyond `bytes`. */
function limitFileSize(bytes: number | 'unlimited'): void {
  execFileSync('prlimit', ['--pid', String(daemon.pid), `--fsize=${bytes}:`]);
}

const SCRAM = { authid: 'joe', authmethods: ['wamp-scram'], authextra: { nonce: CLIENT_NONCE } };

describe('a node under observation', () => {
  it('takes logins, right and wrong', async () => {
    const topics = ['session.on_join', 'session.on_leave', 'registration.on_create', 'subscription.on_create'];
    await watch(topics.map((topic) => `wamp.${topic}`));
    const right: [Dict, Answer][] = [
      [{ authid: 'joe', authmethods: ['ticket'] }, () => TICKET],
      [{ authid: 'env', authmethods: ['ticket'] }, () => ENV_TICKET],
      [{ authid: 'joe', authmethods: ['wampcra'] }, signature(KEY)],
      [{ authid: 'file', authmethods: ['wampcra'], authextra: { hint: secret('authextra') } }, signature(FILE_SECRET)],
      [SCRAM, proof(CLIENT_KEY)],
      [{ authmethods: ['cryptosign'], authextra: { pubkey: PUBLIC_KEY } }, ed25519],
    ];
    for (const [details, answer] of right) {
      const client = await connect({ authorization: `Bearer ${secret('bearer token')}` });
      expect(await logIn(client, details, answer)).toMatchObject([2, {}, {}]);
    }
    const wrong: [Dict, Answer][] = [
      [{ authid: 'joe', authmethods: ['ticket'] }, () => WRONG],
      [{ authid: 'nobody', authmethods: ['ticket'] }, () => TICKET],
      [{ authid: 'joe', authmethods: ['wampcra'] }, signature(PASSWORD)],
      [{ authid: 'joe', authmethods: ['wampcra'] }, () => PASSWORD],
      [{ authid: 'nobody', authmethods: ['wampcra'] }, signature(KEY)],
      [SCRAM, proof(SALTED)],
      [SCRAM, () => PASSWORD],
      [{ authid: 'joe', authmethods: ['cryptosign'], authextra: { pubkey: PUBLIC_KEY } }, () => WRONG],
      [{ authid: 'ann', authmethods: ['cryptosign'], authextra: { pubkey: PUBLIC_KEY } }, ed25519],
    ];
    for (const [details, answer] of wrong) {
      const refusal = await logIn(await connect({}), details, answer);
      expect(refusal[0]).toBe(3);
      keep('refusals', JSON.stringify(refusal));
    }
    await askAboutEverything();
  });

  it('issues and takes one-time tickets', async () => {
    const issue = async (): Promise<string> => {
      operator.send([48, ++requestId, {}, 'crossbar.ticket.issue', [], { authid: 'joe', role: 'member' }]);
      for (;;) {
        const message = await operator.next();
        if (message[0] === 50)
          return secret(`ticket ${secrets.size}`, (resultOf(message) as { ticket: string }).ticket);
        keep('meta API', JSON.stringify(message));
      }
    };
    const bearer = (ticket: string) =>
      secret(`bearer ${secrets.size}`, `base64url.bearer.wamp.${Buffer.from(ticket).toString('base64url')}`);
    const open = async (query: string, more: readonly string[] = []): Promise<WampClient> => {
      const client = await WampClient.connect(daemon.url(`/once${query}`, 'ws'), {
        subprotocols: ['wamp.2.json', ...more],
      });
      clients.push(client);
      keep('handshakes', JSON.stringify(client.handshake));
      return client;
    };
    const offering = { authmethods: ['ticket'] };
    const ways: ((ticket: string) => Promise<readonly unknown[]>)[] = [
      async (ticket) => logIn(await open(''), offering, () => ticket),
      async (ticket) => (await open('')).ask(hello({ ...offering, authextra: { ticket } })),
      async (ticket) => (await open(`?ticket=${ticket}`)).ask(hello({})),
      async (ticket) => (await open('', [bearer(ticket)])).ask(hello({})),
    ];
    for (const way of ways) {
      const ticket = await issue();
      for (const expected of [2, 3]) {
        const answer = await way(ticket);
        expect(answer[0]).toBe(expected);
        keep(expected === 2 ? 'WELCOME' : 'refusals', JSON.stringify(answer));
      }
    }
    const [used, named] = [await issue(), await issue()];
    const alone = upgradeLines(`/once?ticket=${used}`, [`Sec-WebSocket-Protocol: ${bearer(named)}`]);
    const refused = await rawHttp(daemon.port, alone);
    expect(refused.status).toBe(400);
    const unknown = await rawHttp(daemon.port, [
      `GET /nothing?token=${named} HTTP/1.1`,
      'Host: 127.0.0.1',
      'Connection: close',
    ]);
    expect(unknown.status).toBe(404);
    for (const { headers, body } of [refused, unknown]) keep('HTTP', JSON.stringify(headers) + body);
    await askAboutEverything();
  });

  it('asks authenticators', async () => {
    const attempts: [authid: string, authmethod: string, Answer, type: number][] = [
      ['joe', 'ticket', () => TICKET, 2],
      ['joe', 'ticket', () => WRONG, 3],
      ['broken', 'ticket', () => TICKET, 3],
      ['nonsense', 'ticket', () => TICKET, 3],
      ['joe', 'wampcra', signature(KEY), 2],
      ['joe', 'wampcra', signature(PASSWORD), 3],
      ['nonsense', 'wampcra', signature(KEY), 3],
    ];
    for (const [authid, authmethod, answer, type] of attempts) {
      const client = await connect({}, '/asked');
      const details = { authid, authmethods: [authmethod], authextra: { nonce: CLIENT_NONCE } };
      const outcome = await logIn(client, details, answer);
      expect(outcome[0], `${authmethod} of ${authid}`).toBe(type);
      if (type === 3) keep('refusals', JSON.stringify(outcome));
    }
    const late = await connect({}, '/asked');
    late.send(hello({ authid: 'joe', authmethods: ['wamp-scram'], authextra: { nonce: CLIENT_NONCE } }));
    // Nobody has registered the procedure, and it is waited for.
    const { code, reason } = await late.closed;
    expect(code).toBe(1013);
    keep('refusals', reason);
    await askAboutEverything();
  });

  it('takes tokens of an issuer', async () => {
    const token = async (claims: object = {}, key = TOKEN_SECRET): Promise<string> => {
      const text = secret(`token ${secrets.size}`, await signed(secretKey(key), Date.now(), { ...claims }));
      for (const part of text.split('.').slice(1)) secret(`part of a token ${secrets.size}`, part);
      return text;
    };
    const open = async (text: string, authmethod: string): Promise<readonly unknown[]> => {
      const client = await connect({}, '/tokens');
      const answer = await logIn(client, { authmethods: [authmethod] }, () => text);
      keep(answer[0] === 2 ? 'WELCOME' : 'refusals', JSON.stringify(answer));
      if (answer[0] !== 2) return answer;
      for (const more of [await token({ iat: 1 }), await token(), await token({ sub: 'jim' })]) {
        const reply = await client.ask([48, ++requestId, {}, 'crossbar.session.refresh', [more]]);
        keep('meta API', JSON.stringify(reply));
      }
      return answer;
    };
    for (const method of ['jwt', 'ticket']) {
      const bad = [await token({}, WRONG.repeat(2)), await token({ exp: 1 }), await token({ aud: 'other' })];
      for (const text of bad) expect((await open(text, method))[0]).toBe(3);
      expect((await open(await token(), method))[0]).toBe(2);
    }
    await askAboutEverything();
  });

  it('lets browsers in by their cookies, and forgets them', async () => {
    const first = await loggedIn();
    const second = await comeAgain(first.cookie);
    expect(second.answer).toMatchObject([2, {}, { authid: 'joe', authprovider: 'cookie' }]);
    await askAboutEverything();
    expect(await second.client.ask([6, {}, 'wamp.close.logout'])).toMatchObject([6, {}, 'wamp.close.goodbye_and_out']);
    await first.client.closed;
    const third = await comeAgain(second.cookie);
    expect(third.answer).toMatchObject([2, {}, { authrole: 'anonymous' }]);
    third.client.send([64, 1, {}, 'com.example.procedure']);
    third.client.send([32, 2, {}, 'com.example.topic']);
    await askAboutEverything();
  });

  it('logs browsers in and out with HTTP', async () => {
    const post = async (
      urlPath: string,
      body: string,
      headers: Readonly<Record<string, string>> = {},
    ): Promise<Response> => {
      const all = { 'Content-Type': 'application/json', ...headers };
      const answer = await fetch(daemon.url(urlPath), { method: 'POST', body, headers: all, redirect: 'manual' });
      const given = answer.headers.getSetCookie().map(cookieValue);
      for (const value of given.filter((each) => each !== '')) secret(`cookie ${secrets.size}`, value);
      return answer;
    };
    const right = JSON.stringify({ authid: 'joe', ticket: TICKET });
    const first = await post('/login', right);
    keep('login service', await first.text());
    const cookie = `cbtid=${cookieValue(first.headers.getSetCookie()[0] ?? '')}`;
    const issued = await post('/login/ticket', '{}', { cookie });
    const { ticket } = (await issued.json()) as { ticket: string };
    secret('one-time ticket', ticket);
    for (let use = 0; use < 2; use += 1) {
      const client = await connect({ cookie });
      const outcome = await client.ask(hello({ authmethods: ['ticket'], authextra: { ticket } }));
      expect(outcome[0]).toBe(use === 0 ? 2 : 3);
      keep('login service', JSON.stringify(outcome));
    }
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const wrong: [body: string, headers: Readonly<Record<string, string>>][] = [
      [JSON.stringify({ authid: 'joe', ticket: WRONG }), { cookie }],
      [JSON.stringify({ token: WRONG }), { cookie }],
      [JSON.stringify({ authid: 'joe', ticket: TICKET, realm: TICKET, token: KEY }), { cookie }],
      [right.slice(0, -1), { cookie }],
      [right, { cookie, origin: 'https://evil.example' }],
      [right, { cookie, 'Content-Type': `text/plain` }],
      [`authid=joe&ticket=${encodeURIComponent(WRONG)}`, form],
    ];
    for (const [body, headers] of wrong) {
      for (const urlPath of ['/login', `/login?ticket=${encodeURIComponent(WRONG)}`]) {
        const answer = await post(urlPath, body, headers);
        expect(answer.status).toBeGreaterThan(300);
        keep('login service', `${answer.headers.get('location') ?? ''} ${await answer.text()}`);
      }
    }
    const known = await fetch(daemon.url('/login/whoami'), { headers: { cookie } });
    keep('login service', await known.text());
    await askAboutEverything();
    for (let time = 0; time < 2; time += 1) {
      keep('login service', await (await post('/login/logout', '{}', { cookie })).text());
    }
    expect(leaks.get('login service')).toContain('"authid":"joe"');
  });

  it('has its sessions killed, and its cookies revoked', async () => {
    for (const reason of ['wamp.close.killed', 'wamp.close.logout']) {
      const { cookie } = await loggedIn();
      const { answer } = await comeAgain(cookie);
      await meta('wamp.session.kill', [answer[1], reason]);
      await loggedIn('env', ENV_TICKET);
      await meta('wamp.session.kill_by_authid', ['env', reason]);
    }
    await loggedIn();
    await meta('crossbar.cookie.revoke_by_authid', ['joe']);
    await meta('crossbar.cookie.revoke', [secret('no digest')]);
  });

  it('is told nonsense with secrets in it', async () => {
    const nonsense: (string | readonly unknown[])[] = [
      `[5,"${TICKET}`,
      `[5,"${TICKET}",{}]`,
      [5, TICKET, {}],
      [5, TICKET],
      [TICKET, {}],
      [1, TICKET, { roles: {} }],
      [1, `realm ${TICKET}`, { roles: ALL_ROLES }],
      [1, 'realm1', { roles: { caller: TICKET } }],
    ];
    for (const message of nonsense) {
      const client = await connect({
        cookie: `cbtid=${secret(`planted ${secrets.size}`, randomBytes(18).toString('base64'))}`,
      });
      client.send(message);
      await client.closed;
    }
    for (const answer of [[5, 7, {}], [5, [TICKET], {}], [5, TICKET, TICKET], `[5,"${TICKET}`, [48, 1, {}, TICKET]]) {
      const client = await connect({});
      expect((await client.ask(hello({ authid: 'joe', authmethods: ['ticket'] })))[0]).toBe(4);
      client.send(answer);
      await client.closed;
    }
    const cookie = `Cookie: cbtid=${TICKET}; cbtid="${KEY}"; junk=${WRONG}`;
    await rawHttp(daemon.port, ['GET / HTTP/1.1', 'Host: 127.0.0.1', cookie, 'Connection: close']);
    await rawHttp(daemon.port, [`GET /nothing?ticket=${WRONG} HTTP/1.1`, 'Host: 127.0.0.1', 'Connection: close']);
    await rawHttp(daemon.port, upgradeLines('/ws', [cookie, 'Origin: http://elsewhere.example']));
    await rawHttp(daemon.port, ['GET / HTTP/1.1', 'Host: 127.0.0.1', cookie, `bad header ${WRONG}`]);
  });

  it('tracks a browser by an authid that is its cookie id', async () => {
    const client = await connect({}, '/tracked');
    const welcome = await client.ask([1, 'realm2', { roles: ALL_ROLES }]);
    expect(welcome).toMatchObject([2, {}, { authid: cookieValue(client.handshake.setCookie[0] ?? '') }]);
    await client.leave();
  });

  it('signs its cookies', async () => {
    const client = await connect({}, '/signed');
    const value = cookieValue(client.handshake.setCookie[0] ?? '');
    const [, id = '', mac = ''] = /^s:(.*)\.(.*)$/.exec(decodeURIComponent(value)) ?? [];
    secret('signed id', id);
    secret('signature of a cookie', mac);
    for (const presented of [value, value.slice(0, -1), `s%3A${id}.${secret('forged signature')}`, id]) {
      const other = await connect({ cookie: `signed=${presented}` }, '/signed');
      expect(other.handshake.setCookie).toHaveLength(presented === value ? 0 : 1);
      expect(await other.ask(hello({}))).toMatchObject([2, {}, { authrole: 'anonymous' }]);
    }
    await askAboutEverything();
  });

  it('cannot write to its disk', async () => {
    const { cookie } = await loggedIn();
    const known = await comeAgain(cookie);
    const client = await connect({});
    limitFileSize(statSync(path.join(daemon.cbdir, 'cookies.dat')).size);
    await expect(logIn(client, { authid: 'joe', authmethods: ['ticket'] }, () => TICKET)).rejects.toThrow('1013');
    keep('refusals', JSON.stringify(await client.closed));
    known.client.send([6, {}, 'wamp.close.logout']);
    await known.client.closed;
    const refused = await rawHttp(daemon.port, upgradeLines('/ws'));
    expect(refused.status).toBe(503);
    keep('refusals', refused.body);
    limitFileSize('unlimited');
  });

  it('finds a damaged cookie file after a kill -9', async () => {
    const { cookie } = await loggedIn();
    for (const client of clients.splice(0)) await client.drop();
    await daemon.kill();
    keep('output', daemon.output);
    const file = path.join(daemon.cbdir, 'cookies.dat');
    const lines = readFileSync(file, 'utf8').split('\n');
    const line = lines.findLast((text) => text.includes(cookie)) ?? '';
    expect(line).toContain('joe');
    appendFileSync(file, `${line.slice(0, -5)}\n${line.replace('created', `created ${cookie}`)}\n${line.slice(0, 90)}`);
    daemon = await daemon.restart({ env: { SECRETS_TEST_TICKET: ENV_TICKET } });
    const { answer } = await comeAgain(cookie);
    expect(answer).toMatchObject([2, {}, { authid: 'joe', authprovider: 'cookie' }]);
    await daemon.stop();
    keep('output', daemon.output);
  });
});

describe('a config that is wrong', () => {
  /** Puts something else into the `auth` section. */
  const withAuth = (auth: object): string =>
    JSON.stringify(nodeConfig({ realms: [REALM], websocket: { cookie: {}, auth } }), null, 2);
  const ticket = (principal: unknown): string =>
    withAuth({ ticket: { type: 'static', principals: { joe: principal } } });
  const wampcra = (user: unknown): string => withAuth({ wampcra: { type: 'static', users: { joe: user } } });
  const number = secret('number', String(9_007_199_254_740_000 - 123_456_789));

  const configs: Readonly<Record<string, string>> = {
    'a ticket that is a number': ticket({ ticket: Number(number) }),
    'a ticket where the principal belongs': ticket(TICKET),
    'a ticket in a list': ticket({ ticket: [TICKET] }),
    'a misspelt ticket': ticket({ tiket: TICKET }),
    'a ticket as a role': ticket({ ticket: TICKET, role: 7 }),
    'a secret where the user belongs': wampcra(KEY),
    'a secret that is a number': wampcra({ secret: Number(number) }),
    'a secret with another name': wampcra({ password: PASSWORD }),
    'a password, and no length of its key': wampcra({ secret: PASSWORD, salt: SALT, keylen: 'long' }),
    'secrets where the type belongs': withAuth({ wampcra: KEY }),
    'a secret for cookies that is too short': JSON.stringify(
      nodeConfig({ websocket: { cookie: { secrets: [secret('short secret', 'q7Zx3k')] } } }),
    ),
    'users without a type': withAuth({ wampcra: { users: { joe: { secret: KEY } } } }),
    'users in a list': withAuth({ wampcra: { type: 'static', users: [KEY] } }),
    'an unknown method': withAuth({ password: { joe: PASSWORD } }),
    'a secret in a file that is not there': wampcra({ secret: { file: 'nowhere.txt', secret: KEY } }),
    'a secret in a variable that is not there': ticket({ ticket: '${SECRETS_TEST_NOWHERE}', secret: KEY }),
    'no JSON behind a secret': ticket({ ticket: TICKET }).replace(`"${TICKET}"`, `"${TICKET}" "${KEY}"`),
    'no JSON within a secret': ticket({ ticket: TICKET }).replace(`"${TICKET}"`, `"${TICKET}`),
    'no quotes around a secret': ticket({ ticket: TICKET }).replace(`"${TICKET}"`, TICKET),
  };

  it.each(Object.entries(configs))('is refused, and not told: %s', async (what, config) => {
    const cbdir = nodeDirectory(config);
    const { code, stdout, stderr } = await runCli(['check', '--cbdir', cbdir]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/config\.json/);
    keep(`check: ${what}`, stdout + stderr);
  });

  it('is not started with, and not told', async () => {
    const cbdir = nodeDirectory(configs['a secret where the user belongs'] ?? '');
    const { code, stdout, stderr } = await runCli(['start', '--cbdir', cbdir, '--loglevel', 'trace']);
    expect(code).toBe(1);
    expect(stderr).toContain('/auth/wampcra/users/joe: found a string');
    keep('start', stdout + stderr);
  });

  it('is refused as YAML, and not told', async () => {
    const texts = [`ticket: ${TICKET}: ${KEY}`, `ticket: "${TICKET}`, `ticket: {${TICKET}`, `ticket: *${TICKET}`];
    for (const text of texts) {
      const cbdir = nodeDirectory(`version: 2\nworkers:\n  - type: router\n    ${text}\n`, 'config.yaml');
      const { code, stdout, stderr } = await runCli(['check', '--cbdir', cbdir]);
      expect(code, text).toBe(1);
      keep(`check: YAML`, stdout + stderr);
    }
  });
});

describe('what was written and told', () => {
  it('is there to be searched', () => {
    expect([...leaks.keys()]).toEqual(expect.arrayContaining(['output', 'meta API', 'refusals']));
    expect(leaks.get('output')).toContain('"level":"debug"');
    expect(leaks.get('output')).toContain('cookie store failed');
    expect(leaks.get('meta API')).toContain('http_cbtid');
    expect(secrets.size).toBeGreaterThan(30);
  });

  it('has none of the secrets in any form', () => {
    const found = [...secrets].flatMap(([what, value]) =>
      [...leaks]
        .filter(([, text]) => formsOf(value).some((form) => text.includes(form)))
        .map(([where]) => `${what} in ${where}`),
    );
    expect(found.join('\n')).toBe('');
  });
});
