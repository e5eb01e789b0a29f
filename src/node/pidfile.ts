/**
 * `node.pid`: who runs on a node directory. Crossbar.io's file (JSON, four spaces; `pid`, `argv`, `options`) plus
 * `started`, which tells our process from a later one with the same pid, and `beacon`, the socket beside it by which nodes in
 * other containers know that we are alive. Crossbar.io ignores keys it does not know.
 *
 * The file appears whole and only if there was none (a temporary file is linked to the name), so of two nodes that
 * start at the same moment one is refused. A file left by a crash is taken away with a log line.
 */
import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

import { systemBeacons } from '../cookie/beacon.js';
import type { Beacon } from '../cookie/beacon.js';
import { describeHolder, isLit, parseHolder } from '../cookie/holder.js';
import type { Holder } from '../cookie/holder.js';
import { systemProcesses } from '../cookie/process-table.js';
import type { Logger } from '../log/logger.js';
import { messageOf, NodeError, systemCode } from './error.js';

export const PID_FILE = 'node.pid';

/** What stands in the file. */
interface PidRecord {
  readonly pid: number;
  readonly argv: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly started: string | null;
  readonly beacon: string | undefined;
}

export interface PidFileOptions {
  readonly cbdir: string;
  /** The options of the start, for people who read the file. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly log: Logger;
}

/** A taken pid file. */
export interface PidFile {
  /** Removes the file if it is still ours. Idempotent. */
  release(): void;
}

// Real paths of the pid files this process holds: several nodes can live in one process, all with the same pid.
const held = new Set<string>();

/**
 * Takes the node directory for this process.
 *
 * @throws NodeError `ERR_NODE_RUNNING` when another node has it, `ERR_NODE_DIRECTORY` when it cannot be written.
 */
export async function acquirePidFile({ cbdir, options, log }: PidFileOptions): Promise<PidFile> {
  const file = path.join(realpathSync(cbdir), PID_FILE);
  const beacon = await lightBeacon(file, log);
  try {
    return await take(file, { cbdir, options, log }, beacon);
  } catch (error) {
    beacon?.end();
    throw error;
  }
}

async function take(
  file: string,
  { cbdir, options, log }: PidFileOptions,
  beacon: Beacon | undefined,
): Promise<PidFile> {
  const text = await pidFileText(options, beacon);
  while (!createWhole(file, text)) {
    const found = readIfPresent(file);
    if (found === undefined) continue;
    const holder = parseHolder(found);
    if (holder !== undefined && (await isAlive(file, holder))) {
      const pid = await describeHolder(holder, HOLDERS);
      throw new NodeError('ERR_NODE_RUNNING', `a node is already running on ${cbdir} (pid ${pid}, see ${file})`);
    }
    if (!takeAway(file, found)) continue;
    if (holder?.beacon !== undefined) systemBeacons.remove(path.dirname(file), holder.beacon);
    log.warn({ file, pid: holder?.pid }, 'stale pid file removed');
  }
  // No await between the creation and this: another start in this process must see both or neither.
  held.add(file);
  return {
    release: () => {
      if (!held.delete(file)) return;
      if (readIfPresent(file) === text) rmSync(file, { force: true });
      else log.warn({ file }, 'pid file left alone: it is no longer ours');
      beacon?.end();
    },
  };
}

/** Before the file is seen, so that nobody takes it for stale. */
async function lightBeacon(file: string, log: Logger): Promise<Beacon | undefined> {
  try {
    return await systemBeacons.light(path.dirname(file));
  } catch (err) {
    log.warn({ file, err }, 'no socket can be made beside the pid file: nodes in other containers are not kept away');
    return undefined;
  }
}

async function pidFileText(options: PidFileOptions['options'], beacon: Beacon | undefined): Promise<string> {
  const { pid, started } = await systemProcesses.self();
  const record: PidRecord = { pid, argv: process.argv, options, started, beacon: beacon?.name };
  return `${JSON.stringify(record, null, 4)}\n`;
}

/** @returns false when there is a file of that name already. */
function createWhole(file: string, text: string): boolean {
  const temporary = temporaryName(file);
  try {
    writeFileSync(temporary, text, { flag: 'wx' });
    linkSync(temporary, file);
    return true;
  } catch (error) {
    if (systemCode(error) === 'EEXIST') return false;
    throw new NodeError('ERR_NODE_DIRECTORY', `the pid file ${file} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  } finally {
    rmSync(temporary, { force: true });
  }
}

const HOLDERS = { processes: systemProcesses, beacons: systemBeacons };

async function isAlive(file: string, holder: Holder): Promise<boolean> {
  return (await isLit(holder, path.dirname(file), HOLDERS)) ?? (await isRunning(file, holder));
}

async function isRunning(file: string, { pid, started }: Holder): Promise<boolean> {
  // Our own pid in a file that we do not hold is the previous container's: there the node is pid 1 every time.
  if (pid === process.pid) return held.has(file);
  if (!(await systemProcesses.isRunning({ pid, started }))) return false;
  // Written by Crossbar.io, or on a system without /proc: go by the command line, or else believe the pid.
  return started !== null || (commandLine(pid)?.includes('crossbar') ?? true);
}

/** @returns the command line of a process; undefined where the system cannot say. */
function commandLine(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return undefined; // no /proc here
  }
}

/**
 * Removes the file that held `expected`. Between our look and our act another node may have replaced it by its own:
 * so it is moved aside first, and put back if it turns out to be that.
 */
function takeAway(file: string, expected: string): boolean {
  const aside = temporaryName(file);
  try {
    renameSync(file, aside);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw new NodeError('ERR_NODE_DIRECTORY', `the stale pid file ${file} cannot be removed: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const stale = readFileSync(aside, 'utf8') === expected;
  if (stale) rmSync(aside);
  else renameSync(aside, file);
  return stale;
}

function readIfPresent(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw new NodeError('ERR_NODE_DIRECTORY', `the pid file ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function temporaryName(file: string): string {
  return `${file}.${process.pid}.${randomBytes(4).toString('hex')}`;
}
