/**
 * What a process and its descendants cost, as the Linux kernel counts it: CPU time, resident memory, listening port.
 *
 * Knows nothing about WAMP or about scenarios. CPU comes from two places: `utime + stime` (10 ms steps, always there)
 * and `schedstat` of every thread (nanoseconds, only where the kernel was built with it).
 */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';

/** `USER_HZ`, the unit of /proc/PID/stat: 100 on every architecture that Node.js runs on. */
const TICKS_PER_SECOND = 100;
const TCP_LISTEN = '0A';

/**
 * @typedef {object} Usage
 * @property {number} tickMicros CPU of all processes from utime + stime, in microseconds
 * @property {number | undefined} schedMicros the same from schedstat, in microseconds; undefined where the kernel has none
 * @property {number} rssBytes resident memory of all processes
 * @property {number} processes how many processes are alive
 */

/** @returns {string | undefined} why this machine cannot run the bench */
export function platformProblem() {
  if (process.platform === 'linux') return undefined;
  return `the bench reads CPU time and memory from /proc, which only Linux has (this is ${process.platform})`;
}

/**
 * @param {readonly number[]} pids the processes asked for; their descendants are counted too
 * @returns {Usage}
 */
export function usage(pids) {
  const family = withDescendants(pids);
  let tickMicros = 0;
  let rssBytes = 0;
  /** @type {number | undefined} */
  let schedMicros = 0;
  for (const stat of family) {
    // A child that has ended and was waited for lives on in its parent's account.
    tickMicros += ((stat.ticks + (pids.includes(stat.pid) ? stat.reapedTicks : 0)) * 1e6) / TICKS_PER_SECOND;
    rssBytes += residentBytes(stat.pid);
    const micros = schedMicrosOf(stat.pid);
    schedMicros = schedMicros === undefined || micros === undefined ? undefined : schedMicros + micros;
  }
  return { tickMicros, schedMicros, rssBytes, processes: family.length };
}

/**
 * The TCP port that a process listens on, found through its open sockets: needs no log line to be parsed.
 *
 * @param {number} pid
 * @returns {number | undefined} undefined while it does not listen yet
 */
export function listeningPort(pid) {
  const inodes = socketInodes(pid);
  for (const table of ['tcp', 'tcp6']) {
    for (const line of (readIfThere(`/proc/${pid}/net/${table}`) ?? '').split('\n').slice(1)) {
      const [, local, , state, , , , , , inode] = line.trim().split(/\s+/);
      if (state === TCP_LISTEN && local !== undefined && inode !== undefined && inodes.has(inode)) {
        return Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16);
      }
    }
  }
  return undefined;
}

/**
 * @param {number} pid
 * @returns {number[]} the processes that it has started and that live
 */
export function childrenOf(pid) {
  return listIfThere(`/proc/${pid}/task`).flatMap((thread) =>
    (readIfThere(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number),
  );
}

/**
 * CPU time of one process alone, from schedstat, or from utime + stime where the kernel has none.
 *
 * @param {number} pid
 * @returns {{ micros: number, mainMicros: number }} of all its threads, and of the main one; of threads that have ended nothing
 */
export function processFigures(pid) {
  const main = readIfThere(`/proc/${pid}/task/${pid}/schedstat`);
  const micros = schedMicrosOf(pid);
  if (main !== undefined && micros !== undefined) return { micros, mainMicros: Number(main.split(' ')[0]) / 1000 };
  const ticks = ((readStat(pid)?.ticks ?? 0) * 1e6) / TICKS_PER_SECOND;
  return { micros: ticks, mainMicros: ticks };
}

/** @returns {number} running processes, averaged over the last minute */
export function loadAverage() {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
}

/** @returns {number} how many files this process may have open */
export function openFilesLimit() {
  const line = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'));
  return line?.[1] === 'unlimited' ? Infinity : Number(line?.[1]);
}

/**
 * @typedef {object} Stat
 * @property {number} pid
 * @property {number} ppid
 * @property {number} ticks
 * @property {number} reapedTicks
 */

/**
 * @param {number} pid
 * @returns {Stat | undefined}
 */
function readStat(pid) {
  const text = readIfThere(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The second field is the program's name and may hold spaces and brackets: count from the last bracket.
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number);
  const [, ppid = 0, , , , , , , , , , utime = 0, stime = 0, cutime = 0, cstime = 0] = fields;
  return { pid, ppid, ticks: utime + stime, reapedTicks: cutime + cstime };
}

/**
 * @param {readonly number[]} pids
 * @returns {Stat[]}
 */
function withDescendants(pids) {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readStat(Number(name)) ?? []);
  const family = new Set(pids);
  let size;
  do {
    size = family.size;
    for (const { pid, ppid } of all) if (family.has(ppid)) family.add(pid);
  } while (family.size > size);
  return all.filter(({ pid }) => family.has(pid));
}

/** @param {number} pid */
function residentBytes(pid) {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readIfThere(`/proc/${pid}/status`) ?? '')?.[1];
  return Number(kib ?? 0) * 1024;
}

/** @param {number} pid */
function schedMicrosOf(pid) {
  let nanos = 0;
  for (const thread of listIfThere(`/proc/${pid}/task`)) {
    const text = readIfThere(`/proc/${pid}/task/${thread}/schedstat`);
    if (text === undefined) return undefined;
    nanos += Number(text.split(' ')[0]);
  }
  return nanos / 1000;
}

/** @param {number} pid */
function socketInodes(pid) {
  const inodes = new Set();
  for (const fd of listIfThere(`/proc/${pid}/fd`)) {
    const inode = /^socket:\[(\d+)\]$/.exec(ifThere(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? '')?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  return inodes;
}

/** @param {string} file */
function readIfThere(file) {
  return ifThere(() => readFileSync(file, 'utf8'));
}

/** @param {string} directory */
function listIfThere(directory) {
  return ifThere(() => readdirSync(directory)) ?? [];
}

/**
 * A process may end, or a thread or socket go, between listing and reading: that is no error.
 *
 * @template T
 * @param {() => T} read
 * @returns {T | undefined}
 */
function ifThere(read) {
  try {
    return read();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    throw error;
  }
}
