/**
 * The transport of a client in this process: its two ends are here, and messages stay objects. What the client sends is
 * routed at once; what the router sends is handed over in a later turn of the event loop, in order. So the router is
 * never entered again while it routes, and clients that keep each other busy cannot keep the sockets waiting.
 *
 * What waits here is what the router made in one turn, and no more.
 */
import { Session } from '../session/session.js';
import { ProtocolViolation } from '../wamp/error.js';
import { envelopeOf, parseMessage } from '../wamp/parse.js';
import { NO_PAYLOAD } from '../wamp/payload.js';
import type { ClientInfo } from '../auth/method.js';
import type { SessionDeps } from '../session/deps.js';
import type { SessionTransport } from '../session/transport.js';
import type { ClientMessage, RouterMessage } from '../wamp/message.js';

/** Messages of the client that wait while an authorizer is asked: more are refused. */
export const MAX_WAITING = 10_000;

/** The client's end. Neither may throw. */
export interface LocalEnd {
  receive(message: RouterMessage): void;
  /** Nothing comes any more. */
  disconnected(): void;
}

export class LocalTransport implements SessionTransport {
  readonly client: ClientInfo;
  readonly facts: { readonly peer: string };
  readonly waitingBytes = undefined;
  readonly #session: Session;
  readonly #end: LocalEnd;
  /** On the way to the client. */
  #inbox: RouterMessage[] = [];
  #scheduled = false;
  #closed = false;
  /** On the way to the router, which does not read at the moment. */
  #outbox: ClientMessage[] = [];
  #paused = false;

  /** @param peer what others see as its address. */
  constructor(end: LocalEnd, deps: SessionDeps, peer: string) {
    this.client = { peer, address: '', liveCookie: undefined, headers: undefined, tls: undefined };
    this.facts = { peer };
    this.#end = end;
    this.#session = new Session(this, deps);
  }

  /** Takes a message of the client. @throws TypeError for one that no client could send. */
  tell(message: ClientMessage): void {
    const checked = check(message);
    if (!this.#paused && this.#outbox.length === 0) return this.#session.receive(checked);
    if (this.#outbox.length >= MAX_WAITING) throw new Error(`${MAX_WAITING} messages wait for the authorizer already`);
    this.#outbox.push(checked);
  }

  /** Begins the end of the session: the node stops. */
  shutdown(): void {
    // It is gone for good, and has to be told.
    this.#session.shutdown(true);
  }

  send(message: RouterMessage): void {
    this.#inbox.push(message);
    this.#schedule();
  }

  close(): void {
    this.#closed = true;
    this.#schedule();
  }

  challenged(): void {
    // Nobody asks it to prove who it is.
  }

  sessionOpened(): void {
    // There are no deadlines: it is our own code that says HELLO,
  }

  sessionClosing(): void {
    // and answers GOODBYE.
  }

  sessionEnded(): void {
    // There is one session.
  }

  pauseReading(): void {
    this.#paused = true;
  }

  resumeReading(): void {
    this.#paused = false;
    // Not at once: the session is in the middle of something.
    queueMicrotask(() => this.#catchUp());
  }

  #catchUp(): void {
    while (!this.#paused) {
      const message = this.#outbox.shift();
      if (message === undefined) return;
      this.#session.receive(message);
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  #flush(): void {
    const messages = this.#inbox;
    this.#inbox = [];
    this.#scheduled = false;
    for (const message of messages) this.#end.receive(message);
    if (this.#closed && this.#inbox.length === 0) this.#end.disconnected();
  }
}

/** What a serializer does for other clients. */
function check(message: ClientMessage): ClientMessage {
  const fields = envelopeOf(message);
  try {
    return parseMessage(fields, fields.length, 'payload' in message ? message.payload : NO_PAYLOAD);
  } catch (error) {
    if (error instanceof ProtocolViolation) throw new TypeError(error.message, { cause: error });
    throw error;
  }
}
