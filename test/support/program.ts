/** A program that a test starts beside the node: its output as it comes, and its end. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, symlinkSync } from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

const running = new Set<ChildProcess>();
// The net under forgotten `stop` calls: nothing outlives the test process.
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

export class Program {
  /** All that it has written so far. */
  output = '';
  readonly #child: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Set<() => void>();

  constructor(command: string, args: readonly string[], { cwd, env = {} }: ProgramOptions) {
    this.#name = [path.basename(command), ...args].join(' ');
    this.#child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.output += text;
        this.#wake();
      });
    }
    this.#child.once('close', () => {
      running.delete(this.#child);
      this.#wake();
    });
  }

  /** Waits until it has written something. @throws Error with all that it wrote when it ends without. */
  async writes(text: string | RegExp): Promise<void> {
    const isThere = (): boolean => (typeof text === 'string' ? this.output.includes(text) : text.test(this.output));
    while (!isThere()) {
      if (!running.has(this.#child)) throw new Error(`${this.#name} ended:\n${this.output}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends it and waits for that. @returns its exit code; null when the signal ended it. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (running.has(this.#child)) {
      const closed = once(this.#child, 'close');
      this.#child.kill(signal);
      await closed;
    }
    return this.#child.exitCode;
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }
}

/** Makes packages of this checkout, and this package itself, look as if they were installed in a directory. */
export function install(directory: string, names: readonly string[]): void {
  for (const name of names) {
    const place = path.join(directory, 'node_modules', name);
    mkdirSync(path.dirname(place), { recursive: true });
    symlinkSync(name === 'crossbar-ts' ? ROOT : path.join(ROOT, 'node_modules', name), place);
  }
  const bin = path.join(directory, 'node_modules/.bin');
  mkdirSync(bin, { recursive: true });
  symlinkSync(path.join(ROOT, 'bin/crossbar-ts.js'), path.join(bin, 'crossbar-ts'));
}
