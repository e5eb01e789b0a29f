/** A Redis server of our own, on a free port: nothing of it stays, and nobody else's is touched. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listeningPort } from './proc.js';

const START_SECONDS = 10;

/**
 * @param {string} directory for its files
 * @returns {Promise<{ url: string, set: (key: string, value: string, seconds: number) => Promise<void>, stop: () => Promise<void> } | undefined>}
 *   undefined where there is no `redis-server`
 */
export async function startRedis(directory) {
  const port = await freePort();
  const flags = { port, bind: '127.0.0.1', dir: path.resolve(directory), save: '', appendonly: 'no' };
  const args = Object.entries(flags).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  const outcome = await Promise.race([once(child, 'spawn'), once(child, 'error')]);
  if (outcome[0] instanceof Error) return undefined;
  const exited = once(child, 'exit');
  const deadline = performance.now() + START_SECONDS * 1000;
  while (listeningPort(child.pid ?? 0) === undefined) {
    if (performance.now() > deadline || child.exitCode !== null) throw new Error('redis-server does not listen');
    await sleep(20);
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    set: (key, value, seconds) => command(port, ['SET', key, value, 'EX', String(seconds)]),
    stop: async () => {
      child.kill();
      await exited;
    },
  };
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/** @param {number} port @param {readonly string[]} words */
async function command(port, words) {
  const socket = net.connect(port, '127.0.0.1');
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
  socket.write(`*${words.length}\r\n${parts.join('')}`);
  const [answer] = await once(socket, 'data');
  socket.destroy();
  if (!String(answer).startsWith('+OK')) throw new Error(`redis-server answered with ${String(answer).trim()}`);
}
