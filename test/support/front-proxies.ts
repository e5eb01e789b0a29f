/** nginx and HAProxy in front of a node, as docs/operations.md sets them up, and nginx as the server behind one. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';

import { temporaryDirectory } from './daemon.js';
import { freePorts } from './ports.js';
import { Program } from './program.js';

const NGINX = '/usr/sbin/nginx';
const HAPROXY = '/usr/sbin/haproxy';
const has = (file: string): boolean => spawnSync(file, ['-v']).status === 0;

export const HAS_NGINX = has(NGINX);
/** Whether {@link startBalancer} can. */
export const HAS_HAPROXY = has(HAPROXY);

/** @param server what stands in the `server` block. @param more what stands beside it. */
function nginxConfig(server: string, more = ''): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path t;`)
    .join(' ');
  return `daemon off; error_log stderr; pid nginx.pid;
events {}
http {
  access_log off; ${temporary}
  ${more}
  server { ${server} }
}
`;
}

function nginxInFront(port: number, node: number): string {
  const server = `
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://node;
      proxy_http_version 1.1;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection $http_connection;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto https;
    }
  `;
  return nginxConfig(server, `upstream node { server 127.0.0.1:${node}; keepalive 1; }`);
}

function haproxyInFront(port: number, node: number): string {
  return `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
frontend front
  bind 127.0.0.1:${port}
  option forwardfor
  http-request set-header X-Forwarded-Proto https
  default_backend node
backend node
  http-reuse always
  server node 127.0.0.1:${node}
`;
}

/** A proxy of another kind that a test can start. */
export interface FrontProxy {
  readonly name: string;
  readonly isThere: boolean;
  /** Starts it in front of the port of a node. Resolves when it listens. */
  readonly start: (node: number) => Promise<StartedServer>;
}

export interface StartedServer {
  readonly port: number;
  readonly program: Program;
}

/** They say that the client came by https. */
export const FRONT_PROXIES: readonly FrontProxy[] = [
  {
    name: 'nginx',
    isThere: HAS_NGINX,
    start: (node) => startNginxWith((port) => nginxInFront(port, node), temporaryDirectory()),
  },
  {
    name: 'HAProxy',
    isThere: HAS_HAPROXY,
    start: (node) => startHaproxy((port) => haproxyInFront(port, node), temporaryDirectory()),
  },
];

/** HAProxy in front of two nodes. */
export interface Balancer extends StartedServer {
  /** Resolves when HAProxy takes all its servers for up: it looks now and then. */
  allUp(): Promise<void>;
}

/** With the file of docs/operations.md: only ports are changed, and it can be asked. */
export async function startBalancer([a, b]: readonly [number, number]): Promise<Balancer> {
  const page = readFileSync(path.resolve(import.meta.dirname, '../../docs/operations.md'), 'utf8');
  const file = /^The file `haproxy\.cfg`:\n+```text\n([^]*?)^```/m.exec(page)?.[1];
  if (file === undefined) throw new Error('docs/operations.md has no haproxy.cfg');
  const ports = (port: number) => new Map([9080, 8081, 8082].map((own, index) => [own, [port, a, b][index]]));
  const directory = temporaryDirectory();
  const socketFile = path.join(directory, 'asked.sock');
  const configOf = (port: number): string => {
    const own = file.replaceAll(/(?<=127\.0\.0\.1:)\d+/g, (each) => String(ports(port).get(Number(each))));
    return `global\n  stats socket ${socketFile}\n${own}`;
  };
  const started = await start(HAPROXY, ['-db', '-f', 'proxy.conf'], configOf, directory);
  const allUp = async (): Promise<void> => {
    while (!(await statesOf(socketFile)).every((state) => state === 'UP')) await delay(20);
  };
  return { ...started, allUp };
}

/** @returns what HAProxy says of each server. */
async function statesOf(socketFile: string): Promise<readonly string[]> {
  const socket = connect(socketFile);
  socket.end('show stat\n');
  const answer = await text(socket);
  const [head = '', ...lines] = answer.replace(/^# /, '').trim().split('\n');
  const at = (name: string): number => head.split(',').indexOf(name);
  const servers = lines
    .map((line) => line.split(','))
    .filter((fields) => !/^(?:FRONTEND|BACKEND)$/.test(fields[at('svname')] ?? ''));
  return servers.map((fields) => fields[at('status')] ?? '');
}

/** nginx as a server. @param server what stands in its `server` block behind `listen`. @param directory in which it runs. */
export function startNginx(server: string, directory: string, more = ''): Promise<StartedServer> {
  return startNginxWith((port) => nginxConfig(`listen 127.0.0.1:${port}; ${server}`, more), directory);
}

/** HAProxy. @param configOf its config, for the port on which it is waited for. @param directory in which it runs. */
export function startHaproxy(configOf: (port: number) => string, directory: string): Promise<StartedServer> {
  return start(HAPROXY, ['-db', '-f', 'proxy.conf'], configOf, directory);
}

function startNginxWith(configOf: (port: number) => string, directory: string): Promise<StartedServer> {
  return start(NGINX, ['-p', directory, '-c', 'proxy.conf'], configOf, directory);
}

async function start(
  file: string,
  args: readonly string[],
  configOf: (port: number) => string,
  directory: string,
): Promise<StartedServer> {
  const [port = 0] = await freePorts(1);
  writeFileSync(path.join(directory, 'proxy.conf'), configOf(port));
  const program = new Program(file, args, { cwd: directory });
  // It says nowhere that it listens.
  while (!(await listens(port))) await delay(20);
  return { port, program };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
