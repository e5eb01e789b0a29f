/**
 * The connections of an HTTP server until something comes on them. The handshake of a WebSocket is read here when all of it comes in one
 * piece (`upgrade-head.ts`); a parser of Node.js, its request and its timers are not made for it. Everything else the HTTP server gets,
 * with the chunk that was read.
 *
 *     accepted -- a whole handshake --> its turn (`request-turns.ts`) --> an upgrade
 *        |  |
 *        |  +-- any other chunk --> the HTTP server, which has limits of its own; the one for the first head began here, and goes on
 *        +-- nothing in time: as a head that does not come | the client ends: the connection, too | `finish`: closed
 */
import type { Socket } from 'node:net';
import { InPlaceSet } from '../collections/in-place.js';
import { DeadlineQueue } from '../transport/deadline-queue.js';
import type { RequestHead } from '../transport/request-head.js';
import { BYTES_OF_A_TURN, requestTurns } from './request-turns.js';
import { readUpgradeHead } from './upgrade-head.js';
import type { UpgradeHead } from './upgrade-head.js';

/** Who gets the connections. */
export interface FirstChunkOwner {
  /** Takes a handshake for a WebSocket. Nobody reads the socket any more, or listens to it. Never throws. */
  upgrade(req: RequestHead, socket: Socket, head: Buffer): void;
  /** Takes a connection that sends something else; the bytes are in the socket. Never throws. */
  parse(socket: Socket): void;
  /** The connection has failed, or no head came in time. Never throws. */
  failed(error: NodeJS.ErrnoException, socket: Socket): void;
}

/** What is asked of a connection. */
export interface FirstChunkLimits {
  /** Longer heads are left to the HTTP server. */
  readonly maxHeadBytes: number;
  /** For the first head, in milliseconds; 0 means for ever. */
  readonly headMs: number;
  /** A connection on which nothing comes for so long is closed without a word. */
  readonly silentMs: number;
}

const NOTHING: Buffer = Buffer.alloc(0);

/** Waits for the first chunks of connections. */
export class FirstChunks {
  readonly #owner: FirstChunkOwner;
  readonly #maxHeadBytes: number;
  readonly #turns: typeof requestTurns;
  /** Connections on which nothing has come. */
  readonly #silent = new InPlaceSet<Socket>();
  readonly #silences: DeadlineQueue<Socket>;
  readonly #silentMs: number;
  #headMs: number;
  /** Also of those that the HTTP server has got, until it has the first head. */
  #heads: DeadlineQueue<Socket>;
  /** Listeners for all of them, which need no closure for each. */
  readonly #onData: (this: Socket, chunk: Buffer) => void;
  readonly #onError: (this: Socket, error: Error) => void;

  constructor({ maxHeadBytes, headMs, silentMs }: FirstChunkLimits, owner: FirstChunkOwner, turns = requestTurns) {
    this.#owner = owner;
    this.#turns = turns;
    this.#maxHeadBytes = maxHeadBytes;
    this.#silentMs = silentMs;
    this.#silences = new DeadlineQueue(silentMs, (socket) => void socket.destroy());
    this.#headMs = headMs;
    this.#heads = this.#headsWithin(headMs);
    const take = (socket: Socket, chunk: Buffer): void => this.#take(socket, chunk);
    this.#onData = function (this: Socket, chunk: Buffer): void {
      take(this, chunk);
    };
    this.#onError = function (this: Socket, error: Error): void {
      owner.failed(error, this);
    };
  }

  /** Takes a connection of which the HTTP server knows nothing. */
  accept(socket: Socket): void {
    this.#silent.add(socket);
    this.#watch(socket);
    socket.on('data', this.#onData).on('end', hangUp).on('error', this.#onError);
  }

  /** Another limit for first heads, also for those that wait: their time begins anew. */
  limit(headMs: number): void {
    if (headMs === this.#headMs) return;
    this.#headMs = headMs;
    this.#heads.clear();
    this.#silences.clear();
    this.#heads = this.#headsWithin(headMs);
    for (const socket of this.#silent) this.#watch(socket);
  }

  /** The HTTP server has read the first head of a connection, or a later one. */
  hasHead(socket: Socket): void {
    this.#heads.delete(socket);
  }

  closed(socket: Socket): void {
    if (this.#silent.delete(socket)) this.#silences.delete(socket);
    this.#heads.delete(socket);
  }

  /** Closes the connections on which nothing has come. */
  finish(): void {
    for (const socket of this.#silent) socket.destroy();
  }

  /** Nobody watches over the time any more. */
  end(): void {
    this.#heads.clear();
    this.#silences.clear();
  }

  #watch(socket: Socket): void {
    this.#heads.add(socket);
    if (this.#headMs === 0 || this.#headMs > this.#silentMs) this.#silences.add(socket);
  }

  #headsWithin(ms: number): DeadlineQueue<Socket> {
    return new DeadlineQueue(ms, (socket) => this.#overdue(socket));
  }

  #overdue(socket: Socket): void {
    // What comes from now on is not looked at.
    if (this.#silent.has(socket)) this.#release(socket);
    const error = new Error('no request in time');
    this.#owner.failed(Object.assign(error, { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  }

  #take(socket: Socket, chunk: Buffer): void {
    this.#release(socket);
    holdBack(socket);
    const head = readUpgradeHead(chunk, this.#maxHeadBytes);
    if (head === undefined) {
      socket.off('error', this.#onError);
      socket.unshift(chunk);
      this.#owner.parse(socket);
      return;
    }
    this.#heads.delete(socket);
    if (this.#turns.hasTime) this.#upgrade(socket, chunk, head);
    else this.#turns.enlist({ work: () => this.#upgrade(socket, chunk, head) });
  }

  /** @returns that nothing is left to do. */
  #upgrade(socket: Socket, chunk: Buffer, { bytes, url, headers, rawHeaders }: UpgradeHead): false {
    if (socket.destroyed) return false;
    this.#turns.note(BYTES_OF_A_TURN + bytes);
    socket.off('error', this.#onError);
    const rest = bytes === chunk.length ? NOTHING : chunk.subarray(bytes);
    this.#owner.upgrade({ method: 'GET', url, headers, rawHeaders, socket }, socket, rest);
    return false;
  }

  #release(socket: Socket): void {
    this.#silent.delete(socket);
    this.#silences.delete(socket);
    socket.off('data', this.#onData).off('end', hangUp);
  }
}

/** As the HTTP server does when a client ends between two requests. */
function hangUp(this: Socket): void {
  this.end();
}

/**
 * What comes from now on waits in the socket until somebody listens for it, as before the first listener. The HTTP server does the same
 * before it gives a connection away; streams have no other way back, because whom `pause` has stopped only `resume` lets go on.
 */
function holdBack(socket: { readableFlowing: boolean | null }): void {
  socket.readableFlowing = null;
}
