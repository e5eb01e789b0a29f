/** Two nodes write cookies to three servers of NATS, while one server after the other, and then the nodes, are killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import { expect, it, onTestFinished } from 'vitest';

import { connectNats } from '../../../src/engine/nats/connect.js';
import { silentLogger } from '../../../src/log/logger.js';
import { natsStoreOn } from '../../support/cookie-nats.js';
import { followed, recordOf } from '../../support/cookie-store.js';
import { hasNats, NatsServers } from '../../support/nats.js';
import { describeNeeds } from '../../support/needs.js';
import { transpile } from '../../support/transpile.js';

const WRITER = path.join(import.meta.dirname, '../../support/cookie-writer.js');
const ROUNDS = Number(process.env['COOKIE_CRASH_ROUNDS'] ?? 1);

/** A node that writes as fast as it can. */
class Writer {
  readonly acknowledged = new Map<string, string>();
  readonly #child;
  readonly #ended: Promise<unknown>;
  #lines = 0;
  #waiter: { readonly lines: number; readonly resolve: () => void } | undefined;

  constructor(compiled: string, servers: readonly string[]) {
    const args = [WRITER, compiled, `nats:${servers.join(',')}`, '8'];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#ended = Promise.all([once(this.#child, 'exit'), this.#read()]);
  }

  /** Resolves when so many more lines were acknowledged. */
  more(lines: number): Promise<void> {
    return new Promise((resolve) => (this.#waiter = { lines: this.#lines + lines, resolve }));
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  async #read(): Promise<void> {
    for await (const line of createInterface({ input: this.#child.stdout })) {
      const [what, cbtid] = line.split(' ');
      if (what === undefined || cbtid?.length !== 24) continue; // the kill cut the line
      this.acknowledged.set(cbtid, what);
      this.#lines += 1;
      if (this.#waiter !== undefined && this.#lines >= this.#waiter.lines) this.#waiter.resolve();
    }
  }
}

describeNeeds('nats-server', hasNats)('kill -9 of nodes and of servers of NATS', () => {
  it(`loses nothing that was acknowledged, in rounds: ${ROUNDS}`, { timeout: 60_000 + 60_000 * ROUNDS }, async () => {
    const compiled = await mkdtemp(path.join(tmpdir(), 'cookie-store-'));
    await transpile(['cookie', 'log', 'system', 'engine'], compiled);
    const nats = await NatsServers.start(3);
    onTestFinished(async () => {
      await nats.stop();
      await rm(compiled, { recursive: true, force: true });
    });
    let count = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      const writers = [new Writer(compiled, nats.urls), new Writer(compiled, nats.urls)];
      await Promise.all(writers.map((writer) => writer.more(50)));
      const server = nats.servers[round % 3];
      await server?.kill();
      await Promise.all(writers.map((writer) => writer.more(50)));
      await server?.start();
      await Promise.all(writers.map((writer) => writer.more(50)));
      await Promise.all(writers.map((writer) => writer.kill()));

      await nats.ready();
      const config = { servers: nats.urls, max_pending: 2 ** 24, connect_timeout: 30 };
      const deps = { log: silentLogger(), neededBy: 'a test', name: 'reader' };
      const store = natsStoreOn(() => connectNats(config, deps), 'cookies', Date.now);
      await store.open();
      for (const [cbtid, what] of writers.flatMap(({ acknowledged }) => [...acknowledged])) {
        count += 1;
        const record = await recordOf(store, cbtid);
        if (what === 'deleted') expect(record, 'came back').toBeUndefined();
        if (what === 'created') expect(record, 'was lost').toBeDefined();
        if (what === 'login') expect(record?.auth?.authid, 'lost its login').toBe('joe');
        const end = await followed(store, cbtid);
        if (what === 'moving') expect(end?.auth?.authid, 'lost on the way').toBe('joe');
        if (what === 'moved') expect([record, end?.auth?.authid]).toEqual([undefined, 'joe']);
      }
      await store.close();
    }
    expect(count).toBeGreaterThan(0);
  });
});
