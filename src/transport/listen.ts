/**
 * Binds a server to a configured endpoint, a TCP port or a socket in the file system, and says clearly which one it was
 * when that fails.
 */
import { lookup } from 'node:dns/promises';
import { lstat, unlink } from 'node:fs/promises';
import { connect, isIP } from 'node:net';
import type { ListenOptions, Server } from 'node:net';
import type { EndpointConfig, TcpEndpointConfig, UnixEndpointConfig } from './endpoint-schema.js';

/** Where a server really listens on TCP: the port is known even if 0 was configured. */
export interface BoundPort {
  readonly address: string;
  readonly port: number;
}

/** The socket file that a server listens on. */
export interface BoundPath {
  readonly path: string;
}

export type BoundAddress = BoundPort | BoundPath;

/** A transport cannot listen on its endpoint; `cause` is the error of the system. */
export class ListenError extends Error {
  readonly code = 'ERR_LISTEN';
  override readonly name = 'ListenError';
}

/** What fits into the address of a socket file on Linux; the system would cut the rest off without a word. */
const MAX_PATH_BYTES = 107;

/**
 * A TCP `interface` may be a host name; `version` then picks one of its addresses. Without `interface` the server
 * listens on all addresses of IP `version` (default 4). Version 6 never takes IPv4 connections along, so that a node may
 * have the same port for both.
 *
 * The file of a unix endpoint is made, and removed again when the server closes. One that was left behind by a process
 * that died is replaced, one that somebody listens on is not.
 *
 * @throws {@link ListenError}
 */
export async function listen(server: Server, endpoint: EndpointConfig): Promise<BoundAddress> {
  try {
    return endpoint.type === 'unix' ? await listenOnPath(server, endpoint) : await listenOnPort(server, endpoint);
  } catch (error) {
    throw new ListenError(`cannot listen on ${placeOf(endpoint)}: ${reasonOf(error, endpoint)}`, { cause: error });
  }
}

async function listenOnPort(server: Server, endpoint: TcpEndpointConfig): Promise<BoundPort> {
  const host = await hostOf(endpoint);
  await bind(server, { host, port: endpoint.port, backlog: endpoint.backlog, ipv6Only: isIP(host) === 6 });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP server has no TCP address');
  return { address: bound.address, port: bound.port };
}

async function hostOf(endpoint: TcpEndpointConfig): Promise<string> {
  const { interface: host, version } = endpoint;
  if (host === undefined) return version === 6 ? '::' : '0.0.0.0';
  if (isIP(host) !== 0) return host;
  return (await lookup(host, { family: version ?? 0 })).address;
}

async function listenOnPath(server: Server, { path, backlog }: UnixEndpointConfig): Promise<BoundPath> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) throw new Error(`the path is longer than ${MAX_PATH_BYTES} bytes`);
  try {
    await bind(server, { path, backlog });
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE') throw error;
    await removeStaleSocket(path, error);
    await bind(server, { path, backlog });
  }
  return { path };
}

/** @throws `inUse` when somebody listens on the socket, and for a file that is no socket. */
async function removeStaleSocket(path: string, inUse: unknown): Promise<void> {
  if (!(await lstat(path)).isSocket()) throw new Error('a file that is no socket has this name');
  if (await isAnswered(path)) throw inUse;
  await unlink(path);
}

/** A socket file that nobody listens on refuses connections. */
function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => {
      const code = codeOf(error);
      if (code === 'ECONNREFUSED') resolve(false);
      // A full backlog: somebody is there, only busy.
      else if (code === 'EAGAIN') resolve(true);
      else reject(error);
    });
  });
}

function bind(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function placeOf(endpoint: EndpointConfig): string {
  if (endpoint.type === 'unix') return endpoint.path;
  return `${endpoint.interface ?? 'all interfaces'}, port ${String(endpoint.port)}`;
}

const PORT_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use by another program',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'not permitted; ports below 1024 need privileges',
  EAFNOSUPPORT: 'this machine does not support this version of IP',
  ENOTFOUND: 'no such host name',
};

const PATH_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens on this socket',
  EACCES: 'not permitted',
  ENOENT: 'the directory does not exist',
  ENOTDIR: 'the path leads through a file',
};

function reasonOf(error: unknown, { type }: EndpointConfig): string {
  if (!(error instanceof Error)) return String(error);
  const code = codeOf(error);
  const reason = (type === 'unix' ? PATH_REASONS : PORT_REASONS)[code];
  return reason === undefined ? error.message : `${reason} (${code})`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
