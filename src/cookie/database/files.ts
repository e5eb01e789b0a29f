/**
 * The files of an open database. When somebody renames, deletes or replaces them, what is written is gone with the next start, and
 * without the lock file another process could write at the same time.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';

const NAMES = ['data.mdb', 'lock.mdb'];

/** The names of the database lead to other files now, or to none. */
export class DatabaseLost extends Error {
  override readonly name = 'DatabaseLost';

  constructor(file: string) {
    super(`${file} was renamed, deleted or replaced by somebody else`);
  }
}

/** Notices when the files of an open database are no longer those that were opened. */
export class DatabaseFiles {
  readonly #paths: readonly string[];
  readonly #identities: readonly string[];

  /** @param directory that of a database that has just been opened. */
  constructor(directory: string) {
    this.#paths = NAMES.map((name) => join(directory, name));
    this.#identities = this.#paths.map(identityOf);
  }

  /** @throws DatabaseLost when a file is not the one that was opened. */
  check(): void {
    for (const [index, path] of this.#paths.entries()) {
      if (identityOf(path) !== this.#identities[index]) throw new DatabaseLost(path);
    }
  }
}

/** @returns what tells a file from any other; empty when there is no file. */
function identityOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? '' : `${found.dev}:${found.ino}`;
}
