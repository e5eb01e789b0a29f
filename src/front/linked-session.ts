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

export interface LinkedSessionDeps {
  readonly link: Pick<Link, 'facts' | 'mustWait' | 'record'>;
  readonly log: Logger;
  readonly number: number;
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
  #isAnnounced = false;
  #isOver = false;
  /** How much may still be sent before the router gives more. */
  #credit = CREDIT_BYTES;
  #goOn: ((rest: () => void) => void) | undefined;

  constructor(connection: WampConnection, deps: LinkedSessionDeps) {
    this.connection = connection;
    this.#deps = deps;
    queueMicrotask(() => this.#announce());
  }

  receive(message: ClientMessage): void {
    const { bytes } = message as unknown as Undecoded;
    this.#record(Kind.MESSAGE, bytes);
    this.#credit -= bytes.length;
    // What comes behind it waits, and the client is not read.
    if (this.#mustWait) this.#goOn ??= this.connection.inbox.suspend();
  }

  /** The router has worked off so many bytes. */
  credited(bytes: number): void {
    this.#credit += bytes;
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
    if (this.#isOver) return;
    this.#facts(Kind.GONE, { ending: this.connection.ending } satisfies Loss);
    this.#isOver = true;
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
    return this.#credit <= 0 || this.#deps.link.mustWait();
  }

  #record(kind: Kind, content?: Buffer): void {
    this.#announce();
    if (!this.#isOver) this.#deps.link.record(kind, this.#deps.number, content);
  }

  #facts(kind: Kind, value: object): void {
    this.#announce();
    if (!this.#isOver) this.#deps.link.facts(kind, this.#deps.number, value);
  }

  /** Before anything else, and when the connection is put together. */
  #announce(): void {
    if (this.#isAnnounced) return;
    this.#isAnnounced = true;
    const { link, number, openingOf } = this.#deps;
    link.facts(Kind.OPENED, number, openingOf(this.connection));
  }
}
