/**
 * A file beside the database that every process touches when it has logged somebody out, so that the others look at once. It has no
 * content. Where it cannot be touched or watched, the others look within a second all the same.
 */
import { utimesSync, watch, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../system/error.js';

function fileIn(directory: string): string {
  return join(directory, 'logouts');
}

/** Makes the file, if there is none. Never rejects. */
export async function prepareSignal(directory: string): Promise<void> {
  try {
    await (await open(fileIn(directory), 'a', 0o600)).close();
  } catch {
    // A directory that nobody may write to, say: see above.
  }
}

/** Tells the other processes. Never throws. */
export function giveSignal(directory: string): void {
  const file = fileIn(directory);
  const now = Date.now() / 1000;
  try {
    utimesSync(file, now, now);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') makeAgain(file);
  }
}

function makeAgain(file: string): void {
  try {
    writeFileSync(file, '', { mode: 0o600 });
  } catch {
    // The directory may be gone, too.
  }
}

/** @param onSignal called when some process has logged somebody out; also this one. @returns ends it. */
export function watchSignal(directory: string, onSignal: () => void): () => void {
  try {
    const watcher = watch(fileIn(directory), { persistent: false }, onSignal);
    watcher.on('error', () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined; // no such file, or no more watches in this system
  }
}
