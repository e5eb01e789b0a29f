/**
 * The processes that are measured: our node as it is shipped, and the bare `ws` servers. Each measurement gets a process
 * of its own, so that no scenario runs on what another one has left behind.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listeningPort } from './proc.js';

const ROOT = path.dirname(import.meta.dirname);
const NODE_BIN = path.join(ROOT, 'bin/crossbar-ts.js');
const NODE_DIST = path.join(ROOT, 'dist/cli/main.js');
const COOKIE_FILE = 'cookies.dat';
const START_SECONDS = 20;
const STOP_SECONDS = 10;
const POLL_MS = 10;
const MAX_OUTPUT_BYTES = 20_000;

/**
 * @typedef {object} Server
 * @property {string} url
 * @property {number} pid
 * @property {string | undefined} cookieFile
 * @property {() => Promise<string | undefined>} stop resolves to what went wrong, if anything did
 */

/** @returns {string | undefined} why our node cannot be started */
export function buildProblem() {
  const missing = [NODE_BIN, NODE_DIST].find((file) => !existsSync(file));
  return missing === undefined ? undefined : `${path.relative(ROOT, missing)} is not there: run "npm run build" first`;
}

/**
 * @param {'none' | 'memory' | 'file'} cookie
 * @returns {Promise<Server>}
 */
export async function startNode(cookie) {
  const cbdir = mkdtempSync(path.join(os.tmpdir(), 'crossbar-ts-bench-'));
  const removeDirectory = () => rmSync(cbdir, { recursive: true, force: true });
  try {
    writeFileSync(path.join(cbdir, 'config.json'), JSON.stringify(nodeConfig(cookie)));
    const server = await start([NODE_BIN, 'start', '--cbdir', cbdir, '--loglevel', 'warn', '--logformat', 'json']);
    const stop = () => server.stop().finally(removeDirectory);
    return { ...server, stop, cookieFile: cookie === 'file' ? path.join(cbdir, COOKIE_FILE) : undefined };
  } catch (error) {
    removeDirectory();
    throw error;
  }
}

/**
 * @param {'echo' | 'broadcast' | 'accept'} behaviour
 * @returns {Promise<Server>}
 */
export function startBaseline(behaviour) {
  return start([path.join(import.meta.dirname, 'baseline.js'), behaviour]);
}

/**
 * A node as one would run it: nothing is switched off, every limit stands at its default.
 *
 * @param {'none' | 'memory' | 'file'} cookie
 */
function nodeConfig(cookie) {
  const store = cookie === 'file' ? { type: 'file', filename: COOKIE_FILE } : { type: 'memory' };
  const allowAll = { uri: '', match: 'prefix', allow: { call: true, register: true, publish: true, subscribe: true } };
  return {
    version: 2,
    workers: [
      {
        type: 'router',
        realms: [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: [allowAll] }] }],
        transports: [
          {
            type: 'web',
            endpoint: { type: 'tcp', interface: '127.0.0.1', port: 0 },
            paths: {
              '/': { type: 'nodeinfo' },
              ws: { type: 'websocket', ...(cookie === 'none' ? {} : { cookie: { store } }) },
            },
          },
        ],
      },
    ],
  };
}

/**
 * @param {readonly string[]} args of a Node.js process that listens on one port
 * @returns {Promise<Server>} once it listens
 */
async function start(args) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const command = path.relative(ROOT, args[0] ?? '');
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (output = (output + text).slice(0, MAX_OUTPUT_BYTES)));
  }
  const exited = once(child, 'exit');
  await once(child, 'spawn');
  const pid = /** @type {number} */ (child.pid);

  const deadline = Date.now() + START_SECONDS * 1000;
  let port;
  while ((port = listeningPort(pid)) === undefined) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`${command} has ended:\n${output}`);
    if (Date.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`${command} does not listen after ${START_SECONDS} seconds:\n${output}`);
    }
    await sleep(POLL_MS);
  }
  return { url: `ws://127.0.0.1:${port}/ws`, pid, cookieFile: undefined, stop };

  async function stop() {
    const early = child.exitCode !== null || child.signalCode !== null;
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_SECONDS * 1000);
    await exited;
    clearTimeout(killer);
    const said = output === '' ? '' : `:\n${output.trimEnd()}`;
    if (early) return `${command} ended by itself, with ${child.exitCode ?? child.signalCode}${said}`;
    if (child.exitCode !== 0) return `${command} ended with ${child.exitCode ?? child.signalCode}${said}`;
    return output === '' ? undefined : `${command} wrote warnings${said}`;
  }
}
