/** The processes of the fronts of a daemon, seen from outside: which there are, and which of them has the connection of a client. Linux only. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import type { Daemon } from './daemon.js';
import type { WampClient } from './wamp-client.js';

/** A front as its node told of it last. */
export interface FrontPid {
  readonly number: number;
  readonly pid: number;
}

/** @returns the last process of each front that was told to be there, by number. */
export function frontsOf(daemon: Daemon): readonly FrontPid[] {
  const last = new Map<number, number>();
  for (const record of daemon.logs) {
    if (record.msg === 'front started') last.set(record['front'] as number, record['pid'] as number);
  }
  return [...last].map(([number, pid]) => ({ number, pid })).sort((a, b) => a.number - b.number);
}

/** Resolves when a front of this number is there that is not that process. */
export async function frontAgain(daemon: Daemon, { number, pid }: FrontPid): Promise<FrontPid> {
  await daemon.waitForLog((record) => {
    if (record.msg !== 'front started' || record['front'] !== number || record['pid'] === pid) return false;
    return daemon.logs.indexOf(record) > daemon.logs.findIndex((each) => each['pid'] === pid);
  });
  const found = frontsOf(daemon).find((front) => front.number === number);
  if (found === undefined) throw new Error(`there is no front ${number}`);
  return found;
}

/** @returns the process of the parent of a front. */
export function parentOf(pid: number): number {
  const [, after = ''] = /\) \S (\d+) /.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
  return Number(after);
}

/** @returns whether such a process runs; one that has ended and was not asked for its end does not. */
export function isThere(pid: number): boolean {
  try {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** @returns the ports of the clients whose connections to a port of this machine a process has accepted. */
export function clientPortsAt(pid: number, port: number): ReadonlySet<number> {
  const inodes = new Set<string>();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    const [, inode] = /^socket:\[(\d+)\]$/.exec(linkOf(`/proc/${pid}/fd/${fd}`)) ?? [];
    if (inode !== undefined) inodes.add(inode);
  }
  const ports = new Set<number>();
  for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
    const [, local = '', remote = '', , , , , , , inode = ''] = line.trim().split(/\s+/);
    if (portIn(local) === port && inodes.has(inode)) ports.add(portIn(remote));
  }
  return ports;
}

/** @returns the port of a client's own end. */
export function ownPort({ socket }: WampClient): number {
  const { _socket: own } = socket as unknown as { readonly _socket: Socket };
  return own.localPort ?? 0;
}

function portIn(address: string): number {
  return Number.parseInt(address.split(':')[1] ?? '0', 16);
}

/** A descriptor may be closed meanwhile. */
function linkOf(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}
