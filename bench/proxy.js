#!/usr/bin/env node
/**
 * `npm run bench:proxy`: what a request through `reverseproxy` costs the node, and what it costs nginx and the least proxy that Node.js
 * can be (`bare-proxy.js`) before the same backend. A page that the node answers itself is beside them. The backend is in this process, and clients keep their connections, as programs with a
 * pool do. The server is fresh for each row.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { listeningPort } from './proc.js';
import { CONNECTIONS, exchange, inWorkers, microsOfEach, runBench } from './requests.js';
import { startConfigured, startForeign } from './servers.js';

const NGINX = '/usr/sbin/nginx';
const START_SECONDS = 20;
const POLL_MS = 10;

/** Path of the backend -> its answer. @type {Readonly<Record<string, string>>} */
const ANSWERS = { '/short': '{"id":1}', '/long': 'x'.repeat(65_536) };

/**
 * @typedef {object} Server
 * @property {number} port
 * @property {number} pid
 * @property {() => Promise<string | undefined>} stop resolves to what went wrong, if anything did
 *
 * @typedef {(backend: number) => Promise<Server | string>} Start a text says why it cannot be started
 *
 * @typedef {{ title: string, path: string, answer: string, start: Start }} Kind
 */

/** @type {readonly Kind[]} */
const KINDS = [
  { title: 'a page of a few bytes, of the node itself', path: '/value', answer: '/short', start: startNode },
  { title: 'a page of a few bytes, through the node', path: '/back/short', answer: '/short', start: startNode },
  { title: 'a page of a few bytes, through a bare proxy', path: '/back/short', answer: '/short', start: startBare },
  { title: 'a page of a few bytes, through nginx', path: '/back/short', answer: '/short', start: startNginx },
  { title: '64 KiB, through the node', path: '/back/long', answer: '/long', start: startNode },
  { title: '64 KiB, through a bare proxy', path: '/back/long', answer: '/long', start: startBare },
  { title: '64 KiB, through nginx', path: '/back/long', answer: '/long', start: startNginx },
];

await runBench({
  name: 'proxy',
  what: 'requests',
  requests: 20_000,
  head: ['request', 'CPU µs of the proxy'],
  rows: KINDS.map((kind) => ({ title: kind.title, measure: (count) => measure(kind, count) })),
});

/**
 * @param {Kind} kind
 * @param {number} count
 */
async function measure({ path: page, answer, start }, count) {
  const backend = http.createServer((req, res) => {
    const text = ANSWERS[req.url ?? ''];
    res.writeHead(text === undefined ? 404 : 200, { 'Content-Type': 'application/json' }).end(text);
  });
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  try {
    const server = await start(await listen(backend));
    if (typeof server === 'string') return server;
    let micros = 0;
    let problem;
    try {
      const target = { hostname: '127.0.0.1', port: server.port, agent, path: page };
      micros = await microsOfEach(server.pid, count, (n) => inWorkers(n, () => ask(target, ANSWERS[answer] ?? '')));
    } finally {
      agent.destroy();
      problem = await server.stop();
    }
    return { micros, problem };
  } finally {
    backend.close();
    backend.closeAllConnections();
  }
}

/**
 * @param {import('node:http').RequestOptions} target
 * @param {string} answer
 */
async function ask(target, answer) {
  const { status, text } = await exchange(target);
  // The page of the node ends with a line break.
  if (status === 200 && text.trimEnd() === answer) return;
  throw new Error(`${target.path} answered ${status}: ${text.slice(0, 200)}`);
}

/** @type {Start} */
async function startNode(backend) {
  const paths = {
    '/': { type: 'nodeinfo' },
    value: { type: 'json', value: { id: 1 } },
    back: { type: 'reverseproxy', host: '127.0.0.1', port: backend },
  };
  const endpoint = { type: 'tcp', interface: '127.0.0.1', port: 0 };
  const worker = { type: 'router', realms: [], transports: [{ type: 'web', endpoint, paths }] };
  const { url, pid, stop } = await startConfigured({ version: 2, workers: [worker] });
  return { port: Number(new URL(url).port), pid, stop };
}

/** @type {Start} */
async function startBare(backend) {
  const { url, pid, stop } = await startForeign([path.join(import.meta.dirname, 'bare-proxy.js'), String(backend)]);
  return { port: Number(new URL(url).port), pid, stop };
}

/** One worker, connections to the backend that stay, and no log of requests, as the node has none. @type {Start} */
async function startNginx(backend) {
  if (!isProgram(NGINX)) return `there is no ${NGINX}`;
  const port = await freePort();
  const directory = mkdtempSync(path.join(os.tmpdir(), 'crossbar-ts-bench-'));
  writeFileSync(path.join(directory, 'nginx.conf'), nginxConfig(port, backend));
  const errors = openSync(path.join(directory, 'stderr.log'), 'w');
  const args = ['-p', directory, '-c', 'nginx.conf', '-e', 'stderr'];
  const child = spawn(NGINX, args, { stdio: ['ignore', 'ignore', errors] });
  closeSync(errors);
  const exited = once(child, 'exit');
  const stop = async () => {
    child.kill('SIGTERM');
    await exited;
    const said = readFileSync(path.join(directory, 'stderr.log'), 'utf8');
    rmSync(directory, { recursive: true });
    return child.exitCode === 0 && said === '' ? undefined : `nginx ended with ${child.exitCode}: ${said}`;
  };
  const deadline = Date.now() + START_SECONDS * 1000;
  while (listeningPort(child.pid ?? 0) !== port) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error((await stop()) ?? 'nginx does not listen');
    await sleep(POLL_MS);
  }
  return { port, pid: child.pid ?? 0, stop };
}

/** @param {number} port @param {number} backend */
function nginxConfig(port, backend) {
  const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`);
  return `daemon off;
pid nginx.pid;
worker_processes 1;
events {}
http {
  access_log off;
  ${places.join('\n  ')}
  proxy_max_temp_file_size 0;
  upstream back { server 127.0.0.1:${backend}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    keepalive_requests 1000000;
    location /back/ {
      proxy_pass http://back/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}
`;
}

/** @param {string} file */
function isProgram(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Whatever the reason is, it cannot be started.
    return false;
  }
}

/** nginx takes no port 0. */
async function freePort() {
  const server = net.createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}

/** @param {net.Server} server @returns {Promise<number>} the port */
async function listen(server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('a server has no port');
  return address.port;
}
