/**
 * The numbers of connections between a front and its router: one is given again only when both ends have forgotten it, and what is late for
 * a client that has gone reaches nobody else.
 */
import { afterEach, describe, expect, it } from 'vitest';
import type { AuthMethod, Verdict } from '../../src/auth/method.js';
import { Kind } from '../../src/front/records.js';
import { turns } from '../../src/transport/fair-scheduler.js';
import { TOPIC, until } from '../contract/transport-tools.js';
import { FrontSite } from '../support/front-site.js';
import type { HeardRecord, LinkPeer, SiteOptions } from '../support/front-site.js';
import { ALL_ROLES } from '../support/wamp-client.js';

let site: FrontSite | undefined;
const opened = async (options: SiteOptions = {}): Promise<FrontSite> => (site = await FrontSite.open(options));
afterEach(async () => {
  turns.release();
  await site?.stop();
  const faults = site?.parts.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  site = undefined;
  expect(faults ?? []).toEqual([]);
});

const is =
  (kind: Kind, number?: number) =>
  (record: HeardRecord): boolean =>
    record.kind === kind && (number === undefined || record.number === number);

const HELLO = [1, 'realm1', { roles: ALL_ROLES }];
const frame = (message: readonly unknown[]): Buffer => {
  const text = Buffer.from(JSON.stringify(message));
  // As the server's end writes a text message that is short.
  return Buffer.concat([Buffer.from([0x81, text.length]), text]);
};

/** @returns the number that a client gets whom the hand-made router lets in, and the client. */
async function letIn({
  peer,
  connect,
}: { readonly peer: LinkPeer } & Pick<Awaited<ReturnType<FrontSite['front']>>, 'connect'>) {
  const connecting = connect();
  const { number } = await peer.next(is(Kind.ENTER));
  peer.say(Kind.ADMITTED, number, {});
  const client = await connecting;
  await peer.next(is(Kind.OPENED, number));
  return { number, client };
}

describe('a number at the front', () => {
  it('is somebody else’s only when the router has forgotten it, and late events reach nobody', async () => {
    const here = await opened();
    const front = await here.routerByHand();
    const { peer, link } = front;
    const first = await letIn(front);
    await first.client.drop();
    await peer.next(is(Kind.GONE, first.number));
    const second = await letIn(front);
    expect(second.number).not.toBe(first.number);
    expect(link.size).toBe(2);
    const list = Buffer.alloc(8);
    list.writeUInt32LE(first.number, 0);
    list.writeUInt32LE(second.number, 4);
    peer.say(Kind.EVENT, first.number, frame(['late']));
    peer.say(Kind.FRAME, first.number, frame(['late']));
    peer.say(Kind.EVENTS, 2, Buffer.concat([list, frame(['both'])]));
    peer.say(Kind.EVICT, first.number, Buffer.from('late'));
    peer.say(Kind.FORGOTTEN, first.number);
    expect(await second.client.next()).toEqual(['both']);
    await until(() => link.size === 1);
    const third = await letIn(front);
    expect(third.number).toBe(first.number);
    peer.say(Kind.EVENT, third.number, frame(['now']));
    expect(await third.client.next()).toEqual(['now']);
    peer.say(Kind.FRAME, second.number, frame(['only']));
    expect(await second.client.next()).toEqual(['only']);
    expect([second.client.isOpen, third.client.isOpen]).toEqual([true, true]);
  });

  it('of a client that was refused is free again, and what is late for it reaches nobody', async () => {
    const here = await opened();
    const front = await here.routerByHand();
    const { peer, link } = front;
    const leaving = front.connect();
    leaving.catch(() => undefined);
    const { number } = await peer.next(is(Kind.ENTER));
    peer.say(Kind.REFUSED, number, { status: 503, text: 'no room', headers: { 'Retry-After': '5' } });
    await expect(leaving).rejects.toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    await peer.next(is(Kind.GONE, number));
    expect(link.size).toBe(1);
    peer.say(Kind.ADMITTED, number, {});
    peer.say(Kind.FORGOTTEN, number);
    await until(() => link.size === 0);
    expect((await letIn(front)).number).toBe(number);
  });
});

describe('a number at the router', () => {
  /** Whoever asks waits until the test decides. */
  class Slow implements AuthMethod {
    readonly asked: ((verdict: Verdict) => void)[] = [];
    start(): Promise<Verdict> {
      return new Promise((resolve) => this.asked.push(resolve));
    }
  }
  const hello = [1, 'realm1', { roles: ALL_ROLES, authmethods: ['slow'], authid: 'joe' }];
  const accept: Verdict = {
    type: 'accept',
    principal: { realm: 'realm1', authid: 'joe', authrole: 'anonymous', authmethod: 'slow', authprovider: 'static' },
  };

  /** Whoever has the number now gets what is meant for it alone. */
  async function expectOwnWords(peer: LinkPeer, number: number): Promise<void> {
    peer.message(number, HELLO).message(number, [48, 1, {}, 'com.example.nobody']);
    const end = (record: HeardRecord): boolean => record.content.toString().startsWith('[8,48,1,');
    await until(() => peer.heard.some(end));
    const kinds = peer.heard
      .filter((record) => record.number === number)
      .map(({ kind, content }) => [kind, content.toString().slice(0, 3)]);
    expect(kinds).toEqual([
      [Kind.ADMITTED, '{}'],
      [Kind.STANDING, '{"i'],
      [Kind.FRAME, '[2,'],
      [Kind.FRAME, '[8,'],
    ]);
  }

  it('is not used for a client that has gone while its messages were held', async () => {
    const slow = new Slow();
    const here = await opened({ authMethods: { slow } });
    const { peer, front } = await here.frontByHand();
    peer.enter(1).message(1, hello);
    for (let i = 1; i <= 5; i += 1) peer.message(1, [16, i, {}, TOPIC, ['x'.repeat(50_000)]]);
    await until(() => slow.asked.length === 1);
    peer.say(Kind.GONE, 1, {});
    await peer.next(is(Kind.FORGOTTEN, 1));
    slow.asked[0]?.(accept);
    await expectOwnWords(peer.enter(1), 1);
    expect(front.size).toBe(1);
  });

  it('is not used for a client that has gone when its messages are worked off', async () => {
    const here = await opened();
    const { peer, front } = await here.frontByHand();
    const { peer: observer } = await here.frontByHand();
    observer.enter(1).message(1, HELLO).message(1, [32, 1, {}, TOPIC]);
    await observer.next(({ content }) => content.toString().startsWith('[33,'));
    // What comes waits for its turn.
    turns.hold();
    peer
      .enter(1)
      .message(1, HELLO)
      .message(1, [16, 1, {}, TOPIC, ['last words']]);
    // This ends the connection.
    peer.message(1, [6, 'no GOODBYE']).say(Kind.GONE, 1, {});
    await peer.next(is(Kind.FORGOTTEN, 1));
    peer.enter(1);
    turns.release();
    const event = await observer.next(is(Kind.EVENT));
    expect(event.content.toString()).toContain('last words');
    await expectOwnWords(peer, 1);
    expect(front.size).toBe(1);
  });
});
