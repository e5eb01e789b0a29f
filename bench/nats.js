/** Three nats-servers of our own with JetStream, on free ports: nothing of them stays, and nobody else's are touched. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const COUNT = 3;
const POLL_MS = 50;

/** @typedef {{ urls: string[], pids: number[], stop: () => Promise<void> }} Nats */

/** @returns {string | undefined} why there can be none */
export function natsProblem() {
  return spawnSync('nats-server', ['--version']).status === 0 ? undefined : 'nats-server is not installed';
}

/** @returns {Promise<Nats>} once JetStream takes values: it elects a leader before */
export async function startNats() {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'crossbar-ts-bench-nats-'));
  const ports = await freePorts(COUNT * 2);
  const routes = ports.slice(COUNT).map((port) => `nats://127.0.0.1:${port}`);
  const children = routes.map((route, index) => {
    const own = ['-a', '127.0.0.1', '-p', String(ports[index]), '-n', `nats${index + 1}`];
    const store = ['-js', '-sd', path.join(directory, String(index))];
    const cluster = ['--cluster_name', 'bench', '--cluster', route, '--routes', routes.join(',')];
    return spawn('nats-server', [...own, ...store, ...cluster], { stdio: ['ignore', 'ignore', 'pipe'] });
  });
  await Promise.all(children.map(({ stderr }) => isReady(stderr)));
  const urls = ports.slice(0, COUNT).map((port) => `nats://127.0.0.1:${port}`);
  await Promise.all(urls.map(jetStreamReady));
  return {
    urls,
    pids: children.map(({ pid }) => pid ?? 0),
    stop: async () => {
      const ended = children.map((child) => once(child, 'exit'));
      for (const child of children) child.kill('SIGKILL');
      await Promise.all(ended);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** @param {import('node:stream').Readable} stderr */
async function isReady(stderr) {
  for await (const line of createInterface({ input: stderr })) {
    if (!line.includes('Server is ready')) continue;
    stderr.resume();
    return;
  }
  throw new Error('nats-server ended');
}

/**
 * Each server says for itself for a while that there is no JetStream.
 *
 * @param {string} url
 * @param {number} index
 */
async function jetStreamReady(url, index) {
  const connection = await connect({ servers: [url], ignoreClusterUpdates: true });
  const name = `ready${index}`;
  for (let isReady = false; !isReady; await sleep(POLL_MS)) {
    try {
      const manager = await jetstreamManager(connection, { timeout: 1000 });
      await manager.streams.add({ name, subjects: [name], num_replicas: COUNT, storage: 'memory' });
      isReady = await manager.streams.delete(name);
    } catch {
      // Not yet.
    }
  }
  await connection.close();
}

/** @param {number} count @returns {Promise<number[]>} */
async function freePorts(count) {
  const servers = Array.from({ length: count }, () => net.createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => /** @type {net.AddressInfo} */ (server.address()).port);
  for (const server of servers) server.close();
  await Promise.all(servers.map((server) => once(server, 'close')));
  return ports;
}
