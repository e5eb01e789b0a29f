/** Which endpoints a listening socket can go on with. */
import type { EndpointConfig } from '../endpoint-schema.js';
import type { TlsConfig } from '../tls/schema.js';

/** @returns the `tls` of an endpoint, if it has one. */
export function tlsOf(endpoint: EndpointConfig): TlsConfig | undefined {
  return 'tls' in endpoint ? endpoint.tls : undefined;
}

/**
 * Whether two endpoints are one place that listens in one manner: the same but for the files of `tls`, its ciphers, and what only matters
 * when a port opens. TLS cannot come and go, and neither can the demand for certificates of clients or for the header of a proxy.
 */
export function isSameEndpoint(one: EndpointConfig, other: EndpointConfig): boolean {
  const [a, b] = [tlsOf(one), tlsOf(other)];
  if ((a === undefined) !== (b === undefined)) return false;
  if ((a?.ca_certificates === undefined) !== (b?.ca_certificates === undefined)) return false;
  if (one.proxy_protocol !== other.proxy_protocol) return false;
  return isSamePlace(one, other);
}

/** Whether two endpoints are at the same place: then both cannot listen at a time. */
export function isSamePlace(one: EndpointConfig, other: EndpointConfig): boolean {
  if (one.type === 'unix') return other.type === 'unix' && one.path === other.path;
  if (one.type === 'systemd') return other.type === 'systemd' && one.name === other.name;
  if (other.type !== 'tcp') return false;
  if (one.port !== other.port || one.version !== other.version || one.interface !== other.interface) return false;
  return JSON.stringify(one.portrange) === JSON.stringify(other.portrange);
}
