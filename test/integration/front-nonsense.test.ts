/**
 * An end of a link that says what makes no sense loses its link, with a reason, and nothing else: neither the process nor other fronts
 * notice. What a front says is tried on the router, and what a router says on a front.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { Kind } from '../../src/front/records.js';
import { TOPIC, until } from '../contract/transport-tools.js';
import { FrontSite, OPENING, PLACE } from '../support/front-site.js';
import type { HeardRecord, LinkPeer, SiteFront, SiteOptions } from '../support/front-site.js';
import { ALL_ROLES, upgradeLines } from '../support/wamp-client.js';
import type { JoinedClient, WampClient } from '../support/wamp-client.js';

let site: FrontSite | undefined;
const opened = async (options: SiteOptions = {}): Promise<FrontSite> => (site = await FrontSite.open(options));
afterEach(async () => {
  await site?.stop();
  const faults = site?.parts.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  site = undefined;
  expect(faults ?? []).toEqual([]);
});

const HELLO = [1, 'realm1', { roles: ALL_ROLES }];
const ENTRY = {
  place: PLACE,
  peer: '192.0.2.1:1',
  isSecure: false,
  headers: { host: 'a', cookie: 'a=b' },
  url: '/?a=b',
};
const sessionsOf = ({ parts }: FrontSite): number | undefined => parts.router.size['realm1']?.sessions;
const is =
  (kind: Kind) =>
  (record: HeardRecord): boolean =>
    record.kind === kind;

/** Somebody at another front, who must not notice anything. */
async function witnessOf(here: FrontSite): Promise<{ readonly front: SiteFront; readonly witness: JoinedClient }> {
  const front = await here.front();
  const client = await front.connect();
  return { front, witness: Object.assign(client, await client.hello()) };
}

async function expectUntouched({ witness }: Awaited<ReturnType<typeof witnessOf>>, here: FrontSite): Promise<void> {
  expect((await witness.ask([16, 1, { acknowledge: true }, TOPIC]))[0]).toBe(17);
  expect(sessionsOf(here)).toBe(1);
}

/** A record of a kind that is none, or of a wrong length. */
function bytesOf(kind: number, number: number, content: Buffer = Buffer.alloc(0), length = 5 + content.length): Buffer {
  const header = Buffer.alloc(9);
  header.writeUInt32LE(length);
  header[4] = kind;
  header.writeUInt32LE(number, 5);
  return Buffer.concat([header, content]);
}
const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('a front that says', () => {
  it.each<[what: string, bytes: Buffer, why: string]>([
    [
      'a place that is none',
      bytesOf(Kind.ENTER, 9, json({ ...ENTRY, place: 'elsewhere' })),
      'a front names a place that is none',
    ],
    ['a number twice', bytesOf(Kind.ENTER, 1, json(ENTRY)), 'a front gives a number twice'],
    ['an entry that is not JSON', bytesOf(Kind.ENTER, 9, Buffer.from('{')), 'a record is not JSON'],
    ['an entry that is nothing', bytesOf(Kind.ENTER, 9, json(null)), 'a record is no entry'],
    [
      'an entry with headers that are none',
      bytesOf(Kind.ENTER, 9, json({ ...ENTRY, headers: { a: 1 } })),
      'a record is no entry',
    ],
    [
      'an entry without an address',
      bytesOf(Kind.ENTER, 9, json({ ...ENTRY, peer: undefined })),
      'a record is no entry',
    ],
    [
      'an entry with a certificate that is none',
      bytesOf(Kind.ENTER, 9, json({ ...ENTRY, tls: { bindings: {}, certificate: {} } })),
      'a record is no entry',
    ],
    ['an opening without facts', bytesOf(Kind.OPENED, 3, json({ ...OPENING, facts: 1 })), 'a record is no opening'],
    [
      'a framing that is none',
      bytesOf(Kind.OPENED, 3, json({ ...OPENING, framing: 'toString' })),
      'a record is no opening',
    ],
    [
      'a serializer that is none',
      bytesOf(Kind.OPENED, 3, json({ ...OPENING, serializer: 'morse' })),
      'a front speaks what its router does not',
    ],
    ['an end that is none', bytesOf(Kind.GONE, 1, json({ ending: 'constructor' })), 'a record is no loss'],
    [
      'a refusal for no cause',
      bytesOf(Kind.ABORTED, 1, json({ reason: 'a.b', message: '', cause: 'none' })),
      'a record is no abort',
    ],
    ['a drop that is none', bytesOf(Kind.DROPPED, 1), 'a record is not JSON'],
    ['what a router says', bytesOf(Kind.FORGOTTEN, 1), 'a front says what fronts do not'],
    ['a kind that is none', bytesOf(99, 1), 'a front says what fronts do not'],
    ['a kind that is none, of nobody', bytesOf(0, 77), 'a front says what fronts do not'],
    ['a record that is too long', bytesOf(Kind.MESSAGE, 1, undefined, 2 ** 30), `a record of ${2 ** 30 + 4} bytes`],
    ['a record that is too short', bytesOf(Kind.MESSAGE, 1, undefined, 4), 'a record of 8 bytes'],
  ])('%s is given up, with its clients alone', async (_what, bytes, why) => {
    const here = await opened();
    const others = await witnessOf(here);
    const { peer, front } = await here.frontByHand();
    peer.enter(1).message(1, HELLO).enter(2).message(2, HELLO).say(Kind.ENTER, 3, ENTRY);
    await until(() => sessionsOf(here) === 3);
    // Nobody comes in by what stands behind it.
    peer.socket.write(
      Buffer.concat([bytes, bytesOf(Kind.ENTER, 10, json(ENTRY)), bytesOf(Kind.MESSAGE, 1, json([16, 1, {}, TOPIC]))]),
    );
    await peer.closed;
    expect(here.ends).toEqual([why]);
    await until(() => sessionsOf(here) === 1);
    expect([front.size, here.host.size, here.counts.connections.websocket]).toEqual([0, 1, 1]);
    await expectUntouched(others, here);
  });

  it.each<[what: string, say: (peer: LinkPeer) => unknown]>([
    ['that it lives', (peer) => peer.say(Kind.ALIVE, 0)],
    ['something of a client that is not there', (peer) => peer.say(Kind.MESSAGE, 77).say(Kind.GONE, 78, {})],
    ['messages of a client that is not open yet', (peer) => peer.say(Kind.ENTER, 3, ENTRY).message(3, HELLO)],
  ])('%s goes on', async (_what, say) => {
    const here = await opened();
    const { peer } = await here.frontByHand();
    say(peer);
    peer.enter(1).message(1, HELLO);
    await peer.next(({ content }) => content.toString().startsWith('[2,'));
    expect(here.ends).toEqual([]);
  });

  it('nothing more is gone', async () => {
    const here = await opened();
    const others = await witnessOf(here);
    const { peer } = await here.frontByHand();
    peer.enter(1).message(1, HELLO);
    await until(() => sessionsOf(here) === 2);
    peer.socket.end();
    await until(() => sessionsOf(here) === 1);
    expect(here.ends).toEqual([undefined]);
    await expectUntouched(others, here);
  });
});

describe('a router that says', () => {
  it.each<[what: string, bytes: (number: number) => Buffer, why: string]>([
    ['an answer that is not JSON', () => bytesOf(Kind.ADMITTED, 2, Buffer.from('yes')), 'a record is not JSON'],
    ['a refusal without a status', () => bytesOf(Kind.REFUSED, 2, json({ text: '' })), 'a record is no refusal'],
    ['credit that is too short', (number) => bytesOf(Kind.CREDIT, number, Buffer.alloc(3)), 'a record is no credit'],
    [
      'a standing that is none',
      (number) => bytesOf(Kind.STANDING, number, json({ isEstablished: 1, id: 1 })),
      'a record is no standing',
    ],
    [
      'an end for no cause',
      (number) => bytesOf(Kind.CLOSE, number, json({ cause: 'evicted', text: '' })),
      'a record is no end',
    ],
    [
      'an event with too short a list',
      (number) => bytesOf(Kind.EVENTS, 2, bytesOf(0, number).subarray(5)),
      'a record is too short',
    ],
    ['what a front says', (number) => bytesOf(Kind.GONE, number, json({})), 'a router says what routers do not'],
    ['a kind that is none', () => bytesOf(255, 77), 'a router says what routers do not'],
    ['a record that is too short', () => bytesOf(Kind.FRAME, 1, undefined, 0), 'a record of 4 bytes'],
  ])('%s is given up, and its clients come back later', async (_what, bytes, why) => {
    const here = await opened();
    const front = await here.routerByHand();
    const { peer } = front;
    const enter = (): Promise<WampClient> => front.connect();
    const connecting = enter();
    const { number } = await peer.next(is(Kind.ENTER));
    peer.say(Kind.ADMITTED, number, {});
    const client = await connecting;
    await peer.next(is(Kind.OPENED));
    const waiting = enter();
    waiting.catch(() => undefined);
    expect((await peer.next(is(Kind.ENTER))).number).toBe(2);
    peer.socket.write(bytes(number));
    expect((await client.closed).code).toBe(1001);
    await expect(waiting).rejects.toMatchObject({ status: 503 });
    await expect(enter()).rejects.toMatchObject({ status: 503 });
    expect(front.ends).toEqual([why]);
    await until(() => front.link.size === 0);
  });
});

it('a client that was let in, and opens when the router is gone, is told to come back', async () => {
  const here = await opened({ protocol: 'rawsocket' });
  const front = await here.routerByHand();
  const socket = connect(front.port, '127.0.0.1');
  const closed = new Promise((resolve) =>
    socket
      .on('error', () => undefined)
      .resume()
      .once('close', resolve),
  );
  const { number } = await front.peer.next(is(Kind.ENTER));
  front.peer.say(Kind.ADMITTED, number, {}).socket.end();
  await until(() => front.ends.length === 1);
  socket.write(Buffer.from([0x7f, 0xf1, 0, 0]));
  await closed;
  await until(() => front.link.size === 0);
});

const KINDS = Object.values(Kind);
const MESSAGES = [HELLO, [32, 1, {}, TOPIC], [16, 2, {}, TOPIC, ['x']], [6, {}, 'wamp.close.normal'], [6], 'x', HELLO];
const VALUES: readonly object[] = [
  ...[ENTRY, ENTRY, OPENING, { setCookie: 'a=b' }, { status: 503, text: 'x', headers: { a: 'b' } }, {}],
  ...[{ reason: 'a.b', message: 'x', cause: 'too_large' }, { ending: 'slow_consumer' }, { isFirst: true }],
  ...[
    { cause: 'goodbye', text: 'x' },
    { isEstablished: true, id: 7 },
    { isEstablished: false, id: 0 },
  ],
];

/** One field of it is something else. */
const bent = fc
  .tuple(fc.constantFrom(...VALUES), fc.nat(8), fc.jsonValue({ maxDepth: 2 }))
  .map(([value, index, instead]) => {
    const keys = Object.keys(value);
    const key = keys[index % Math.max(keys.length, 1)];
    return key === undefined ? value : { ...value, [key]: instead };
  });
const contents = fc.oneof(
  fc.constantFrom(...VALUES).map(json),
  fc.constantFrom(...MESSAGES).map(json),
  bent.map(json),
  fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
);
const anyRecord = fc
  .tuple(fc.oneof(fc.constantFrom(...KINDS), fc.nat(255)), fc.integer({ min: 0, max: 4 }), contents)
  .map(([kind, number, content]) => bytesOf(kind, number, content));
/** Mostly records, here and there with octets that are others. */
const stream = fc
  .tuple(
    fc.array(anyRecord, { maxLength: 12 }),
    fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
    fc.boolean(),
  )
  .map(([records, spoiled, isSpoiled]) => {
    const bytes = Buffer.concat(records);
    if (isSpoiled && bytes.length > 0) for (const [at, octet] of spoiled) bytes[at % bytes.length] = octet;
    return bytes;
  });
const good = (kind: Kind, number: number, value: unknown): Buffer => bytesOf(kind, number, json(value));

describe('whatever is said', () => {
  it('by a front, only its link ends, and nothing of it stays', async () => {
    const here = await opened();
    const others = await witnessOf(here);
    await fc.assert(
      fc.asyncProperty(stream, fc.nat(3), async (bytes, joined) => {
        const { peer, front } = await here.frontByHand();
        for (let number = 1; number <= joined; number += 1) peer.enter(number).message(number, HELLO);
        peer.socket.write(bytes);
        peer.socket.end();
        await peer.closed;
        await until(() => sessionsOf(here) === 1 && here.host.size === 1);
        expect(front.size).toBe(0);
      }),
      {
        numRuns: 300,
        examples: [
          [
            Buffer.concat([good(Kind.ENTER, 3, ENTRY), good(Kind.OPENED, 3, OPENING), good(Kind.OPENED, 3, OPENING)]),
            2,
          ],
          [Buffer.concat([good(Kind.ABORTED, 1, VALUES[6]), good(Kind.DROPPED, 1, { isFirst: true })]), 1],
          [good(Kind.MESSAGE, 1, { not: 'a message' }), 1],
          [Buffer.alloc(0), 3],
        ],
      },
    );
    await expectUntouched(others, here);
    expect(here.counts.connections.websocket).toBe(1);
  });

  /** Connects as a client does that only wants to be there. @returns its socket */
  function bareClient(port: number, protocol: 'websocket' | 'rawsocket'): Socket {
    const socket = connect(port, '127.0.0.1').on('error', () => socket.destroy());
    socket.resume();
    socket.write(
      protocol === 'rawsocket' ? Buffer.from([0x7f, 0xf1, 0, 0]) : `${upgradeLines('/').join('\r\n')}\r\n\r\n`,
    );
    return socket;
  }

  it.each(['websocket', 'rawsocket'] as const)('by a router, only its link ends: %s', async (protocol) => {
    const here = await opened({ protocol });
    await fc.assert(
      fc.asyncProperty(stream, async (bytes) => {
        const { peer, port, link, ends } = await here.routerByHand();
        const clients = [bareClient(port, protocol), bareClient(port, protocol)];
        await peer.next(is(Kind.ENTER));
        peer.say(Kind.ADMITTED, 1, {}).say(Kind.ADMITTED, 2, {});
        await until(() => peer.heard.some(is(Kind.OPENED)));
        peer.socket.write(bytes);
        peer.socket.end();
        await peer.closed;
        expect(ends).toHaveLength(1);
        for (const client of clients) client.destroy();
        await until(() => link.size === 0);
      }),
      {
        numRuns: 60,
        examples: [
          [good(Kind.FRAME, 1, ['x'.repeat(1000)])],
          [good(Kind.CLOSE, 1, VALUES[9])],
          [good(Kind.CUT, 2, 1)],
          [good(Kind.EVICT, 1, 'x'.repeat(200))],
          [Buffer.alloc(0)],
        ],
      },
    );
  });
});
