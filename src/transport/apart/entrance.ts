/** Who may come in at a place of a transport, and by which cookie: asked before the handshake of a client is answered. */
import type { Socket } from 'node:net';
import { countRefusal } from '../../metrics/transport-counts.js';
import type { Tracked } from '../../cookie/tracker.js';
import type { Logger } from '../../log/logger.js';
import type { SessionDeps } from '../../session/deps.js';
import type { RequestHead } from '../request-head.js';
import type { TransportHost } from '../transport-host.js';

/** A client that was let in; what is known of its cookie is known where its session is. */
export type Entered = Partial<Tracked>;

/** A client that is turned away before its handshake, with an answer of HTTP; where none is spoken, with its word for "too many". */
export class TurnedAway extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>> | undefined;

  constructor(status: number, message: string, headers?: Readonly<Record<string, string>>) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** Where sessions are in another process: it decides there, too. */
export interface Entrance {
  /** Rejects with {@link TurnedAway}. @param req of a client of HTTP. */
  enter(socket: Socket, req?: RequestHead): Promise<Entered>;
}

/** In seconds. By then the connections that only wait are gone, at the default of `hello_timeout`. */
const RETRY_LATER = { 'Retry-After': '5' };

export interface VisitDeps {
  readonly host: Pick<TransportHost, 'stopping'>;
  readonly sessions: Pick<SessionDeps, 'counts'>;
  readonly log: Logger;
}

/** How the decision over one client is made. */
export interface Visit<T> {
  /** Counts its connection. @returns whether there is room for it */
  readonly admit: () => boolean;
  /** Finds its cookie, or whoever decides; undefined where nobody is asked. Rejects with {@link TurnedAway}, or where the store fails. */
  readonly ask: (() => Promise<T>) | undefined;
  /** Called once: at once where nobody is asked. Undefined: nothing is known of the client. */
  readonly done: (verdict: T | TurnedAway | undefined) => void;
}

/** Decides over a client in this process. */
export function decide<T>({ host, sessions, log }: VisitDeps, { admit, ask, done }: Visit<T>): void {
  if (host.stopping) return done(stopping());
  if (!admit()) {
    countRefusal(sessions.counts, 'too many');
    return done(new TurnedAway(503, 'too many connections', RETRY_LATER));
  }
  if (ask === undefined) return done(undefined);
  ask().then(
    // While the store was asked the node may have begun to stop.
    (found) => done(host.stopping ? stopping() : found),
    (error: unknown) => {
      if (error instanceof TurnedAway) return done(error);
      countRefusal(sessions.counts, 'cookie store');
      log.error({ err: error }, 'cookie store failed, connection refused');
      done(new TurnedAway(503, 'the cookie store is not available'));
    },
  );
}

function stopping(): TurnedAway {
  return new TurnedAway(503, 'the node is shutting down');
}
