/**
 * The order of events behind a slow authorizer: whatever it takes to decide, every subscriber gets what a publisher sent
 * in the order it was sent, across topics, nothing lost and nothing twice; and sessions do not wait for each other.
 *
 * `ORDERING_EVENTS` in the environment is the number of events to be delivered (EVENT messages that subscribers receive,
 * so a twentieth of it is published): 100,000 in the test run, 1000000 in the nightly form.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawData } from 'ws';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import type { JoinedClient } from '../support/wamp-client.js';
import { WampClient, within } from '../support/wamp-client.js';

const PUBLISHERS = 4;
const SUBSCRIBERS = 20;
/** The decisions about the first are asked for every time, those about the others are kept by the router. */
const TOPICS = ['com.example.asked', 'com.example.cached', 'com.example.kept'] as const;
const DELIVERIES = Number(process.env['ORDERING_EVENTS'] ?? 100_000);
/** How many events each publisher sends. */
const EACH = Math.ceil(DELIVERIES / SUBSCRIBERS / PUBLISHERS);
/** Publications of one publisher under way: more than the router lets wait, so that it stops reading now and then. */
const WINDOW = 150;
const LONGEST_DELAY_MS = 4;
const RUN_DEADLINE_MS = 60_000 + DELIVERIES;

const AUTHORIZER = 'com.example.authorize';
const REALM = {
  name: 'realm1',
  roles: [
    { name: 'publisher', authorizer: AUTHORIZER },
    { name: 'backend', 'allow-by-default': true },
  ],
};
const asRole = (role: string) => ({ auth: { anonymous: { type: 'static', role } } });

let daemon: Daemon;
beforeAll(async () => {
  daemon = await startDaemon({
    config: nodeConfig({
      realms: [REALM],
      websocket: asRole('publisher'),
      paths: { backend: { type: 'websocket', ...asRole('backend') } },
    }),
  });
});
afterAll(() => daemon.dispose());

const joinPublisher = () => WampClient.join(daemon.url('/ws', 'ws'), 'realm1');
const joinBackend = () => WampClient.join(daemon.url('/backend', 'ws'), 'realm1');
const several = <T>(count: number, make: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => make(index)));

/** Numbers below `limit` that look random and are the same in every run. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** What one subscriber received: the events of each publisher carry 0, 1, 2 and so on. */
class Tally {
  received = 0;
  /** Events that came behind a later one of the same publisher. */
  inversions = 0;
  repeated = 0;
  readonly #each: number;
  readonly #seen: readonly Uint8Array[];
  readonly #highest: number[];

  constructor(publishers: number, each: number) {
    this.#each = each;
    this.#seen = Array.from({ length: publishers }, () => new Uint8Array(each));
    this.#highest = Array.from({ length: publishers }, () => -1);
  }

  count(publisher: number, sequence: number): void {
    const seen = this.#seen[publisher];
    if (seen === undefined || !(sequence in seen)) throw new Error(`nobody sent ${publisher}/${sequence}`);
    this.received += 1;
    if (seen[sequence] === 1) this.repeated += 1;
    seen[sequence] = 1;
    const highest = this.#highest[publisher] ?? -1;
    if (sequence < highest) this.inversions += 1;
    else this.#highest[publisher] = sequence;
  }

  get result() {
    const distinct = this.received - this.repeated;
    const lost = this.#seen.length * this.#each - distinct;
    return { received: this.received, inversions: this.inversions, repeated: this.repeated, lost };
  }
}

/** Takes the messages from the client, which would keep them all; ends when `take` returns true. */
function readAll(client: JoinedClient, take: (message: unknown[]) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    client.socket.removeAllListeners('message');
    client.socket.on('message', (data: RawData) => {
      try {
        // The default binaryType of ws: always one Buffer.
        if (take(JSON.parse((data as Buffer).toString('utf8')) as unknown[])) resolve();
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
    void client.closed.then(({ code, reason }) => reject(new Error(`closed early: ${code} ${reason}`)));
  });
}

async function registerAuthorizer(): Promise<JoinedClient> {
  const client = await joinBackend();
  expect((await client.ask([64, 1, {}, AUTHORIZER]))[0]).toBe(65);
  return client;
}

/** Allows everything, one question in four at once and the others after some milliseconds. */
function answerSlowly(authorizer: JoinedClient): Map<string, number> {
  const asked = new Map<string, number>();
  const random = randomNumbers(7);
  authorizer.socket.removeAllListeners('message');
  authorizer.socket.on('message', (data: RawData) => {
    const message = JSON.parse((data as Buffer).toString('utf8')) as unknown[];
    const [type, requestId, , , args] = message;
    if (type !== 68) return;
    const [, topic] = args as [object, string];
    asked.set(topic, (asked.get(topic) ?? 0) + 1);
    const answer = () => authorizer.send([70, requestId, {}, [{ allow: true, cache: topic !== TOPICS[0] }]]);
    if (random(4) === 0) answer();
    else setTimeout(answer, 1 + random(LONGEST_DELAY_MS));
  });
  return asked;
}

interface Subscriber {
  readonly client: JoinedClient;
  readonly tally: Tally;
  /** Resolves with the answer to its GOODBYE, which is behind all events. */
  readonly finished: Promise<void>;
}

async function subscriber(): Promise<Subscriber> {
  const client = await joinBackend();
  const topicOf = new Map<unknown, number>();
  for (const [index, topic] of TOPICS.entries()) {
    const [type, , subscriptionId] = await client.ask([32, index + 1, {}, topic]);
    expect(type).toBe(33);
    topicOf.set(subscriptionId, index);
  }
  const tally = new Tally(PUBLISHERS, EACH);
  const finished = readAll(client, ([type, subscriptionId, , , args]) => {
    if (type === 6) return true;
    const [publisher, sequence, topic] = args as [number, number, number];
    if (type !== 36 || topicOf.get(subscriptionId) !== topic)
      throw new Error(`unexpected message of type ${String(type)}`);
    tally.count(publisher, sequence);
    return false;
  });
  return { client, tally, finished };
}

/** Publishes to the topics in turns that look random. @returns how often to each, once the last is acknowledged. */
async function publishAll(client: JoinedClient, publisher: number): Promise<number[]> {
  const random = randomNumbers(publisher + 1);
  const published = TOPICS.map(() => 0);
  let sent = 0;
  let acknowledged = 0;
  const send = () => {
    const topic = random(TOPICS.length);
    published[topic] = (published[topic] ?? 0) + 1;
    client.send([16, sent + 1, { acknowledge: true }, TOPICS[topic], [publisher, sent, topic]]);
    sent += 1;
  };
  const finished = readAll(client, (message) => {
    acknowledged += 1;
    // Also what is answered comes in order.
    if (message[0] !== 17 || message[1] !== acknowledged)
      throw new Error(`refused or late: ${JSON.stringify(message)}`);
    if (sent < EACH) send();
    return acknowledged === EACH;
  });
  while (sent < Math.min(WINDOW, EACH)) send();
  await finished;
  return published;
}

describe('the order of events', () => {
  it('counts what is late, lost and repeated', () => {
    const tally = new Tally(2, 4);
    for (const sequence of [0, 2, 1, 1]) tally.count(0, sequence);
    for (const sequence of [0, 1, 2, 3]) tally.count(1, sequence);
    expect(tally.result).toEqual({ received: 8, inversions: 2, repeated: 1, lost: 1 });
    expect(() => tally.count(1, 4)).toThrow('nobody sent');
  });

  it(
    `is kept behind a slow authorizer: ${DELIVERIES} events from ${PUBLISHERS} publishers over ${TOPICS.length} topics to ${SUBSCRIBERS} subscribers`,
    { timeout: RUN_DEADLINE_MS + 10_000 },
    async () => {
      const authorizer = await registerAuthorizer();
      const asked = answerSlowly(authorizer);
      const subscribers = await several(SUBSCRIBERS, subscriber);
      const publishers = await several(PUBLISHERS, joinPublisher);

      const publishing = Promise.all(publishers.map(publishAll));
      const receiving = Promise.all(subscribers.map(({ finished }) => finished)).then(() => publishing);
      // A race, so that a subscriber that fails ends the test at once.
      const acknowledged = Promise.race([publishing, receiving]);
      const published = await within(acknowledged, 'the last acknowledgement', RUN_DEADLINE_MS);
      for (const { client } of subscribers) client.send([6, {}, 'wamp.close.normal']);
      await within(receiving, 'the last event', RUN_DEADLINE_MS);

      const right = { received: PUBLISHERS * EACH, inversions: 0, repeated: 0, lost: 0 };
      expect(subscribers.map(({ tally }) => tally.result)).toEqual(subscribers.map(() => right));
      // The authorizer was in the way indeed: of each event to the first topic, and of the others now and then.
      expect(asked.get(TOPICS[0])).toBe(published.reduce((sum, counts) => sum + (counts[0] ?? 0), 0));
      expect(asked.get(TOPICS[1])).toBeGreaterThanOrEqual(PUBLISHERS);
      expect(asked.get(TOPICS[2])).toBeGreaterThanOrEqual(PUBLISHERS);
      await Promise.all([authorizer, ...publishers, ...subscribers.map(({ client }) => client)].map((c) => c.close()));
    },
  );

  it('is that of each session: while one waits for the authorizer, the others go on', async () => {
    const authorizer = await registerAuthorizer();
    const listener = await joinBackend();
    expect((await listener.ask([32, 1, {}, TOPICS[0]]))[0]).toBe(33);
    const [slow, quick] = [await joinPublisher(), await joinPublisher()];
    const publish = (client: JoinedClient, requestId: number, what: string) =>
      client.send([16, requestId, { acknowledge: true }, TOPICS[0], [what]]);
    /** The session that the next question is about, and how to allow it. */
    const question = async () => {
      const [type, requestId, , , args] = await authorizer.next();
      expect(type).toBe(68);
      const [{ session }] = args as [{ session: number }];
      return { session, allow: () => authorizer.send([70, requestId, {}, [true]]) };
    };
    const answer = async (client: JoinedClient) => (await client.next()).slice(0, 2);
    const heard = async () => (await listener.next())[4];

    publish(slow, 1, 'slow 1');
    publish(slow, 2, 'slow 2');
    const first = await question();
    expect(first.session).toBe(slow.sessionId);

    // Another session of the same role, and one without an authorizer.
    publish(quick, 1, 'quick');
    const second = await question();
    expect(second.session).toBe(quick.sessionId);
    second.allow();
    expect(await answer(quick)).toEqual([17, 1]);
    expect(await heard()).toEqual(['quick']);
    publish(authorizer, 2, 'backend');
    expect(await answer(authorizer)).toEqual([17, 2]);
    expect(await heard()).toEqual(['backend']);

    first.allow();
    expect(await answer(slow)).toEqual([17, 1]);
    expect(await heard()).toEqual(['slow 1']);
    const third = await question();
    expect(third.session).toBe(slow.sessionId);
    third.allow();
    expect(await answer(slow)).toEqual([17, 2]);
    expect(await heard()).toEqual(['slow 2']);
    await Promise.all([authorizer, listener, slow, quick].map((client) => client.leave()));
  });
});
