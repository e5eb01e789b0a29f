/**
 * Pipes for the output of a process. Those that Node.js makes are sockets, and no socket can be opened by its name: a program that
 * writes to `/dev/stdout` or `/dev/stderr` would get an error. So these are named pipes, whose names are removed at once.
 */
import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { makePrivateDirectory } from '../private-directory.js';

/** One pipe: what is read here, and the descriptor for the process. */
export interface OutputPipe {
  readonly source: Socket;
  readonly fd: number;
  /** Closes our copy of the writing end, after the process has its own: else the source would never end. */
  closeWriter(): void;
}

/** @returns so many pipes. @throws where the system has no named pipes, or no room for one. */
export async function openOutputPipes(count: number): Promise<OutputPipe[]> {
  if (count === 0) return [];
  const directory = await makePrivateDirectory('crossbar-ts-pipes-');
  try {
    const names = Array.from({ length: count }, (_, index) => path.join(directory, String(index)));
    await promisify(execFile)('mkfifo', ['-m', '600', ...names]);
    return names.map(openPipe);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function openPipe(name: string): OutputPipe {
  // The reading end first, and without waiting for a writer.
  const reading = openSync(name, constants.O_RDONLY | constants.O_NONBLOCK);
  const writing = openSync(name, constants.O_WRONLY);
  return {
    source: new Socket({ fd: reading, readable: true, writable: false }),
    fd: writing,
    closeWriter: () => closeSync(writing),
  };
}
