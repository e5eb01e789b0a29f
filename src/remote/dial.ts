/** Opens a socket to an endpoint, with TLS where the endpoint has it. It knows no WAMP. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { errorCode, messageOf } from '../system/error.js';
import { clientTlsOptions } from '../transport/tls/client-options.js';
import { endpointText } from './endpoint.js';
import type { ClientEndpoint, TcpClientEndpoint } from './endpoint-schema.js';

/** There is no connection to a router; the text says to where, and why. */
export class ConnectError extends Error {
  readonly code = 'ERR_CONNECT';
  override readonly name = 'ConnectError';
}

/** @throws ConnectError (rejects). */
export async function dial(endpoint: ClientEndpoint): Promise<Socket> {
  const where = endpointText(endpoint);
  try {
    const tls =
      endpoint.type === 'tcp' && endpoint.tls !== undefined
        ? await clientTlsOptions(endpoint.host, endpoint.tls)
        : undefined;
    const options = endpoint.type === 'unix' ? { path: endpoint.path } : tcpOptions(endpoint);
    const socket = tls === undefined ? connect(options) : connectTls({ ...options, ...tls });
    return await opened(socket, tls === undefined ? 'connect' : 'secureConnect', endpoint.timeout);
  } catch (cause) {
    throw new ConnectError(`cannot connect to ${where}: ${problemOf(cause)}`, { cause });
  }
}

function tcpOptions({ host, port, version }: TcpClientEndpoint) {
  return { host, port, noDelay: true, keepAlive: true, ...(version !== undefined && { family: version }) };
}

function opened(socket: Socket, event: 'connect' | 'secureConnect', timeoutS: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    };
    const timer =
      timeoutS === 0
        ? undefined
        : setTimeout(() => fail(new Error(`no connection after ${timeoutS} s`)), timeoutS * 1000);
    const early = (): void => fail(new Error('the server closed the connection during the handshake'));
    socket.once('error', fail);
    socket.once('close', early);
    socket.once(event, () => {
      clearTimeout(timer);
      socket.off('error', fail);
      socket.off('close', early);
      resolve(socket);
    });
  });
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: nobody listens there',
  ENOENT: 'there is no such file',
  EACCES: 'not permitted',
  ENOTFOUND: 'there is no host of this name',
  EAI_AGAIN: 'the name of the host cannot be resolved at the moment',
  ECONNRESET: 'the server closed the connection during the handshake',
};

/** Several addresses of a host fail together. */
function problemOf(cause: unknown): string {
  if (cause instanceof AggregateError) return [...new Set(cause.errors.map(problemOf))].join('; ');
  const known = PROBLEMS[errorCode(cause) ?? ''];
  return known === undefined || isAboutFile(cause) ? messageOf(cause) : known;
}

/** What Node.js says of a file names it. */
function isAboutFile(cause: unknown): boolean {
  return cause instanceof Error && 'syscall' in cause && cause.syscall === 'open';
}
