/** The requests of a path that a front passes on to its router. */
import type { ReverseProxyConfig } from './schema.js';

/** Nothing is too late or too large here: the router decides. */
const PASSED_ON = {
  timeout: 3600,
  max_requests: 1_000_000,
  max_connections: 1_000_000,
  pass_cookie: true,
  forwarded: false,
} as const;

/** @param socket the file of the router. @returns the service for the path. */
export function otherHalf(path: string, socket: string): ReverseProxyConfig {
  const endpoint = { type: 'unix', path: socket, timeout: 10 } as const;
  return { type: 'reverseproxy', path, endpoint, options: PASSED_ON, isOtherHalf: true };
}
