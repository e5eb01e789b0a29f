/** How the requests of many connections share the event loop; what a pipeline does on its own, test/integration/http-pipeline shows. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';

import { Pipeline } from '../../../src/http/pipeline.js';
import { FairScheduler } from '../../../src/transport/fair-scheduler.js';

const PIECE = 'GET / HTTP/1.1\r\n\r\n';
const COST_MS = 2;

/** A clock that stands still unless pieces are parsed, and a loop that turns on request. */
class Loop {
  time = 1000;
  #deferred: (() => void)[] = [];
  readonly turns = new FairScheduler({ now: () => this.time, defer: (callback) => void this.#deferred.push(callback) });

  get isAwaited(): boolean {
    return this.#deferred.length > 0;
  }

  turn(): void {
    for (const callback of this.#deferred.splice(0)) callback();
  }
}

interface Wire {
  readonly socket: Duplex;
  readonly pipeline: Pipeline;
}

/** A connection whose parser writes the bytes down that it gets, and takes its time. */
function wire(loop: Loop, parsed: string[], name: string, onPiece: (wire: Wire) => void = () => undefined): Wire {
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  socket.on('data', (bytes: Buffer) => {
    loop.time += COST_MS;
    parsed.push(`${name}${bytes.toString().replace(/\r\n/g, '')}`);
    onPiece(made);
  });
  const onFault = (error: unknown): void => {
    throw error;
  };
  const made: Wire = { socket, pipeline: new Pipeline(socket as unknown as Socket, onFault, loop.turns) };
  return made;
}

describe('the requests of many connections', () => {
  it('are parsed for 10 ms, and the rest waits until the loop has been round', async () => {
    const [loop, parsed] = [new Loop(), [] as string[]];
    const wires = Array.from({ length: 40 }, (_, index) => wire(loop, parsed, `${index} `));
    for (const { socket } of wires) socket.push(PIECE);
    await nextTurn();
    expect(parsed.length).toBeLessThan(wires.length / 2);
    const rounds: number[] = [];
    while (loop.isAwaited) {
      const before = parsed.length;
      loop.turn();
      await nextTurn();
      rounds.push(parsed.length - before);
    }
    expect(Math.max(...rounds)).toBeLessThanOrEqual(10);
    // In their order, each of them once.
    expect(parsed).toEqual(wires.map((_, index) => `${index} GET / HTTP/1.1`));
  });

  it('leave nothing out when more comes for one that waits, and somebody lets its socket go on', async () => {
    const [loop, parsed] = [new Loop(), [] as string[]];
    const { socket } = wire(loop, parsed, '');
    const sent = Array.from({ length: 30 }, (_, index) => PIECE.replace('/', `/${index}`));
    socket.push(sent.slice(0, 20).join(''));
    await nextTurn();
    expect(parsed.length).toBeLessThan(20);
    expect(socket.isPaused()).toBe(true);
    socket.resume();
    socket.push(sent.slice(20).join(''));
    await nextTurn();
    while (loop.isAwaited) {
      loop.turn();
      await nextTurn();
    }
    expect(parsed).toEqual(sent.map((text) => text.replace(/\r\n/g, '')));
    expect(socket.isPaused()).toBe(false);
  });

  it('of one that is gone, or no longer HTTP, are not parsed when its turn comes', async () => {
    const [loop, parsed] = [new Loop(), [] as string[]];
    const [gone, upgraded] = [wire(loop, parsed, 'gone '), wire(loop, parsed, 'upgraded ')];
    for (const { socket } of [gone, upgraded]) socket.push(PIECE.repeat(20));
    await nextTurn();
    const before = [...parsed];
    gone.socket.destroy();
    upgraded.pipeline.release();
    while (loop.isAwaited) loop.turn();
    expect(parsed).toEqual(before);
    // The rest is for whoever takes the connection over.
    const rest = before.filter((text) => text.startsWith('upgraded')).length;
    expect(String(upgraded.socket.read())).toBe(PIECE.repeat(20 - rest));
  });

  it('that have to wait for their own answer do not wait for their turn', async () => {
    const [loop, parsed] = [new Loop(), [] as string[]];
    const { socket } = wire(loop, parsed, '', ({ socket: busy }) => busy.pause());
    socket.push(PIECE.repeat(2));
    await nextTurn();
    expect([parsed.length, loop.isAwaited]).toEqual([1, false]);
  });
});
