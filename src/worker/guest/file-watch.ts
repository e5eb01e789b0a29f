/** Watches directories, and tells when files have changed and then nothing has for a while. */
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import path from 'node:path';

/** An editor writes in several steps, a build in many. */
const QUIET_MS = 300;

/** Who is told. */
export interface FileWatchOptions {
  readonly onChange: (file: string) => void;
  readonly onProblem: (directory: string, problem: unknown) => void;
}

/** Watches until it is closed. */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #watchers: FSWatcher[] = [];
  #quiet: NodeJS.Timeout | undefined;

  constructor(directories: readonly string[], options: FileWatchOptions) {
    this.#options = options;
    for (const directory of directories) this.#watch(directory);
  }

  /** Ends it. Idempotent. */
  close(): void {
    clearTimeout(this.#quiet);
    for (const watcher of this.#watchers.splice(0)) watcher.close();
  }

  #watch(directory: string): void {
    const { onProblem } = this.#options;
    try {
      const watcher = watch(directory, { recursive: true }, (_event, name) => this.#changed(directory, name));
      watcher.on('error', (problem) => onProblem(directory, problem));
      this.#watchers.push(watcher);
    } catch (problem) {
      onProblem(directory, problem);
    }
  }

  #changed(directory: string, name: string | null): void {
    if (name !== null && isLeftOut(name)) return;
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => this.#options.onChange(path.join(directory, name ?? '')), QUIET_MS);
  }
}

/** @param name below the directory that is watched. @returns whether nobody wants to hear of it */
export function isLeftOut(name: string): boolean {
  return name.split(path.sep).some((part) => part.startsWith('.') || part === 'node_modules');
}
