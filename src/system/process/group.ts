/**
 * Process groups: a program and what it has started, known by the pid of the first. A process that makes a session of its own
 * (`setsid`) leaves its group, and nobody can follow it.
 */
import process from 'node:process';
import { setTimeout as delay } from 'node:timers/promises';

import { errorCode } from '../error.js';

/** How often to look whether anybody is left, in milliseconds: a group tells nobody when it ends. */
const LOOK_MS = 20;

/** Sends a signal to all of a group. @returns whether anybody was there. */
export function signalGroup(pgid: number, signal: 'SIGTERM' | 'SIGKILL' | 0): boolean {
  try {
    process.kill(-pgid, signal);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM'; // there, but it has become somebody else
  }
}

/**
 * Ends a group: SIGTERM, and SIGKILL to those who are left after the grace.
 *
 * @returns whether somebody had to be killed; later, when nobody is left.
 */
export async function endGroup(pgid: number, graceMs: number): Promise<boolean> {
  if (!signalGroup(pgid, 'SIGTERM')) return false;
  if (await isGone(pgid, graceMs)) return false;
  signalGroup(pgid, 'SIGKILL');
  // A process that waits for a dead disk is not gone at once; nobody waits for it for ever.
  await isGone(pgid, KILLED_MS);
  return true;
}

const KILLED_MS = 2000;

async function isGone(pgid: number, withinMs: number): Promise<boolean> {
  const deadline = performance.now() + withinMs;
  while (signalGroup(pgid, 0)) {
    if (performance.now() >= deadline) return false;
    await delay(LOOK_MS);
  }
  return true;
}
