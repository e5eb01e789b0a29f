/** A place that several fronts have: its limits count for all of them together, and its counts are with the router. */
import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Kind } from '../../src/front/records.js';
import { GOODBYE, TOPIC, stopClock, until } from '../contract/transport-tools.js';
import { FrontSite, OPENING, PLACE } from '../support/front-site.js';
import type { HeardRecord, SiteFront, SiteOptions } from '../support/front-site.js';
import { RawSocketRefused } from '../support/rawsocket-client.js';
import type { RawSocketClient } from '../support/rawsocket-client.js';
import { rawSocketSubject, webSocketSubject } from '../support/transport-world.js';
import type { TransportSubject } from '../support/transport-world.js';
import { ALL_ROLES, HandshakeRefused } from '../support/wamp-client.js';
import type { WampClient } from '../support/wamp-client.js';

let site: FrontSite | undefined;
const opened = async (options: SiteOptions = {}): Promise<FrontSite> => (site = await FrontSite.open(options));
afterEach(async () => {
  vi.useRealTimers();
  await site?.stop();
  const faults = site?.parts.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  site = undefined;
  expect(faults ?? []).toEqual([]);
});

/** Long enough never to be reached while the clock stands still. */
const LONG_MS = 3_600_000;
const SHORT_MS = 1000;
const sessionsOf = ({ parts }: FrontSite): number | undefined => parts.router.size['realm1']?.sessions;
const is =
  (kind: Kind, number?: number) =>
  (record: HeardRecord): boolean =>
    record.kind === kind && (number === undefined || record.number === number);

interface Row {
  readonly protocol: 'websocket' | 'rawsocket';
  readonly connect: (front: SiteFront) => Promise<WampClient | RawSocketClient>;
  /** What it sees of a close code. */
  readonly code: (code: number) => number;
}
const ROWS: readonly (readonly [string, Row])[] = [
  ['WebSocket', { protocol: 'websocket', connect: (front) => front.connect(), code: (code) => code }],
  ['RawSocket', { protocol: 'rawsocket', connect: (front) => front.connectRaw(), code: () => 0 }],
];

describe.each(ROWS)('two fronts of %s', (_name, { protocol, connect: enter, code }) => {
  const twoFronts = async (
    options: SiteOptions['options'],
  ): Promise<{ here: FrontSite; one: SiteFront; two: SiteFront }> => {
    const here = await opened({ protocol, ...(options && { options }) });
    return { here, one: await here.front(), two: await here.front() };
  };

  it('max_connections: who does not fit is refused, until somebody leaves', async () => {
    const { here, one, two } = await twoFronts({ max_connections: 1 });
    const only = await enter(one);
    await only.hello();
    const refusal: unknown = await enter(two).catch((error: unknown) => error);
    if (protocol === 'websocket') {
      expect(refusal).toBeInstanceOf(HandshakeRefused);
      expect(refusal).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    } else {
      expect(refusal).toBeInstanceOf(RawSocketRefused);
      expect(refusal).toMatchObject({ reply: '7f400000' });
    }
    expect(here.counts.refused.limit).toBe(1);
    expect(here.parts.logs.filter(({ msg }) => msg === 'too many connections, some refused')).toHaveLength(1);
    await only.close();
    await until(() => one.link.size === 0 && two.link.size === 0);
    await (await enter(two)).hello();
  });

  it('max_unauthenticated: who has waited longest makes room, at whatever front', async () => {
    const { here, one, two } = await twoFronts({ max_unauthenticated: 2 });
    const joined = await enter(one);
    await joined.hello();
    const first = await enter(one);
    const second = await enter(two);
    await until(() => here.host.size === 3);
    const third = await enter(two);
    expect((await first.closed).code).toBe(code(1013));
    const fourth = await enter(one);
    expect((await second.closed).code).toBe(code(1013));
    await third.hello();
    await fourth.hello();
    await until(() => here.counts.closed.limit === 2);
    expect([joined.isOpen, sessionsOf(here)]).toEqual([true, 3]);
  });

  it('hello_timeout: who does not join in time is closed', async () => {
    stopClock();
    const { here, one, two } = await twoFronts({ hello_timeout: SHORT_MS });
    const silent = [await enter(one), await enter(two)];
    const talking = await enter(one);
    await talking.hello();
    await until(() => here.host.size === 3);
    vi.advanceTimersByTime(SHORT_MS + 50);
    for (const { closed } of silent) {
      expect(await closed).toMatchObject({ code: code(1008) });
    }
    await until(() => here.counts.closed.idle === 2);
    expect((await talking.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
    // Behind a GOODBYE it is the same.
    expect((await talking.ask(GOODBYE))[0]).toBe(6);
    vi.advanceTimersByTime(SHORT_MS + 50);
    expect((await talking.closed).code).toBe(code(1008));
  });

  it('authenticate_timeout: who does not answer a challenge in time is told', async () => {
    stopClock();
    const { one, two } = await twoFronts({ hello_timeout: LONG_MS, authenticate_timeout: SHORT_MS });
    const silent = await enter(two);
    const asked = [await enter(one), await enter(two)];
    for (const client of asked) {
      client.send([1, 'realm1', { roles: ALL_ROLES, authmethods: ['ticket'], authid: 'joe' }]);
      expect((await client.next())[0]).toBe(4);
    }
    vi.advanceTimersByTime(SHORT_MS + 50);
    for (const client of asked) {
      expect((await client.next()).slice(0, 1)).toEqual([3]);
      expect((await client.closed).code).toBe(code(1008));
    }
    expect(silent.isOpen).toBe(true);
  });
});

it('max_unauthenticated_per_address: of one address, whatever front it comes to', async () => {
  const here = await opened({ options: { max_unauthenticated_per_address: 1 } });
  const [{ peer: one }, { peer: two }] = [await here.frontByHand(), await here.frontByHand()];
  const from = { remoteAddress: '192.0.2.7' };
  one.enter(1, from);
  two.enter(1, { remoteAddress: '192.0.2.8' });
  await until(() => here.host.size === 2);
  // Its handshake is not done when it has to make room itself.
  two.say(Kind.ENTER, 2, { place: PLACE, peer: '192.0.2.7:2', isSecure: false, ...from });
  await one.next(is(Kind.EVICT, 1));
  await two.next(is(Kind.ADMITTED, 2));
  one.say(Kind.ENTER, 2, { place: PLACE, peer: '192.0.2.7:3', isSecure: false, ...from });
  await two.next(is(Kind.CUT, 2));
  await one.next(is(Kind.ADMITTED, 2));
  // It was on its way when it was cut.
  two.say(Kind.OPENED, 2, OPENING).say(Kind.GONE, 2, {});
  await two.next(is(Kind.FORGOTTEN, 2));
  expect(two.heard.some(is(Kind.EVICT))).toBe(false);
});

it('the opening octets of RawSocket have as much time as a HELLO', async () => {
  stopClock();
  const here = await opened({ protocol: 'rawsocket', options: { hello_timeout: SHORT_MS } });
  const front = await here.front();
  const socket = connect(front.port, '127.0.0.1');
  const closed = new Promise((resolve) =>
    socket
      .on('error', () => undefined)
      .resume()
      .once('close', resolve),
  );
  await until(() => front.link.size === 1 && front.front?.size === 1);
  // It may be let in a moment later, and has its time from then on.
  while (!socket.destroyed && front.link.size > 0) {
    vi.advanceTimersByTime(SHORT_MS + 50);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await closed;
  await until(() => front.link.size === 0);
});

describe('a client of a front that does not read', () => {
  const FILLER = randomBytes(45_000).toString('base64');

  async function stuckOf(options: SiteOptions['options']) {
    const here = await opened({ ...(options && { options }) });
    const front = await here.front();
    const other = await here.front();
    const publisher = await other.connect();
    await publisher.hello();
    const stuck = await front.connect();
    await stuck.hello();
    await stuck.ask([32, 1, {}, TOPIC]);
    stuck.socket.pause();
    const flood = async (isEnough: () => boolean): Promise<void> => {
      for (let i = 1; !isEnough(); i += 1) {
        if (i > 4096) throw new Error('a quarter of a gigabyte was kept for a client that does not read');
        await publisher.ask([16, i, { acknowledge: true }, TOPIC, [FILLER]]);
      }
    };
    return { here, front, stuck, publisher, flood };
  }

  it('is cut by the front, and counted at the router', async () => {
    const { here, front, stuck, flood } = await stuckOf({ max_unsent_bytes: 65_536 });
    await flood(() => sessionsOf(here) === 1);
    expect([here.counts.slowCut, here.counts.closed.slow, here.counts.slowDropping]).toEqual([1, 1, 0]);
    expect(here.parts.logs.filter(({ msg }) => msg === 'session left')).toMatchObject([{ reason: 'slow consumer' }]);
    expect(front.ends).toEqual([]);
    stuck.socket.resume();
    await stuck.closed;
  });

  it('loses events where slow_consumer says so, and is counted at the router once', async () => {
    const { here, stuck, publisher, flood } = await stuckOf({
      max_unsent_bytes: 1_048_576,
      slow_consumer: 'drop_events',
    });
    let extra = 0;
    // Some more after the first one that was lost.
    await flood(() => here.counts.slowDropping > 0 && (extra += 1) > 5);
    expect([here.counts.slowCut, here.counts.slowDropping]).toEqual([0, 1]);
    stuck.socket.resume();
    await until(() => here.parts.logs.some(({ msg }) => msg === 'slow consumer has caught up'));
    await publisher.settle();
    expect([sessionsOf(here), here.counts.slowDropping]).toEqual([2, 1]);
  });
});

describe('what other sessions see of a client', () => {
  type Pair = readonly [name: string, plain: TransportSubject, behind: TransportSubject];
  const pair = (name: string, make: (row: { behindFront: boolean }) => TransportSubject): Pair => [
    ...([name, make({ behindFront: false }), make({ behindFront: true })] as const),
  ];

  /** @returns the transport of a session as another one sees it, with its port taken out. */
  async function seen(subject: TransportSubject): Promise<unknown> {
    const world = await subject.open();
    try {
      const [client, asker] = [await world.connect(), await world.connect()];
      const { sessionId } = await client.hello();
      await asker.hello();
      const [, , , args] = await asker.ask([48, 1, {}, 'wamp.session.get', [sessionId]]);
      const [{ transport }] = args as [{ transport: Record<string, unknown> }];
      return { ...transport, peer: String(transport['peer']).replace(/\d+$/, 'port') };
    } finally {
      await world.stop();
    }
  }

  it.each([
    pair('WebSocket', (row) => webSocketSubject(row)),
    pair('WebSocket, compressed', (row) => webSocketSubject({ ...row, deflate: true, serializer: 'cbor' })),
    pair('WebSocket over TLS', (row) => webSocketSubject({ ...row, endpoint: 'tls', serializer: 'msgpack' })),
    pair('WebSocket on a socket file', (row) => webSocketSubject({ ...row, endpoint: 'unix' })),
    pair('RawSocket', (row) => rawSocketSubject({ ...row, serializer: 'cbor' })),
    pair('RawSocket over TLS', (row) => rawSocketSubject({ ...row, endpoint: 'tls' })),
    pair('RawSocket on a socket file', (row) => rawSocketSubject({ ...row, endpoint: 'unix' })),
  ])('is the same with a front and without: %s', async (_name, plain, behind) => {
    const expected = await seen(plain);
    expect(expected).toMatchObject({ channel_framing: plain.framing });
    expect(await seen(behind)).toEqual(expected);
  });
});
