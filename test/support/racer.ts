/** Another process with a cookie database open (`cookie-racer.js`), which does what it is told. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { transpile } from './transpile.js';

const RACER = path.join(import.meta.dirname, 'cookie-racer.js');

/** @returns a directory with what racers run; `dispose` removes it. */
export async function compileRacer(): Promise<{ readonly directory: string; dispose(): Promise<void> }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'cookie-store-'));
  await transpile(['cookie', 'log', 'system', 'wamp'], directory);
  return { directory, dispose: () => rm(directory, { recursive: true, force: true }) };
}

export class Racer {
  readonly #child;
  readonly #lines: AsyncIterator<string>;

  /** @param compiled see {@link compileRacer}. @param directory that of the database. */
  constructor(compiled: string, directory: string) {
    this.#child = spawn(process.execPath, [RACER, compiled, directory], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  /** The next line that it says: `ready`, then `done` for each order. */
  async next(): Promise<unknown> {
    return (await this.#lines.next()).value;
  }

  tell(order: string): void {
    this.#child.stdin.write(`${order}\n`);
  }

  async end(): Promise<void> {
    this.#child.stdin.end();
    if (this.#child.exitCode === null) await once(this.#child, 'exit');
  }
}
