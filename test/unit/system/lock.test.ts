import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';

import { describe, expect, it } from 'vitest';

import { FileLock } from '../../../src/system/lock.js';
import { systemFiles } from '../../../src/system/files.js';
import { systemProcesses } from '../../../src/system/processes.js';
import { withDirectory } from '../../support/cookie-store.js';
import { SimulatedDisk, SimulatedProcesses } from '../../support/simulated-disk.js';

const LOCK = '/cookies.dat.lock';

describe('a lock', () => {
  it('keeps a second process out, names the first, and is free after release', async () => {
    const fs = new SimulatedDisk();
    const system = new SimulatedProcesses();
    const [first, second] = [system.start(), system.start()];
    const lock = await FileLock.acquire(LOCK, { fs, processes: first });
    await expect(FileLock.acquire(LOCK, { fs, processes: second })).rejects.toThrow(
      'in use by process 1 (see /cookies',
    );
    await expect(FileLock.acquire(LOCK, { fs, processes: first })).rejects.toThrow('in use by process 1');
    await lock.release();
    await lock.release();
    await (await FileLock.acquire(LOCK, { fs, processes: second })).release();
    expect(fs.files()).toEqual([]);
  });

  it('of a dead process is replaced', async () => {
    const fs = new SimulatedDisk();
    const system = new SimulatedProcesses();
    await FileLock.acquire(LOCK, { fs, processes: system.start() });
    system.killAll();
    await FileLock.acquire(LOCK, { fs, processes: system.start() });
    expect(JSON.parse(fs.content(LOCK) ?? '')).toMatchObject({ pid: 2, started: 'start 2' });
    expect(fs.files()).toEqual([LOCK]);
  });

  it.each(['', '{"pid"', '{"pid": "1"}', '{"pid": -1}', 'null'])(
    'that names no process (%j) is replaced',
    async (text) => {
      const fs = new SimulatedDisk();
      fs.put(LOCK, text);
      const lock = await FileLock.acquire(LOCK, { fs, processes: new SimulatedProcesses().start() });
      await lock.release();
      expect(fs.files()).toEqual([]);
    },
  );

  it('of another process is not removed by a release', async () => {
    const fs = new SimulatedDisk();
    const lock = await FileLock.acquire(LOCK, { fs, processes: new SimulatedProcesses().start() });
    fs.put(LOCK, '{"pid": 77}\n');
    await lock.release();
    expect(fs.content(LOCK)).toBe('{"pid": 77}\n');
  });

  it('has one winner however many start at the same time, with a stale lock or without', async () => {
    for (const stale of [false, true]) {
      const fs = new SimulatedDisk();
      const system = new SimulatedProcesses();
      if (stale) await FileLock.acquire(LOCK, { fs, processes: system.start() });
      system.killAll();
      const starters = Array.from({ length: 20 }, async () => {
        const processes = system.start();
        // Not all at the very same moment.
        const { pid } = await processes.self();
        for (let turn = 0; turn < pid % 7; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        return FileLock.acquire(LOCK, { fs, processes });
      });
      const results = await Promise.allSettled(starters);
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(fs.files()).toEqual([LOCK]);
    }
  });

  it('can be had after a crash at any moment of taking over', async () => {
    for (let call = 1; ; call += 1) {
      const fs = new SimulatedDisk();
      const system = new SimulatedProcesses();
      await FileLock.acquire(LOCK, { fs, processes: system.start() });
      system.killAll();
      const before = fs.calls;
      fs.failAt(call, 'power off');
      const attempt = await FileLock.acquire(LOCK, { fs, processes: system.start() }).catch((error: unknown) => error);
      if (attempt instanceof FileLock && fs.calls - before < call) break;
      system.killAll();
      fs.restart();
      await FileLock.acquire(LOCK, { fs, processes: system.start() });
      const last = system.start();
      await expect(FileLock.acquire(LOCK, { fs, processes: last })).rejects.toThrow('in use by process 3');
    }
  });
});

describe('the processes of this machine', () => {
  it('include this one, and not one of its pid that began at another time', async () => {
    const self = await systemProcesses.self();
    expect(self.pid).toBe(process.pid);
    expect(await systemProcesses.isRunning(self)).toBe(true);
    expect(await systemProcesses.isRunning({ pid: self.pid, started: null })).toBe(true);
    if (self.started !== null) {
      expect(await systemProcesses.isRunning({ pid: self.pid, started: 'another boot/1' })).toBe(false);
    }
    expect(await systemProcesses.isRunning({ pid: 2 ** 30, started: null })).toBe(false);
  });

  it('work with real files', () =>
    withDirectory(async (directory) => {
      const file = path.join(directory, 'cookies.dat.lock');
      await writeFile(file, JSON.stringify({ pid: 2 ** 30, started: 'another boot/1' }));
      const deps = { fs: systemFiles, processes: systemProcesses };
      const lock = await FileLock.acquire(file, deps);
      await expect(FileLock.acquire(file, deps)).rejects.toThrow(`in use by process ${process.pid}`);
      await lock.release();
      expect(await readdir(directory)).toEqual([]);
    }));
});
