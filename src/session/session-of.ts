/** Where the session of a connection is: with it, or in another process. */
import { Session } from './session.js';
import type { SessionDeps } from './deps.js';
import type { ConnectionSession, SessionTransport } from './transport.js';

/** @returns the session of a transport: here, or where the sessions are. */
export function sessionOf(transport: SessionTransport, deps: SessionDeps): ConnectionSession {
  return deps.open === undefined ? new Session(transport, deps) : deps.open(transport);
}
