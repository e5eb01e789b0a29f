/** What waits for all clients of MQTT of the process, and what becomes of those for whom most waits. */
import { expect, it } from 'vitest';
import { QueuedMemory } from '../../../src/mqtt/queued-memory.js';
import type { QueuedMessage, QueueOwner } from '../../../src/mqtt/queued-memory.js';
import { MqttWorld, settled, willOf } from '../../support/mqtt-world.js';

const PLACE = 64;

/** Somebody for whom messages wait. */
class Owner implements QueueOwner {
  readonly messages: QueuedMessage[] = [];
  answeredMs = Infinity;
  readonly #memory: QueuedMemory;
  readonly #name: string;
  readonly #givenUp: string[];

  constructor(memory: QueuedMemory, name: string, givenUp: string[]) {
    this.#memory = memory;
    this.#name = name;
    this.#givenUp = givenUp;
  }

  get queuedBytes(): number {
    return this.messages.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  get(...messages: QueuedMessage[]): void {
    for (const message of messages) {
      this.messages.push(message);
      this.#memory.hold(this, message);
    }
  }

  forget(): void {
    for (let message = this.messages.shift(); message !== undefined; message = this.messages.shift())
      this.#memory.letGo(this, message);
  }

  giveUpForAll(): void {
    this.#givenUp.push(this.#name);
    this.forget();
  }
}

const message = (bytes: number): QueuedMessage => ({ bytes, waitingFor: 0 });

function memoryOf(limit: number): {
  memory: QueuedMemory;
  turn: () => void;
  owner: (name: string) => Owner;
  givenUp: string[];
} {
  const due: (() => void)[] = [];
  const givenUp: string[] = [];
  const memory = new QueuedMemory(
    () => limit,
    (callback) => void due.push(callback),
  );
  return {
    ...{ memory, givenUp },
    turn: () => due.splice(0).forEach((callback) => callback()),
    owner: (name) => new Owner(memory, name, givenUp),
  };
}

it('counts a message once, however many it waits for, and its place in the lists of each', () => {
  const { memory, owner } = memoryOf(1e6);
  const [a, b] = [owner('a'), owner('b')];
  const shared = message(1000);
  a.get(shared, message(100));
  b.get(shared);
  expect(memory.bytes).toBe(1100 + 3 * PLACE);
  a.forget();
  expect(memory.bytes).toBe(1000 + PLACE);
  b.forget();
  expect(memory.bytes).toBe(0);
});

it('gives up those for whom most waits, the greatest first, until there is room; and not in the middle of a turn', () => {
  const { memory, owner, turn, givenUp } = memoryOf(8000);
  const [small, large, larger] = [owner('small'), owner('large'), owner('larger')];
  small.get(message(500));
  large.get(message(3000));
  larger.get(message(4000), message(1000));
  expect(givenUp).toEqual([]);
  turn();
  expect(givenUp).toEqual(['larger']);
  expect(memory.bytes).toBe(3500 + 2 * PLACE);
  turn();
  large.get(message(4200));
  turn();
  expect(givenUp).toEqual(['larger']);
  small.get(message(100));
  turn();
  expect(givenUp).toEqual(['larger', 'large']);
});

it('gives up those who answer nothing before those who were just sent a lot', () => {
  const { owner, turn, givenUp } = memoryOf(8000);
  const [busy, silent] = [owner('busy'), owner('silent')];
  silent.answeredMs = -Infinity;
  silent.get(message(3000));
  busy.get(message(6000));
  turn();
  expect(givenUp).toEqual(['silent']);
});

it('gives nobody up when there is room again by the end of the turn', () => {
  const { owner, turn, givenUp } = memoryOf(1000);
  const one = owner('one');
  one.get(message(2000));
  one.forget();
  turn();
  expect(givenUp).toEqual([]);
});

it('ends the client that answers nothing, with its will; those who answer, and for whom little waits, stay', async () => {
  const world = new MqttWorld({ limits: { maxQueuedBytes: 1_000_000, maxQueued: 100_000, maxInflight: 10 } });
  world.maxQueuedBytes = 300_000;
  const watcher = (await world.connect('watcher')).subscribe(['gone/+', 0]);
  const will = willOf('gone/hog', 'x');
  const hog = (await world.connect('hog', { clean: false, will })).subscribe(['a', 1]);
  const away = (await world.connect('away', { clean: false })).subscribe(['b', 1]);
  await settled();
  away.break();
  const publisher = await world.connect('publisher');
  publisher.publish('b', 'little', 1);
  for (let n = 0; n < 400; n++) publisher.publish('a', 'y'.repeat(700), 1);
  await settled();
  await settled();
  expect([hog.closed, watcher.closed, publisher.closed]).toEqual(['given up', undefined, undefined]);
  expect(watcher.got.some((packet) => packet.includes('gone/hog'))).toBe(true);
  expect(world.queued.bytes).toBeLessThan(10_000);
  expect(world.clients.size).toMatchObject({ clients: 3, kept: 1 });
  // One that is away makes room as well.
  for (let n = 0; n < 400; n++) publisher.publish('b', 'z'.repeat(700), 1);
  await settled();
  await settled();
  expect(world.clients.size).toMatchObject({ clients: 2, kept: 0 });
  expect(world.queued.bytes).toBe(0);
});
