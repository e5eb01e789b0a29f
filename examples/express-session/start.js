/** Starts the web application and the node. The sessions are in Redis where one answers, else in files. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import path from 'node:path';
import { REDIS } from './store.js';

const DATA = path.join(import.meta.dirname, 'data');
mkdirSync(path.join(DATA, 'sessions'), { recursive: true, mode: 0o700 });

/** Both sides need it: the web application signs its cookies with it, the node checks them. */
const SESSION_SECRET = process.env.SESSION_SECRET ?? keptSecret(path.join(DATA, 'session-secret'));
const SESSION_STORE = (await answers(REDIS)) ? 'redis' : 'files';
console.log(`sessions: ${SESSION_STORE}`);

const require = createRequire(import.meta.url);
const crossbar = path.join(path.dirname(require.resolve('crossbar-ts/package.json')), 'bin/crossbar-ts.js');
const cbdir = path.join(import.meta.dirname, '.crossbar');
const programs = [
  run(path.join(import.meta.dirname, 'server.js')),
  run(crossbar, 'start', '--cbdir', cbdir, '--config', `${SESSION_STORE}.json`),
];

// Neither is of use without the other.
for (const program of programs) {
  program.once('exit', (code) => {
    process.exitCode ??= code ?? 1;
    endAll();
  });
}
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, endAll);

function endAll() {
  for (const program of programs) program.kill();
}

function run(...args) {
  const env = { ...process.env, SESSION_SECRET, SESSION_STORE };
  return spawn(process.execPath, args, { env, stdio: ['ignore', 'inherit', 'inherit'] });
}

/** Made once, so that a restart logs nobody out. */
function keptSecret(file) {
  if (!existsSync(file)) writeFileSync(file, randomBytes(32).toString('base64url'), { mode: 0o600 });
  return readFileSync(file, 'utf8');
}

async function answers(url) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
