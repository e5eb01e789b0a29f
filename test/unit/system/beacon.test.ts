import { once } from 'node:events';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Beacon, Beacons } from '../../../src/system/beacon.js';
import { isBeaconName, systemBeacons } from '../../../src/system/beacon.js';
import { FileLock } from '../../../src/system/lock.js';
import { systemFiles } from '../../../src/system/files.js';
import { withDirectory } from '../../support/cookie-store.js';
import { SimulatedDisk, SimulatedProcesses } from '../../support/simulated-disk.js';

describe('a beacon', () => {
  it('is lit until its end, which leaves nothing', () =>
    withDirectory(async (directory) => {
      const beacon = await systemBeacons.light(directory);
      expect(await systemBeacons.isLit(directory, beacon.name)).toBe(true);
      expect(await readdir(directory)).toEqual([beacon.name]);
      beacon.end();
      beacon.end();
      expect(await systemBeacons.isLit(directory, beacon.name)).toBeUndefined();
      expect(await readdir(directory)).toEqual([]);
    }));

  it('is lit in a directory whose path is too long for a socket', () =>
    withDirectory(async (directory) => {
      const deep = path.join(directory, 'd'.repeat(100), 'e'.repeat(100));
      mkdirSync(deep, { recursive: true });
      const beacon = await systemBeacons.light(deep);
      expect(readdirSync(deep)).toEqual([beacon.name]);
      expect(await systemBeacons.isLit(deep, beacon.name)).toBe(true);
      beacon.end();
      expect(readdirSync(deep)).toEqual([]);
    }));

  it('is lit while its process is too busy to answer', () =>
    withDirectory(async (directory) => {
      const server = createServer().listen({ path: path.join(directory, '.alive.0123456789abcdef'), backlog: 1 });
      await once(server, 'listening');
      // Nobody is accepted in this turn; the kernel answers.
      expect(await systemBeacons.isLit(directory, '.alive.0123456789abcdef')).toBe(true);
      server.close();
    }));

  it('cannot be told of a file that is no socket', () =>
    withDirectory(async (directory) => {
      writeFileSync(path.join(directory, '.alive.0123456789abcdef'), '');
      // Nobody listens on it, either.
      expect(await systemBeacons.isLit(directory, '.alive.0123456789abcdef')).not.toBe(true);
    }));

  it.each(['../../etc/passwd', '.alive.', '.alive.0123456789abcdef/../x', 'x.alive.0123456789abcdef', '', 7, null])(
    'is never looked for, or removed, under a name that none of ours has: %j',
    (name) => {
      expect(isBeaconName(name)).toBe(false);
    },
  );
});

describe('a lock with a beacon', () => {
  const LOCK = '/cookies.dat.lock';

  /** Beacons without sockets; all that are in the set are lit. */
  function simulatedBeacons(lit: Set<string>, removed: string[] = []): Beacons {
    let last = 0;
    return {
      light: (): Promise<Beacon> => {
        const name = `.alive.${String(++last).padStart(16, '0')}`;
        lit.add(name);
        return Promise.resolve({ name, end: () => void lit.delete(name) });
      },
      isLit: (_directory, name) => Promise.resolve(lit.has(name)),
      remove: (_directory, name) => void removed.push(name),
    };
  }

  it('keeps out a process that cannot see its holder, and is free when the beacon is out', async () => {
    const fs = new SimulatedDisk();
    const lit = new Set<string>();
    const removed: string[] = [];
    const beacons = simulatedBeacons(lit, removed);
    await FileLock.acquire(LOCK, { fs, processes: new SimulatedProcesses().start(), beacons });
    const elsewhere = new SimulatedProcesses();
    elsewhere.start();
    const processes = elsewhere.start();
    elsewhere.killAll();
    const deps = { fs, processes, beacons };
    await expect(FileLock.acquire(LOCK, deps)).rejects.toThrow(
      `in use by process 1 of another container (see ${LOCK})`,
    );
    // The one that was refused has put its own out again.
    expect(lit.size).toBe(1);
    const [first] = lit;
    lit.clear();
    await FileLock.acquire(LOCK, deps);
    expect(removed).toEqual([first]);
  });

  it('is one by pids where no socket can be made, and says why', async () => {
    const fs = new SimulatedDisk();
    const system = new SimulatedProcesses();
    const fault = new Error('EPERM: operation not permitted');
    const beacons = { ...simulatedBeacons(new Set()), light: () => Promise.reject(fault) };
    const lock = await FileLock.acquire(LOCK, { fs, processes: system.start(), beacons });
    expect(lock.beaconFault).toBe(fault);
    await expect(FileLock.acquire(LOCK, { fs, processes: system.start(), beacons })).rejects.toThrow(
      'in use by process 1 ',
    );
    system.killAll();
    await FileLock.acquire(LOCK, { fs, processes: system.start(), beacons });
  });

  it('has one winner of many that start at the same time on what a crash has left', () =>
    withDirectory(async (directory) => {
      const file = path.join(directory, 'cookies.dat.lock');
      const stale = { pid: 1, started: 'another boot/1', beacon: '.alive.0123456789abcdef' };
      writeFileSync(file, JSON.stringify(stale));
      // As nodes in containers that do not see each other.
      const starters = Array.from({ length: 20 }, (_, i) => {
        const processes = {
          self: () => Promise.resolve({ pid: 1, started: `container ${i}` }),
          isRunning: () => Promise.resolve(false),
        };
        return FileLock.acquire(file, { fs: systemFiles, processes, beacons: systemBeacons });
      });
      const results = await Promise.allSettled(starters);
      const winners = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
      expect(winners).toHaveLength(1);
      await winners[0]?.release();
      expect(await readdir(directory)).toEqual([]);
    }));
});
