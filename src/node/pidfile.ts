/**
 * `node.pid`: who runs on a node directory. Crossbar.io's file (JSON, four spaces; `pid`, `argv`, `options`) plus
 * `started`, which tells our process from a later one with the same pid, and `beacon`, the socket beside it by which nodes in
 * other containers know that we are alive. Crossbar.io ignores keys it does not know.
 *
 * It is a lock like any other (`system/lock.ts`): of two nodes that start at the same moment one is refused. A file left by a
 * crash is replaced with a log line.
 */
import { readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';

import { systemBeacons } from '../system/beacon.js';
import { messageOf } from '../system/error.js';
import { systemFiles } from '../system/files.js';
import { FileLock, LockHeldError } from '../system/lock.js';
import { systemProcesses } from '../system/processes.js';
import type { Logger } from '../log/logger.js';
import { isLit, parseHolder } from '../system/holder.js';
import type { Holder } from '../system/holder.js';
import { NodeError } from './error.js';

export const PID_FILE = 'node.pid';

/** It tells operators, and their tools, who runs here. */
const READABLE = 0o644;

const UNGUARDED = 'no socket can be made beside the pid file: nodes in other containers are not kept away';

export interface PidFileOptions {
  readonly cbdir: string;
  /** The options of the start, for people who read the file. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly log: Logger;
}

/** A taken pid file. */
export interface PidFile {
  /** Removes the file if it is still ours. Idempotent. */
  release(): Promise<void>;
}

// Real paths of the pid files this process holds or asks for: several nodes can live in one process, all with the same pid.
const held = new Set<string>();

/**
 * Takes the node directory for this process.
 *
 * @throws NodeError `ERR_NODE_RUNNING` when another node has it, `ERR_NODE_DIRECTORY` when it cannot be written.
 */
export async function acquirePidFile({ cbdir, options, log }: PidFileOptions): Promise<PidFile> {
  const file = path.join(realpathSync(cbdir), PID_FILE);
  if (held.has(file)) throw alreadyRunning(cbdir, String(process.pid), file);
  held.add(file);
  try {
    const lock = await lockFile(file, options);
    if (lock.beaconFault !== undefined) log.warn({ file, err: lock.beaconFault }, UNGUARDED);
    if (lock.replaced !== undefined) {
      const pid = lock.replaced === 'unreadable' ? undefined : lock.replaced.pid;
      log.warn({ file, pid }, 'stale pid file removed');
    }
    return { release: () => release(file, lock, log) };
  } catch (error) {
    held.delete(file);
    if (error instanceof LockHeldError) throw alreadyRunning(cbdir, error.holder, file);
    const doing = isOfReading(error, file) ? 'read' : 'written';
    throw new NodeError('ERR_NODE_DIRECTORY', `the pid file ${file} cannot be ${doing}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

function lockFile(file: string, options: PidFileOptions['options']): Promise<FileLock> {
  return FileLock.acquire(file, {
    ...{ fs: systemFiles, processes: systemProcesses, beacons: systemBeacons, isRunning },
    mode: READABLE,
    textOf: ({ pid, started, beacon }) =>
      `${JSON.stringify({ pid, argv: process.argv, options, started, beacon }, null, 4)}\n`,
  });
}

/** The node that a pid file names. */
export interface NamedNode {
  readonly holder: Holder;
  /**
   * `here`: it runs among the processes that this one sees. `elsewhere`: it runs in another container. `gone`: the file was left
   * by a crash, or its pid belongs to another program.
   */
  readonly where: 'here' | 'elsewhere' | 'gone';
}

/** @returns undefined when there is no pid file in a directory that can be read, or no process is named in it. */
export async function namedNode(directory: string): Promise<NamedNode | undefined> {
  let text: string;
  try {
    text = readFileSync(path.join(directory, PID_FILE), 'utf8');
  } catch {
    return undefined; // nobody has been here, or nobody who lets others know
  }
  const holder = parseHolder(text);
  if (holder === undefined) return undefined;
  if (await isRunning(holder)) return { holder, where: 'here' };
  const deps = { processes: systemProcesses, beacons: systemBeacons };
  return { holder, where: (await isLit(holder, directory, deps)) === true ? 'elsewhere' : 'gone' };
}

/** @returns the pid of the node that runs on a directory, as far as its pid file says; undefined when none does. */
export async function runningPid(directory: string): Promise<number | undefined> {
  const node = await namedNode(directory);
  return node?.where === 'here' ? node.holder.pid : undefined;
}

async function release(file: string, lock: FileLock, log: Logger): Promise<void> {
  if (!held.delete(file)) return;
  if (!(await lock.release())) log.warn({ file }, 'pid file left alone: it is no longer ours');
}

/** What is written has another name first. */
function isOfReading(error: unknown, file: string): boolean {
  if (!(error instanceof Error)) return false;
  return (
    ('syscall' in error && error.syscall === 'read') || ('path' in error && error.path === file && !('dest' in error))
  );
}

function alreadyRunning(cbdir: string, pid: string, file: string): NodeError {
  return new NodeError('ERR_NODE_RUNNING', `a node is already running on ${cbdir} (pid ${pid}, see ${file})`);
}

async function isRunning(holder: Holder): Promise<boolean> {
  const { pid, started } = holder;
  // Our own pid in a file that we do not hold is the previous container's: there the node is pid 1 every time.
  if (pid === process.pid || !(await systemProcesses.isRunning(holder))) return false;
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
