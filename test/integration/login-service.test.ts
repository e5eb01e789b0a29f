/**
 * The web service `login` in the daemon: a browser logs in with HTTP, its WebSockets are let in by the cookie, and a logout ends all
 * of them; over restarts, with many at once, and against guesses. With both stores that survive a restart.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
import { ALL_ROLES, WampClient, cookieValue } from '../support/wamp-client.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const CALLERS = 100;

const PRINCIPALS = Object.fromEntries(
  ['joe', 'mary', 'victim', ...Array.from({ length: CALLERS }, (_, n) => `user${n}`)].map((authid) => [
    authid,
    { ticket: `ticket of ${authid}`, role: 'member' },
  ]),
);

function configOn(store: object): object {
  return nodeConfig({
    realms: [
      {
        name: 'realm1',
        roles: [
          { name: 'anonymous', permissions: ALLOW_ALL },
          { name: 'member', permissions: ALLOW_ALL },
        ],
      },
    ],
    transport: { cookie: { store } },
    websocket: { auth: { cookie: {}, one_time: {}, anonymous: { type: 'static' } } },
    paths: {
      login: {
        type: 'login',
        realm: 'realm1',
        auth: { ticket: { type: 'static', principals: PRINCIPALS } },
        options: { ticket: true },
      },
    },
  });
}

let daemon: Daemon;

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
  /** The id that came with it; empty when the cookie is taken away, undefined without one. */
  readonly cookie: string | undefined;
}

async function post(urlPath: string, body: object, cookie?: string): Promise<Answer> {
  const headers = { ...JSON_TYPE, ...(cookie !== undefined && { cookie: `cbtid=${cookie}` }) };
  return answerOf(await fetch(daemon.url(urlPath), { method: 'POST', headers, body: JSON.stringify(body) }));
}

async function answerOf(response: Response): Promise<Answer> {
  const [line] = response.headers.getSetCookie();
  const body = (await response.json()) as Answer['body'];
  return { status: response.status, body, headers: response.headers, cookie: line && cookieValue(line) };
}

async function whoami(cookie: string): Promise<unknown> {
  const response = await fetch(daemon.url('/login/whoami'), { headers: { cookie: `cbtid=${cookie}` } });
  expect(response.headers.getSetCookie()).toEqual([]);
  return ((await response.json()) as { authid: unknown }).authid;
}

/** @returns the cookie of a new login. */
async function logIn(authid: string, cookie?: string): Promise<string> {
  const answer = await post('/login', { authid, ticket: `ticket of ${authid}` }, cookie);
  expect([answer.status, answer.body]).toMatchObject([200, { authid, authrole: 'member', authmethod: 'ticket' }]);
  return answer.cookie ?? '';
}

const logOut = (cookie: string): Promise<Answer> => post('/login/logout', {}, cookie);

interface Tab {
  readonly client: WampClient;
  readonly answer: unknown[];
  readonly isNew: boolean;
}

async function open(cookie: string | undefined, authmethods = ['cookie']): Promise<Tab> {
  const headers: Record<string, string> = cookie === undefined ? {} : { cookie: `cbtid=${cookie}` };
  const client = await WampClient.connect(daemon.url('/ws', 'ws'), { headers });
  onTestFinished(() => void client.drop());
  const answer = await client.ask([1, 'realm1', { roles: ALL_ROLES, authmethods }]);
  return { client, answer, isNew: client.handshake.setCookie.length > 0 };
}

const welcomeOf = (authid: string): unknown[] => [
  2,
  expect.any(Number),
  { authid, authrole: 'member', authmethod: 'ticket', authprovider: 'cookie' },
];
const NOBODY = [3, expect.anything(), 'wamp.error.no_auth_method'];
const GOODBYE = [6, { message: 'the browser was logged out' }, 'wamp.close.logout'];

describe.each([
  ['file', { type: 'file', filename: 'cookies.dat' }],
  ['database', { type: 'database', path: 'cookies' }],
])('a login over HTTP, on the store "%s"', (_type, store) => {
  beforeAll(async () => {
    daemon = await startDaemon({ config: configOn(store) });
  });
  afterAll(() => daemon.dispose());

  it('lets the WebSockets of the browser in, under the id that it got', async () => {
    const cookie = await logIn('joe');
    for (let visit = 0; visit < 2; visit += 1) {
      const tab = await open(cookie);
      expect([tab.answer, tab.isNew]).toMatchObject([welcomeOf('joe'), false]);
      expect(JSON.stringify(tab.answer)).not.toMatch(/source|cbtid/);
    }
    expect(await whoami(cookie)).toBe('joe');
  });

  it('ends with a logout: all tabs are told, and the cookie is nobody’s, also after a restart', async () => {
    const [cookie, other] = [await logIn('joe'), await logIn('mary')];
    const tabs = [await open(cookie), await open(cookie)];
    const beside = await open(other);
    const answer = await logOut(cookie);
    expect([answer.status, answer.body, answer.cookie]).toEqual([200, { authid: null }, '']);
    for (const { client } of tabs) expect(await client.next()).toEqual(GOODBYE);
    expect(await whoami(cookie)).toBeNull();
    expect((await open(cookie)).answer).toEqual(NOBODY);
    expect(await beside.client.ask([32, 1, {}, 'com.topic'])).toMatchObject([33, 1, expect.any(Number)]);
    daemon = await daemon.restart();
    expect((await open(cookie)).answer).toEqual(NOBODY);
    expect((await open(other)).answer).toMatchObject(welcomeOf('mary'));
    expect(await whoami(other)).toBe('mary');
  });

  it('survives kill -9', async () => {
    const cookie = await logIn('joe');
    await daemon.kill();
    daemon = await startDaemon({ cbdir: daemon.cbdir });
    expect((await open(cookie)).answer).toMatchObject(welcomeOf('joe'));
  });

  it('takes another user’s place: the old sessions end, and pages come back as the new user', async () => {
    const old = await logIn('joe');
    const tab = await open(old);
    const cookie = await logIn('mary', old);
    expect(cookie).not.toBe(old);
    expect(await tab.client.next()).toEqual(GOODBYE);
    expect((await open(cookie)).answer).toMatchObject(welcomeOf('mary'));
    expect((await open(old)).answer).toEqual(NOBODY);
  });

  it('leaves whoever planted the cookie anonymous, and ends their session', async () => {
    const planter = await open(undefined, ['anonymous']);
    const planted = cookieValue(planter.client.handshake.setCookie[0] ?? '');
    const cookie = await logIn('victim', planted);
    expect(await planter.client.next()).toEqual(GOODBYE);
    expect((await open(planted)).answer).toEqual(NOBODY);
    expect(await whoami(planted)).toBeNull();
    expect((await open(cookie)).answer).toMatchObject(welcomeOf('victim'));
  });

  it(`is made by ${CALLERS} at once`, async () => {
    const users = Array.from({ length: CALLERS }, (_, n) => `user${n}`);
    const cookies = await Promise.all(users.map((authid) => logIn(authid)));
    expect(new Set(cookies).size).toBe(CALLERS);
    expect(await Promise.all(cookies.map(whoami))).toEqual(users);
    await Promise.all(cookies.map(logOut));
    expect(new Set(await Promise.all(cookies.map(whoami)))).toEqual(new Set([null]));
  });
});

describe('a one-time ticket of the service', () => {
  it('lets a WebSocket of the page in that has the cookie, once, and the logout ends it', async () => {
    daemon = await startDaemon({ config: configOn({ type: 'memory' }) });
    onTestFinished(() => daemon.dispose());
    const cookie = await logIn('joe');
    const ticket = async (): Promise<unknown> => (await post('/login/ticket', {}, cookie)).body['ticket'];
    const hello = (given: unknown) => [
      1,
      'realm1',
      { roles: ALL_ROLES, authmethods: ['ticket'], authextra: { ticket: given } },
    ];
    const connect = async (headers: Record<string, string>): Promise<WampClient> => {
      const client = await WampClient.connect(daemon.url('/ws', 'ws'), { headers });
      onTestFinished(() => void client.drop());
      return client;
    };
    const first = await ticket();
    const tab = await connect({ cookie: `cbtid=${cookie}` });
    expect(await tab.ask(hello(first))).toMatchObject([2, expect.any(Number), { authid: 'joe', authrole: 'member' }]);
    const refused = [3, expect.anything(), 'wamp.error.not_authorized'];
    expect(await (await connect({ cookie: `cbtid=${cookie}` })).ask(hello(first))).toEqual(refused);
    expect(await (await connect({})).ask(hello(await ticket()))).toEqual(refused);
    expect((await post('/login/ticket', {})).status).toBe(401);
    await logOut(cookie);
    expect(await tab.next()).toEqual(GOODBYE);
  });
});

describe('guesses', () => {
  it('are slowed down: 401, and 429 after ten of them, also for the right ticket', async () => {
    daemon = await startDaemon({ config: configOn({ type: 'memory' }) });
    onTestFinished(() => daemon.dispose());
    const guesses = Array.from({ length: 10 }, () => post('/login', { authid: 'joe', ticket: 'wrong' }));
    for (const { status, body } of await Promise.all(guesses)) {
      expect([status, body]).toMatchObject([401, { error: 'wamp.error.not_authorized' }]);
    }
    // From this machine, where a proxy may be, one attempt in two seconds is looked at all the same.
    await post('/login', { authid: 'joe', ticket: 'wrong' });
    const refused = await post('/login', { authid: 'joe', ticket: 'ticket of joe' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '60']);
    expect(refused.cookie).toBeUndefined();
    expect(await logIn('mary')).not.toBe('');
  });
});

describe('a user who leaves the config', () => {
  it('is logged out with the next start, and the others are not', async () => {
    const config = configOn({ type: 'file', filename: 'cookies.dat' });
    daemon = await startDaemon({ config });
    onTestFinished(() => daemon.dispose());
    const [joe, mary] = [await logIn('joe'), await logIn('mary')];
    await daemon.stop();
    const changed = JSON.stringify(config).replace('"ticket of joe"', '"a new ticket of joe"');
    daemon = await startDaemon({ cbdir: daemon.cbdir, config: changed });
    expect([await whoami(joe), await whoami(mary)]).toEqual([null, 'mary']);
    expect((await open(joe)).answer).toEqual(NOBODY);
    expect((await open(mary)).answer).toMatchObject(welcomeOf('mary'));
  });
});
