import { describe, expect, it } from 'vitest';
import { PIECE_OVERHEAD_BYTES, UnsentMemory } from '../../../../src/transport/outbox/unsent-memory.js';
import type { Arrears, Debtor } from '../../../../src/transport/outbox/unsent-memory.js';

const MIB = 1024 * 1024;

function setUp(limitBytes: number): { memory: UnsentMemory; enforce: () => void } {
  const due: (() => void)[] = [];
  const memory = new UnsentMemory((callback) => due.push(callback));
  memory.limitBytes = limitBytes;
  return { memory, enforce: () => due.splice(0).forEach((callback) => callback()) };
}

/** A connection that takes nothing unless it is told to. */
class Peer implements Debtor {
  unsentBytes = 0;
  compressedBytes = 0;
  gaveUp = false;
  readonly arrears: Arrears;

  constructor(memory: UnsentMemory) {
    this.arrears = memory.open(this);
  }

  write(bytes: number, shared?: Buffer): void {
    this.unsentBytes += bytes;
    this.arrears.add(bytes, shared);
  }

  giveUpForAll(): void {
    this.gaveUp = true;
  }
}

describe('UnsentMemory', () => {
  it('many connections that do not read, each within its own limit, do not fill the memory together', () => {
    const { memory, enforce } = setUp(64 * MIB);
    const peers = Array.from({ length: 40 }, () => new Peer(memory));
    for (let round = 0; round < 15; round++) {
      for (const peer of peers) if (!peer.gaveUp) peer.write(MIB);
      enforce();
      expect(memory.bytes).toBeLessThanOrEqual(64 * MIB);
    }
    expect(peers.filter(({ gaveUp }) => gaveUp).length).toBeGreaterThan(30);
  });

  it('gives up those with the most bytes waiting, the greatest first, and nobody else', () => {
    const { memory, enforce } = setUp(10 * MIB);
    const peers = [1, 4, 2, 3, 1].map((mib) => {
      const peer = new Peer(memory);
      peer.write(mib * MIB);
      return peer;
    });
    enforce();
    expect(peers.map(({ gaveUp }) => gaveUp)).toEqual([false, true, false, false, false]);
    expect(memory.bytes).toBe(7 * (MIB + 0) + 4 * PIECE_OVERHEAD_BYTES);
  });

  it('one large event that waits for ten thousand connections is counted once: nobody is given up', () => {
    const { memory, enforce } = setUp(64 * MIB);
    const body = Buffer.alloc(MIB);
    const peers = Array.from({ length: 10_000 }, () => new Peer(memory));
    for (const peer of peers) peer.write(MIB + 40, body);
    enforce();
    expect(memory.bytes).toBe(MIB + peers.length * (40 + PIECE_OVERHEAD_BYTES));
    expect(peers.some(({ gaveUp }) => gaveUp)).toBe(false);
    for (const peer of peers) peer.arrears.end();
    expect(memory.bytes).toBe(0);
  });

  it('who has taken what waited is not given up for it', () => {
    const { memory, enforce } = setUp(10 * MIB);
    const [reader, stuck] = [new Peer(memory), new Peer(memory)];
    for (let i = 0; i < 8; i++) reader.write(MIB);
    reader.unsentBytes = 0.5 * MIB;
    for (let i = 0; i < 3; i++) stuck.write(MIB);
    enforce();
    expect([reader.gaveUp, stuck.gaveUp]).toEqual([false, false]);
    // The last piece has left by half, and stays as long as its end.
    expect(memory.bytes).toBe(4 * (MIB + PIECE_OVERHEAD_BYTES));
    for (let i = 0; i < 7; i++) stuck.write(MIB);
    enforce();
    expect([reader.gaveUp, stuck.gaveUp]).toEqual([false, true]);
  });

  it('what was compressed for one connection is its own, however many wait for the same message', () => {
    const { memory, enforce } = setUp(10 * MIB);
    const message = Buffer.alloc(MIB);
    const peers = Array.from({ length: 20 }, () => new Peer(memory));
    for (const peer of peers) peer.write(MIB, message);
    enforce();
    expect(memory.bytes).toBe(MIB + 20 * PIECE_OVERHEAD_BYTES);
    for (const peer of peers) {
      peer.compressedBytes = peer.unsentBytes;
      peer.arrears.settle();
    }
    expect(memory.bytes).toBeGreaterThan(20 * MIB);
    enforce();
    expect(memory.bytes).toBeLessThanOrEqual(10 * MIB);
  });

  it('the objects around many small pieces are counted, too', () => {
    const { memory, enforce } = setUp(MIB);
    const peer = new Peer(memory);
    for (let i = 0; i < 10_000; i++) peer.write(10);
    enforce();
    expect(peer.gaveUp).toBe(true);
  });
});
