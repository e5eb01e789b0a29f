import { describe, expect, it } from 'vitest';
import { Inbox } from '../../../src/transport/inbox.js';
import { FairScheduler } from '../../../src/transport/fair-scheduler.js';

/** A connection whose messages take `costMs` each; one turn of the loop on request. */
class Connection {
  readonly log: string[] = [];
  readonly inbox: Inbox;
  costMs = 1;
  isReading = true;
  /** Called while a message is worked off. */
  onMessage: (text: string) => void = () => undefined;
  readonly #turns: FairScheduler;
  #time = 0;
  #deferred: (() => void)[] = [];

  constructor() {
    const loop = { now: () => this.#time, defer: (callback: () => void) => void this.#deferred.push(callback) };
    this.#turns = new FairScheduler(loop);
    this.inbox = new Inbox(this, this.#turns);
    this.#turns.enlist({ work: () => false });
    this.turn();
  }

  deliver(data: Buffer, binary: boolean): void {
    const text = data.toString();
    this.log.push(binary ? `${text} (binary)` : text);
    this.#time += this.costMs;
    // As if it had gone out to many.
    this.#turns.note(65_536);
    this.onMessage(text);
  }

  stopReading(): void {
    expect(this.isReading).toBe(true);
    this.isReading = false;
  }

  startReading(): void {
    expect(this.isReading).toBe(false);
    this.isReading = true;
  }

  flooded(): void {
    this.log.push('flooded');
    this.inbox.close();
  }

  receive(from: number, to: number): void {
    for (let number = from; number <= to; number++) this.inbox.receive(Buffer.from(String(number)), false);
  }

  turn(): void {
    for (const callback of this.#deferred.splice(0)) callback();
  }

  /** FairScheduler until nothing waits. @returns how often. */
  settle(): number {
    let turns = 0;
    for (; this.#deferred.length > 0; turns++) this.turn();
    return turns;
  }
}

function numbers(from: number, to: number): string[] {
  return Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
}

describe('Inbox', () => {
  it('hands messages on at once while there is time', () => {
    const connection = new Connection();
    connection.receive(1, 5);
    connection.inbox.receive(Buffer.from('6'), true);
    expect(connection.log).toEqual([...numbers(1, 5), '6 (binary)']);
    expect(connection.isReading).toBe(true);
  });

  it('keeps the rest of a flood in order, does not read meanwhile, and reads again when it has caught up', () => {
    const connection = new Connection();
    connection.receive(1, 100);
    expect(connection.log).toEqual(numbers(1, 10));
    expect(connection.isReading).toBe(false);
    connection.turn();
    expect(connection.log).toEqual(numbers(1, 20));
    connection.receive(101, 105);
    expect(connection.settle()).toBe(9);
    expect(connection.log).toEqual(numbers(1, 105));
    expect(connection.isReading).toBe(true);
    connection.receive(106, 106);
    expect(connection.log.at(-1)).toBe('106');
  });

  it('does what comes between messages in its place', () => {
    const connection = new Connection();
    const ping = (): void => connection.inbox.act(() => void connection.log.push('ping'));
    connection.receive(1, 2);
    ping();
    connection.receive(3, 15);
    ping();
    connection.receive(16, 16);
    connection.settle();
    expect(connection.log).toEqual(['1', '2', 'ping', ...numbers(3, 15), 'ping', '16']);
  });

  it('goes on with a batch before all that came behind it', () => {
    const connection = new Connection();
    const batch = numbers(1, 25);
    const workOff = (): void => {
      for (let text = batch.shift(); text !== undefined; text = batch.shift()) {
        connection.deliver(Buffer.from(text), false);
        if (!connection.inbox.mayGoOn(2)) return connection.inbox.goOn(workOff);
      }
    };
    connection.onMessage = (text) => text === 'batch' && workOff();
    connection.inbox.receive(Buffer.from('batch'), false);
    connection.receive(26, 27);
    connection.settle();
    expect(connection.log).toEqual(['batch', ...numbers(1, 27)]);
    expect(connection.isReading).toBe(true);
  });

  it('waits for a message that is worked off elsewhere, and then goes on behind it', () => {
    const connection = new Connection();
    let resume: (rest: () => void) => void = () => expect.unreachable();
    connection.onMessage = (text) => {
      if (text === '2') resume = connection.inbox.suspend();
    };
    connection.receive(1, 2);
    expect(connection.isReading).toBe(false);
    connection.receive(3, 4);
    connection.inbox.finish(() => connection.log.push('end'));
    connection.settle();
    expect(connection.log).toEqual(['1', '2']);
    // Neither the session nor anybody else makes it go on before.
    connection.inbox.hold();
    connection.inbox.release();
    connection.settle();
    expect(connection.log).toEqual(['1', '2']);
    resume(() => connection.log.push('rest of 2'));
    connection.settle();
    expect([connection.log, connection.isReading]).toEqual([['1', '2', 'rest of 2', '3', '4', 'end'], true]);
  });

  it('drops a message that is worked off elsewhere when it is closed', () => {
    const connection = new Connection();
    let resume: (rest: () => void) => void = () => expect.unreachable();
    connection.onMessage = () => void (resume = connection.inbox.suspend());
    connection.receive(1, 2);
    connection.inbox.close();
    resume(() => expect.unreachable());
    connection.settle();
    expect([connection.log, connection.isReading]).toEqual([['1'], true]);
  });

  it('holds everything back while the session wants nothing', () => {
    const connection = new Connection();
    connection.onMessage = (text) => (text === '2' || text === '5') && connection.inbox.hold();
    connection.receive(1, 6);
    connection.settle();
    expect([connection.log, connection.isReading]).toEqual([['1', '2'], false]);
    connection.inbox.release();
    expect(connection.log).toEqual(['1', '2']);
    connection.settle();
    expect([connection.log, connection.isReading]).toEqual([numbers(1, 5), false]);
    connection.inbox.release();
    connection.inbox.release();
    connection.settle();
    expect([connection.log, connection.isReading]).toEqual([numbers(1, 6), true]);
  });

  it('stays held when it is held while messages wait, and is released with nothing waiting', () => {
    const connection = new Connection();
    connection.receive(1, 12);
    connection.inbox.hold();
    connection.settle();
    expect(connection.log).toEqual(numbers(1, 10));
    connection.inbox.release();
    connection.settle();
    connection.inbox.hold();
    connection.inbox.release();
    connection.settle();
    expect([connection.log, connection.isReading]).toEqual([numbers(1, 12), true]);
  });

  it('reads on while it is held, until something comes that has to wait', () => {
    const connection = new Connection();
    connection.inbox.hold();
    expect(connection.isReading).toBe(true);
    connection.inbox.release();
    connection.receive(1, 1);
    expect(connection.log).toEqual(['1']);
    connection.inbox.hold();
    connection.receive(2, 2);
    expect([connection.log, connection.isReading]).toEqual([['1'], false]);
  });

  it('gives a client up that sends more at once than may wait, but for one message of any size', () => {
    const connection = new Connection();
    connection.inbox.hold();
    connection.inbox.receive(Buffer.alloc(20 * 1024 * 1024), true);
    expect(connection.log).toEqual([]);
    connection.inbox.receive(Buffer.alloc(1), true);
    expect(connection.log).toEqual(['flooded']);
  });

  it('counts what waits anew when it has been worked off', () => {
    const connection = new Connection();
    for (let round = 0; round < 5; round++) {
      connection.inbox.hold();
      for (let n = 0; n < 4; n++) connection.inbox.receive(Buffer.alloc(2 * 1024 * 1024), true);
      connection.inbox.release();
      connection.settle();
    }
    expect(connection.log).toHaveLength(20);
    expect(connection.log).not.toContain('flooded');
  });

  it('finishes behind the messages that came before', () => {
    const connection = new Connection();
    connection.receive(1, 15);
    connection.inbox.finish(() => connection.log.push('answer to close'));
    connection.inbox.finish(() => connection.log.push('closed'));
    connection.settle();
    expect(connection.log).toEqual([...numbers(1, 15), 'answer to close', 'closed']);
    connection.inbox.finish(() => connection.log.push('at once'));
    expect(connection.log.at(-1)).toBe('at once');
  });

  it('finishes at once when the session is held: what waits would wait for ever', () => {
    const connection = new Connection();
    connection.receive(1, 1);
    connection.inbox.hold();
    connection.receive(2, 3);
    connection.inbox.finish(() => connection.log.push('closed'));
    connection.inbox.release();
    connection.settle();
    expect(connection.log).toEqual(['1', 'closed']);
  });

  it('drops everything once it is closed, and still finishes and reads', () => {
    const connection = new Connection();
    connection.receive(1, 15);
    connection.inbox.finish(() => connection.log.push('closed'));
    connection.onMessage = (text) => text === '12' && connection.inbox.close();
    connection.settle();
    connection.receive(16, 16);
    connection.inbox.act(() => connection.log.push('never'));
    connection.inbox.goOn(() => connection.log.push('never'));
    connection.inbox.hold();
    expect(connection.settle()).toBe(0);
    expect(connection.log).toEqual([...numbers(1, 12), 'closed']);
    expect(connection.isReading).toBe(true);
  });

  it('may be closed by what it finishes with', () => {
    const connection = new Connection();
    connection.receive(1, 11);
    connection.inbox.finish(() => connection.inbox.close());
    connection.inbox.finish(() => connection.log.push('closed'));
    connection.settle();
    expect(connection.log).toEqual([...numbers(1, 11), 'closed']);
    expect(connection.isReading).toBe(true);
  });
});
