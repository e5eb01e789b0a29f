/** A real redis-server as a child process, on a port and in a directory of its own. What it is told outlives it, unless it is emptied. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import path from 'node:path';
import { createClient } from '@redis/client';

import { temporaryDirectory } from './daemon.js';
import { freePorts } from './ports.js';

/** Whether Debian's `redis-server`, or another one, is installed. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export type TestClient = ReturnType<typeof clientOf>;

function clientOf(url: string) {
  return createClient({ url, socket: { reconnectStrategy: 20 } }).on('error', () => undefined);
}

export interface RedisOptions {
  /** More arguments, such as `['--requirepass', 'x']`. */
  readonly args?: readonly string[];
  readonly port?: number;
  /** The config of a sentinel: then it is one. */
  readonly sentinel?: string;
}

export class RedisServer {
  readonly port: number;
  /** For the test itself, with all rights; connects when it is used first. */
  readonly client: TestClient;
  readonly #args: readonly string[];
  readonly #sentinel: string | undefined;
  readonly #directory = temporaryDirectory();
  #child: ChildProcess | undefined;

  private constructor(port: number, { args = [], sentinel }: RedisOptions) {
    this.port = port;
    this.#args = args;
    this.#sentinel = sentinel;
    this.client = clientOf(this.url());
  }

  /** Starts a server, and connects its {@link client}. */
  static async start(options: RedisOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(options.port ?? (await freePorts(1))[0] ?? 0, options);
    await server.restart();
    if (options.sentinel === undefined) await server.client.connect();
    return server;
  }

  /** @param user such as `name:password@`. */
  url(user = ''): string {
    return `redis://${user}127.0.0.1:${this.port}/0`;
  }

  /** Starts the server on the same port, with what it knew or without. */
  async restart({ isEmpty = false } = {}): Promise<void> {
    if (isEmpty) rmSync(path.join(this.#directory, 'appendonlydir'), { recursive: true });
    const where = ['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#directory];
    const keeps = ['--save', '', '--appendonly', 'yes'];
    const args = this.#sentinel === undefined ? [...where, ...keeps] : [this.#sentinel, '--sentinel', ...where];
    const child = spawn('redis-server', [...args, ...this.#args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    for await (const line of createInterface({ input: child.stdout })) {
      if (/Ready to accept connections|Sentinel ID is/.test(line)) break;
    }
    child.stdout.resume();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async dispose(): Promise<void> {
    if (this.client.isOpen) this.client.destroy();
    await this.kill();
  }
}
