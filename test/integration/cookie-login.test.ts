/**
 * A browser logs in, comes back by its cookie, and logs out: over real sockets, with several tabs, over restarts and
 * kill -9. Cookies travel in headers written by hand.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
import { ALL_ROLES, WampClient, cookieValue, rawHttp, upgradeLines } from '../support/wamp-client.js';

const AUTH = {
  cookie: {},
  anonymous: { type: 'static' },
  ticket: {
    type: 'static',
    principals: {
      joe: { ticket: 'ticket of joe', role: 'member' },
      anna: { ticket: 'ticket of anna', role: 'member' },
      mary: { ticket: 'ticket of mary', role: 'member' },
      operator: { ticket: 'ticket of the operator', role: 'operator' },
    },
  },
};
const REALM = {
  name: 'realm1',
  roles: [
    { name: 'anonymous', permissions: ALLOW_ALL },
    { name: 'member', permissions: ALLOW_ALL },
    {
      name: 'operator',
      permissions: [...ALLOW_ALL, { uri: 'crossbar.', match: 'prefix', allow: { call: true } }],
    },
  ],
};
const FILE = { type: 'file', filename: 'cookies.dat' };

const CONFIG = nodeConfig({
  realms: [REALM],
  transport: { cookie: { store: FILE } },
  websocket: { auth: AUTH },
  paths: {
    signed: { type: 'websocket', auth: AUTH, cookie: { name: 'signed', secrets: ['a secret of this test'] } },
    quick: { type: 'websocket', auth: AUTH, cookie: { name: 'quick', rotate_grace: 1 } },
    brief: { type: 'websocket', auth: AUTH, cookie: { name: 'brief', max_age: 1, close_expired: true } },
  },
});

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({ config: CONFIG });
});
afterAll(() => daemon.dispose());

interface Tab {
  readonly client: WampClient;
  /** The cookie that the browser has now. */
  readonly cookie: string;
  /** Whether this handshake brought it. */
  readonly isNew: boolean;
}

async function open(cookie?: string, { urlPath = '/ws', name = 'cbtid' } = {}): Promise<Tab> {
  const headers: Record<string, string> = cookie === undefined ? {} : { cookie: `${name}=${cookie}` };
  const client = await WampClient.connect(daemon.url(urlPath, 'ws'), { headers });
  onTestFinished(() => void client.drop());
  const [line] = client.handshake.setCookie;
  return { client, cookie: line === undefined ? (cookie ?? '') : cookieValue(line), isNew: line !== undefined };
}

const hello = (details: object) => [1, 'realm1', { roles: ALL_ROLES, ...details }];

async function byCookie({ client }: Tab): Promise<unknown[]> {
  return client.ask(hello({ authmethods: ['cookie'] }));
}

async function byTicket({ client }: Tab, authid = 'joe'): Promise<unknown[]> {
  expect(await client.ask(hello({ authmethods: ['ticket'], authid }))).toEqual([4, 'ticket', {}]);
  const ticket = authid === 'operator' ? 'ticket of the operator' : `ticket of ${authid}`;
  return client.ask([5, ticket, {}]);
}

/** A tab with a session of `joe`, whose cookie has its final id. */
async function loggedIn(authid = 'joe'): Promise<Tab & { readonly sessionId: number }> {
  const first = await open();
  expect((await byTicket(first, authid))[0]).toBe(2);
  const tab = await open(first.cookie);
  const welcome = await byCookie(tab);
  expect(welcome).toMatchObject(welcomeOf(authid));
  await first.client.close();
  return { ...tab, sessionId: Number(welcome[1]) };
}

function welcomeOf(authid: string): unknown[] {
  return [2, expect.any(Number), { authid, authmethod: 'ticket', authprovider: 'cookie', authrole: 'member' }];
}

const LOGOUT = [6, {}, 'wamp.close.logout'];
const ANSWER = [6, {}, 'wamp.close.goodbye_and_out'];
const GOODBYE = [6, { message: expect.any(String) as string }, 'wamp.close.logout'];
const REFUSED = [3, { message: expect.any(String) as string }, 'wamp.error.no_auth_method'];

async function restart(how: 'stop' | 'kill'): Promise<void> {
  await daemon[how]();
  daemon = await startDaemon({ cbdir: daemon.cbdir });
}

/** What the config says of joe's ticket, for a while. */
async function withTicketOfJoe<T>(ticket: string, run: () => Promise<T>): Promise<T> {
  const file = path.join(daemon.cbdir, 'config.json');
  const written = readFileSync(file, 'utf8');
  await daemon.stop();
  daemon = await startDaemon({
    cbdir: daemon.cbdir,
    config: written.replaceAll('"ticket of joe"', JSON.stringify(ticket)),
  });
  try {
    return await run();
  } finally {
    await daemon.stop();
    daemon = await startDaemon({ cbdir: daemon.cbdir, config: written });
  }
}

describe('a login', () => {
  it('ends when the ticket is changed in the config, and no other does', async () => {
    const [joe, anna] = [await loggedIn('joe'), await loggedIn('anna')];
    await withTicketOfJoe('a new ticket', async () => {
      expect(await byCookie(await open(joe.cookie))).toEqual(REFUSED);
      const line = await daemon.waitForLog('login of a cookie does not count');
      expect(line).toMatchObject({ authmethod: 'ticket', fault: 'another credential' });
      const other = await open(anna.cookie);
      expect(await byCookie(other)).toMatchObject(welcomeOf('anna'));
      expect(await other.client.ask(LOGOUT)).toEqual(ANSWER);
    });
    expect(daemon.output).not.toContain('ticket of joe');
    // The old ticket is back, and the login is not.
    expect(await byCookie(await open(joe.cookie))).toEqual(REFUSED);
  });

  it('is remembered, under another id from the next handshake on', async () => {
    const first = await open();
    expect(await byTicket(first)).toMatchObject([2, expect.any(Number), { authid: 'joe', authprovider: 'static' }]);
    const second = await open(first.cookie);
    expect(second.isNew).toBe(true);
    expect(second.cookie).not.toBe(first.cookie);
    expect(await byCookie(second)).toMatchObject(welcomeOf('joe'));
    const third = await open(second.cookie);
    expect(third.isNew).toBe(false);
    expect(await byCookie(third)).toMatchObject(welcomeOf('joe'));
  });

  it('lets requests with the id before in for a while, and does not tell them the new one', async () => {
    const first = await open();
    await byTicket(first);
    const tabs = await Promise.all(Array.from({ length: 8 }, () => open(first.cookie)));
    expect(tabs.filter(({ isNew }) => isNew)).toHaveLength(1);
    for (const tab of tabs) expect(await byCookie(tab)).toMatchObject(welcomeOf('joe'));
  });

  it('brings the new id with a page, too', async () => {
    const first = await open();
    await byTicket(first);
    const get = ['GET / HTTP/1.1', 'Host: 127.0.0.1', `Cookie: cbtid=${first.cookie}`, 'Connection: close'];
    const line = (await rawHttp(daemon.port, get)).header('Set-Cookie');
    expect(cookieValue(line ?? '')).not.toBe(first.cookie);
    expect(await byCookie(await open(cookieValue(line ?? '')))).toMatchObject(welcomeOf('joe'));
    expect((await rawHttp(daemon.port, get)).header('Set-Cookie')).toBeUndefined();
  });

  it('survives a restart and a kill -9', async () => {
    const { cookie } = await loggedIn();
    for (const how of ['stop', 'kill'] as const) {
      await restart(how);
      const tab = await open(cookie);
      expect(tab.isNew).toBe(false);
      expect(await byCookie(tab)).toMatchObject(welcomeOf('joe'));
    }
  });

  it('writes nothing when the browser comes back, but that it did so for the first time', async () => {
    const { cookie } = await loggedIn();
    const file = path.join(daemon.cbdir, 'cookies.dat');
    const visit = async (): Promise<string> => {
      const tab = await open(cookie);
      await byCookie(tab);
      await tab.client.leave();
      return readFileSync(file, 'utf8');
    };
    const before = readFileSync(file, 'utf8');
    const first = await visit();
    // That it did so for the first time, unless that has been noted already.
    expect(first.slice(before.length).split('\n').length).toBeLessThanOrEqual(2);
    for (let n = 0; n < 5; n += 1) expect(await visit()).toBe(first);
  });

  it('is replaced by that of somebody else, which gets another id again', async () => {
    const joe = await loggedIn();
    const mary = await open(joe.cookie);
    expect((await byTicket(mary, 'mary'))[0]).toBe(2);
    const next = await open(joe.cookie);
    expect(next.isNew).toBe(true);
    expect(await byCookie(next)).toMatchObject(welcomeOf('mary'));
  });

  it('is tied to signed cookies where the config says so', async () => {
    const place = { urlPath: '/signed', name: 'signed' };
    const first = await open(undefined, place);
    expect(first.cookie).toMatch(/^s%3A/);
    await byTicket(first);
    const [id = ''] = decodeURIComponent(first.cookie).slice(2).split('.');
    expect((await open(id, place)).isNew).toBe(true);
    const second = await open(first.cookie, place);
    expect(await byCookie(second)).toMatchObject(welcomeOf('joe'));
  });
});

describe('a logout', () => {
  it('ends the other tabs, also under the id before, with GOODBYE and close', async () => {
    const first = await open();
    await byTicket(first);
    const [one, two] = [await open(first.cookie), await open(first.cookie)];
    await byCookie(one);
    await byCookie(two);
    const late = await open(one.cookie);
    expect(await one.client.ask(LOGOUT)).toEqual(ANSWER);
    for (const { client } of [first, two]) {
      expect(await client.next()).toEqual(GOODBYE);
      expect((await client.closed).code).toBe(1000);
    }
    // Connected, but without a session until now.
    expect(await byCookie(late)).toEqual(REFUSED);
    // The connection of the one who asked goes on.
    expect(await byCookie(one)).toEqual(REFUSED);
    for (const cookie of [first.cookie, one.cookie]) {
      const stranger = await open(cookie);
      expect(stranger.isNew).toBe(true);
      expect(await byCookie(stranger)).toEqual(REFUSED);
    }
  });

  it.each(['stop', 'kill'] as const)('holds after a %s', async (how) => {
    const tab = await loggedIn();
    expect(await tab.client.ask(LOGOUT)).toEqual(ANSWER);
    await restart(how);
    const again = await open(tab.cookie);
    expect(again.isNew).toBe(true);
    expect(await byCookie(again)).toEqual(REFUSED);
  });

  it('may be done to somebody: by kill, by revoking the cookie, or all of a user', async () => {
    const operator = await open();
    await byTicket(operator, 'operator');
    let request = 0;
    const call = async (uri: string, ...args: unknown[]): Promise<unknown> => {
      const answer = await operator.client.ask([48, ++request, {}, uri, args]);
      expect(answer).toEqual(expect.arrayContaining([50, request]));
      return (answer[3] as unknown[] | undefined)?.[0];
    };
    const expectOut = async ({ client, cookie }: Tab): Promise<void> => {
      expect((await client.next())[2]).toBe('wamp.close.logout');
      await client.closed;
      expect((await open(cookie)).isNew).toBe(true);
    };

    const killed = await loggedIn('anna');
    await call('wamp.session.kill', killed.sessionId, 'wamp.close.logout');
    await expectOut(killed);

    const revoked = await loggedIn('anna');
    const [entry] = (await call('crossbar.cookie.list', 'anna')) as { digest: string; sessions: number[] }[];
    expect(entry?.sessions).toContain(revoked.sessionId);
    expect(JSON.stringify(entry)).not.toContain(revoked.cookie);
    expect(await call('crossbar.cookie.revoke', entry?.digest)).toBe(true);
    await expectOut(revoked);

    const both = [await loggedIn('anna'), await loggedIn('anna')];
    expect(await call('crossbar.cookie.revoke_by_authid', 'anna')).toBe(2);
    for (const tab of both) await expectOut(tab);
    expect(await call('crossbar.cookie.count', 'anna')).toBe(0);
  });

  it('is not for roles that may do everything but have no rule that names it', async () => {
    const tab = await loggedIn();
    const answer = await tab.client.ask([48, 1, {}, 'crossbar.cookie.list', []]);
    expect(answer).toMatchObject([8, 48, 1, {}, 'wamp.error.not_authorized', [expect.any(String)]]);
  });
});

describe('the end of a cookie', () => {
  it('ends its sessions where the config says so', async () => {
    const tab = await open(undefined, { urlPath: '/brief' });
    await byTicket(tab);
    expect((await tab.client.next())[2]).toBe('crossbar.close.cookie_expired');
    expect((await tab.client.closed).code).toBe(1000);
  });
});

describe('a page of another host', () => {
  const upgrade = async (...lines: string[]): Promise<number> => {
    const answer = await rawHttp(daemon.port, upgradeLines('/ws', lines));
    answer.socket.destroy();
    return answer.status;
  };

  it.each([
    ['another host', ['Origin: https://evil.example']],
    ['no origin to speak of', ['Origin: null']],
    ['a host that a proxy speaks of', ['Origin: https://evil.example', 'X-Forwarded-Host: evil.example']],
    ['a host that begins alike', ['Origin: http://127.0.0.1.evil.example']],
  ])('does not get in, and gets no cookie: %s', async (_what, lines) => {
    const file = path.join(daemon.cbdir, 'cookies.dat');
    const before = readFileSync(file, 'utf8');
    expect(await upgrade(...lines)).toBe(403);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it.each([
    ['the same host', ['Origin: http://127.0.0.1']],
    ['another port', ['Origin: https://127.0.0.1:8443']],
    ['another name of the node', ['Host: Node.Example:8080', 'Origin: https://node.example']],
    ['no origin', []],
  ])('is none with %s', async (_what, lines) => {
    expect(await upgrade(...lines)).toBe(101);
  });
});

describe('somebody who knows the id under which a browser logged in', () => {
  /** What the transport closes with so that clients come back, and do not give up. */
  const AGAIN = 1013;

  it('does not become the browser on a connection from before the login', async () => {
    const planter = await open();
    expect((await planter.client.ask(hello({ authmethods: ['cookie', 'anonymous'] })))[0]).toBe(2);
    const victim = await open(planter.cookie);
    expect((await byTicket(victim))[0]).toBe(2);
    const { isNew } = await open(planter.cookie);
    expect(isNew).toBe(true);
    expect((await planter.client.ask([6, {}, 'wamp.close.normal']))[0]).toBe(6);
    planter.client.send(hello({ authmethods: ['cookie', 'anonymous'] }));
    expect(await planter.client.closed).toMatchObject({ code: AGAIN });
  });

  it('has the login for the grace only, and both are logged out when he comes back later', async () => {
    const quick = { urlPath: '/quick', name: 'quick' };
    const planted = (await open(undefined, quick)).cookie;
    const login = await open(planted, quick);
    expect((await byTicket(login))[0]).toBe(2);
    const victim = await open(planted, quick);
    expect(victim.isNew).toBe(true);
    expect(await byCookie(victim)).toMatchObject(welcomeOf('joe'));
    const planter = await open(planted, quick);
    expect(await byCookie(planter)).toMatchObject(welcomeOf('joe'));
    expect(await planter.client.closed).toMatchObject({ code: AGAIN });
    const again = await open(planted, quick);
    expect(again.isNew).toBe(true);
    expect(await byCookie(again)).toEqual(REFUSED);
    expect(await victim.client.next()).toEqual(GOODBYE);
    expect(await byCookie(await open(victim.cookie, quick))).toEqual(REFUSED);
  });
});
