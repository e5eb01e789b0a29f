/**
 * All connections of the process, whatever they speak, from the moment they are accepted: each takes a file descriptor, and
 * when there are none left nobody gets in and no file can be opened. Some are kept for files; when the rest is taken, the
 * connection that has waited longest without a session makes room for the new one. Honest clients wait for milliseconds, so
 * it is not one of them.
 *
 *     admitted, waiting --session, or a request--> in use --GOODBYE, or the answer--> waiting again --> closed
 *
 * What waits: a TLS handshake, headers, opening octets, a HELLO, a connection between two requests. A response is in use as
 * long as it goes on; one that nobody reads counts as waiting after a while.
 */
import { InPlaceMap, InPlaceSet } from '../collections/in-place.js';

/** A socket, as far as it is seen here. */
export interface Connection {
  readonly bytesWritten: number;
  readonly writableLength: number;
  readonly destroyed: boolean;
  /** Whether it is one of another process, and takes no descriptor here. */
  readonly isElsewhere?: boolean;
  destroy(): unknown;
}

export interface Admission {
  readonly isAdmitted: boolean;
  /** Somebody else had to go for it. */
  readonly hasEvicted: boolean;
}

/** A response of which nothing has left for so long is no longer one in use. */
const STALLED_MS = 10_000;
/** To look at all responses costs time: only so often. */
const LOOK_EVERY_MS = 1000;

/** A connection with requests that are not answered yet. */
interface Response {
  requests: number;
  /** How much had left at the last look, and since when it is so. */
  sent: number;
  since: number;
}

const ADMITTED: Admission = { isAdmitted: true, hasEvicted: false };
const INSTEAD: Admission = { isAdmitted: true, hasEvicted: true };
const REFUSED: Admission = { isAdmitted: false, hasEvicted: false };

export class OpenConnections {
  /** How many there may be. */
  limit = Infinity;
  readonly #clock: () => number;
  #open = 0;
  /** Whoever has waited longest is first. */
  readonly #waiting = new InPlaceSet<Connection>();
  readonly #responses = new InPlaceMap<Connection, Response>();
  /** Those that are no longer counted although they are not closed yet. */
  readonly #evicted = new WeakSet<Connection>();
  /** What is counted -> what is spoken to: with TLS, one lies below the other. And the other way round. */
  readonly #upper = new WeakMap<Connection, Connection>();
  readonly #lower = new WeakMap<Connection, Connection>();
  #lookedAt = -Infinity;

  /** @param clock milliseconds that never go back. */
  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** How many are open. */
  get size(): number {
    return this.#open;
  }

  /** Counts a new connection, which waits. One that is not admitted is not counted: it has to be closed. */
  admit(connection: Connection): Admission {
    if (this.#open < this.limit) {
      this.#count(connection);
      return ADMITTED;
    }
    const oldest = this.#waiting.first ?? this.#stalled();
    if (oldest === undefined) return REFUSED;
    this.#evict(oldest);
    this.#count(connection);
    return INSTEAD;
  }

  /** From now on it is spoken to through another one, which tells what becomes of it; the first one tells its end. */
  continueAs(connection: Connection, upper: Connection): void {
    this.#upper.set(connection, upper);
    this.#lower.set(upper, connection);
    if (this.#waiting.delete(connection)) this.#waiting.add(upper);
  }

  /** It has a session. */
  inUse(connection: Connection): void {
    this.#waiting.delete(connection);
  }

  /** It has none any more. */
  waits(connection: Connection): void {
    if (!connection.destroyed && connection.isElsewhere !== true) this.#waiting.add(connection);
  }

  /** It has asked for something by HTTP. */
  responds(connection: Connection): void {
    this.#waiting.delete(connection);
    const response = this.#responses.get(connection);
    if (response === undefined) {
      this.#responses.set(connection, { requests: 1, sent: sentBy(connection), since: this.#clock() });
    } else response.requests += 1;
  }

  /** Its answer is not due yet, and nobody is to blame: it counts as in use, also when nothing leaves for long. */
  mayTakeLong(connection: Connection): void {
    const response = this.#responses.get(connection);
    if (response !== undefined) response.since = Infinity;
  }

  /** It has been answered. */
  responded(connection: Connection): void {
    const response = this.#responses.get(connection);
    if (response === undefined || --response.requests > 0) return;
    this.#responses.delete(connection);
    this.#waiting.add(connection);
  }

  /** It is closed. */
  leave(connection: Connection): void {
    this.#forget(this.#upper.get(connection) ?? connection);
    this.#forget(connection);
    if (!this.#evicted.delete(connection)) this.#open -= 1;
  }

  #count(connection: Connection): void {
    this.#open += 1;
    this.#waiting.add(connection);
  }

  #evict(connection: Connection): void {
    this.#forget(connection);
    this.#evicted.add(this.#lower.get(connection) ?? connection);
    this.#open -= 1;
    connection.destroy();
  }

  #forget(connection: Connection): void {
    this.#waiting.delete(connection);
    this.#responses.delete(connection);
  }

  /** Those that were not read for too long wait from now on. @returns one of them. */
  #stalled(): Connection | undefined {
    const now = this.#clock();
    if (now - this.#lookedAt < LOOK_EVERY_MS) return undefined;
    this.#lookedAt = now;
    for (const [connection, response] of this.#responses) {
      const sent = sentBy(connection);
      if (sent !== response.sent) Object.assign(response, { sent, since: now });
      else if (now - response.since >= STALLED_MS) {
        this.#responses.delete(connection);
        this.#waiting.add(connection);
      }
    }
    return this.#waiting.first;
  }
}

function sentBy({ bytesWritten, writableLength }: Connection): number {
  return bytesWritten - writableLength;
}

/** One for the process, because there is one table of descriptors. */
export const openConnections = new OpenConnections(() => performance.now());
