/**
 * The files of an open database. Somebody may rename, delete or replace them: what is written then would be gone with the next
 * start, and without its lock another process could write at the same time.
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

export class DatabaseFiles {
  readonly #paths: readonly string[];
  readonly #identities: readonly string[];

  /** @param directory that of a database that has just been opened. */
  constructor(directory: string) {
    this.#paths = NAMES.map((name) => join(directory, name));
    this.#identities = this.#paths.map(identityOf);
  }

  /** @throws DatabaseLost when they are not what was opened. */
  check(): void {
    for (const [index, path] of this.#paths.entries()) {
      if (identityOf(path) !== this.#identities[index]) throw new DatabaseLost(path);
    }
  }
}

/** @returns what tells a file from any other; empty when there is none. */
function identityOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? '' : `${found.dev}:${found.ino}`;
}
