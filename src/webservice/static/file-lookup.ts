/**
 * Which file of a directory a URL path names. What the config calls the directory may be one file, too. This is where a request is
 * kept inside the directory: no dot segment arrives (`target.ts`), no separator hides in an encoded segment, no dot file is found,
 * and a symbolic link counts only if what it points to is inside as well and could be asked for by its own name. What is private to
 * the node is not found, wherever it lies. Anything odd is `missing`, so that a client does not learn what is there.
 */
import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import { isMountItself } from '../../http/target.js';
import { errorCode } from '../../system/error.js';

/** What a path names. */
export type Found =
  | { readonly kind: 'file'; readonly file: string }
  /** A directory without the file that answers for it. */
  | { readonly kind: 'directory'; readonly directory: string }
  /** A directory asked for without the slash that relative links in its pages need. */
  | { readonly kind: 'without-slash' }
  | { readonly kind: 'forbidden' }
  | { readonly kind: 'missing' };

const MISSING: Found = { kind: 'missing' };

/** The only name with a leading dot that is public by design (RFC 8615). */
const WELL_KNOWN = '.well-known';

/** What is served is the node's own: no request may find it, however often it looks. */
export class PrivatePlaceError extends Error {
  override readonly name = 'PrivatePlaceError';
}

/** Looks up files below one directory, or the one file that is all there is. */
export class FileLookup {
  readonly #root: string;
  /** The root is a file. */
  readonly isFile: boolean;
  /** The name of the file that answers for a directory. */
  readonly #index: string;
  /** Real paths of files and directories. */
  readonly #privatePaths: readonly string[];

  private constructor(root: string, isFile: boolean, index: string, privatePaths: readonly string[]) {
    this.#root = root;
    this.isFile = isFile;
    this.#index = index;
    this.#privatePaths = privatePaths;
  }

  /**
   * @param directory may itself be a link, and may lie below a dot directory; or a file, which answers at the mount itself
   * @param index the name of the file that answers for a directory
   * @param privatePaths files and directories that are never served; a directory of them may hold this one
   * @throws Error when it is missing, unreadable, or neither a directory nor a file; {@link PrivatePlaceError}
   */
  static async open(directory: string, index: string, privatePaths: readonly string[] = []): Promise<FileLookup> {
    const root = await realpath(directory);
    const found = await stat(root);
    const real = await Promise.all(privatePaths.map(realOrSame));
    if (real.includes(root)) throw new PrivatePlaceError('what is in it is private to the node');
    if (found.isFile()) {
      if (!isPublicFile(root, real)) throw new PrivatePlaceError('the file is private to the node, or hidden');
    } else if (!found.isDirectory()) throw new Error('neither a directory nor a file');
    const secluded = real.filter((place) => !isBelow(root, place));
    return new FileLookup(root, found.isFile(), index, secluded);
  }

  /** @param file its path from the root; may lead anywhere, and is found only if it can be asked for */
  async fileAt(file: string): Promise<Found> {
    return this.isFile ? MISSING : this.#fileIn(this.#root, file);
  }

  /** @param rest a checked URL path below the mount: empty, or starting with `/` */
  async find(rest: string): Promise<Found> {
    if (this.isFile) return isMountItself(rest) ? { kind: 'file', file: this.#root } : MISSING;
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
    if (!this.#isPublic(await realpath(file))) return MISSING;
    const found = await stat(file);
    // A pipe or a device would never end, or worse.
    if (found.isFile()) return withSlash ? MISSING : { kind: 'file', file };
    if (!found.isDirectory()) return MISSING;
    return withSlash ? this.#resolveDirectory(file) : { kind: 'without-slash' };
  }

  async #resolveDirectory(directory: string): Promise<Found> {
    const found = await this.#fileIn(directory, this.#index);
    return found.kind === 'missing' ? { kind: 'directory', directory } : found;
  }

  async #fileIn(directory: string, name: string): Promise<Found> {
    const file = path.join(directory, name);
    try {
      return this.#isPublic(await realpath(file)) && (await stat(file)).isFile() ? { kind: 'file', file } : MISSING;
    } catch (error) {
      return notFoundOr(error);
    }
  }

  /** Whether an entry of a directory, which may be a link, would be found. */
  async shows(file: string): Promise<boolean> {
    try {
      return this.#isPublic(await realpath(file));
    } catch (error) {
      notFoundOr(error);
      return false;
    }
  }

  /** @param real without links in it */
  #isPublic(real: string): boolean {
    if (real === this.#root) return true;
    if (!isBelow(real, this.#root)) return false;
    if (!path.relative(this.#root, real).split(path.sep).every(isPublicName)) return false;
    return !this.#privatePaths.some((place) => real === place || isBelow(real, place) || isBeside(real, place));
  }
}

/**
 * Whether a file that the config names may be served. A directory of pages may lie in a private one, such as the node directory,
 * where only its files are shown; a file right in a private directory is none of the pages.
 */
function isPublicFile(file: string, privatePaths: readonly string[]): boolean {
  if (!isPublicName(path.basename(file))) return false;
  return !privatePaths.some(
    (place) => file === place || path.dirname(file) === place || (isBeside(file, place) && !isBelow(file, place)),
  );
}

/** Whether a path leads into a directory. */
function isBelow(file: string, directory: string): boolean {
  return file.startsWith(directory.endsWith(path.sep) ? directory : directory + path.sep);
}

/** What stands beside a file while it is written, or locked: `cookies.dat.lock`. */
function isBeside(file: string, place: string): boolean {
  return file.startsWith(`${place}.`) || file.startsWith(`${place}-`);
}

/** Something that is not there yet may come later. */
async function realOrSame(place: string): Promise<string> {
  try {
    return await realpath(place);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT' || path.dirname(place) === place) return place;
    return path.join(await realOrSame(path.dirname(place)), path.basename(place));
  }
}

/** Whether a directory entry may be shown and served. */
export function isPublicName(name: string): boolean {
  return name !== '' && !/[/\\]/.test(name) && (!name.startsWith('.') || name === WELL_KNOWN);
}

/** @throws the error when it is not about the path, but about us: too many open files, a failing disk */
export function notFoundOr(error: unknown): Found {
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
