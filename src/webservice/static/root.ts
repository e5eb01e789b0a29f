/**
 * The directory of a `static` service, which may come later: a build makes it, or a disk is mounted. As with Crossbar.io the
 * node starts without it, and every request looks again. A directory that was found stays found; a file is looked at each time.
 * A place that is private to the node is never served: at the start it is an error, later it is not found.
 */
import { errorCode, messageOf } from '../../system/error.js';
import { FileLookup, PrivatePlaceError } from './file-lookup.js';
import type { Logger } from '../../log/logger.js';
import type { StaticConfig } from './schema.js';

export interface StaticRootDeps {
  /** Files and directories that are never served, absolute. */
  readonly privatePaths: readonly string[];
  readonly log: Logger;
}

/** Finds the directory, and tells the log when it is away and when it has come. */
export class StaticRoot {
  readonly #config: StaticConfig;
  readonly #deps: StaticRootDeps;
  #directory: FileLookup | undefined;
  /** Why nothing is served, as the log was told; undefined: something is. */
  #reason: string | undefined;

  constructor(config: StaticConfig, deps: StaticRootDeps) {
    this.#config = config;
    this.#deps = deps;
  }

  /** @throws Error when the directory is private to the node (rejects). */
  async start(): Promise<void> {
    try {
      this.#found(await this.#open());
    } catch (error) {
      if (error instanceof PrivatePlaceError) {
        throw new Error(cannotServe(this.#config.directory, reasonOf(error)), { cause: error });
      }
      this.#away(error);
    }
  }

  /** @returns what finds files; undefined as long as there is nothing to serve. */
  async lookup(): Promise<FileLookup | undefined> {
    if (this.#directory !== undefined) return this.#directory;
    try {
      return this.#found(await this.#open());
    } catch (error) {
      this.#away(error);
      return undefined;
    }
  }

  #open(): Promise<FileLookup> {
    const { directory, options } = this.#config;
    return FileLookup.open(directory, options.index, this.#deps.privatePaths);
  }

  #found(lookup: FileLookup): FileLookup {
    if (!lookup.isFile) this.#directory = lookup;
    if (this.#reason !== undefined) {
      this.#deps.log.info({ directory: this.#config.directory }, 'static directory is there now');
    }
    this.#reason = undefined;
    return lookup;
  }

  /** Said once for each reason: every request comes here. */
  #away(error: unknown): void {
    const reason = reasonOf(error);
    if (reason === this.#reason) return;
    this.#reason = reason;
    const facts = { directory: this.#config.directory, reason };
    this.#deps.log.warn(facts, 'static directory cannot be served, each request looks again');
  }
}

/** @returns what is wrong with a static directory, as `start` and `check` say it. */
export function cannotServe(directory: string, reason: string): string {
  return `cannot serve the static directory ${directory}: ${reason}`;
}

/** @returns why nothing can be served from a directory. */
export function reasonOf(error: unknown): string {
  return errorCode(error) === 'ENOENT' ? 'it does not exist' : messageOf(error);
}
