/**
 * What a call to a component takes: one after the other, and with 16 under way. The components do nothing but hand a number back. The
 * rows are a module in the node, the same module in a container, and a class of Python in a router worker.
 *
 *     npm run bench:components
 *     npm run bench:components -- --calls 20000 --python /path/to/python3
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { WebSocket } from 'ws';

import { listeningPort } from './proc.js';
import { buildProblem } from './servers.js';

const ROOT = path.dirname(import.meta.dirname);
const START_SECONDS = 30;
const IN_FLIGHT = 16;
const PROCEDURE = 'bench.echo';
/** Codes of WAMP. */
const [HELLO, WELCOME, ERROR, CALL] = [1, 2, 8, 48];

const MODULE = `export default (session) => session.register('${PROCEDURE}', ([value]) => value).then(() => undefined);\n`;
const CLASS = `from autobahn.twisted.wamp import ApplicationSession


class Echo(ApplicationSession):
    def onJoin(self, details):
        return self.register(lambda value: value, "${PROCEDURE}")
`;

const { values: options } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    python: { type: 'string', default: '/usr/bin/python3' },
  },
});

const ROLE = { name: 'anonymous', permissions: [{ uri: '', match: 'prefix', allow: { call: true, register: true } }] };

/** @param {object[]} components @param {string} socket @param {object} more of the router worker */
function routerWith(components, socket, more = {}) {
  const transports = [
    { type: 'websocket', endpoint: { type: 'tcp', interface: '127.0.0.1', port: 0 } },
    { type: 'rawsocket', endpoint: { type: 'unix', path: socket } },
  ];
  return { type: 'router', realms: [{ name: 'realm1', roles: [ROLE] }], components, transports, ...more };
}

/** Row -> its workers. @param {string} directory */
function rowsIn(directory) {
  const socket = path.join(directory, 'bench.sock');
  const component = { type: 'module', module: './echo.mjs', realm: 'realm1' };
  const transport = { type: 'rawsocket', endpoint: { type: 'unix', path: socket }, serializer: 'cbor' };
  const python = { type: 'class', classname: 'echo.Echo', realm: 'realm1' };
  return {
    'module in the node': [routerWith([component], socket)],
    'module in a container': [routerWith([], socket), { type: 'container', components: [{ ...component, transport }] }],
    'class of Python in a router': [
      routerWith([python], socket, { options: { python: options.python, pythonpath: ['.'] } }),
    ],
  };
}

/** One client that only calls. */
class Caller {
  /** @type {Map<number, (message: any[]) => void>} */
  #waiting = new Map();
  #requests = 0;

  /** @param {WebSocket} socket */
  constructor(socket) {
    this.socket = socket;
    socket.on('message', (text) => {
      const message = JSON.parse(String(text));
      const request = message[0] === WELCOME ? 0 : message[message[0] === ERROR ? 2 : 1];
      this.#waiting.get(request)?.(message);
      this.#waiting.delete(request);
    });
  }

  /** @param {number} port */
  static async join(port) {
    const caller = new Caller(new WebSocket(`ws://127.0.0.1:${port}/`, 'wamp.2.json'));
    await once(caller.socket, 'open');
    await caller.#ask(0, [HELLO, 'realm1', { roles: { caller: {} } }]);
    return caller;
  }

  /** @returns {Promise<any[]>} RESULT or ERROR */
  call() {
    this.#requests += 1;
    return this.#ask(this.#requests, [CALL, this.#requests, {}, PROCEDURE, [this.#requests]]);
  }

  /** @param {number} request @param {unknown[]} message @returns {Promise<any[]>} */
  #ask(request, message) {
    const answer = new Promise((resolve) => this.#waiting.set(request, resolve));
    this.socket.send(JSON.stringify(message));
    return answer;
  }
}

const problem = buildProblem();
if (problem === undefined) {
  await main();
} else {
  process.stderr.write(`bench: ${problem}\n`);
  process.exitCode = 1;
}

async function main() {
  process.stdout.write(`us a call, ${options.calls} calls each\n\n`);
  process.stdout.write(
    `${'component'.padEnd(30)}${'one by one'.padStart(12)}${`${IN_FLIGHT} under way`.padStart(14)}\n`,
  );
  for (const row of Object.keys(rowsIn('/'))) {
    const [alone, together] = await measured(row);
    const figures = alone === undefined ? ['-', '-'] : [alone, together].map((us) => String(Math.round(us ?? 0)));
    process.stdout.write(`${row.padEnd(30)}${figures[0]?.padStart(12)}${figures[1]?.padStart(14)}\n`);
  }
}

/** @param {string} row @returns {Promise<number[]>} nothing, where the node does not start */
async function measured(row) {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'crossbar-ts-bench-'));
  const workers = /** @type {Record<string, object[]>} */ (rowsIn(directory))[row];
  writeFileSync(path.join(directory, 'config.json'), JSON.stringify({ version: 2, workers }));
  writeFileSync(path.join(directory, 'echo.mjs'), MODULE);
  writeFileSync(path.join(directory, 'echo.py'), CLASS);
  const args = [path.join(ROOT, 'bin/crossbar-ts.js'), 'start', '--cbdir', directory];
  const node = spawn(process.execPath, args, { stdio: 'ignore' });
  const ended = once(node, 'exit');
  try {
    const port = await portOf(node);
    return port === undefined ? [] : await callsAt(port);
  } catch (error) {
    process.stderr.write(`bench: ${row}: ${error instanceof Error ? error.message : error}\n`);
    return [];
  } finally {
    node.kill();
    await ended;
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @param {import('node:child_process').ChildProcess} node @returns {Promise<number | undefined>} undefined when it does not start */
async function portOf(node) {
  const deadline = performance.now() + START_SECONDS * 1000;
  while (performance.now() < deadline && node.exitCode === null) {
    const port = listeningPort(node.pid ?? 0);
    if (port !== undefined) return port;
    await sleep(20);
  }
  return undefined;
}

/** @param {number} port */
async function callsAt(port) {
  const caller = await Caller.join(port);
  // A container joins when the router listens.
  while ((await caller.call())[0] === ERROR) await sleep(20);
  const calls = Number(options.calls);
  await microsecondsEach(caller, calls / 5, IN_FLIGHT);
  const figures = [await microsecondsEach(caller, calls, 1), await microsecondsEach(caller, calls, IN_FLIGHT)];
  caller.socket.terminate();
  return figures;
}

/** @param {Caller} caller @param {number} calls @param {number} underWay */
async function microsecondsEach(caller, calls, underWay) {
  let left = calls;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      const [code] = await caller.call();
      if (code === ERROR) throw new Error('a call failed');
    }
  };
  const start = performance.now();
  await Promise.all(Array.from({ length: underWay }, one));
  return ((performance.now() - start) * 1000) / calls;
}
