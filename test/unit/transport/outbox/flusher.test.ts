import { describe, expect, it } from 'vitest';
import { Flusher } from '../../../../src/transport/outbox/flusher.js';
import { Inbox } from '../../../../src/transport/inbox.js';
import { FairScheduler } from '../../../../src/transport/fair-scheduler.js';

const SLICE_MS = 10;

/** A clock that goes on only while something is written, and a loop that turns on request. */
class Loop {
  time = 1000;
  #deferred: (() => void)[] = [];
  #atEnd: (() => void)[] = [];

  now(): number {
    return this.time;
  }

  endOfTurn(callback: () => void): void {
    this.#atEnd.push(callback);
  }

  defer(callback: () => void): void {
    this.#deferred.push(callback);
  }

  turn(): void {
    for (const callback of this.#deferred.splice(0)) callback();
    this.end();
  }

  end(): void {
    while (this.#atEnd.length > 0) this.#atEnd.shift()?.();
  }
}

function setUp() {
  const loop = new Loop();
  const turns = new FairScheduler(loop);
  return { loop, turns, flusher: new Flusher(loop, turns), log: [] as string[] };
}

/** A socket to which it takes `costMs` to write what waits. */
class Socket {
  waiting = '';
  readonly #costMs: number;
  readonly #given: ReturnType<typeof setUp>;
  readonly #bytes: number;

  constructor(given: ReturnType<typeof setUp>, costMs: number, bytes = 1_000_000) {
    this.#given = given;
    this.#costMs = costMs;
    this.#bytes = bytes;
  }

  write(text: string, isLarge = true): void {
    const { flusher } = this.#given;
    if (isLarge) flusher.noteLarge();
    else flusher.note(this.#bytes);
    if (this.waiting === '') flusher.enlist(this);
    this.waiting += isLarge ? text.toUpperCase() : text;
  }

  flush(): number {
    const { flusher, loop, log } = this.#given;
    if (this.waiting === '') return 0;
    const large = this.waiting.replace(/[a-z]/g, '').length;
    flusher.left((this.waiting.length - large) * this.#bytes, large);
    log.push(this.waiting);
    this.waiting = '';
    loop.time += this.#costMs;
    return this.#bytes;
  }
}

/** FairScheduler until nothing more is written. @returns how long the loop stood still at most. */
function turnAll({ loop, log }: ReturnType<typeof setUp>, sockets: number): number {
  let longest = 0;
  for (let turns = 0; log.length < sockets; turns++) {
    if (turns > 100_000) throw new Error('not all is written');
    const before = loop.time;
    loop.turn();
    longest = Math.max(longest, loop.time - before);
  }
  return longest;
}

describe('Flusher', () => {
  it('a large event for ten thousand sockets does not stop the loop: it goes out in slices', () => {
    const given = setUp();
    const sockets = Array.from({ length: 10_000 }, () => new Socket(given, 0.2));
    for (const socket of sockets) socket.write('x');
    given.loop.end();
    expect(turnAll(given, sockets.length)).toBeLessThan(SLICE_MS + 1);
    expect(new Set(given.log)).toEqual(new Set(['X']));
  });

  it('small events for ten thousand sockets go out in slices, too', () => {
    const given = setUp();
    const sockets = Array.from({ length: 10_000 }, () => new Socket(given, 0.01, 100));
    for (const socket of sockets) socket.write('x', false);
    given.loop.end();
    expect(turnAll(given, sockets.length)).toBeLessThan(SLICE_MS + 1);
  });

  it('keeps the order of each socket, and who has waited longer goes first', () => {
    const given = setUp();
    const [first, second, third] = [1, 2, 3].map(() => new Socket(given, SLICE_MS));
    first?.write('a');
    second?.write('b');
    third?.write('c');
    given.loop.end();
    // The first two have had their slice: what comes for one of them waits behind the third.
    expect(given.log).toEqual(['A', 'B']);
    first?.write('d', false);
    third?.write('e', false);
    turnAll(given, 4);
    expect(given.log).toEqual(['A', 'B', 'Ce', 'd']);
  });

  it('no large message is worked off while large events still wait for their slice; small ones are', () => {
    const given = setUp();
    const worked: string[] = [];
    const receiver = {
      deliver: (data: Buffer) => void worked.push(data.length > 1000 ? 'large' : 'small'),
      stopReading: () => undefined,
      startReading: () => undefined,
      flooded: () => undefined,
    };
    const [publisher, other] = [new Inbox(receiver, given.turns), new Inbox(receiver, given.turns)];
    for (let i = 0; i < 6; i++) new Socket(given, SLICE_MS).write('x');
    given.loop.end();
    publisher.receive(Buffer.alloc(1_000_000), true);
    publisher.receive(Buffer.alloc(10), true);
    other.receive(Buffer.alloc(10), true);
    expect(given.log).toHaveLength(2);
    given.loop.turn();
    // Of the other one only: the order of messages stays.
    expect([given.log.length, worked]).toEqual([4, ['small']]);
    turnAll(given, 6);
    given.loop.turn();
    given.loop.turn();
    expect(worked).toEqual(['small', 'large', 'small']);
  });

  it('no message is worked off while very much waits for its slice', () => {
    const given = setUp();
    const worked: string[] = [];
    const receiver = {
      deliver: () => void worked.push('message'),
      stopReading: () => undefined,
      startReading: () => undefined,
      flooded: () => undefined,
    };
    const inbox = new Inbox(receiver, given.turns);
    for (let i = 0; i < 7; i++) new Socket(given, SLICE_MS, 30_000_000).write('x', false);
    given.loop.end();
    inbox.receive(Buffer.alloc(10), true);
    given.loop.turn();
    // 90 MB still wait.
    expect([given.log.length, worked]).toEqual([4, []]);
    given.loop.turn();
    given.loop.turn();
    expect(worked).toEqual(['message']);
  });
});
