/** Fresh directories that nobody else can look into. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** How many characters `mkdtemp` puts to a name. */
const RANDOM_LENGTH = 6;

/**
 * Makes a directory for this user alone, in the first place that can be written to: the root of a container is often read-only. Whoever
 * asks for it removes it.
 *
 * @param prefix of its name.
 * @param maxLength of its path; by default any.
 * @returns its path, absolute.
 * @throws the error of the last place (rejects).
 */
export async function makePrivateDirectory(prefix: string, maxLength = Infinity): Promise<string> {
  const places = [tmpdir(), '/tmp', '/dev/shm', '/run'];
  let problem: unknown;
  for (const place of new Set(places)) {
    const beginning = path.join(path.resolve(place), prefix);
    try {
      if (Buffer.byteLength(beginning) + RANDOM_LENGTH <= maxLength) return await mkdtemp(beginning);
    } catch (error) {
      problem = error;
    }
  }
  throw problem;
}
