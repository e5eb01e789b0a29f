/** The servers that are compared: our node with a transport `mqtt`, and mosquitto, which keeps and logs as little as it can. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listeningPort } from '../proc.js';
import { startConfigured } from '../servers.js';

const MOSQUITTO = '/usr/sbin/mosquitto';
const POLL_MS = 20;
const START_SECONDS = 20;

/** @typedef {{ port: number, pid: number, stop: () => Promise<string | undefined> }} MqttServer */

/** @returns {string | undefined} why it cannot be measured */
export function mosquittoProblem() {
  return spawnSync(MOSQUITTO, ['-h']).error === undefined ? undefined : `${MOSQUITTO} is not installed`;
}

/**
 * @param {object} [options] of the transport
 * @returns {Promise<import('../servers.js').Server & MqttServer>}
 */
export async function startOurs(options = {}) {
  const allow = { call: true, register: true, publish: true, subscribe: true };
  const realm = { name: 'realm1', roles: [{ name: 'anonymous', permissions: [{ uri: '*', allow }] }] };
  const endpoint = { type: 'tcp', interface: '127.0.0.1', port: 0 };
  const transport = { type: 'mqtt', endpoint, options: { realm: 'realm1', ...options } };
  const workers = [{ type: 'router', realms: [realm], transports: [transport] }];
  const server = await startConfigured({ version: 2, workers });
  return { ...server, port: Number(new URL(server.url).port) };
}

/** @returns {Promise<MqttServer>} */
export async function startMosquitto() {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'crossbar-ts-bench-mosquitto-'));
  const file = path.join(directory, 'mosquitto.conf');
  const port = await freePort();
  writeFileSync(
    file,
    [`listener ${port} 127.0.0.1`, 'allow_anonymous true', 'persistence false', 'log_dest none', ''].join('\n'),
  );
  const child = spawn(MOSQUITTO, ['-c', file], { stdio: 'ignore' });
  const exited = once(child, 'exit');
  const pid = child.pid ?? 0;
  const stop = async () => {
    const early = child.exitCode !== null;
    child.kill('SIGTERM');
    await exited;
    rmSync(directory, { recursive: true, force: true });
    return early ? `mosquitto ended by itself, with ${child.exitCode}` : undefined;
  };
  const deadline = Date.now() + START_SECONDS * 1000;
  while (listeningPort(pid) !== port) {
    if (child.exitCode !== null || Date.now() > deadline)
      throw new Error((await stop()) ?? 'mosquitto does not listen');
    await sleep(POLL_MS);
  }
  return { port, pid, stop };
}

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {net.AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}
