/**
 * Binds a server to a configured endpoint, a TCP port or a socket in the file system, and says clearly which one it was
 * when that fails.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { ListenOptions, Server } from 'node:net';
import { errorCode } from '../../system/error.js';
import { bind } from './bind.js';
import { listenOnFile } from './socket-file.js';
import type { EndpointConfig, TcpEndpointConfig, UnixEndpointConfig } from '../endpoint-schema.js';

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
 * that died is replaced, one that somebody listens on is not.
 *
 * @throws {@link ListenError}
 */
export async function listen(server: Server, endpoint: EndpointConfig): Promise<BoundAddress> {
  try {
    return endpoint.type === 'unix' ? await listenOnPath(server, endpoint) : await listenOnPort(server, endpoint);
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

function placeOf(endpoint: EndpointConfig): string {
  if (endpoint.type === 'unix') return endpoint.path;
  const last = lastOf(endpoint);
  const ports = last === endpoint.port ? `port ${String(last)}` : `ports ${String(endpoint.port)} to ${String(last)}`;
  return `${endpoint.interface ?? 'all interfaces'}, ${ports}`;
}

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

function reasonOf(error: unknown, endpoint: EndpointConfig): string {
  if (!(error instanceof Error)) return String(error);
  const code = errorCode(error) ?? '';
  if (code === 'EADDRINUSE' && endpoint.type === 'tcp' && lastOf(endpoint) > endpoint.port) {
    return `all of these ports are in use (${code})`;
  }
  const reason = (endpoint.type === 'unix' ? PATH_REASONS : PORT_REASONS)[code];
  const hint = code === 'EADDRINUSE' && endpoint.type === 'tcp' && endpoint.version === 6 ? BOTH_VERSIONS : '';
  return reason === undefined ? error.message : `${reason}${hint} (${code})`;
}
