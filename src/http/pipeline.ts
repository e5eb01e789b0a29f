/**
 * The requests of one HTTP connection, one at a time: the parser gets the bytes of the next request when the answer to the
 * last one is through and the client has taken it. What else the client sent waits in the socket, and then with the
 * client. So a connection costs one answer at most, however many requests come in one packet, and an upgrade can only come
 * when nothing is due any more.
 *
 *     bytes -> a piece (`message-cuts.ts`) -> the parser of Node.js -> a request -> its answer -> the next piece
 *
 * The connections share the event loop: where others have had it for long enough, the next piece waits (`request-turns.ts`).
 *
 * Node.js parses all that it reads at once and has no switch for this, so the pipeline takes the place of the listener
 * between socket and parser. It knows nothing of paths and services.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Backlog } from '../transport/fair-scheduler.js';
import { MessageCuts } from './message-cuts.js';
import { BYTES_OF_A_TURN, requestTurns } from './request-turns.js';
import type { WebResponse } from './response.js';

const NOTHING: Buffer = Buffer.alloc(0);

/** Something threw while a request was parsed, or at the events that came of it. */
export type OnFault = (error: unknown, socket: Socket) => void;

export class Pipeline implements Backlog {
  readonly #socket: Socket;
  readonly #turns: typeof requestTurns;
  readonly #parse: (bytes: Buffer) => void;
  readonly #onFault: OnFault;
  readonly #cuts = new MessageCuts();
  /** The last request; its body may still be on the way. */
  #request: IncomingMessage | undefined;
  #due: WebResponse | undefined;
  /** Bytes have come of which there is no request yet. */
  #hasBegun = false;
  /** Of the bytes that were read, those that the parser has not got yet. */
  #rest = NOTHING;
  /** The socket is not read, because of us. */
  #held = false;
  #awaitsDrain = false;
  /** What was read waits for its turn. */
  #isPutOff = false;
  #isReleased = false;

  readonly #take = (bytes: Buffer): void => {
    if (this.#isPutOff) {
      // Whoever reads a body has let the socket go on.
      this.#socket.pause();
      this.#socket.unshift(bytes);
      return;
    }
    this.#held = false;
    this.#rest = bytes;
    if (!this.#parseOn(this.#turns.hasTime)) return;
    this.#isPutOff = true;
    this.#socket.pause();
    this.#turns.enlist(this);
  };

  /** @param socket an HTTP server has it already and listens to its data. */
  constructor(socket: Socket, onFault: OnFault, turns = requestTurns) {
    this.#socket = socket;
    this.#turns = turns;
    this.#onFault = onFault;
    const parse = socket.listeners('data').at(-1);
    if (parse === undefined) throw new TypeError('an HTTP connection that nobody reads');
    this.#parse = parse as (bytes: Buffer) => void;
    socket.off('data', this.#parse);
    socket.on('data', this.#take);
  }

  /** The answer that is being given. */
  get due(): WebResponse | undefined {
    return this.#due;
  }

  /** Whether the connection is between two requests, or before the first one. */
  get isIdle(): boolean {
    return this.#due === undefined && !this.#hasBegun;
  }

  /** A request was parsed. The next one comes when its response has closed. */
  add(req: IncomingMessage, res: WebResponse): void {
    this.#hasBegun = false;
    this.#request = req;
    this.#due = res;
    this.#cuts.expectBody(Number(req.headers['content-length'] ?? 0));
    res.once('close', () => {
      this.#due = undefined;
      this.#goOn();
    });
  }

  /** The connection is no longer HTTP: what the parser has not got is left in the socket. */
  release(): void {
    this.#isReleased = true;
    this.#socket.off('data', this.#take);
    if (this.#rest.length > 0) this.#putBack();
    // Should it wait for a drain, that brings nothing any more.
    this.#held = false;
  }

  /** It is the turn of what was put off. */
  work(): boolean {
    if (this.#socket.destroyed || this.#isReleased) {
      this.#rest = NOTHING;
      return false;
    }
    // Before the parser runs: it may have a reason to pause.
    this.#socket.resume();
    const isUnfinished = this.#parseOn(true);
    if (isUnfinished) this.#socket.pause();
    this.#isPutOff = isUnfinished;
    return isUnfinished;
  }

  /** @param mayBegin whether there is time for one piece at least. @returns whether others have to get their turn first. */
  #parseOn(mayBegin: boolean): boolean {
    try {
      for (let mayGoOn = mayBegin; this.#rest.length > 0; mayGoOn = this.#turns.hasTime) {
        // The last answer has been given, or a refusal: the rest is not looked at.
        if (!this.#socket.writable) this.#rest = NOTHING;
        else if (this.#mustWait()) this.#hold();
        // No service reads the body yet: Node.js goes on when one does.
        else if (this.#socket.isPaused()) this.#putBack();
        else if (!mayGoOn) return true;
        else this.#parsePiece();
      }
    } catch (error) {
      this.#onFault(error, this.#socket);
    }
    return false;
  }

  #parsePiece(): void {
    const length = this.#cuts.next(this.#rest);
    const bytes = this.#rest;
    const isAll = length === bytes.length;
    this.#turns.note(BYTES_OF_A_TURN + length);
    // Before the parser runs: an upgrade takes the rest.
    this.#rest = isAll ? NOTHING : bytes.subarray(length);
    this.#hasBegun = true;
    this.#parse(isAll ? bytes : bytes.subarray(0, length));
  }

  #mustWait(): boolean {
    return this.#socket.writableNeedDrain || (this.#due !== undefined && this.#request?.complete === true);
  }

  #hold(): void {
    this.#held = true;
    this.#socket.pause();
    this.#putBack();
    this.#awaitDrain();
  }

  #putBack(): void {
    this.#socket.unshift(this.#rest);
    this.#rest = NOTHING;
  }

  #goOn(): void {
    if (!this.#held) return;
    if (this.#mustWait()) {
      this.#awaitDrain();
      return;
    }
    this.#held = false;
    this.#socket.resume();
  }

  #awaitDrain(): void {
    if (this.#awaitsDrain || !this.#socket.writableNeedDrain) return;
    this.#awaitsDrain = true;
    this.#socket.once('drain', () => {
      this.#awaitsDrain = false;
      this.#goOn();
    });
  }
}
