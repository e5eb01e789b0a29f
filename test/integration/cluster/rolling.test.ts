/**
 * A rolling restart of three nodes: each ends in good order and is started again, one after the other, twice round, while clients of
 * autobahn-js call, answer, publish and listen on all of them. Who loses its node goes to another one.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { hasNats } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { LOOPBACK, nodeConfig } from '../../support/node-config.js';
import { ConnectionLost, reasonOf, Roamer } from '../../support/roamer.js';
import type { RoamerOptions, Stay } from '../../support/roamer.js';
import { ThreeNodes } from '../../support/three-nodes.js';

const PROCEDURE = 'com.rolling.shared';
const TOPIC = 'com.rolling.topic';
const ROUNDS = 2;

/** Of each kind, on each node at first. */
const CALLEES = 2;
const CALLERS = 2;

/** So long a callee takes, and so long a caller or publisher rests. */
const WORK_MS = 5;
const REST_MS = 20;

let cluster: ThreeNodes | undefined;
afterEach(async () => {
  await cluster?.dispose();
  cluster = undefined;
});

/** An event that was acknowledged: who published it, its number, and the step of the restart in which it was published. */
interface Acknowledged {
  readonly event: string;
  readonly step: number;
}

class Load {
  step = 0;
  readonly callees: readonly Roamer[];
  readonly callers: readonly Roamer[];
  readonly publishers: readonly Roamer[];
  readonly subscribers: readonly Roamer[];
  // session of a subscriber -> the events that it got
  readonly heard = new Map<Stay, Set<string>>();
  readonly acknowledged: Acknowledged[] = [];
  /** What must not be. */
  readonly faults: string[] = [];
  // what a call came to -> how often
  readonly outcomes = new Map<string, number>();
  readonly #active: Promise<void>[] = [];
  #isOver = false;

  constructor(urls: readonly string[]) {
    const some = (count: number, begin?: RoamerOptions['begin']): Roamer[] =>
      Array.from({ length: count * urls.length }, (_, index) => {
        const first = index % urls.length;
        // Those of one node go to both of the others.
        const step = 1 + ((first + Math.floor(index / urls.length)) % 2);
        return new Roamer({ urls, first, step, ...(begin && { begin }) });
      });
    this.callees = some(CALLEES, ({ session }) => session.register(PROCEDURE, work, { invoke: 'roundrobin' }));
    this.callers = some(CALLERS);
    this.publishers = some(1);
    this.subscribers = some(2, (stay) => this.#listen(stay));
  }

  get all(): readonly Roamer[] {
    return [...this.callees, ...this.callers, ...this.publishers, ...this.subscribers];
  }

  /** Resolves when all have a session. */
  async there(): Promise<void> {
    await Promise.all(this.all.map((roamer) => roamer.stay()));
  }

  begin(): void {
    this.#active.push(...this.callers.map((caller) => this.#call(caller)));
    this.#active.push(...this.publishers.map((publisher, index) => this.#publish(publisher, index)));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#active);
  }

  /** @returns the events of a step that somebody who was there all the time did not get. */
  missedIn(step: number, stays: ReadonlySet<Stay | undefined>): string[] {
    const events = this.acknowledged.filter((each) => each.step === step);
    const present = this.subscribers.flatMap(({ present: stay }) =>
      stay !== undefined && stays.has(stay) ? [stay] : [],
    );
    expect(present.length).toBeGreaterThan(0);
    return present.flatMap((stay) =>
      events.filter(({ event }) => this.heard.get(stay)?.has(event) !== true).map(({ event }) => event),
    );
  }

  #listen(stay: Stay): Promise<unknown> {
    const heard = new Set<string>();
    this.heard.set(stay, heard);
    return stay.session.subscribe(TOPIC, ([event]) => {
      if (heard.has(String(event))) this.faults.push(`${String(event)} came twice`);
      heard.add(String(event));
    });
  }

  async #call(caller: Roamer): Promise<void> {
    while (!this.#isOver) {
      const { session, until } = await caller.stay();
      const outcome = await outcomeOf(until(session.call(PROCEDURE)));
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
      await delay(REST_MS);
    }
  }

  async #publish(publisher: Roamer, index: number): Promise<void> {
    for (let number = 1; !this.#isOver; number++) {
      const { session, until } = await publisher.stay();
      const { step } = this;
      const event = `${index}:${number}`;
      const outcome = await outcomeOf(until(session.publish(TOPIC, [event], {}, { acknowledge: true })));
      if (outcome === 'result') this.acknowledged.push({ event, step });
      else if (outcome !== LOST) this.faults.push(`a publication was refused: ${outcome}`);
      await delay(REST_MS);
    }
  }
}

/** The connection ended while somebody waited for the answer. */
const LOST = 'the connection ended';

async function work(): Promise<string> {
  await delay(WORK_MS);
  return 'done';
}

async function outcomeOf(answer: Promise<unknown>): Promise<string> {
  try {
    await answer;
    return 'result';
  } catch (error) {
    return error instanceof ConnectionLost ? LOST : reasonOf(error);
  }
}

describeNeeds('nats-server', hasNats)('a rolling restart of a cluster', () => {
  it('loses no call, and no event for those who are at another node', async () => {
    const config = nodeConfig({ transport: { endpoint: { ...LOOPBACK, port: '$PORT' } } });
    const all = (cluster = await ThreeNodes.start(config));
    const load = new Load(all.nodes.map((node) => node.url('/ws', 'ws')));
    await load.there();
    load.begin();
    for (let step = 1; step <= ROUNDS * 3; step++) {
      const before = new Set(load.subscribers.map(({ present }) => present));
      load.step = step;
      const node = all.node((step - 1) % 3);
      expect(await node.stop()).toBe(0);
      all.nodes[(step - 1) % 3] = await node.restart();
      await load.there();
      load.step = -step;
      await all.joined();
      await expect.poll(() => load.missedIn(step, before), { timeout: 10_000 }).toEqual([]);
    }
    await load.end();
    const { outcomes, acknowledged } = load;
    process.stdout.write(`calls: ${JSON.stringify(Object.fromEntries(outcomes))}, events: ${acknowledged.length}\n`);

    // A call that the node had not read when it closed the connection has no answer; the caller is told by the end of the connection.
    expect([...outcomes.keys()].filter((outcome) => outcome !== LOST)).toEqual(['result']);
    expect([...load.faults, ...load.all.flatMap(({ faults }) => faults)]).toEqual([]);
    await expect.poll(() => all.keysOf('registrations')).toHaveLength(load.callees.length);
    await Promise.all(load.all.map((roamer) => roamer.leave()));
    await expect.poll(() => all.keysOf('registrations')).toEqual([]);
  }, 60_000);
});
