/**
 * Realms of two routers behind one front: a client comes in at the first one, which sends it to the other when its HELLO asks for a realm of
 * that. Both ends of all links are in this process.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LiveCookies } from '../../src/cookie/live/live-cookies.js';
import { MemoryCookieStore } from '../../src/cookie/memory.js';
import { rulesOf } from '../../src/cookie/rules.js';
import { CookieTracker } from '../../src/cookie/tracker.js';
import { Kind } from '../../src/front/records.js';
import type { RouterLink } from '../../src/front/router-link.js';
import type { SessionDeps } from '../../src/session/deps.js';
import { turns } from '../../src/transport/fair-scheduler.js';
import { until } from '../contract/transport-tools.js';
import { FrontSite, OPENING, PLACE } from '../support/front-site.js';
import type { SiteFront, SiteOptions } from '../support/front-site.js';
import { ALL_ROLES, cookieValue } from '../support/wamp-client.js';
import type { WampClient } from '../support/wamp-client.js';
import { cookieConfig } from '../support/web.js';

const OTHER = 'realm2';
const ECHO = 'com.example.echo';
const TOPIC = 'com.example.topic';
const NAME = 'second';

let [first, second] = [] as unknown as [FrontSite, FrontSite];
let other: RouterLink | undefined;
let front: SiteFront;
const begin = async (options: SiteOptions = {}): Promise<void> => {
  const { trackerOf, ...rest } = options;
  const tracked = trackerOf && { trackerOf };
  first = await FrontSite.open({ ...options, elsewhere: (realm) => (realm === OTHER ? NAME : undefined) });
  second = await FrontSite.open({ ...rest, ...tracked, realm: OTHER, takesVisitors: true });
  other = await second.visited();
  front = await first.front((name) => (name === NAME ? other : undefined));
};
let allowed: string[];
beforeEach(() => void (allowed = []));
afterEach(async () => {
  turns.release();
  other?.end();
  for (const site of [first, second]) await site.stop();
  const logs = [first, second].flatMap(({ parts }) => parts.logs);
  const faults = logs.filter(({ level, msg }) => ['error', 'fatal'].includes(level) && !allowed.includes(msg));
  expect(faults).toEqual([]);
});

const forgotten = (): Promise<void> =>
  until(() => front.link.size === 0 && front.front?.size === 0 && other?.size === 0 && second.links[0]?.size === 0);
const sessions = (site: FrontSite): number =>
  site.parts.router.realms.reduce((sum, { inventory }) => sum + inventory.sessionCount, 0);

const register = async (client: WampClient): Promise<void> => {
  expect(await client.ask([64, 1, {}, ECHO])).toEqual([65, 1, expect.any(Number)]);
};

/** Calls, and answers the call at the callee. */
async function callOf(caller: WampClient, callee: WampClient, text: string): Promise<unknown> {
  caller.send([48, 7, {}, ECHO, [text]]);
  const [type, request, , , args] = await callee.next();
  expect(type).toBe(68);
  callee.send([70, request, {}, args]);
  return (await caller.next())[3];
}

const goodbye = async (client: WampClient): Promise<void> => {
  expect(await client.ask([6, {}, 'wamp.close.close_realm'])).toEqual([6, {}, 'wamp.close.goodbye_and_out']);
};

describe.each(['websocket', 'rawsocket'] as const)('a %s client', (protocol) => {
  it('has its session with the router of its realm', async () => {
    await begin({ protocol });
    const connect = async (realm: string): Promise<{ ask(message: readonly unknown[]): Promise<unknown> }> => {
      if (protocol === 'websocket') {
        const client = await front.connect();
        await client.hello(realm);
        return client;
      }
      const client = await front.connectRaw();
      const ask = (message: readonly unknown[]): Promise<unknown> => (client.send(message), client.next());
      expect(await ask([1, realm, { roles: ALL_ROLES }])).toMatchObject({ 0: 2 });
      return { ask };
    };
    const clients = [await connect(OTHER), await connect('realm1'), await connect(OTHER)];
    expect([sessions(first), sessions(second)]).toEqual([1, 2]);
    for (const client of clients) expect(await client.ask([32, 1, {}, TOPIC])).toEqual([33, 1, expect.any(Number)]);
  });
});

describe('a client whose realm is with another router', () => {
  it.each(['json', 'msgpack', 'cbor'] as const)('calls and is called there (%s)', async (serializer) => {
    await begin();
    const [callee, caller] = [await front.connect({ serializer }), await front.connect({ serializer })];
    for (const client of [callee, caller]) await client.hello(OTHER);
    await register(callee);
    expect(await callOf(caller, callee, 'there')).toEqual(['there']);
    const stranger = await front.connect();
    await stranger.hello('realm1');
    expect(await stranger.ask([48, 1, {}, ECHO])).toMatchObject([
      8,
      48,
      1,
      {},
      'wamp.error.no_such_procedure',
      [expect.any(String)],
    ]);
  });

  it('may say more in the batch of its HELLO', async () => {
    await begin();
    const client = await front.connect({ batched: true });
    const messages = [
      [1, OTHER, { roles: ALL_ROLES }],
      [32, 1, {}, TOPIC],
    ];
    client.sendRaw(Buffer.from(messages.map((message) => `${JSON.stringify(message)}\u001e`).join('')));
    expect([(await client.next())[0], (await client.next())[0]]).toEqual([2, 33]);
  });

  it('sends much, which comes in order, and is not read faster than it is worked off', async () => {
    await begin();
    const [publisher, subscriber] = [await front.connect(), await front.connect()];
    for (const client of [publisher, subscriber]) await client.hello(OTHER);
    await subscriber.ask([32, 1, {}, TOPIC]);
    const text = 'x'.repeat(1000);
    for (let number = 0; number < 2000; number += 1) publisher.send([16, number + 1, {}, TOPIC, [number, text]]);
    for (let number = 0; number < 2000; number += 1) expect((await subscriber.next())[4]).toEqual([number, text]);
  });

  it('is forgotten everywhere when it goes', async () => {
    await begin();
    const clients = await Promise.all(
      [OTHER, OTHER, 'realm1'].map(async (realm) => {
        const client = await front.connect();
        await client.hello(realm);
        return client;
      }),
    );
    expect([front.front?.size, second.links[0]?.size]).toEqual([3, 2]);
    await clients[0]?.drop();
    await clients[1]?.close();
    await clients[2]?.drop();
    await forgotten();
    expect([sessions(first), sessions(second)]).toEqual([0, 0]);
    // The numbers are free again.
    const again = await front.connect();
    await again.hello(OTHER);
    expect([front.link.size, other?.size]).toEqual([1, 1]);
  });

  it('counts for the limits of the place as long as it is there', async () => {
    await begin({ options: { max_connections: 1 } });
    const client = await front.connect();
    await client.hello(OTHER);
    await expect(front.connect()).rejects.toMatchObject({ status: 503 });
    await client.drop();
    await forgotten();
    await (await front.connect()).hello('realm1');
  });

  it('is told of the end of its session, and answers', async () => {
    await begin();
    const client = await front.connect();
    const { sessionId } = await client.hello(OTHER);
    const killer = await front.connect();
    await killer.hello(OTHER);
    expect(await killer.ask([48, 1, {}, 'wamp.session.kill', [sessionId]])).toEqual([50, 1, {}]);
    expect((await client.next())[0]).toBe(6);
    client.send([6, {}, 'wamp.close.goodbye_and_out']);
    expect((await client.closed).code).toBe(1000);
    await killer.drop();
    await forgotten();
  });

  it('is refused there, and may not go on', async () => {
    await begin();
    const client = await front.connect();
    const hello = [1, OTHER, { roles: ALL_ROLES, authmethods: ['ticket'], authid: 'nobody' }];
    expect((await client.ask(hello))[0]).toBe(4);
    expect((await client.ask([5, 'wrong', {}]))[0]).toBe(3);
    await client.closed;
    await forgotten();
  });
});

describe('a client that says goodbye', () => {
  it('joins the realm of another router on the same connection, as often as it likes', async () => {
    await begin();
    const client = await front.connect();
    for (const [index, realm] of [OTHER, 'realm1', OTHER, OTHER, 'realm1'].entries()) {
      await client.hello(realm);
      expect([sessions(first), sessions(second)]).toEqual(realm === OTHER ? [0, 1] : [1, 0]);
      expect(await client.ask([32, index + 1, {}, TOPIC])).toEqual([33, index + 1, expect.any(Number)]);
      await goodbye(client);
    }
    await client.close();
    await forgotten();
  });

  it('may do so in one go with its next HELLO', async () => {
    await begin();
    const client = await front.connect();
    await client.hello(OTHER);
    for (const realm of ['realm1', OTHER, OTHER, 'realm1']) {
      client.send([6, {}, 'wamp.close.close_realm']);
      client.send([1, realm, { roles: ALL_ROLES }]);
      expect([(await client.next())[0], (await client.next())[0]]).toEqual([6, 2]);
      expect([sessions(first), sessions(second)]).toEqual(realm === OTHER ? [0, 1] : [1, 0]);
    }
    await client.close();
    await forgotten();
  });
});

describe('another router', () => {
  it('that is not there: the client is to come back', async () => {
    await begin();
    const there = other;
    other = undefined;
    const client = await front.connect();
    client.send([1, OTHER, { roles: ALL_ROLES }]);
    expect((await client.closed).code).toBe(1013);
    const here = await front.connect();
    await here.hello('realm1');
    other = there;
    await (await front.connect()).hello(OTHER);
  });

  it('that ends takes its clients with it, and nobody else', async () => {
    await begin();
    const [client, here] = [await front.connect(), await front.connect()];
    await client.hello(OTHER);
    await here.hello('realm1');
    second.links[0]?.end();
    expect((await client.closed).code).toBe(1001);
    expect(await here.ask([32, 1, {}, TOPIC])).toEqual([33, 1, expect.any(Number)]);
    await until(() => front.front?.size === 1);
    const late = await front.connect();
    late.send([1, OTHER, { roles: ALL_ROLES }]);
    expect((await late.closed).code).toBe(1013);
    other = await second.visited();
    await (await front.connect()).hello(OTHER);
  });

  it('that stops ends the sessions of its clients in order', async () => {
    await begin();
    const client = await front.connect();
    await client.hello(OTHER);
    await second.host.stop();
    expect((await client.closed).code).toBe(1001);
    const late = await front.connect();
    late.send([1, OTHER, { roles: ALL_ROLES }]);
    expect((await late.closed).code).toBe(1013);
    await forgotten();
  });
});

it('the first router that stops has no word for clients of the other one', async () => {
  await begin();
  const client = await front.connect();
  await client.hello(OTHER);
  const stopped = first.host.stop();
  expect(await client.ask([32, 1, {}, TOPIC])).toEqual([33, 1, expect.any(Number)]);
  await second.host.stop();
  expect((await client.closed).code).toBe(1001);
  await stopped;
});

it('a cookie that the first router knows is that of the session, and its id counts at the second', async () => {
  const store = new MemoryCookieStore();
  await store.open();
  const config = cookieConfig();
  const trackerOf = (log: SessionDeps['log']): CookieTracker => {
    const liveCookies = new LiveCookies({ store, rules: rulesOf(config), clock: Date.now, log });
    return new CookieTracker({ config, liveCookies, clock: Date.now, log });
  };
  await begin({ trackerOf });
  const client = await front.connect();
  const id = cookieValue(client.handshake.setCookie[0] ?? '');
  const { welcome } = await client.hello(OTHER);
  expect(welcome.authid).toBe(id);
  const again = await front.connect({ headers: { cookie: `cbtid=${id}` } });
  expect(again.handshake.setCookie).toEqual([]);
  expect((await again.hello(OTHER)).welcome.authid).toBe(id);
  await goodbye(again);
  expect((await again.hello('realm1')).welcome.authid).toBe(id);
});

describe('what makes no sense', () => {
  it('a front that vouches for a client at a router which takes none is cut', async () => {
    await begin();
    const { peer } = await first.frontByHand();
    peer.say(Kind.ENTER, 1, { place: PLACE, peer: '192.0.2.1:1', isSecure: false, vouched: {} });
    await peer.closed;
    expect(first.ends).toEqual(['a front vouches for a client']);
  });

  it('of a client that was refused nothing is heard', async () => {
    await begin({ options: { max_connections: 1 } });
    const { peer } = await second.frontByHand();
    const entry = { place: PLACE, peer: '192.0.2.1:1', isSecure: false, vouched: {} };
    peer.enter(1, { vouched: {} }).message(1, [1, OTHER, { roles: ALL_ROLES }]);
    await peer.next(({ kind, number }) => kind === Kind.STANDING && number === 1);
    peer
      .say(Kind.ENTER, 2, entry)
      .say(Kind.OPENED, 2, OPENING)
      .message(2, [1, OTHER, { roles: ALL_ROLES }]);
    await peer.next(({ kind, number }) => kind === Kind.REFUSED && number === 2);
    peer.say(Kind.GONE, 2, {});
    await peer.next(({ kind, number }) => kind === Kind.FORGOTTEN && number === 2);
    expect(sessions(second)).toBe(1);
  });

  it('a HELLO that is none is answered by the first router', async () => {
    await begin();
    const client = await front.connect();
    client.send('[1, "realm2"');
    expect(await client.next()).toMatchObject({ 0: 3, 2: 'wamp.error.protocol_violation' });
    const another = await front.connect();
    expect(await another.ask([32, 1, {}, TOPIC])).toMatchObject({ 0: 3, 2: 'wamp.error.protocol_violation' });
  });
});
