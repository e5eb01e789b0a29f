/**
 * The processes that are measured: our node as it is shipped, the bare `ws` servers, other routers. Each measurement gets
 * a process of its own, so that no scenario runs on what another one has left behind.
 *
 * What a process says goes to files, as under a service manager: nobody's reading of a pipe is part of a measurement.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { COOKIE_FILE, nodeConfig } from './node-config.js';
import { startNats } from './nats.js';
import { PROBE_FLAGS, Probe } from './probed.js';
import { childrenOf, listeningPort } from './proc.js';

const ROOT = path.dirname(import.meta.dirname);
const NODE_BIN = path.join(ROOT, 'bin/crossbar-ts.js');
const NODE_DIST = path.join(ROOT, 'dist/cli/main.js');
const START_SECONDS = 20;
const STOP_SECONDS = 10;
const POLL_MS = 10;
/** Levels of a log line that are no news but a complaint. */
const COMPLAINTS = ['warn', 'error', 'fatal'];
const MAX_QUOTED_CHARACTERS = 2000;

/**
 * @typedef {object} Server
 * @property {string} url
 * @property {number} pid
 * @property {Probe | undefined} probe undefined for a process that we have not started
 * @property {string | undefined} cookieFile
 * @property {() => string} said what it wrote until now, or until it ended
 * @property {() => Promise<string | undefined>} stop resolves to what went wrong, if anything did
 *
 * @typedef {object} Program
 * @property {readonly string[]} args for Node.js; the program listens on one TCP port of its choice
 * @property {string} directory for what it says; removed when it has ended
 * @property {(said: { stdout: string, stderr: string }) => string} complaintsIn what of that is a reason to worry
 */

/** @returns {string | undefined} why our node cannot be started */
export function buildProblem() {
  const missing = [NODE_BIN, NODE_DIST].find((file) => !existsSync(file));
  return missing === undefined ? undefined : `${path.relative(ROOT, missing)} is not there: run "npm run build" first`;
}

/**
 * Our node with its log at the default level; where its cookies are in NATS, with three servers of its own, whose time does not count.
 *
 * @param {import('./node-config.js').NodeSettings} settings
 * @returns {Promise<Server>}
 */
export async function startNode(settings) {
  const nats = settings.cookie === 'nats' ? await startNats() : undefined;
  try {
    const { directory, ...server } = await startConfigured(nodeConfig(settings, nats?.urls));
    const cookieFile = settings.cookie === 'file' ? path.join(directory, COOKIE_FILE) : undefined;
    return { ...server, cookieFile, ...(nats && { stop: () => server.stop().finally(nats.stop) }) };
  } catch (error) {
    await nats?.stop();
    throw error;
  }
}

/**
 * The same with a config of any kind.
 *
 * @param {object} config
 * @returns {Promise<Server & { directory: string }>} with the directory of the node, which is gone when it has ended
 */
export async function startConfigured(config) {
  const directory = temporaryDirectory();
  writeFileSync(path.join(directory, 'config.json'), JSON.stringify(config));
  const args = [NODE_BIN, 'start', '--cbdir', directory];
  const complaintsIn = (/** @type {{ stdout: string, stderr: string }} */ { stdout, stderr }) =>
    stdout.split('\n').filter(isComplaint).join('\n') + stderr;
  return { ...(await start({ args, directory, complaintsIn })), directory };
}

/**
 * @param {'echo' | 'broadcast' | 'accept'} behaviour
 * @returns {Promise<Server>}
 */
export function startBaseline(behaviour) {
  return start({
    args: [path.join(import.meta.dirname, 'baseline.js'), behaviour],
    directory: temporaryDirectory(),
    complaintsIn: ({ stdout, stderr }) => stdout + stderr,
  });
}

/**
 * A program that is not ours: what it says is its own matter, unless it ends.
 *
 * @param {readonly string[]} args
 * @returns {Promise<Server>}
 */
export function startForeign(args) {
  return start({ args, directory: temporaryDirectory(), complaintsIn: () => '' });
}

/** @param {string} line of a log in JSON; what is no JSON should not be there */
function isComplaint(line) {
  if (line === '') return false;
  try {
    const { level, msg } = JSON.parse(line);
    // A node that everybody may use in every way is what the bench wants, with cookies, too.
    return COMPLAINTS.includes(level) && msg !== 'config warning';
  } catch {
    return true;
  }
}

function temporaryDirectory() {
  return mkdtempSync(path.join(os.tmpdir(), 'crossbar-ts-bench-'));
}

/**
 * @param {Program} program
 * @returns {Promise<Server>} once it listens
 */
async function start({ args, directory, complaintsIn }) {
  const files = ['stdout', 'stderr'].map((name) => openSync(path.join(directory, `${name}.log`), 'w'));
  const child = spawn(process.execPath, [...PROBE_FLAGS, ...args], { stdio: ['ignore', ...files, 'ipc'] });
  files.forEach(closeSync);
  const command = path.relative(ROOT, args[0] ?? '');
  const exited = once(child, 'exit');
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  const probe = new Probe(child);
  /** @type {{ stdout: string, stderr: string } | undefined} */
  let said;

  try {
    const url = `ws://127.0.0.1:${await portOf(child, hasEnded)}/ws`;
    return { url, pid: child.pid ?? 0, probe, cookieFile: undefined, said: () => read().stdout, stop };
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${command} ${error instanceof Error ? error.message : String(error)}${removeOutput().all}`);
  }

  async function stop() {
    const early = hasEnded();
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), STOP_SECONDS * 1000);
    await exited;
    clearTimeout(killer);
    const { all, complaints } = removeOutput();
    const how = child.exitCode ?? child.signalCode;
    if (early) return `${command} ended by itself, with ${how}${all}`;
    if (how !== 0 && how !== 'SIGTERM') return `${command} ended with ${how}${all}`;
    return complaints === '' ? undefined : `${command} wrote warnings${complaints}`;
  }

  function read() {
    if (said !== undefined) return said;
    const [stdout = '', stderr = ''] = ['stdout', 'stderr'].map((name) =>
      readFileSync(path.join(directory, `${name}.log`), 'utf8'),
    );
    return { stdout, stderr };
  }

  function removeOutput() {
    const { stdout, stderr } = (said = read());
    rmSync(directory, { recursive: true, force: true });
    return {
      all: quoted((stdout + stderr).slice(-MAX_QUOTED_CHARACTERS)),
      complaints: quoted(complaintsIn({ stdout, stderr })),
    };
  }
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @param {() => boolean} hasEnded
 * @returns {Promise<number>}
 */
async function portOf(child, hasEnded) {
  await once(child, 'spawn');
  const deadline = Date.now() + START_SECONDS * 1000;
  for (;;) {
    const port = portOfFamily(child.pid ?? 0);
    if (port !== undefined) return port;
    if (hasEnded()) throw new Error('has ended');
    if (Date.now() > deadline) throw new Error(`does not listen after ${START_SECONDS} seconds`);
    await sleep(POLL_MS);
  }
}

/**
 * @param {number} pid
 * @returns {number | undefined} on which a process listens, or one that it has started
 */
function portOfFamily(pid) {
  const port = listeningPort(pid);
  if (port !== undefined) return port;
  return childrenOf(pid)
    .map(portOfFamily)
    .find((each) => each !== undefined);
}

/** @param {string} text */
function quoted(text) {
  return text === '' ? '' : `:\n${text.slice(0, MAX_QUOTED_CHARACTERS).trimEnd()}`;
}
