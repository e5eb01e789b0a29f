/**
 * The node that is attacked: what strangers may do on it is what an operator would let them who trusts our limits, and all of
 * those stand at their defaults. It has a heap of 256 MiB and 1024 files.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { usage } from '../proc.js';

const PROGRAM = path.resolve(import.meta.dirname, '../../bin/crossbar-ts.js');
const OPEN_FILES = 1024;
const HEAP_MIB = 256;
const START_SECONDS = 20;
const STOP_SECONDS = 10;
const POLL_MS = 20;
const WATCH_EVERY_MS = 50;
/** What somebody who decides takes to think. */
const THINKING_MS = 300;
/** Of a page, so that a response is worth not being read. */
const PAGE_BYTES = 65_536;

const ALL = { call: true, register: true, publish: true, subscribe: true };

/** The programs of the operator: they answer the honest clients, and they decide, slowly. */
const GUARDS = `
const thought = () => new Promise((resolve) => setTimeout(resolve, ${THINKING_MS}));
export default async function guards(session) {
  await session.register('org.honest.echo', ([value]) => value);
  await session.register('org.honest.authenticate', async () => {
    await thought();
    throw Object.assign(new Error('nobody'), { error: 'org.honest.error.unknown' });
  });
}
export async function authorizer(session) {
  await session.register('org.honest.authorize', async () => {
    await thought();
    return { allow: true };
  });
}
`;

function config() {
  const endpoint = { type: 'tcp', port: 0, interface: '127.0.0.1' };
  const component = { type: 'module', module: './guards.js', role: 'backend' };
  const scram = {
    kdf: 'pbkdf2',
    iterations: 4096,
    salt: '5b6d99689d12358eeca04b141236fa81',
    'stored-key': '586e5df283e6dceb5c3e791d8b8528ec191e664045ce971792e2e6b5bb13e2a6',
    'server-key': 'c1f3cbc1c13a9d35a14c0990eed97629ea225863e566a4314ab99f3f00e5d9d5',
    role: 'anonymous',
  };
  const ask = { type: 'dynamic', authenticator: 'org.honest.authenticate', 'authenticator-realm': 'realm1' };
  const paths = {
    '/': { type: 'static', directory: '../page' },
    ws: { type: 'websocket' },
    login: {
      type: 'websocket',
      auth: {
        ticket: { type: 'static', principals: { joe: { ticket: 'the ticket of joe', role: 'anonymous' } } },
        scram: { type: 'static', principals: { joe: scram } },
      },
    },
    ask: { type: 'websocket', auth: { ticket: ask } },
    guarded: {
      type: 'websocket',
      auth: { anonymous: { type: 'static', realm: 'guarded', role: 'guest' } },
    },
    visit: {
      type: 'json',
      value: { welcome: true },
      cookie: { authid: 'derived', store: { type: 'file', filename: 'cookies.dat' } },
    },
  };
  const backend = { name: 'backend', 'allow-by-default': true };
  return {
    version: 2,
    workers: [
      {
        type: 'router',
        realms: [
          {
            name: 'realm1',
            store: {
              type: 'memory',
              'event-history': [{ uri: 'com.example.history.', match: 'prefix', limit: 1000 }],
            },
            roles: [
              {
                name: 'anonymous',
                permissions: [
                  { uri: '', match: 'prefix', allow: ALL },
                  { uri: 'org.honest.', match: 'prefix', allow: { call: true } },
                  { uri: 'org.honest.authenticate', allow: {} },
                  { uri: 'wamp.session.kill', match: 'prefix', allow: {} },
                ],
              },
              backend,
            ],
          },
          { name: 'guarded', roles: [{ name: 'guest', authorizer: 'org.honest.authorize' }, backend] },
        ],
        components: [
          { ...component, realm: 'realm1' },
          { ...component, realm: 'guarded', name: 'authorizer' },
        ],
        transports: [
          { type: 'web', endpoint, paths },
          { type: 'rawsocket', endpoint },
        ],
      },
    ],
  };
}

/**
 * @typedef {{ port: number, rawPort: number }} Ports
 * @typedef {{ peakRssBytes: number, peakFiles: number }} Watched
 */

export class Target {
  #child;
  #top;
  #exited;
  /** @type {Ports} */
  ports = { port: 0, rawPort: 0 };

  /** @param {string} program the `bin/crossbar-ts.js` to start */
  constructor(program) {
    this.#top = mkdtempSync(path.join(os.tmpdir(), 'crossbar-ts-strangers-'));
    for (const [file, text] of Object.entries({
      'node/config.json': JSON.stringify(config()),
      'node/guards.js': GUARDS,
      'node/package.json': '{ "type": "module" }',
      'page/index.html': '<!doctype html>'.padEnd(PAGE_BYTES),
    })) {
      const name = path.join(this.#top, file);
      writeFileSync(makeRoom(name), text);
    }
    const files = ['stdout', 'stderr'].map((name) => openSync(path.join(this.#top, name), 'w'));
    const args = [`--max-old-space-size=${HEAP_MIB}`, program, 'start'];
    const flags = ['--cbdir', path.join(this.#top, 'node'), '--logformat', 'json'];
    const shell = ['-c', `ulimit -n ${OPEN_FILES} && exec "$@"`, 'sh', process.execPath, ...args, ...flags];
    this.#child = spawn('sh', shell, { stdio: ['ignore', ...files] });
    this.#exited = once(this.#child, 'exit');
    files.forEach(closeSync);
  }

  /** @returns {Promise<Target>} one that listens */
  static async start(program = PROGRAM) {
    const target = new Target(program);
    const deadline = Date.now() + START_SECONDS * 1000;
    while (!target.log().some(({ msg }) => msg === 'node started')) {
      if (!target.isAlive || Date.now() > deadline) throw new Error(`the node does not start:\n${target.said}`);
      await sleep(POLL_MS);
    }
    const [port = 0, rawPort = 0] = target
      .log()
      .filter(({ msg }) => msg === 'transport started')
      .map((line) => line.port);
    target.ports = { port, rawPort };
    return target;
  }

  get isAlive() {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get pid() {
    return this.#child.pid ?? 0;
  }

  /** Everything that it wrote. */
  get said() {
    return ['stdout', 'stderr'].map((name) => readFileSync(path.join(this.#top, name), 'utf8')).join('');
  }

  /** @returns {{ level: string, msg: string, port?: number }[]} */
  log() {
    const lines = readFileSync(path.join(this.#top, 'stdout'), 'utf8').split('\n');
    // The last one may be there in part.
    return lines.slice(0, -1).map((line) => JSON.parse(line));
  }

  get logBytes() {
    return readFileSync(path.join(this.#top, 'stdout')).length;
  }

  /** Watches memory and files. @returns {() => Watched} what was the most until then */
  watch() {
    const peak = { peakRssBytes: 0, peakFiles: 0 };
    const look = () => {
      if (!this.isAlive) return;
      peak.peakRssBytes = Math.max(peak.peakRssBytes, usage([this.pid]).rssBytes);
      peak.peakFiles = Math.max(peak.peakFiles, this.#files());
    };
    look();
    const timer = setInterval(look, WATCH_EVERY_MS);
    return () => {
      clearInterval(timer);
      return peak;
    };
  }

  async stop() {
    if (this.isAlive) this.#child.kill('SIGTERM');
    const killer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_SECONDS * 1000);
    await this.#exited;
    clearTimeout(killer);
    rmSync(this.#top, { recursive: true, force: true });
  }

  #files() {
    try {
      return readdirSync(`/proc/${this.pid}/fd`).length;
    } catch (error) {
      // It may end between two looks.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 0;
      throw error;
    }
  }
}

/** @param {string} file */
function makeRoom(file) {
  mkdirSync(path.dirname(file), { recursive: true });
  return file;
}
