/** The audit log in a file, which is synced. Standard output is one, too, where it leads to a file. */
import { LineFile } from '../system/line-file.js';
import type { AuditPlace } from './place.js';

/** Appends to one file. */
export class FilePlace implements AuditPlace {
  readonly name: string;
  readonly #file: LineFile;

  /** @param fd of a file that is open already, and not ours. @throws the error of the system when the file cannot be opened. */
  constructor(name: string, fd?: number) {
    this.name = name;
    this.#file = new LineFile(fd ?? name);
  }

  write(line: Buffer): number {
    return this.#file.append(line);
  }

  sync(done: (error: Error | null) => void): void {
    this.#file.sync(done);
  }

  reopen(): boolean {
    return this.#file.reopen();
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#file.close();
      resolve();
    });
  }
}
