/** Where a transport of the config connects: its `endpoint`, or what its URL says. Pure. */
import type { ClientEndpoint } from './endpoint-schema.js';
import type { ClientTransportConfig } from './transport-schema.js';

/** The default of an endpoint. */
const TIMEOUT_S = 10;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'ws:': 80, 'wss:': 443, 'rs:': 80, 'rss:': 443 };

/** @returns where to connect. @throws Error for a URL that names no place; the check of the config has refused it. */
export function endpointOf({ endpoint, url }: Pick<ClientTransportConfig, 'endpoint' | 'url'>): ClientEndpoint {
  if (endpoint !== undefined) return endpoint;
  const path = /^rss?:\/\/unix:(.+)$/.exec(url ?? '')?.[1];
  if (path !== undefined) return { type: 'unix', path, timeout: TIMEOUT_S };
  const { protocol, hostname, port } = new URL(url ?? '');
  const isSecure = protocol === 'wss:' || protocol === 'rss:';
  return {
    type: 'tcp',
    // An address of IPv6 stands in brackets there.
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port),
    timeout: TIMEOUT_S,
    ...(isSecure && { tls: {} }),
  };
}

/** @returns the endpoint in words, for messages. */
export function endpointText(endpoint: ClientEndpoint): string {
  if (endpoint.type === 'unix') return endpoint.path;
  const { host, port, tls } = endpoint;
  return `${host.includes(':') ? `[${host}]` : host}:${port}${tls === undefined ? '' : ' (TLS)'}`;
}
