import { describe, expect, it } from 'vitest';
import { OpenConnections } from '../../../src/transport/open-connections.js';
import type { Connection } from '../../../src/transport/open-connections.js';

/** A socket that tells its end as sockets do: later. */
class Socket implements Connection {
  bytesWritten = 0;
  writableLength = 0;
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
  }
}

function setUp(limit: number) {
  const clock = { now: 0 };
  const open = new OpenConnections(() => clock.now);
  open.limit = limit;
  const admitted = (count = 1): Socket[] =>
    Array.from({ length: count }, () => {
      const socket = new Socket();
      if (!open.admit(socket).isAdmitted) socket.destroyed = true;
      return socket;
    });
  return { open, clock, admitted };
}

const isDestroyed = ({ destroyed }: Socket): boolean => destroyed;

describe('the connections of a process', () => {
  it('are not those of another process, which cost nothing here', () => {
    const { open, admitted } = setUp(1);
    const elsewhere = Object.assign(new Socket(), { isElsewhere: true });
    open.waits(elsewhere);
    const [first] = admitted();
    admitted();
    expect([elsewhere.destroyed, first?.destroyed, open.size]).toEqual([false, true, 1]);
  });

  it('the one that has waited longest makes room for the next', () => {
    const { open, admitted } = setUp(3);
    const [first, second, third] = admitted(3);
    if (first) open.inUse(first);
    const [fourth] = admitted();
    expect([first, second, third, fourth].map((socket) => socket?.destroyed)).toEqual([false, true, false, false]);
    expect(open.size).toBe(3);
    if (second) open.leave(second);
    expect(open.size).toBe(3);
  });

  it('are refused only when all of them are in use, and whoever says GOODBYE waits again', () => {
    const { open, admitted } = setUp(2);
    const used = admitted(2);
    for (const socket of used) open.inUse(socket);
    expect(admitted().map(isDestroyed)).toEqual([true]);
    expect(open.size).toBe(2);
    if (used[1]) open.waits(used[1]);
    expect(admitted().map(isDestroyed)).toEqual([false]);
    expect(used.map(isDestroyed)).toEqual([false, true]);
  });

  it('a download is in use as long as it goes on; one that nobody reads makes room after a while', () => {
    const { open, clock, admitted } = setUp(2);
    const [read, unread] = admitted(2) as [Socket, Socket];
    for (const socket of [read, unread]) open.responds(socket);
    for (clock.now = 0; clock.now < 9000; clock.now += 1000) {
      read.bytesWritten += 1000;
      expect(admitted().map(isDestroyed)).toEqual([true]);
    }
    clock.now += 2000;
    read.bytesWritten += 1000;
    // What waits in the process has not left.
    unread.bytesWritten = unread.writableLength = 5000;
    expect(admitted().map(isDestroyed)).toEqual([false]);
    expect([read, unread].map(isDestroyed)).toEqual([false, true]);
  });

  it('a connection between two requests waits; one with another request under way does not', () => {
    const { open, admitted } = setUp(2);
    const [idle, busy] = admitted(2) as [Socket, Socket];
    for (const socket of [idle, busy, busy]) open.responds(socket);
    for (const socket of [idle, busy]) open.responded(socket);
    expect(admitted(2).map(isDestroyed)).toEqual([true, false]);
    expect([idle, busy].map(isDestroyed)).toEqual([true, false]);
  });

  it('with TLS, a connection is counted once and told of by what lies above it', () => {
    const { open, admitted } = setUp(2);
    const [below] = admitted() as [Socket];
    const above = new Socket();
    open.continueAs(below, above);
    open.inUse(above);
    const [waiting] = admitted() as [Socket];
    expect(admitted().map(isDestroyed)).toEqual([false]);
    expect([below, above, waiting].map(isDestroyed)).toEqual([false, false, true]);
    open.leave(waiting);
    open.waits(above);
    open.leave(below);
    expect(open.size).toBe(1);
    // Nothing of it is left that could be evicted.
    admitted();
    expect(above.destroyed).toBe(false);
  });

  it('one with TLS that was evicted is not counted any more, and not twice', () => {
    const { open, admitted } = setUp(1);
    const [below] = admitted() as [Socket];
    const above = new Socket();
    open.continueAs(below, above);
    const [next] = admitted() as [Socket];
    expect(above.destroyed).toBe(true);
    open.leave(below);
    expect(open.size).toBe(1);
    open.leave(next);
    expect(open.size).toBe(0);
  });

  it('what is gone does not wait', () => {
    const { open, admitted } = setUp(1);
    const [gone] = admitted() as [Socket];
    open.responds(gone);
    open.leave(gone);
    gone.destroyed = true;
    open.waits(gone);
    open.responded(gone);
    const [next] = admitted() as [Socket];
    open.inUse(next);
    expect(admitted().map(isDestroyed)).toEqual([true]);
  });
});
