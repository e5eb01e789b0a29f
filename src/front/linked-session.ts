/**
 * The session of a connection of a front: it is with the router, and here is what stands for it. Messages go there as they came, and come
 * from there as frames.
 */
import { ProtocolViolation } from '../wamp/error.js';
import type { Undecoded } from './passed-on.js';
import { Kind } from './records.js';
import { CREDIT_BYTES } from './shapes.js';
import type { ConnectionSession, CloseCause } from '../session/transport.js';
import type { Logger } from '../log/logger.js';
import type { WampConnection } from '../transport/connection.js';
import type { ClientMessage } from '../wamp/message.js';
import type { Link } from './link.js';
import type { Abort, Drop, Loss, Opening, Standing } from './shapes.js';

/** Where the session of a connection is: a router, and the number of the client there. */
export interface Seat {
  readonly link: Pick<Link, 'facts' | 'mustWait' | 'record'>;
  readonly number: number;
}

export interface LinkedSessionDeps {
  /** The router that has let it in. */
  readonly seat: Seat;
  /** Whether that may send it to another one. */
  readonly mayMove: boolean;
  readonly log: Logger;
  /** @returns what was agreed; asked when the connection is complete. */
  readonly openingOf: (connection: WampConnection) => Opening;
}

export class LinkedSession implements ConnectionSession {
  id = 0;
  isOpening = true;
  /** The router ends connections in the order that this decides. */
  readonly isCallee = false;
  readonly isBusy = false;
  readonly connection: WampConnection;
  readonly #deps: LinkedSessionDeps;
  #seat: Seat;
  #isAnnounced = false;
  /** The client has gone. */
  isOver = false;
  /** How much may still be sent before the router gives more. */
  #credit = CREDIT_BYTES;
  /** As long as it is with another router: how much may be sent to the first one. */
  #creditAtHome = 0;
  /** Nothing is sent behind a message that another router may have to answer. */
  #isAwaited = false;
  #goOn: ((rest: () => void) => void) | undefined;

  constructor(connection: WampConnection, deps: LinkedSessionDeps) {
    this.connection = connection;
    this.#deps = deps;
    this.#seat = deps.seat;
    queueMicrotask(() => this.#announce());
  }

  receive(message: ClientMessage): void {
    this.pass((message as unknown as Undecoded).bytes);
  }

  /** Sends a message of the client to the router. */
  pass(bytes: Buffer): void {
    if (this.#deps.mayMove && this.isOpening) this.#isAwaited = true;
    this.#record(Kind.MESSAGE, bytes);
    this.#credit -= bytes.length;
    // What comes behind it waits, and the client is not read.
    if (this.#mustWait) this.#goOn ??= this.connection.inbox.suspend();
  }

  /** The router says something to the client. */
  answered(): void {
    if (!this.#isAwaited) return;
    this.#isAwaited = false;
    this.mayGoOn();
  }

  get isAway(): boolean {
    return this.#seat !== this.#deps.seat;
  }

  /** Another router has the realm. What the first one could not answer comes back, for that one. */
  movesTo(seat: Seat): void {
    this.#creditAtHome = this.#credit;
    this.#credit = CREDIT_BYTES;
    this.#seat = seat;
    this.#isAnnounced = false;
    this.#announce();
  }

  /** The other router has ended the session. */
  goesHome(): void {
    if (!this.isAway) return;
    this.#facts(Kind.GONE, {} satisfies Loss);
    this.#seat = this.#deps.seat;
    this.#isAnnounced = true;
    this.#credit = this.#creditAtHome;
    this.#isAwaited = false;
    this.stands({ isEstablished: false, id: 0 });
    this.#record(Kind.HOME);
    this.mayGoOn();
  }

  /** A router has worked off so many bytes. */
  credited(bytes: number, link: Seat['link']): void {
    if (link === this.#seat.link) this.#credit += bytes;
    else this.#creditAtHome += bytes;
    this.mayGoOn();
  }

  /** It is looked whether the client can be read again. */
  mayGoOn(): void {
    const goOn = this.#goOn;
    if (goOn === undefined || this.#mustWait) return;
    this.#goOn = undefined;
    goOn(() => undefined);
  }

  stands({ isEstablished, id }: Standing): void {
    this.id = id;
    this.isOpening = !isEstablished;
    if (isEstablished) this.connection.sessionOpened();
    else this.connection.sessionClosing();
  }

  fail(error: unknown): void {
    if (!(error instanceof ProtocolViolation)) {
      this.#deps.log.error({ err: error, peer: this.connection.peer }, 'a message could not be passed on');
    }
    const text = error instanceof ProtocolViolation ? error.message : '';
    this.#record(Kind.BROKEN, Buffer.from(text));
  }

  abort(reason: string, message: string, cause: CloseCause): void {
    this.#facts(Kind.ABORTED, { reason, message, cause } satisfies Abort);
  }

  eventDropped(isFirst: boolean): void {
    this.#facts(Kind.DROPPED, { isFirst } satisfies Drop);
  }

  transportLost(): void {
    if (this.isOver) return;
    const loss: Loss = { ending: this.connection.ending };
    this.#facts(Kind.GONE, loss);
    this.isOver = true;
    const { seat } = this.#deps;
    if (this.isAway) seat.link.facts(Kind.GONE, seat.number, loss);
  }

  /** The front stops. */
  shutdown(): void {
    this.connection.close('system_shutdown', 'the router is shutting down');
  }

  /** The router watches over it. */
  overdue(): void {
    // Its own limits count.
  }

  get #mustWait(): boolean {
    return this.#isAwaited || this.#credit <= 0 || this.#seat.link.mustWait();
  }

  #record(kind: Kind, content?: Buffer): void {
    this.#announce();
    if (!this.isOver) this.#seat.link.record(kind, this.#seat.number, content);
  }

  #facts(kind: Kind, value: object): void {
    this.#announce();
    if (!this.isOver) this.#seat.link.facts(kind, this.#seat.number, value);
  }

  /** Before anything else, and when the connection is put together. */
  #announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    const { link, number } = this.#seat;
    link.facts(Kind.OPENED, number, this.#deps.openingOf(this.connection));
  }
}
