/** Real nats-servers as child processes, with JetStream: one, or a cluster of three, on ports and in directories of their own. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { cp, rm } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { connect } from '@nats-io/transport-node';
import { jetstreamManager } from '@nats-io/jetstream';

import { temporaryDirectory } from './daemon.js';
import { freePorts } from './ports.js';

/** Whether Debian's `nats-server`, or another one, is installed. */
export const hasNats = spawnSync('nats-server', ['--version']).status === 0;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** One server; what it keeps outlives it. */
export class NatsServer {
  readonly port: number;
  readonly #args: readonly string[];
  readonly #directory = path.join(temporaryDirectory(), 'jetstream');
  #child: ChildProcess | undefined;

  constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.#args = ['-sd', this.#directory, ...args];
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Resolves when clients can connect: JetStream of a cluster may not be ready yet. */
  async start(): Promise<void> {
    const child = spawn('nats-server', [...this.#args], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    const lines: string[] = [];
    for await (const line of createInterface({ input: child.stderr })) {
      lines.push(line);
      if (line.includes('Server is ready')) break;
    }
    if (child.exitCode !== null) throw new Error(`nats-server ended:\n${lines.join('\n')}`);
    child.stderr.resume();
  }

  /** Stops the process where it is, and lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child?.kill(name);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    if (signal === 'SIGKILL') child.kill('SIGCONT');
    await once(child, 'exit');
  }

  /** Copies what it keeps; it must not run. @returns a function that puts the copy in its place */
  async copy(): Promise<() => Promise<void>> {
    const copy = path.join(temporaryDirectory(), 'copy');
    await cp(this.#directory, copy, { recursive: true });
    return async () => {
      await this.wipe();
      await cp(copy, this.#directory, { recursive: true });
    };
  }

  /** Removes what it keeps; it must not run. */
  async wipe(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Servers that clients take for one. */
export class NatsServers {
  readonly servers: readonly NatsServer[];
  /** How many copies of a value there can be. */
  readonly replicas: 1 | 3;

  private constructor(servers: readonly NatsServer[]) {
    this.servers = servers;
    this.replicas = servers.length === 3 ? 3 : 1;
  }

  /** @param args more arguments for each. */
  static async start(count: 1 | 3, args: readonly string[] = []): Promise<NatsServers> {
    const ports = await freePorts(count * 2);
    const routes = ports.slice(count).map((port) => `nats://127.0.0.1:${port}`);
    const servers = ports.slice(0, count).map((port, index) => {
      const own = ['-a', '127.0.0.1', '-p', String(port), '-js'];
      const cluster = ['--cluster_name', 'test', '--cluster', routes[index] ?? '', '--routes', routes.join(',')];
      return new NatsServer(port, [...own, '-n', `nats${index + 1}`, ...(count === 1 ? [] : cluster), ...args]);
    });
    const all = new NatsServers(servers);
    await Promise.all(servers.map((server) => server.start()));
    await all.ready();
    return all;
  }

  get urls(): readonly string[] {
    return this.servers.map(({ url }) => url);
  }

  /** Resolves when JetStream takes a value of the most copies: a cluster elects a leader before. */
  async ready(): Promise<void> {
    const connection = await connect({ servers: [...this.urls], maxReconnectAttempts: -1 });
    try {
      for (;;) {
        try {
          const manager = await jetstreamManager(connection, { timeout: 1000 });
          const name = `ready${process.pid}`;
          await manager.streams.add({ name, subjects: [name], num_replicas: this.replicas, storage: 'memory' });
          await manager.streams.delete(name);
          return;
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    } finally {
      await connection.close();
    }
  }

  /** All go at once, and come back with empty directories. */
  async lose(): Promise<void> {
    await this.stop();
    await Promise.all(this.servers.map((server) => server.wipe()));
    await Promise.all(this.servers.map((server) => server.start()));
    await this.ready();
  }

  async stop(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.kill()));
  }
}
