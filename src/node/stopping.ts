/**
 * How a command ends a node that runs on a directory: it asks, and insists where nothing happens.
 *
 *     in this process table   SIGTERM -> so long -> SIGINT, which as a second signal ends it at once -> a moment -> SIGKILL
 *     in another container    `node.stop` through the control socket -> so long; there is nothing behind that
 */
import { setTimeout as delay } from 'node:timers/promises';

import { systemBeacons } from '../system/beacon.js';
import { errorCode } from '../system/error.js';
import { isLit } from '../system/holder.js';
import { systemProcesses } from '../system/processes.js';
import type { Holder } from '../system/holder.js';
import { ControlClient } from './control.js';
import { NodeError } from './error.js';
import { namedNode } from './pidfile.js';
import { RemoteNode } from './process-control.js';

/** How it ended. */
export type StopOutcome = 'stopped' | 'killed' | 'not-running' | 'not-allowed' | 'still-running';

export interface StopOptions {
  /** Where `node.pid` lies. */
  readonly directory: string;
  /** How long the orderly end may take, in milliseconds; undefined: as long as the node says, and a moment. */
  readonly timeoutMs: number | undefined;
  /** Told what is done. */
  readonly say: (line: string) => void;
}

/** How long a node has to end at once, after its second signal, and how long the system has to end it. */
const MOMENT_MS = 5000;

/** The longest end of a node whose config says nothing of it. */
const USUAL_END_MS = 30_000;

const LOOK_EVERY_MS = 50;

/** Ends the node and returns when it is gone, or when nothing more can be done. @throws NodeError `ERR_NODE_CONTROL` */
export async function stopNodeOn({ directory, timeoutMs, say }: StopOptions): Promise<StopOutcome> {
  const node = await namedNode(directory);
  if (node === undefined || node.where === 'gone') return 'not-running';
  const { holder, where } = node;
  say(`stopping the node on ${directory} (pid ${holder.pid}${where === 'here' ? '' : ' of another container'})`);
  const patienceMs = timeoutMs ?? (await longestEndMs(directory)) + MOMENT_MS;
  return where === 'here' ? insist(holder, patienceMs, say) : ask(directory, holder, patienceMs);
}

/** @returns what the node says of its own end; what most would say when it cannot be asked, or does not answer. */
async function longestEndMs(directory: string): Promise<number> {
  const client = await ControlClient.connect(directory);
  if (client === undefined) return USUAL_END_MS;
  const tooLate = setTimeout(() => client.close(), MOMENT_MS);
  try {
    return await new RemoteNode(client).longestEndMs();
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
    return USUAL_END_MS;
  } finally {
    clearTimeout(tooLate);
    client.close();
  }
}

async function insist(holder: Holder, timeoutMs: number, say: (line: string) => void): Promise<StopOutcome> {
  const isGone = async () => !(await systemProcesses.isRunning(holder));
  try {
    process.kill(holder.pid, 'SIGTERM');
    if (await within(timeoutMs, isGone)) return 'stopped';
    say(`it still runs after ${timeoutMs / 1000} s: ending it at once`);
    process.kill(holder.pid, 'SIGINT');
    if (await within(MOMENT_MS, isGone)) return 'killed';
    say('it does not react: killing it');
    process.kill(holder.pid, 'SIGKILL');
    return (await within(MOMENT_MS, isGone)) ? 'killed' : 'still-running';
  } catch (error) {
    if (errorCode(error) === 'EPERM') return 'not-allowed';
    // It ended by itself between the look and the signal.
    if (errorCode(error) === 'ESRCH') return 'stopped';
    throw error;
  }
}

async function ask(directory: string, holder: Holder, timeoutMs: number): Promise<StopOutcome> {
  const client = await ControlClient.connect(directory);
  if (client === undefined) {
    const text = `the node on ${directory} runs in another container and has no control socket: stop it there`;
    throw new NodeError('ERR_NODE_CONTROL', text);
  }
  try {
    await new RemoteNode(client).stop();
  } finally {
    client.close();
  }
  const deps = { processes: systemProcesses, beacons: systemBeacons };
  const isGone = async () => (await isLit(holder, directory, deps)) !== true;
  return (await within(timeoutMs, isGone)) ? 'stopped' : 'still-running';
}

/** @returns whether it came true in time. */
async function within(ms: number, isTrue: () => Promise<boolean>): Promise<boolean> {
  const end = performance.now() + ms;
  for (;;) {
    if (await isTrue()) return true;
    if (performance.now() >= end) return false;
    await delay(LOOK_EVERY_MS);
  }
}
