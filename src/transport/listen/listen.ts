/**
 * Binds a server to a configured endpoint, a TCP port or a socket in the file system, and says clearly which one it was
 * when that fails.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ListenOptions, Server } from 'node:net';
import { errorCode } from '../../system/error.js';
import { bind } from './bind.js';
import { inheritedSockets } from './inherited.js';
import { listenOnFile, socketFileOf } from './socket-file.js';
import type {
  EndpointConfig,
  SystemdEndpointConfig,
  TcpEndpointConfig,
  UnixEndpointConfig,
} from '../endpoint-schema.js';

/** Where a server really listens on TCP: the port is known even if 0 was configured. */
export interface BoundPort {
  readonly address: string;
  readonly port: number;
}

/** The socket file that a server listens on. */
export interface BoundPath {
  readonly path: string;
}

/** Where a server listens. */
export type BoundAddress = BoundPort | BoundPath;

/** A transport cannot listen on its endpoint; `cause` is the error of the system. */
export class ListenError extends Error {
  readonly code = 'ERR_LISTEN';
  override readonly name = 'ListenError';
}

/**
 * A TCP `interface` may be a host name; `version` then picks one of its addresses. Without `interface` the server
 * listens on all addresses of IP `version` (default 4). On all addresses of version 6 it takes IPv4 connections, too, as
 * Twisted, and so Crossbar.io, does on Linux.
 *
 * The file of a unix endpoint is made, and removed again when the server closes. One that was left behind by a process
 * that died is replaced, one that somebody listens on is not. The socket of a systemd endpoint is there already.
 *
 * @throws {@link ListenError}
 */
export async function listen(server: Server, endpoint: EndpointConfig): Promise<BoundAddress> {
  try {
    if (endpoint.type === 'unix') return await listenOnPath(server, endpoint);
    if (endpoint.type === 'systemd') return await listenOnInherited(server, endpoint);
    return await listenOnPort(server, endpoint);
  } catch (error) {
    throw listenError(error, endpoint);
  }
}

/** @returns the error of an endpoint on which nothing can listen. */
export function listenError(cause: unknown, endpoint: EndpointConfig): ListenError {
  return new ListenError(`cannot listen on ${placeOf(endpoint)}: ${reasonOf(cause, endpoint)}`, { cause });
}

async function listenOnPort(server: Server, endpoint: TcpEndpointConfig): Promise<BoundPort> {
  const host = await hostOf(endpoint);
  await bindFirst(server, { host, port: endpoint.port, backlog: endpoint.backlog, ipv6Only: false }, lastOf(endpoint));
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('a TCP server has no TCP address');
  return { address: bound.address, port: bound.port };
}

/** Takes the first port that is free, up to the last one that may be taken. */
async function bindFirst(server: Server, options: ListenOptions & { readonly port: number }, last: number) {
  for (let port = options.port; ; port++) {
    try {
      return await bind(server, { ...options, port });
    } catch (error) {
      if (port >= last || errorCode(error) !== 'EADDRINUSE') throw error;
    }
  }
}

function lastOf({ port, portrange = [] }: TcpEndpointConfig): number {
  return portrange[1] ?? port;
}

async function hostOf(endpoint: TcpEndpointConfig): Promise<string> {
  const { interface: host, version } = endpoint;
  if (host === undefined) return version === 6 ? '::' : '0.0.0.0';
  if (isIP(host) !== 0) return host;
  return (await lookup(host, { family: version ?? 0 })).address;
}

async function listenOnPath(server: Server, endpoint: UnixEndpointConfig): Promise<BoundPath> {
  await listenOnFile(server, endpoint);
  return { path: endpoint.path };
}

/** When the server closes, the socket stays open with systemd, and its file stays, if it has one. */
async function listenOnInherited(server: Server, { name, backlog }: SystemdEndpointConfig): Promise<BoundAddress> {
  const fd = inheritedSockets.take(name);
  await bind(server, { fd, backlog });
  const bound = server.address();
  // Node.js does not know the name of a socket file that it has not made.
  if (bound === null || typeof bound === 'string') return { path: (await socketFileOf(fd)) ?? `systemd:${name}` };
  return { address: bound.address, port: bound.port };
}

function placeOf(endpoint: EndpointConfig): string {
  if (endpoint.type === 'unix') return endpoint.path;
  if (endpoint.type === 'systemd') return `the socket ${JSON.stringify(endpoint.name)} of systemd`;
  const last = lastOf(endpoint);
  const ports = last === endpoint.port ? `port ${String(last)}` : `ports ${String(endpoint.port)} to ${String(last)}`;
  return `${endpoint.interface ?? 'all interfaces'}, ${ports}`;
}

const NO_LISTENER = 'it is no socket that listens for streams; the unit needs `ListenStream` and `Accept=no`';

const PORT_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'the port is in use by another program',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'not permitted; ports below 1024 need privileges',
  EAFNOSUPPORT: 'this machine does not support this version of IP',
  ENOTFOUND: 'no such host name',
};

/** For those who have a transport for each version. */
const BOTH_VERSIONS = ', or by another transport: all addresses of version 6 include those of version 4';

const PATH_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program listens on this socket',
  EACCES: 'not permitted',
  ENOENT: 'the directory does not exist',
  ENOTDIR: 'the path leads through a file',
};

const INHERITED_REASONS: Readonly<Record<string, string>> = {
  EINVAL: NO_LISTENER,
  EOPNOTSUPP: NO_LISTENER,
  ENOTSOCK: NO_LISTENER,
  EBADF: NO_LISTENER,
};

const REASONS = { tcp: PORT_REASONS, unix: PATH_REASONS, systemd: INHERITED_REASONS } as const;

function reasonOf(error: unknown, endpoint: EndpointConfig): string {
  if (!(error instanceof Error)) return String(error);
  const code = errorCode(error) ?? '';
  if (code === 'EADDRINUSE' && endpoint.type === 'tcp' && lastOf(endpoint) > endpoint.port) {
    return `all of these ports are in use (${code})`;
  }
  const reason = REASONS[endpoint.type][code];
  const hint = code === 'EADDRINUSE' && endpoint.type === 'tcp' && endpoint.version === 6 ? BOTH_VERSIONS : '';
  return reason === undefined ? error.message : `${reason}${hint} (${code})`;
}
