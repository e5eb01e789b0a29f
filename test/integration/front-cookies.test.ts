/** The cookies of clients of fronts: the router knows them, and the front tells the browser. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { CookieStoreError } from '../../src/cookie/error.js';
import { LiveCookies } from '../../src/cookie/live/live-cookies.js';
import { MemoryCookieStore } from '../../src/cookie/memory.js';
import { rulesOf } from '../../src/cookie/rules.js';
import type { CookieRecord } from '../../src/cookie/store.js';
import { CookieTracker } from '../../src/cookie/tracker.js';
import { Kind } from '../../src/front/records.js';
import { until } from '../contract/transport-tools.js';
import { JOE, recordOf } from '../support/cookie-store.js';
import { FrontSite, PLACE } from '../support/front-site.js';
import type { SiteFront } from '../support/front-site.js';
import { cookieValue, upgradeLines } from '../support/wamp-client.js';
import type { WampClient } from '../support/wamp-client.js';
import { cookieConfig } from '../support/web.js';

/** A store that waits, or fails, when a test says so. */
class MovedStore extends MemoryCookieStore {
  isFailing = false;
  /** Whether answers wait for {@link goOn}. */
  isWaiting = false;
  readonly #waiting: (() => void)[] = [];

  get waiting(): number {
    return this.#waiting.length;
  }

  override async create(record: CookieRecord): Promise<void> {
    if (this.isFailing) throw new CookieStoreError('the disk is full', { cause: new Error('ENOSPC') });
    if (this.isWaiting) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return super.create(record);
  }

  goOn(): void {
    this.isWaiting = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

let site: FrontSite | undefined;
let allowed: string | undefined;
afterEach(async () => {
  await site?.stop();
  const faults = site?.parts.logs.filter(
    ({ level, msg }) => (level === 'error' || level === 'fatal') && msg !== allowed,
  );
  [site, allowed] = [undefined, undefined];
  expect(faults ?? []).toEqual([]);
});

interface World {
  readonly here: FrontSite;
  readonly front: SiteFront;
  readonly store: MovedStore;
  readonly cookies: LiveCookies;
}

async function opened(options: Readonly<Record<string, unknown>> = {}): Promise<World> {
  const store = new MovedStore();
  const config = cookieConfig({ rotate: true, rotate_grace: 60 });
  const made: LiveCookies[] = [];
  const here = await FrontSite.open({
    options,
    trackerOf: (log) => {
      const liveCookies = new LiveCookies({ store, rules: rulesOf(config), clock: Date.now, log });
      made.push(liveCookies);
      return new CookieTracker({ config, liveCookies, clock: Date.now, log });
    },
  });
  site = here;
  const [cookies] = made;
  if (cookies === undefined) throw new Error('the site has made no tracker');
  return { here, front: await here.front(), store, cookies };
}

const setCookieOf = ({ handshake }: WampClient): string | undefined => handshake.setCookie[0];
const withCookie = (value: string): { headers: Record<string, string> } => ({ headers: { Cookie: `cbtid=${value}` } });

/** All have gone, everywhere. */
async function expectNobody({ here, front, cookies }: World): Promise<void> {
  await until(() => front.link.size === 0 && front.front?.size === 0 && here.host.size === 0);
  await until(() => cookies.size === 0);
}

describe('a browser at a front', () => {
  it('gets its cookie with the 101, and is known by it, also at another front', async () => {
    const world = await opened();
    const { here, front, store, cookies } = world;
    const first = await front.connect();
    const value = cookieValue(setCookieOf(first) ?? '');
    expect(value).toHaveLength(24);
    expect((await store.list()).map(({ cbtid }) => cbtid)).toEqual([value]);
    const again = await (await here.front()).connect(withCookie(value));
    expect(setCookieOf(again)).toBeUndefined();
    await again.hello();
    await until(() => here.host.size === 2);
    expect([cookies.size, (await store.list()).length]).toEqual([1, 1]);
    // Where cookies are not asked for, the authid tells who it is.
    await first.hello();
    const stranger = await front.connect(withCookie('nobody-knows-this-cookie'));
    expect(cookieValue(setCookieOf(stranger) ?? '')).not.toBe(value);
    await until(() => cookies.size === 2);
    for (const client of [first, again, stranger]) await client.close();
    await expectNobody(world);
  });

  it('gets a new id after a login, which counts as arrived with its first message', async () => {
    const world = await opened();
    const { front, store, cookies } = world;
    const first = await front.connect();
    const value = cookieValue(setCookieOf(first) ?? '');
    await first.close();
    await expectNobody(world);
    await cookies.setLogin(value, JOE);
    const second = await front.connect(withCookie(value));
    const moved = cookieValue(setCookieOf(second) ?? '');
    expect(moved).not.toBe(value);
    expect(await store.get(value)).toMatchObject({ moved_to: moved });
    await until(() => front.front?.size === 1 && cookies.size === 1);
    expect((await recordOf(store, moved))?.returned).toBe(false);
    await second.hello();
    let isReturned = false;
    while (!isReturned) {
      isReturned = (await recordOf(store, moved))?.returned === true;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Somebody who planted the old id learns nothing.
    const planted = await front.connect(withCookie(value));
    expect(setCookieOf(planted)).toBeUndefined();
    for (const client of [second, planted]) await client.close();
    await expectNobody(world);
  });

  it('is refused while the store fails, and leaves nothing', async () => {
    allowed = 'cookie store failed, connection refused';
    const world = await opened({ max_connections: 1 });
    const { here, front, store } = world;
    store.isFailing = true;
    await expect(front.connect()).rejects.toMatchObject({ status: 503 });
    await expectNobody(world);
    expect([here.counts.refused.cookie_store, here.counts.refused.limit]).toEqual([1, 0]);
    store.isFailing = false;
    // Its place is free.
    expect(setCookieOf(await front.connect())).toBeDefined();
  });

  it('that leaves while the store is asked leaves nothing', async () => {
    const world = await opened({ max_connections: 1 });
    const { here, front, store, cookies } = world;
    store.isWaiting = true;
    const socket = connect(front.port, '127.0.0.1');
    socket.write(`${upgradeLines('/').join('\r\n')}\r\n\r\n`);
    await until(() => store.waiting === 1);
    expect(front.front?.size).toBe(1);
    socket.destroy();
    await once(socket, 'close');
    store.goOn();
    await expectNobody(world);
    const next = await front.connect();
    await until(() => here.host.size === 1);
    expect([front.link.size, front.front?.size, cookies.size]).toEqual([1, 1, 1]);
    await next.close();
    await expectNobody(world);
  });

  it('of which the front says that it has left is not let in when the store answers', async () => {
    const world = await opened({ max_connections: 1 });
    const { here, store, cookies } = world;
    const { peer, front } = await here.frontByHand();
    const entry = { place: PLACE, peer: '192.0.2.1:1', isSecure: false, headers: {}, url: '/' };
    store.isWaiting = true;
    peer.say(Kind.ENTER, 1, entry);
    await until(() => store.waiting === 1);
    peer.say(Kind.GONE, 1, {});
    await peer.next(({ kind }) => kind === Kind.FORGOTTEN);
    expect(front.size).toBe(0);
    // Somebody else has its number, and its place.
    peer.say(Kind.ENTER, 1, entry);
    await until(() => store.waiting === 2);
    store.goOn();
    await until(() => peer.heard.length > 0);
    while ((await store.list()).length < 2) await new Promise((resolve) => setImmediate(resolve));
    peer.say(Kind.GONE, 1, {});
    await until(() => peer.heard.some(({ kind }) => kind === Kind.FORGOTTEN));
    // One answer, to the one who is there.
    expect(peer.heard.map(({ kind }) => kind)).toEqual([Kind.ADMITTED, Kind.FORGOTTEN]);
    expect([front.size, here.host.size, cookies.size]).toEqual([0, 0, 0]);
  });

  it('whose front is lost while the store is asked leaves nothing', async () => {
    const world = await opened({ max_connections: 1 });
    const { here, front, store, cookies } = world;
    store.isWaiting = true;
    const connecting = front.connect();
    connecting.catch(() => undefined);
    await until(() => store.waiting === 1);
    front.front?.end('a test');
    await expect(connecting).rejects.toMatchObject({ status: 503 });
    store.goOn();
    while ((await store.list()).length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect([here.host.size, cookies.size, here.ends]).toEqual([0, 0, ['a test']]);
    const other = await here.front();
    expect(setCookieOf(await other.connect())).toBeDefined();
  });
});
