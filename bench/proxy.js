/**
 * What a proxied request costs: CPU time of the node as `reverseproxy`, and of nginx with the same backend, in turn. Linux only.
 *
 *     npm run bench:proxy [-- --requests 5000]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { requests: { type: 'string', default: '5000' } } });
const REQUESTS = Number(values.requests);
const CONCURRENT = 16;
const ROUNDS = 3;
const TICK_US = 10_000;
const ROOT = path.resolve(import.meta.dirname, '..');

const backend = createServer((_req, res) => res.end('a short answer of the backend')).listen(0, '127.0.0.1');
await once(backend, 'listening');
const behind = backend.address().port;
const directory = mkdtempSync(path.join(tmpdir(), 'bench-proxy-'));

/** @returns CPU time of a process and its children, in microseconds. */
function cpuOf(pid) {
  const children = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && parentOf(name) === pid);
  return [String(pid), ...children].reduce((sum, id) => sum + ticksOf(id), 0) * TICK_US;
}

function statOf(id) {
  try {
    return readFileSync(`/proc/${id}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
  } catch {
    return []; // it has ended meanwhile
  }
}

function parentOf(id) {
  return Number(statOf(id)[1]);
}

function ticksOf(id) {
  const [, , , , , , , , , , , user = 0, system = 0] = statOf(id);
  return Number(user) + Number(system);
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function startNode(port) {
  const config = {
    version: 2,
    workers: [
      {
        type: 'router',
        realms: [],
        transports: [
          {
            type: 'web',
            endpoint: { type: 'tcp', port, interface: '127.0.0.1' },
            paths: { '/': { type: 'reverseproxy', host: '127.0.0.1', port: behind } },
          },
        ],
      },
    ],
  };
  const cbdir = path.join(directory, 'node');
  mkdirSync(cbdir);
  writeFileSync(path.join(cbdir, 'config.json'), JSON.stringify(config));
  return spawn(process.execPath, [path.join(ROOT, 'bin/crossbar-ts.js'), 'start', '--cbdir', cbdir], {
    stdio: 'ignore',
  });
}

async function startNginx(port) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path t;`)
    .join(' ');
  const text = `daemon off; error_log stderr; pid nginx.pid; worker_processes 1;
events {}
http {
  access_log off; ${temporary}
  upstream back { server 127.0.0.1:${behind}; keepalive 64; }
  server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }
  }
}`;
  const place = path.join(directory, 'nginx');
  mkdirSync(place);
  writeFileSync(path.join(place, 'nginx.conf'), text);
  return spawn('/usr/sbin/nginx', ['-p', place, '-c', 'nginx.conf'], { stdio: 'ignore' });
}

const agent = new Agent({ keepAlive: true, maxSockets: CONCURRENT });

function ask(port) {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/', agent }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.resume().once('end', resolve);
    }).once('error', reject);
  });
}

async function load(port, requests) {
  let left = requests;
  const worker = async () => {
    while (left-- > 0) await ask(port);
  };
  await Promise.all(Array.from({ length: CONCURRENT }, worker));
}

const subjects = [];
for (const [name, begin] of [
  ['crossbar-ts', startNode],
  ['nginx', startNginx],
]) {
  const port = await freePort();
  const child = await begin(port);
  const isThere = () =>
    ask(port).then(
      () => true,
      () => false,
    );
  while (!(await isThere())) {
    if (child.exitCode !== null) throw new Error(`${name} has ended`);
    await delay(50);
  }
  subjects.push({ name, port, child, us: [] });
}
for (const { port } of subjects) await load(port, REQUESTS);
for (let round = 0; round < ROUNDS; round++) {
  for (const subject of subjects) {
    const before = cpuOf(subject.child.pid);
    await load(subject.port, REQUESTS);
    subject.us.push((cpuOf(subject.child.pid) - before) / REQUESTS);
  }
}
for (const { name, us } of subjects) {
  const median = us.toSorted((a, b) => a - b)[Math.floor(us.length / 2)];
  process.stdout.write(
    `${name.padEnd(12)} ${median.toFixed(0)} us of CPU for each request (${us.map((each) => each.toFixed(0)).join(', ')})\n`,
  );
}
for (const { child } of subjects) child.kill('SIGTERM');
await Promise.all(subjects.map(({ child }) => (child.exitCode === null ? once(child, 'exit') : undefined)));
agent.destroy();
backend.close();
backend.closeAllConnections();
rmSync(directory, { recursive: true, force: true });
