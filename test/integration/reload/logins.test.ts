/** A reload changes who may come and how browsers are recognised: for new sessions and new answers. Open sessions stay as they are. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ALLOW_ALL, LOOPBACK } from '../../support/node-config.js';
import { ReloadedDaemon } from '../../support/reloading.js';
import { ALL_ROLES, cookieValue, WampClient } from '../../support/wamp-client.js';

const roles = ['anonymous', 'user', 'chief'].map((name) => ({ name, permissions: ALLOW_ALL }));

const config = ({ ws = {}, transport = {} }: { readonly ws?: object; readonly transport?: object } = {}): object => ({
  version: 2,
  workers: [
    {
      type: 'router',
      realms: [{ name: 'realm1', roles }],
      transports: [
        {
          type: 'web',
          endpoint: LOOPBACK,
          paths: { ws: { type: 'websocket', ...ws }, page: { type: 'json', value: 1 } },
          ...transport,
        },
      ],
    },
  ],
});

const tickets = (principals: Readonly<Record<string, readonly [ticket: string, role: string]>>): object => ({
  type: 'static',
  principals: Object.fromEntries(
    Object.entries(principals).map(([authid, [ticket, role]]) => [authid, { ticket, role }]),
  ),
});

let node: ReloadedDaemon;
beforeAll(async () => {
  node = await ReloadedDaemon.start(config());
});
afterAll(() => node.dispose());

const url = () => node.daemon.url('/ws', 'ws');

/** @returns the role of the session, or the reason of the ABORT. */
async function logIn(client: WampClient, authid: string, ticket: string): Promise<string> {
  const answer = await client.ask([1, 'realm1', { roles: ALL_ROLES, authmethods: ['ticket'], authid }]);
  if (answer[0] === 3) return String(answer[2]);
  const [type, , details] = answer[0] === 4 ? await client.ask([5, ticket, {}]) : answer;
  return type === 2 ? (details as { readonly authrole: string }).authrole : String(details);
}

async function roleOf(authid: string, ticket: string): Promise<string> {
  const client = await WampClient.connect(url());
  const role = await logIn(client, authid, ticket);
  await client.drop();
  return role;
}

async function expectServed(client: WampClient, requestId: number): Promise<void> {
  expect(await client.ask([32, requestId, {}, 'com.example.news'])).toMatchObject([33, requestId, expect.any(Number)]);
}

describe('auth', () => {
  it('lets in by a method that was added, also on connections that are open, and no longer without', async () => {
    await node.take(config());
    const joined = await WampClient.join(url());
    const waiting = await WampClient.connect(url());
    await node.take(config({ ws: { auth: { ticket: tickets({ ann: ['ann-secret', 'user'] }) } } }));
    await expectServed(joined, 1);
    expect(await logIn(waiting, 'ann', 'ann-secret')).toBe('user');
    expect(await roleOf('ann', 'ann-secret')).toBe('user');
    expect(await roleOf('ann', 'wrong')).toBe('wamp.error.not_authorized');
    const anonymous = await WampClient.connect(url());
    expect((await anonymous.ask([1, 'realm1', { roles: ALL_ROLES }]))[0]).toBe(3);
    await Promise.all([joined, waiting, anonymous].map((client) => client.drop()));
  });

  it('keeps sessions of principals that are gone or have another role', async () => {
    const one = { ann: ['ann-secret', 'user'], bob: ['bob-secret', 'user'] } as const;
    const other = { ann: ['new-secret', 'chief'] } as const;
    await node.take(config({ ws: { auth: { ticket: tickets(one) } } }));
    const sessions = await Promise.all([WampClient.connect(url()), WampClient.connect(url())]);
    const [ann, bob] = sessions;
    expect(await logIn(ann, 'ann', 'ann-secret')).toBe('user');
    expect(await logIn(bob, 'bob', 'bob-secret')).toBe('user');
    await node.take(config({ ws: { auth: { ticket: tickets(other) } } }));
    for (const client of sessions) await expectServed(client, 1);
    expect(await roleOf('ann', 'ann-secret')).toBe('wamp.error.not_authorized');
    expect(await roleOf('ann', 'new-secret')).toBe('chief');
    expect(await roleOf('bob', 'bob-secret')).toBe('wamp.error.not_authorized');
    await Promise.all(sessions.map((client) => client.drop()));
  });

  it('goes by the newest config on connections of the second last, when a method is removed again', async () => {
    const both = { anonymous: { type: 'static', role: 'anonymous' }, ticket: tickets({ ann: ['ann-secret', 'user'] }) };
    await node.take(config({ ws: { auth: both } }));
    const waiting = await WampClient.connect(url());
    const joined = await WampClient.join(url());
    await node.take(config({ ws: { auth: both, options: { hello_timeout: 30_000 } } }));
    await node.take(config({ ws: { auth: { anonymous: both.anonymous } } }));
    expect(await logIn(waiting, 'ann', 'ann-secret')).toBe('wamp.error.no_auth_method');
    expect(await roleOf('ann', 'ann-secret')).toBe('wamp.error.no_auth_method');
    await expectServed(joined, 1);
    await Promise.all([waiting.drop(), joined.drop()]);
  });
});

describe('cookie', () => {
  const OLD = 'a secret of more than 16';
  const NEW = 'another secret of as many';
  const withCookie = (cookie: object): object => config({ transport: { cookie } });

  /** The `Set-Cookie` of a page, and of a WebSocket; undefined where there is none. */
  async function setCookies(cookie?: string): Promise<(string | undefined)[]> {
    const headers = cookie === undefined ? {} : { cookie };
    const page = await fetch(node.daemon.url('/page'), { headers });
    const client = await WampClient.connect(url(), { headers });
    await client.drop();
    return [page.headers.get('set-cookie') ?? undefined, client.handshake.setCookie[0]];
  }

  it.each([
    ['max_age', { max_age: 100 }, { max_age: 7777 }, /Max-Age=7777/],
    [
      'attributes',
      { same_site: 'Lax' },
      { same_site: 'Strict', path: '/deep' },
      /(?=.*Path=\/deep)(?=.*SameSite=strict)/i,
    ],
    ['secrets', { secrets: [OLD] }, { secrets: [NEW, OLD] }, /=s%3A/],
  ])('gets other %s with the next Set-Cookie', async (_name, before, after, line) => {
    await node.take(withCookie(before));
    const early = await WampClient.join(url());
    const [earlyLine = ''] = early.handshake.setCookie;
    await node.take(withCookie(after));
    for (const found of await setCookies()) expect(found).toMatch(line);
    await expectServed(early, 1);
    expect(earlyLine).not.toBe('');
    await early.drop();
  });

  it('is known as before whatever its attributes are', async () => {
    await node.take(withCookie({ max_age: 5000 }));
    const client = await WampClient.connect(url());
    const [line = ''] = client.handshake.setCookie;
    const cookie = `cbtid=${cookieValue(line)}`;
    await node.take(withCookie({ max_age: 6000, same_site: 'Strict' }));
    expect(await setCookies(cookie)).toEqual([undefined, undefined]);
    await client.drop();
  });

  it('is signed anew by another secret, and one that is gone verifies no more', async () => {
    await node.take(withCookie({ secrets: [OLD] }));
    const client = await WampClient.connect(url());
    const old = cookieValue(client.handshake.setCookie[0] ?? '');
    await node.take(withCookie({ secrets: [NEW, OLD] }));
    const [page = '', webSocket = ''] = await setCookies(`cbtid=${old}`);
    const idOf = (value: string): string => decodeURIComponent(value).slice(2).split('.')[0] ?? '';
    for (const line of [page, webSocket]) {
      expect(cookieValue(line)).not.toBe(old);
      expect(idOf(cookieValue(line))).toBe(idOf(old));
    }
    await node.take(withCookie({ secrets: [NEW] }));
    const renewed = cookieValue(page);
    expect(await setCookies(`cbtid=${renewed}`)).toEqual([undefined, undefined]);
    for (const line of await setCookies(`cbtid=${old}`)) expect(idOf(cookieValue(line ?? ''))).not.toBe(idOf(old));
    await client.drop();
  });

  it('rotates behind a login, or no longer', async () => {
    const ticket = tickets({ ann: ['ann-secret', 'user'] });
    const rotating = (rotate: boolean): object =>
      config({ ws: { auth: { ticket, cookie: {} } }, transport: { cookie: { rotate } } });
    await node.take(rotating(false));
    const client = await WampClient.connect(url());
    const cookie = `cbtid=${cookieValue(client.handshake.setCookie[0] ?? '')}`;
    expect(await logIn(client, 'ann', 'ann-secret')).toBe('user');
    expect(await setCookies(cookie)).toEqual([undefined, undefined]);
    await node.take(rotating(true));
    const [line] = await setCookies(cookie);
    expect(line).toMatch(/^cbtid=/);
    await expectServed(client, 1);
    await client.drop();
  });

  it('comes and goes', async () => {
    await node.take(config());
    expect(await setCookies()).toEqual([undefined, undefined]);
    await node.take(withCookie({}));
    expect(await setCookies()).toEqual([expect.stringMatching(/^cbtid=/), expect.stringMatching(/^cbtid=/)]);
    await node.take(config());
    expect(await setCookies()).toEqual([undefined, undefined]);
  });

  it.each([
    ['name', { name: 'other' }],
    ['length', { length: 32 }],
    ['store', { store: { type: 'file', filename: 'cookies.dat' } }],
    ['sliding', { sliding: true }],
  ])('keeps its %s until the next start, and says so', async (key, cookie) => {
    await node.take(withCookie({ max_age: 1000 }));
    const report = await node.reload(withCookie({ max_age: 1000, ...cookie }));
    expect(report).toMatchObject({ ok: true, pending: [`/workers/0/transports/0/cookie/${key}`] });
    expect(await setCookies()).toEqual([
      expect.stringMatching(/^cbtid=.{24};/),
      expect.stringMatching(/^cbtid=.{24};/),
    ]);
  });
});
