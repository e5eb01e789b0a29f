/** A reload changes realms, their options and their roles at once, also for sessions that are open. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectServed } from '../../support/changing-places.js';
import { ALLOW_ALL, LOOPBACK, openRealm } from '../../support/node-config.js';
import { ReloadedDaemon } from '../../support/reloading.js';
import { WampClient } from '../../support/wamp-client.js';

const rule = (uri: string, match: string, ...actions: string[]): object => ({
  uri,
  match,
  allow: Object.fromEntries(actions.map((action) => [action, true])),
});

interface Parts {
  /** More keys of `realm1`. */
  readonly realm?: object;
  /** Of the role `anonymous` there. */
  readonly rules?: readonly object[];
  readonly roles?: readonly object[];
  /** More realms. */
  readonly realms?: readonly object[];
  readonly controller?: object;
}

/** Everybody of `guests` joins as `guest`. */
const GUESTS = { type: 'websocket', auth: { anonymous: { type: 'static', role: 'guest' } } };
const GUEST = { name: 'guest', permissions: ALLOW_ALL };

const config = ({
  realm = {},
  rules = ALLOW_ALL,
  roles = [GUEST],
  realms = [],
  controller = {},
}: Parts = {}): object => ({
  version: 2,
  controller: { options: controller },
  workers: [
    {
      type: 'router',
      realms: [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: rules }, ...roles], ...realm }, ...realms],
      transports: [{ type: 'web', endpoint: LOOPBACK, paths: { ws: { type: 'websocket' }, guests: GUESTS } }],
    },
  ],
});

let node: ReloadedDaemon;
beforeAll(async () => {
  node = await ReloadedDaemon.start(config());
});
afterAll(() => node.dispose());
beforeEach(() => node.take(config()));

const REVOCABLE = {
  subscriber: { features: { subscription_revocation: true } },
  callee: { features: { registration_revocation: true } },
  publisher: {},
  caller: {},
};

const take = (parts: Parts) => node.take(config(parts));
const join = (realm = 'realm1', path = '/ws') => WampClient.join(node.daemon.url(path, 'ws'), realm);

/** @returns the URI of an ERROR, undefined for any other answer. */
async function errorOf(client: WampClient, message: readonly unknown[]): Promise<unknown> {
  const answer = await client.ask(message);
  return answer[0] === 8 ? answer[4] : undefined;
}

describe('a realm', () => {
  it('comes at once, also with roles, and goes with GOODBYE to all of its sessions', async () => {
    const here = await join();
    await expect(join('realm2')).rejects.toThrow('no_such_realm');
    await take({ realms: [openRealm('realm2')] });
    const there = await Promise.all([join('realm2'), join('realm2')]);
    await there[0].ask([64, 1, {}, 'com.example.echo']);
    there[1].send([48, 1, {}, 'com.example.echo']);
    await there[0].next();
    expect(await take({})).toMatchObject({ removed: 1 });
    expect(await there[0].next()).toMatchObject([6, {}, 'wamp.close.close_realm']);
    expect((await there[1].next())[0]).toBe(8);
    expect(await there[1].next()).toMatchObject([6, {}, 'wamp.close.close_realm']);
    await expect(join('realm2')).rejects.toThrow('no_such_realm');
    await expectServed(here, 1);
    await Promise.all([here, ...there].map((client) => client.drop()));
  });

  it('may come again under the name of one that is gone, and remembers nothing', async () => {
    await take({ realms: [openRealm('realm2')] });
    const before = await join('realm2');
    await before.ask([16, 1, { acknowledge: true, retain: true }, 'com.example.kept', [1]]);
    await take({});
    await before.next();
    await take({ realms: [openRealm('realm2')] });
    const after = await join('realm2');
    await after.ask([32, 1, { get_retained: true }, 'com.example.kept']);
    await after.silent();
    await Promise.all([before.drop(), after.drop()]);
  });

  it('checks URIs in another way from the next message on', async () => {
    const client = await join();
    expect(await errorOf(client, [32, 1, {}, 'com.example.A-b'])).toBeUndefined();
    await take({ realm: { options: { uri_check: 'strict' } } });
    expect(await errorOf(client, [32, 2, {}, 'com.example.A-b'])).toBe('wamp.error.invalid_uri');
    await take({});
    expect(await errorOf(client, [32, 3, {}, 'com.example.A-b'])).toBeUndefined();
    await client.drop();
  });

  it('has other limits for open sessions, and keeps what they have', async () => {
    const client = await join();
    for (const id of [1, 2, 3]) expect(await errorOf(client, [32, id, {}, `com.example.t${id}`])).toBeUndefined();
    await take({ realm: { options: { max_session_subscriptions: 2 } } });
    expect(await errorOf(client, [32, 4, {}, 'com.example.t4'])).toBe('crossbar.error.limit_exceeded');
    const other = await join();
    await other.ask([16, 1, { acknowledge: true }, 'com.example.t3']);
    expect((await client.next())[0]).toBe(36);
    await Promise.all([client.drop(), other.drop()]);
  });

  it('answers GOODBYE, and CANCEL, in another way', async () => {
    const client = await join();
    await take({ realm: { compat: { goodbye_with_normal: true } } });
    expect(await client.ask([6, {}, 'wamp.close.normal'])).toMatchObject([6, {}, 'wamp.close.normal']);
    await client.drop();
  });

  it('drops what is retained beyond new limits, the oldest first', async () => {
    const client = await join();
    for (const id of [1, 2, 3]) {
      await client.ask([16, id, { acknowledge: true, retain: true }, `com.example.kept${id}`, [id]]);
    }
    await take({ realm: { options: { max_retained_events: 1 } } });
    const late = await join();
    for (const id of [1, 2, 3]) await late.ask([32, id, { get_retained: true }, `com.example.kept${id}`]);
    expect((await late.next())[4]).toEqual([3]);
    await late.silent();
    await Promise.all([client.drop(), late.drop()]);
  });

  it('drops what its store remembers beyond new limits, the oldest first', async () => {
    const realmOf = (limit: number): object => ({
      name: 'realm2',
      store: { type: 'memory', limit, 'event-history': [{ uri: 'com.example.', match: 'prefix' }] },
      roles: [{ name: 'anonymous', permissions: ALLOW_ALL }],
    });
    await take({ realms: [realmOf(10)] });
    const client = await join('realm2');
    const [, , subscription] = await client.ask([32, 1, { match: 'prefix' }, 'com.example.']);
    for (const id of [2, 3, 4]) await client.ask([16, id, { acknowledge: true }, 'com.example.news', [id]]);
    const remembered = async (id: number): Promise<unknown> => {
      const answer = await client.ask([48, id, {}, 'wamp.subscription.get_events', [subscription]]);
      return (answer[3] as unknown[]).length;
    };
    expect(await remembered(5)).toBe(3);
    await take({ realms: [realmOf(2)] });
    expect(await remembered(6)).toBe(2);
    await client.drop();
  });

  it.each([
    ['enable_meta_api', { options: { enable_meta_api: false } }, 'options/enable_meta_api'],
    ['strict_request_ids', { options: { strict_request_ids: true } }, 'options/strict_request_ids'],
    ['a store', { store: { type: 'memory' } }, 'store'],
  ])('waits for a restart to get %s', async (_name, realm, place) => {
    const client = await join();
    expect(await node.reload(config({ realm }))).toMatchObject({ ok: true, pending: [`/workers/0/realms/0/${place}`] });
    expect((await client.ask([48, 7, {}, 'wamp.session.count']))[0]).toBe(50);
    await client.drop();
  });
});

describe('a role', () => {
  it('comes, and goes with the end of its sessions, which other roles do not notice', async () => {
    const [guest, other] = [await join('realm1', '/guests'), await join()];
    expect(await take({ roles: [] })).toMatchObject({ removed: 1 });
    expect(await guest.next()).toMatchObject([6, {}, 'wamp.error.no_such_role']);
    await expectServed(other, 1);
    await expect(join('realm1', '/guests')).rejects.toThrow('wamp.error.no_such_role');
    await take({});
    const again = await join('realm1', '/guests');
    expect(again.welcome.authrole).toBe('guest');
    await Promise.all([guest, other, again].map((client) => client.drop()));
  });

  it('has other rules for open sessions; what they forbid is revoked, and those who know revocation are told', async () => {
    const told = await WampClient.connect(node.daemon.url('/ws', 'ws'));
    await told.hello('realm1', { roles: REVOCABLE });
    const untold = await join();
    const guest = await join('realm1', '/guests');
    const [, , subscription] = await told.ask([32, 1, {}, 'com.private.topic']);
    const [, , registration] = await told.ask([64, 2, {}, 'com.private.procedure']);
    await told.ask([32, 3, {}, 'com.public.topic']);
    await untold.ask([32, 1, {}, 'com.private.topic']);
    await guest.ask([32, 1, {}, 'com.private.topic']);
    const report = await take({ rules: [rule('com.public.', 'prefix', 'subscribe', 'publish', 'call', 'register')] });
    expect(report).toMatchObject({ revoked: 3 });
    const reason = 'wamp.error.not_authorized';
    const news = [await told.next(), await told.next()];
    expect(news).toContainEqual([35, 0, { subscription, reason }]);
    expect(news).toContainEqual([67, 0, { registration, reason }]);
    await untold.silent();
    expect(await errorOf(told, [32, 4, {}, 'com.private.topic'])).toBe(reason);
    expect(await errorOf(guest, [48, 2, {}, 'com.private.procedure'])).toBe('wamp.error.no_such_procedure');
    guest.send([16, 3, { acknowledge: true, exclude_me: false }, 'com.private.topic']);
    expect([(await guest.next())[0], (await guest.next())[0]].sort()).toEqual([17, 36]);
    await guest.ask([16, 4, { acknowledge: true }, 'com.public.topic']);
    expect((await told.next())[0]).toBe(36);
    await told.silent();
    await untold.silent();
    await take({});
    expect(await errorOf(told, [32, 5, {}, 'com.private.topic'])).toBeUndefined();
    await Promise.all([told, untold, guest].map((client) => client.drop()));
  });

  it('gets an authorizer, which is asked from the next request on, and loses it', async () => {
    const decided = { name: 'anonymous', authorizer: 'com.example.decide' };
    const rulesOf = (realm: object): object => ({ ...realm, roles: [decided, GUEST] });
    const client = await join();
    await client.ask([32, 1, {}, 'com.example.before']);
    expect(await take({ realm: rulesOf({}) })).toMatchObject({ revoked: 0 });
    // Nobody is there who decides.
    expect(await errorOf(client, [32, 2, {}, 'com.example.asked'])).toBe('wamp.error.authorization_failed');
    const guest = await join('realm1', '/guests');
    await guest.ask([64, 1, {}, 'com.example.decide']);
    client.send([32, 3, {}, 'com.example.asked']);
    const [, invocation] = await guest.next();
    guest.send([70, invocation, {}, [true]]);
    expect((await client.next())[0]).toBe(33);
    await guest.ask([16, 2, { acknowledge: true }, 'com.example.before']);
    expect((await client.next())[0]).toBe(36);
    await take({});
    expect(await errorOf(client, [32, 4, {}, 'com.example.free'])).toBeUndefined();
    await guest.silent();
    await Promise.all([client.drop(), guest.drop()]);
  });
});

it.each([
  ['title', { title: 'another' }],
  ['drain/spread', { drain: { spread: 9 } }],
  ['shutdown_goodbye', { shutdown_goodbye: true }],
])('controller option %s waits for a restart, and all else of the file does not', async (key, controller) => {
  const client = await join();
  const report = await node.reload(config({ controller, realms: [openRealm('realm3')] }));
  expect(report).toMatchObject({ ok: true, pending: [`/controller/options/${key}`] });
  expect((await node.node.status()).pending_restart).toEqual([`/controller/options/${key}`]);
  await (await join('realm3')).leave();
  await expectServed(client, 1);
  await client.drop();
});
