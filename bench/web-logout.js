/**
 * How long a logout at a web application takes to reach the clients of the realm: from POST /logout of Express, with the session in
 * Redis, to GOODBYE, in 20 rounds. Needs `redis-server`.
 *
 *     node bench/web-logout.js                  # to a client in this process
 *     node bench/web-logout.js --page           # to a page in Chromium, which logs out itself
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { chromium } from 'playwright-core';
import { createClient } from 'redis';
import { WebSocket } from 'ws';

const ROOT = path.dirname(import.meta.dirname);
const ROUNDS = 20;
const SECRET = 'a secret of the web application';
const HELLO = [1, 'realm1', { roles: { caller: {} }, authmethods: ['session'] }];
const GOODBYE = 6;
const CHROMIUM = '/usr/bin/chromium';

const { values: options } = parseArgs({ options: { page: { type: 'boolean', default: false } } });
const directory = mkdtempSync(path.join(os.tmpdir(), 'web-logout-'));
/** @type {(() => unknown)[]} */
const endings = [() => rmSync(directory, { recursive: true, force: true })];
try {
  await main();
} finally {
  for (const end of endings.reverse()) await end();
}

async function main() {
  const redisPort = await freePort();
  await started('redis-server', ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', ''], 'Ready to accept');
  const app = await application(`redis://127.0.0.1:${redisPort}`);
  const port = await freePort();
  writeFileSync(path.join(directory, 'config.json'), JSON.stringify(nodeConfig(port, redisPort)));
  await started(
    process.execPath,
    [path.join(ROOT, 'bin/crossbar-ts.js'), 'start', '--cbdir', directory],
    'node started',
  );
  const url = `ws://127.0.0.1:${port}/ws`;
  const times = options.page ? await pageRounds(app, url) : await rounds(app, url);
  times.sort((a, b) => a - b);
  const shown = [times[ROUNDS / 2], times.at(-1)].map((ms) => ms?.toFixed(1)).join(', max ');
  process.stdout.write(`POST /logout -> GOODBYE in ${options.page ? 'a page' : 'a client'}: median ${shown} ms\n`);
}

/** @param {string} app its origin @param {string} url of the router @returns {Promise<number[]>} in milliseconds */
async function rounds(app, url) {
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const login = await fetch(`${app}/login`, { method: 'POST' });
    const cookie = login.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    const socket = new WebSocket(url, 'wamp.2.json', { headers: { cookie } });
    await once(socket, 'open');
    socket.send(JSON.stringify(HELLO));
    await once(socket, 'message');
    const goodbye = once(socket, 'message');
    const from = performance.now();
    const logout = fetch(`${app}/logout`, { method: 'POST', headers: { cookie } });
    const [text] = await goodbye;
    times.push(performance.now() - from);
    if (JSON.parse(String(text))[0] !== GOODBYE) throw new Error(`expected GOODBYE, got ${text}`);
    await logout;
    socket.terminate();
  }
  return times;
}

/** The same in a page. @param {string} app @param {string} url @returns {Promise<number[]>} */
async function pageRounds(app, url) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--headless', '--no-sandbox'] });
  endings.push(() => browser.close());
  const page = await browser.newPage();
  await page.goto(`${app}/`);
  const inPage = `(async () => {
    await fetch('/login', { method: 'POST' });
    const socket = new WebSocket(${JSON.stringify(url)}, 'wamp.2.json');
    const next = (name) => new Promise((resolve) => socket.addEventListener(name, resolve, { once: true }));
    await next('open');
    socket.send(${JSON.stringify(JSON.stringify(HELLO))});
    await next('message');
    const goodbye = next('message');
    const from = performance.now();
    const logout = fetch('/logout', { method: 'POST' });
    const { data } = await goodbye;
    const took = performance.now() - from;
    await logout;
    return [took, JSON.parse(data)[0]];
  })()`;
  const times = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const [took = 0, type] = /** @type {number[]} */ (await page.evaluate(inPage));
    if (type !== GOODBYE) throw new Error(`expected GOODBYE, got a message of type ${type}`);
    times.push(took);
  }
  return times;
}

/** @param {string} redisUrl @returns {Promise<string>} its origin */
async function application(redisUrl) {
  const client = createClient({ url: redisUrl });
  await client.connect();
  endings.push(() => client.destroy());
  const app = express();
  const store = new RedisStore({ client });
  app.use(session({ secret: SECRET, store, resave: false, saveUninitialized: false }));
  app.get('/', (_request, response) => void response.send('a page'));
  app.post('/login', (request, response) => {
    Object.assign(request.session, { user: 'joe' });
    response.end();
  });
  app.post('/logout', (request, response) => request.session.destroy(() => response.end()));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  endings.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${/** @type {import('node:net').AddressInfo} */ (server.address()).port}`;
}

/** @param {number} port @param {number} redisPort */
function nodeConfig(port, redisPort) {
  const store = { type: 'redis', url: `redis://127.0.0.1:${redisPort}` };
  const auth = { session: { type: 'express', secrets: [SECRET], store, authid: 'user', role: 'member' } };
  const endpoint = { type: 'tcp', interface: '127.0.0.1', port };
  const transport = { type: 'web', endpoint, paths: { '/': { type: 'nodeinfo' }, ws: { type: 'websocket', auth } } };
  const realms = [{ name: 'realm1', roles: [{ name: 'member', permissions: [] }] }];
  return { version: 2, workers: [{ type: 'router', realms, transports: [transport] }] };
}

/** Waits until a program says a text. @param {string} program @param {string[]} args @param {string} word */
async function started(program, args, word) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: directory });
  endings.push(async () => {
    child.kill();
    await once(child, 'exit');
  });
  for await (const line of createInterface({ input: child.stdout })) if (line.includes(word)) break;
  child.stdout.resume();
}

/** @returns {Promise<number>} */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}
