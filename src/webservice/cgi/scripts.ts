/**
 * Which script a URL path names, and what of the path is left for it. A script is found as a file of the service `static` is: nothing
 * outside of the directory, no dot file, and nothing that is private to the node. The directory may come later.
 */
import { realpath } from 'node:fs/promises';
import { errorCode } from '../../system/error.js';
import { FileLookup, PrivatePlaceError } from '../static/file-lookup.js';

/** A directory is no script: nobody asks for a name with a slash at its end. */
const INDEX_FILE = 'index.html';

/** A script that is there. */
export interface Script {
  /** Its real path. */
  readonly file: string;
  /** Its URL path below the mount, decoded; begins with a slash. */
  readonly name: string;
  /** The rest of the URL path, decoded; empty, or begins with a slash. */
  readonly pathInfo: string;
  /** What `PATH_INFO` would name as a path below the directory of all scripts. */
  readonly pathTranslated: string;
}

/** Looks up scripts. */
export class Scripts {
  readonly #directory: string;
  readonly #privatePaths: readonly string[];
  #lookup: FileLookup | undefined;

  constructor(directory: string, privatePaths: readonly string[]) {
    this.#directory = directory;
    this.#privatePaths = privatePaths;
  }

  /** @throws Error when the directory is private to the node, or none (rejects). */
  async start(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return;
      const reason = error instanceof PrivatePlaceError ? error.message : 'it is no directory that can be read';
      throw new Error(`cannot run the scripts of ${this.#directory}: ${reason}`, { cause: error });
    }
  }

  /** @param rest a checked URL path below the mount. @returns undefined where there is none */
  async find(rest: string): Promise<Script | undefined> {
    const lookup = await this.#opened();
    if (lookup === undefined || rest === '') return undefined;
    const segments = rest.slice(1).split('/');
    for (let count = 1; count <= segments.length; count++) {
      const encoded = segments.slice(0, count).join('/');
      const found = await lookup.find(`/${encoded}`);
      if (found.kind === 'file') return this.#script(found.file, encoded, segments.slice(count));
      if (found.kind !== 'without-slash') return undefined;
    }
    return undefined;
  }

  async #script(found: string, encoded: string, others: readonly string[]): Promise<Script | undefined> {
    const parts = others.map(decodeURIComponent);
    // Nobody could tell it from one that separates.
    if (parts.some((part) => part.includes('/'))) return undefined;
    const pathInfo = parts.map((part) => `/${part}`).join('');
    const file = await realpath(found);
    return { file, name: `/${decodeURIComponent(encoded)}`, pathInfo, pathTranslated: this.#directory + pathInfo };
  }

  async #opened(): Promise<FileLookup | undefined> {
    try {
      return this.#lookup ?? (await this.#open());
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined;
      throw error;
    }
  }

  async #open(): Promise<FileLookup> {
    const lookup = await FileLookup.open(this.#directory, INDEX_FILE, this.#privatePaths);
    if (lookup.isFile) throw new Error('it is a file');
    this.#lookup = lookup;
    return lookup;
  }
}
