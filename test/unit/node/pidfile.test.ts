import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemBeacons } from '../../../src/system/beacon.js';
import { createLogger } from '../../../src/log/logger.js';
import { acquirePidFile } from '../../../src/node/pidfile.js';
import { itNeeds } from '../../support/needs.js';

let cbdir: string;
let file: string;
let releases: (() => Promise<void>)[];
let records: Record<string, unknown>[];
beforeEach(() => {
  cbdir = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-pid-'));
  file = path.join(cbdir, 'node.pid');
  records = [];
  releases = [];
});
afterEach(async () => {
  for (const release of releases) await release();
  rmSync(cbdir, { recursive: true });
});

async function acquire(dir = cbdir) {
  const log = createLogger({
    level: 'trace',
    destination: { write: (line) => void records.push(JSON.parse(line) as Record<string, unknown>) },
  });
  const taken = await acquirePidFile({ cbdir: dir, options: { cbdir: dir }, log });
  releases.push(() => taken.release());
  return taken;
}

/** A process that is not a node and stays until the test ends it. */
async function withStranger(use: (pid: number) => Promise<void>): Promise<void> {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
  try {
    await use(child.pid!);
  } finally {
    child.kill();
    await once(child, 'exit');
  }
}

/** When a process started, in the words of the file. */
function startedOf(pid: number): string {
  const ticks = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')[19]!;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${ticks}`;
}

/** The file as the process `pid` would have left it. */
function writtenBy(pid: number, started: string | null): string {
  return JSON.stringify({ pid, argv: [], options: {}, started });
}

/** What can be told of any process only where there is a /proc. */
const itOnLinux = itNeeds('/proc', existsSync('/proc/self/stat'));

describe('node.pid', () => {
  it('is JSON with four spaces: pid, argv, options', async () => {
    await acquire();
    const text = readFileSync(file, 'utf8');
    const record = JSON.parse(text) as Record<string, unknown>;
    expect(text).toBe(`${JSON.stringify(record, null, 4)}\n`);
    expect(record).toMatchObject({ pid: process.pid, argv: process.argv, options: { cbdir } });
    expect(readdirSync(cbdir).sort()).toEqual([record['beacon'], 'node.pid']);
  });

  it('goes away at release, once', async () => {
    const taken = await acquire();
    await taken.release();
    await taken.release();
    expect(readdirSync(cbdir)).toEqual([]);
    await (await acquire()).release();
  });

  it('refuses a second node, also one in the same process', async () => {
    const first = await acquire();
    await expect(acquire()).rejects.toThrow(`a node is already running on ${cbdir} (pid ${process.pid}, see ${file})`);
    await first.release();
    await (await acquire()).release();
  });

  it('of two starts at the same moment lets one through', async () => {
    const results = await Promise.allSettled([acquire(), acquire(), acquire()]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  itOnLinux('refuses while the process that wrote it runs', async () => {
    await withStranger(async (pid) => {
      const text = writtenBy(pid, startedOf(pid));
      writeFileSync(file, text);
      await expect(acquire()).rejects.toThrow(`a node is already running on ${cbdir} (pid ${pid}`);
      expect(readFileSync(file, 'utf8')).toBe(text);
    });
  });

  itOnLinux('is stale when the pid belongs to a later process', async () => {
    await withStranger(async (pid) => {
      writeFileSync(file, writtenBy(pid, 'another boot/1'));
      await acquire();
      expect(records).toMatchObject([{ level: 'warn', msg: 'stale pid file removed', pid }]);
    });
  });

  itOnLinux("is stale when Crossbar.io's pid belongs to another program", async () => {
    await withStranger(async (pid) => {
      writeFileSync(file, JSON.stringify({ pid, argv: ['crossbar', 'start'], options: {} }));
      await acquire();
      expect(records).toMatchObject([{ msg: 'stale pid file removed', pid }]);
    });
  });

  it('is stale when it names our own pid but is not ours: pid 1 of the container before', async () => {
    writeFileSync(file, writtenBy(process.pid, null));
    await acquire();
    expect(records).toMatchObject([{ msg: 'stale pid file removed' }]);
  });

  it.each(['', '{"pid": 12', 'null', '{"pid": "12"}', '{"pid": -1}', '[]'])(
    'is removed when corrupt: %j',
    async (text) => {
      writeFileSync(file, text);
      await acquire();
      expect(records).toMatchObject([{ level: 'warn', msg: 'stale pid file removed', file }]);
      expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ pid: process.pid });
    },
  );

  it('of a process that cannot be seen from here is believed while its beacon is lit', async () => {
    const beacon = await systemBeacons.light(cbdir);
    const text = JSON.stringify({ pid: 1, argv: [], options: {}, started: 'another boot/1', beacon: beacon.name });
    writeFileSync(file, text);
    await expect(acquire()).rejects.toThrow('(pid 1 of another container, see ');
    expect(readFileSync(file, 'utf8')).toBe(text);
    beacon.end();
    await acquire();
    expect(records).toMatchObject([{ level: 'warn', msg: 'stale pid file removed', pid: 1 }]);
  });

  it('of another node is left alone at release', async () => {
    const taken = await acquire();
    writeFileSync(file, '{"pid": 1}');
    await taken.release();
    expect(readFileSync(file, 'utf8')).toBe('{"pid": 1}');
    expect(records).toMatchObject([{ level: 'warn', file }]);
  });

  it('says so when it cannot be read', async () => {
    mkdirSync(file);
    await expect(acquire()).rejects.toThrow(`the pid file ${file} cannot be read: EISDIR`);
  });

  itOnLinux('says so when the directory does not let it be written', async () => {
    // Not even root can make a file in /proc.
    const proc = realpathSync('/proc/self');
    await expect(acquire(proc)).rejects.toThrow(`the pid file ${proc}/node.pid cannot be written: `);
  });
});
