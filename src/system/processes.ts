/**
 * Which processes are running: what the lock needs to know of the system. A pid alone is not enough, because after a
 * crash another program may have it; where `/proc` exists (Linux) the boot and the start time settle the matter.
 */
import { readFile } from 'node:fs/promises';
import process from 'node:process';

import { errorCode } from './error.js';

/** A process as it is written to a lock file. */
export interface ProcessName {
  readonly pid: number;
  /** What tells it from an earlier or later process of the same pid; null where the system cannot say. */
  readonly started: string | null;
}

/** Who runs on this machine, or in this container. */
export interface ProcessTable {
  /** This process. */
  self(): Promise<ProcessName>;
  isRunning(name: ProcessName): Promise<boolean>;
}

/** That of the machine. */
export const systemProcesses: ProcessTable = {
  self: async () => ({ pid: process.pid, started: (await lookUp(process.pid))?.started ?? null }),
  isRunning: async ({ pid, started }) => {
    if (!exists(pid)) return false;
    const found = await lookUp(pid);
    if (found === undefined) return true;
    // A zombie was killed and only waits for its parent to notice.
    return !found.dead && (started === null || started === found.started);
  },
};

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM'; // there, but somebody else's
  }
}

async function lookUp(pid: number): Promise<{ readonly started: string; readonly dead: boolean } | undefined> {
  const stat = await readProc(`/proc/${pid}/stat`);
  const boot = await readProc('/proc/sys/kernel/random/boot_id');
  if (stat === undefined || boot === undefined) return undefined;
  // The second field is the command in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state = '', startTicks = ''] = [fields[0], fields[19]];
  return { started: `${boot.trim()}/${startTicks}`, dead: state === 'Z' || state === 'X' };
}

async function readProc(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    return undefined; // no /proc, or the process has just ended: the caller goes by the pid alone
  }
}
