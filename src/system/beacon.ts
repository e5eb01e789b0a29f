/**
 * A sign of life that the kernel takes away with its process, kill -9 included: a bound socket beside a lock. A process that
 * finds the lock asks whether somebody listens there. Pids cannot tell that between containers that share a volume: each has its
 * own table of processes, and in most of them the node is pid 1. The name of a beacon is random, so nobody else binds it.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import type { Server } from 'node:net';

import { errorCode } from './error.js';

export interface Beacon {
  /** The name of its file, without directory. */
  readonly name: string;
  /** Nobody finds it any more. Idempotent. */
  end(): void;
}

/** Makes signs of life and asks for those of others. */
export interface Beacons {
  /** @throws an error of the system where a directory takes no sockets, as some network drives do. */
  light(directory: string): Promise<Beacon>;
  /** @returns undefined when that cannot be told: there is no such file, or it cannot be asked. */
  isLit(directory: string, name: string): Promise<boolean | undefined>;
  /** Removes what a process left behind that is gone. */
  remove(directory: string, name: string): void;
}

const NAME = /^\.alive\.[0-9a-f]{16}$/;

/** What fits into the address of a socket on Linux. */
const MAX_PATH_BYTES = 107;

/** Those of the machine: sockets in the directory of the lock. */
export const systemBeacons: Beacons = {
  light: async (directory) => {
    const name = `.alive.${randomBytes(8).toString('hex')}`;
    const file = path.join(directory, name);
    const server = createServer((socket) => socket.destroy());
    await withAddress(directory, name, (address) => listen(server, address));
    // It says that the process is there; it is no reason to stay.
    server.unref();
    return {
      name,
      end: () => {
        server.close();
        rmSync(file, { force: true });
      },
    };
  },
  isLit: (directory, name) => withAddress(directory, name, isAnswered),
  remove: (directory, name) => rmSync(path.join(directory, name), { force: true }),
};

/** @returns whether a file that names a beacon may be believed: only names of ours are asked for, or removed. */
export function isBeaconName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name);
}

/** A path that is too long for a socket is reached through the open directory. */
async function withAddress<T>(directory: string, name: string, use: (address: string) => Promise<T>): Promise<T> {
  const file = path.join(directory, name);
  if (Buffer.byteLength(file) <= MAX_PATH_BYTES) return use(file);
  const opened = openSync(directory, 'r');
  try {
    return await use(`/proc/self/fd/${opened}/${name}`);
  } finally {
    closeSync(opened);
  }
}

async function listen(server: Server, address: string): Promise<void> {
  // Every process that can see the lock may ask, under any user.
  server.listen({ path: address, readableAll: true, writableAll: true });
  await once(server, 'listening');
}

function isAnswered(address: string): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    const probe = connect(address);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => {
      const code = errorCode(error);
      // EAGAIN: a full backlog, so somebody is there, only busy.
      resolve(code === 'ECONNREFUSED' ? false : code === 'EAGAIN' ? true : undefined);
    });
  });
}
