/**
 * Which file of a directory a URL path names. This is where a request is kept inside the directory: no dot segment
 * arrives (`target.ts`), no separator hides in an encoded segment, no dot file is found, and a symbolic link counts
 * only if what it points to is inside as well. Anything odd is `missing`, so that nobody learns what is there.
 */
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';

/** What a path names. */
export type Found =
  | { readonly kind: 'file'; readonly file: string }
  /** A directory that has no default file. */
  | { readonly kind: 'directory'; readonly directory: string }
  /** A directory asked for without the slash that relative links in its pages need. */
  | { readonly kind: 'without-slash' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'missing' };

const MISSING: Found = { kind: 'missing' };

/** The only name with a leading dot that is public by design (RFC 8615). */
const WELL_KNOWN = '.well-known';

/** Looks up files below one directory. */
export class FileLookup {
  readonly #root: string;
  readonly #defaultFile: string;

  private constructor(root: string, defaultFile: string) {
    this.#root = root;
    this.#defaultFile = defaultFile;
  }

  /**
   * @param directory may itself be a link, and may lie below a dot directory
   * @param defaultFile the file that answers for a directory
   * @throws Error naming the directory when it is missing, unreadable or not a directory
   */
  static async open(directory: string, defaultFile: string): Promise<FileLookup> {
    let root: string;
    try {
      root = await realpath(directory);
      if (!(await stat(root)).isDirectory()) throw new Error('not a directory');
    } catch (error) {
      const reason = errorCode(error) === 'ENOENT' ? 'it does not exist' : describe(error);
      throw new Error(`cannot serve the static directory ${directory}: ${reason}`, { cause: error });
    }
    return new FileLookup(root, defaultFile);
  }

  /** @param rest a checked URL path below the mount: empty, or starting with `/` */
  async find(rest: string): Promise<Found> {
    if (rest === '') return { kind: 'without-slash' };
    const names = rest.slice(1).split('/').map(decodeURIComponent);
    const withSlash = names.at(-1) === '';
    if (withSlash) names.pop();
    if (!names.every(isPublicName)) return MISSING;
    try {
      return await this.#resolve(path.join(this.#root, ...names), withSlash);
    } catch (error) {
      return notFoundOr(error);
    }
  }

  async #resolve(file: string, withSlash: boolean): Promise<Found> {
    if (!(await this.#isInside(file))) return MISSING;
    const found = await stat(file);
    // A pipe or a device would never end, or worse.
    if (found.isFile()) return withSlash ? MISSING : { kind: 'file', file };
    if (!found.isDirectory()) return MISSING;
    return withSlash ? this.#resolveDirectory(file) : { kind: 'without-slash' };
  }

  async #resolveDirectory(directory: string): Promise<Found> {
    const file = path.join(directory, this.#defaultFile);
    try {
      if ((await this.#isInside(file)) && (await stat(file)).isFile()) return { kind: 'file', file };
    } catch (error) {
      if (notFoundOr(error).kind === 'forbidden') return { kind: 'forbidden' };
    }
    return { kind: 'directory', directory };
  }

  async #isInside(file: string): Promise<boolean> {
    const real = await realpath(file);
    return real === this.#root || real.startsWith(this.#root.endsWith(path.sep) ? this.#root : this.#root + path.sep);
  }
}

/** Whether a directory entry may be shown and served. */
export function isPublicName(name: string): boolean {
  return name !== '' && !/[/\\]/.test(name) && (!name.startsWith('.') || name === WELL_KNOWN);
}

/** @throws the error when it is not about the path, but about us: too many open files, a failing disk */
function notFoundOr(error: unknown): Found {
  switch (errorCode(error)) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
    case 'ELOOP':
      return MISSING;
    case 'EACCES':
    case 'EPERM':
      return { kind: 'forbidden' };
    default:
      throw error;
  }
}

function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
