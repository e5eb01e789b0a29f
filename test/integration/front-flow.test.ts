/** What flows over a link: in order, no more of one client than the router works off, and no more for a front than it reads. */
import { afterEach, describe, expect, it } from 'vitest';
import type { AuthMethod, Verdict } from '../../src/auth/method.js';
import { Kind } from '../../src/front/records.js';
import { CREDIT_BYTES } from '../../src/front/shapes.js';
import { PROCEDURE, TOPIC, several, until } from '../contract/transport-tools.js';
import { FrontSite } from '../support/front-site.js';
import type { HeardRecord, LinkPeer, SiteOptions } from '../support/front-site.js';
import { ALL_ROLES } from '../support/wamp-client.js';
import type { WampClient } from '../support/wamp-client.js';

let site: FrontSite | undefined;
const opened = async (options: SiteOptions = {}): Promise<FrontSite> => (site = await FrontSite.open(options));
afterEach(async () => {
  await site?.stop();
  const faults = site?.parts.logs.filter(({ level }) => level === 'error' || level === 'fatal');
  site = undefined;
  expect(faults ?? []).toEqual([]);
});

const HELLO = [1, 'realm1', { roles: ALL_ROLES }];
const sessionsOf = ({ parts }: FrontSite): number | undefined => parts.router.size['realm1']?.sessions;
const is =
  (kind: Kind, number?: number) =>
  (record: HeardRecord): boolean =>
    record.kind === kind && (number === undefined || record.number === number);

const PROGRESSIVE = {
  roles: {
    ...ALL_ROLES,
    caller: { features: { progressive_call_results: true } },
    callee: { features: { progressive_call_results: true } },
  },
};

describe('the order of what a session gets', () => {
  const SESSIONS = 50;
  const STEPS = 3000;

  it('is that of what was sent to it, to many, to it alone and as results, on two fronts', async () => {
    const here = await opened();
    const fronts = [await here.front(), await here.front()];
    const [home] = fronts;
    if (home === undefined) throw new Error('there is no front');
    const driver = await home.connect();
    await driver.hello('realm1', PROGRESSIVE);
    await driver.ask([64, 1, {}, PROCEDURE]);
    const clients: WampClient[] = [];
    const invocations: number[] = [];
    for (let i = 0; i < SESSIONS; i += 1) {
      const client = await (fronts[i % 2] ?? home).connect({
        serializer: i % 3 === 0 ? 'msgpack' : 'json',
        deflate: i % 5 === 0,
      });
      await client.hello('realm1', PROGRESSIVE);
      expect((await client.ask([32, 1, {}, TOPIC]))[0]).toBe(33);
      expect((await client.ask([32, 2, {}, `${TOPIC}.${i}`]))[0]).toBe(33);
      client.send([48, 3, { receive_progress: true }, PROCEDURE]);
      const [, invocation] = await driver.next();
      invocations.push(Number(invocation));
      clients.push(client);
    }
    const expected = several(SESSIONS, (): number[] => []);
    for (let step = 0; step < STEPS; step += 1) {
      // Two of three go to all, and the others in turn to one.
      const one = step % SESSIONS;
      if (step % 3 !== 0) driver.send([16, step + 1, {}, TOPIC, [step]]);
      else if (step % 2 === 0) driver.send([16, step + 1, {}, `${TOPIC}.${one}`, [step]]);
      else driver.send([70, invocations[one], { progress: true }, [step]]);
      for (const [i, steps] of expected.entries()) if (step % 3 !== 0 || i === one) steps.push(step);
    }
    const got = await Promise.all(clients.map((client, i) => stepsOf(client, expected[i]?.length ?? 0)));
    expect(got).toEqual(expected);
    expect(expected.flat()).toHaveLength((STEPS * 2 * SESSIONS) / 3 + STEPS / 3);
  });

  async function stepsOf(client: WampClient, count: number): Promise<unknown[]> {
    const steps: unknown[] = [];
    while (steps.length < count) {
      const message = await client.next();
      const args = message[message[0] === 36 ? 4 : 3] as unknown[];
      steps.push(args[0]);
    }
    return steps;
  }
});

/** Whoever asks waits until the test decides. */
class Slow implements AuthMethod {
  readonly asked: ((verdict: Verdict) => void)[] = [];
  start(): Promise<Verdict> {
    return new Promise((resolve) => this.asked.push(resolve));
  }
}
const ACCEPT: Verdict = {
  type: 'accept',
  principal: { realm: 'realm1', authid: 'joe', authrole: 'anonymous', authmethod: 'slow', authprovider: 'static' },
};

describe('a client that sends more than is worked off', () => {
  const SIZE = 50_000;
  const COUNT = 42;
  const TEXT = 'x'.repeat(SIZE);
  const publish = (i: number): readonly unknown[] => [16, i + 1, {}, TOPIC, [i, TEXT]];
  const bytesOf = (records: readonly HeardRecord[]): number =>
    records.reduce((sum, { content }) => sum + content.length, 0);

  async function letIn(
    peer: LinkPeer,
    connect: () => Promise<WampClient>,
  ): Promise<{ client: WampClient; number: number }> {
    const connecting = connect();
    const { number } = await peer.next(is(Kind.ENTER));
    peer.say(Kind.ADMITTED, number, {});
    const client = await connecting;
    await peer.next(is(Kind.OPENED, number));
    return { client, number };
  }

  it('is not read beyond its credit and one message, and nothing is lost when it leaves', async () => {
    const here = await opened();
    const front = await here.routerByHand();
    const { peer } = front;
    const { client, number } = await letIn(peer, () => front.connect());
    const { client: other, number: otherNumber } = await letIn(peer, () => front.connect());
    for (let i = 0; i < COUNT; i += 1) client.send(publish(i));
    client.socket.close(1000);
    const came = (): readonly HeardRecord[] => peer.heard.filter(is(Kind.MESSAGE, number));
    await until(() => bytesOf(came()) >= CREDIT_BYTES);
    // The front has read others many times, and might have read more of this one.
    for (let i = 0; i < 50; i += 1) {
      other.send([16, i + 1, {}, TOPIC]);
      await until(() => peer.heard.filter(is(Kind.MESSAGE, otherNumber)).length > i);
    }
    expect(bytesOf(came())).toBeLessThan(CREDIT_BYTES + SIZE + 100);
    expect(peer.heard.some(is(Kind.GONE))).toBe(false);
    let given = 0;
    while (!peer.heard.some(is(Kind.GONE, number))) {
      const owed = bytesOf(came()) - given;
      if (owed > 0) {
        const credit = Buffer.alloc(4);
        credit.writeUInt32LE(owed);
        peer.say(Kind.CREDIT, number, credit);
        given += owed;
      }
      await new Promise((resolve) => setImmediate(resolve));
      expect(bytesOf(came()) - given).toBeLessThan(CREDIT_BYTES + SIZE + 100);
    }
    expect(came().map(({ content }) => (JSON.parse(content.toString()) as unknown[])[1])).toEqual(
      several(COUNT, (i) => i + 1),
    );
    // The end is behind all of it.
    expect(
      peer.heard
        .filter((record) => record.number === number)
        .map(({ kind }) => kind)
        .pop(),
    ).toBe(Kind.GONE);
  });

  it('is not read while too much of others waits for the router, and the front is not given up', async () => {
    const here = await opened({ maxUnsentBytes: 8 * 1024 * 1024 });
    const front = await here.routerByHand();
    const { peer } = front;
    const clients: { client: WampClient; number: number }[] = [];
    for (let i = 0; i < 100; i += 1) clients.push(await letIn(peer, () => front.connect()));
    peer.socket.pause();
    // Together more than may wait, and each less than its credit.
    for (const { client } of clients) for (const i of [0, 1]) client.send(publish(i));
    for (let i = 0; i < 200; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(front.ends).toEqual([]);
    peer.socket.resume();
    const came = (): readonly HeardRecord[] => peer.heard.filter(is(Kind.MESSAGE));
    await until(() => came().length === 200);
    for (const { number } of clients) expect(came().filter((record) => record.number === number)).toHaveLength(2);
    expect(front.ends).toEqual([]);
  });

  it('and was let in late is heard to its last word, also when it has closed behind it', async () => {
    const slow = new Slow();
    const here = await opened({ authMethods: { slow } });
    const front = await here.front();
    const observer = await front.connect();
    await observer.hello();
    const [, , subscription] = await observer.ask([32, 1, {}, TOPIC]);
    await observer.ask([32, 2, {}, 'wamp.session.on_leave']);
    const client = await front.connect();
    client.send([1, 'realm1', { roles: ALL_ROLES, authmethods: ['slow'], authid: 'joe' }]);
    for (let i = 0; i < COUNT; i += 1) client.send(publish(i));
    client.socket.close(1000);
    await until(() => slow.asked.length === 1);
    for (let i = 0; i < 50; i += 1) await observer.settle();
    expect(here.counts.receivedBytes).toBeLessThan(CREDIT_BYTES);
    slow.asked[0]?.(ACCEPT);
    for (let i = 0; i < COUNT; i += 1) {
      const [type, to, , , args = []] = await observer.next();
      const [at, text] = args as [unknown, unknown];
      expect([type, to, at, text === TEXT]).toEqual([36, subscription, i, true]);
    }
    expect((await observer.next())[0]).toBe(36);
    await until(() => front.link.size === 1);
    expect([front.front?.size, here.host.size]).toEqual([1, 1]);
  });
});

describe('a front that reads nothing', () => {
  const MAX = 1_048_576;
  const SESSIONS = 250;
  const TEXT = 'x'.repeat(60_000);

  it('is given up, its sessions leave in slices, and those of others stay', async () => {
    const here = await opened({ maxUnsentBytes: MAX });
    const other = await here.front();
    const witness = await other.connect();
    const { sessionId } = await witness.hello();
    expect((await witness.ask([32, 1, {}, 'wamp.session.on_leave']))[0]).toBe(33);
    const { peer, front } = await here.frontByHand();
    for (let number = 1; number <= SESSIONS; number += 1) {
      peer.enter(number).message(number, HELLO).message(number, [32, 1, {}, TOPIC]);
    }
    const subscribed = (): number => peer.heard.filter(({ content }) => content.toString().startsWith('[33,')).length;
    await until(() => subscribed() === SESSIONS);
    const idOf = ({ content }: HeardRecord): number => (JSON.parse(content.toString()) as number[])[1] ?? 0;
    const ids = peer.heard.filter(({ content }) => content.toString().startsWith('[2,')).map(idOf);
    peer.socket.pause();
    let most = 0;
    for (let i = 0; here.ends.length === 0; i += 1) {
      await witness.ask([16, i + 1, { acknowledge: true }, TOPIC, [TEXT]]);
      most = Math.max(most, front.unsentBytes);
    }
    expect(here.ends).toEqual([`more than ${MAX} bytes wait for it`]);
    expect(most).toBeLessThan(MAX + 2 * TEXT.length);
    const sizes = new Set<number>();
    await until(() => {
      sizes.add(sessionsOf(here) ?? 0);
      return sessionsOf(here) === 1;
    });
    // Others had their turn in between.
    expect(sizes.size).toBeGreaterThan(1);
    const left: unknown[] = [];
    while (left.length < SESSIONS) left.push(((await witness.next())[4] as unknown[])[0]);
    expect([...left].sort()).toEqual([...ids].sort());
    expect(left).not.toContain(sessionId);
    expect([front.size, here.host.size, here.counts.connections.websocket]).toEqual([0, 1, 1]);
    expect((await witness.ask([16, 1, { acknowledge: true }, TOPIC]))[0]).toBe(17);
    expect(other.ends).toEqual([]);
  });
});
