/** From the config to a backend. */
import { clientTlsOptions } from '../../transport/tls/client-options.js';
import type { ClientEndpoint } from '../../remote/endpoint-schema.js';
import { Backend } from './backend.js';
import type { BackendAddress } from './backend.js';
import type { ReverseProxyConfig, WebSocketReverseProxyConfig } from './schema.js';

/** In seconds. The default of an endpoint. */
const CONNECT_S = 10;

const HTTP_PORT = 80;

/** @returns the backend of a `reverseproxy`. Rejects when a file of its TLS cannot be read. */
export async function httpBackend({
  host = '',
  port = HTTP_PORT,
  endpoint = { type: 'tcp', host, port, timeout: CONNECT_S },
}: ReverseProxyConfig): Promise<Backend> {
  const authority =
    endpoint.type === 'unix' ? 'localhost' : authorityOf(endpoint.host, endpoint.port, endpoint.tls !== undefined);
  return started(endpoint, authority);
}

/** @returns the backend of a `websocket-reverseproxy`. Rejects when a file of its TLS cannot be read. */
export async function webSocketBackend({ backend }: Pick<WebSocketReverseProxyConfig, 'backend'>): Promise<Backend> {
  const { protocol, hostname, port, host } = new URL(backend.url);
  const isSecure = protocol === 'wss:';
  const endpoint = backend.endpoint ?? {
    type: 'tcp' as const,
    // An address of IPv6 stands in brackets there.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (isSecure ? 443 : HTTP_PORT) : Number(port),
    timeout: CONNECT_S,
    ...(isSecure && { tls: {} }),
  };
  return started(endpoint, host);
}

async function started(endpoint: ClientEndpoint, authority: string): Promise<Backend> {
  const backend = new Backend({
    address: await addressOf(endpoint),
    authority,
    connectMs: endpoint.timeout * 1000,
  });
  await backend.start();
  return backend;
}

async function addressOf(endpoint: ClientEndpoint): Promise<BackendAddress> {
  if (endpoint.type === 'unix') return { path: endpoint.path };
  const { host, port, version, tls } = endpoint;
  return {
    host,
    port,
    ...(version !== undefined && { family: version }),
    ...(tls !== undefined && { tls: await clientTlsOptions(host, tls) }),
  };
}

function authorityOf(host: string, port: number, isTls: boolean): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return port === (isTls ? 443 : HTTP_PORT) ? name : `${name}:${String(port)}`;
}
