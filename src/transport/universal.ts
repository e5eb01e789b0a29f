/**
 * RawSocket and HTTP on the connections of one endpoint, told apart by the first octet: a RawSocket client begins with
 * 0x7F, which begins no HTTP request.
 *
 *     accepted --0x7F--> RawSocket
 *        |  |
 *        |  +--anything else--> HTTP, and WebSocket
 *        +-- nothing in time, or the client ends: closed without a word
 */
import type { Socket } from 'node:net';
import type { Logger } from '../log/logger.js';
import { RepeatedLog } from '../log/repeated.js';
import { DeadlineQueue } from './deadline-queue.js';
import type { Acceptor } from './endpoint.js';
import { peerOf } from './peer.js';
import { MAGIC } from './rawsocket/handshake.js';

export interface UniversalAcceptorOptions {
  readonly rawsocket: Acceptor;
  readonly http: Acceptor;
  /** For the first octet; 0 means never. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

/** Gives each connection to RawSocket or HTTP, by its first octet. */
export class UniversalAcceptor implements Acceptor {
  #rawsocket: Acceptor;
  /** Those whose place another one has taken, until their last connection has gone. */
  readonly #retired = new Set<Acceptor>();
  readonly #http: Acceptor;
  /** Strangers decide how often. */
  readonly #repeated: RepeatedLog;
  /** Connections that have sent nothing yet. */
  readonly #undecided = new Set<Socket>();
  #deadlines: DeadlineQueue<Socket>;

  constructor({ rawsocket, http, timeoutMs, log }: UniversalAcceptorOptions) {
    this.#rawsocket = rawsocket;
    this.#http = http;
    this.#repeated = new RepeatedLog(log);
    this.#deadlines = new DeadlineQueue(timeoutMs, (socket) => this.#overdue(socket));
  }

  async start(): Promise<void> {
    await this.#rawsocket.start?.();
    await this.#http.start?.();
  }

  /**
   * RawSockets go to another acceptor from now on.
   * @param over resolves when the connections of the old one have ended.
   * @param timeoutMs for the first octet of connections that come from now on; 0 means never.
   */
  hand(rawsocket: Acceptor, over: Promise<void>, timeoutMs: number): void {
    const old = this.#rawsocket;
    this.#rawsocket = rawsocket;
    this.#deadlines = new DeadlineQueue(timeoutMs, (socket) => this.#overdue(socket));
    this.#retired.add(old);
    void over.then(() => (this.#retired.delete(old) ? old.stop() : undefined));
  }

  accept(socket: Socket): void {
    const look = (): void => {
      const first = socket.read(1) as Buffer | null;
      if (first === null) return;
      socket.off('readable', look).off('end', end).off('close', forget).off('error', end);
      forget();
      socket.unshift(first);
      (first[0] === MAGIC ? this.#rawsocket : this.#http).accept(socket);
    };
    const end = (): void => void socket.destroy();
    const deadlines = this.#deadlines;
    const forget = (): void => {
      this.#undecided.delete(socket);
      deadlines.delete(socket);
    };
    this.#undecided.add(socket);
    deadlines.add(socket);
    socket.on('readable', look).on('end', end).on('close', forget).on('error', end);
  }

  /** See {@link Acceptor.dismiss}. */
  async dismiss(): Promise<void> {
    const all = [this.#rawsocket, this.#http, ...this.#retired];
    await Promise.all(all.map(async (acceptor) => acceptor.dismiss?.()));
  }

  async stop(): Promise<void> {
    for (const socket of this.#undecided) socket.destroy();
    this.#deadlines.clear();
    const all = [this.#rawsocket, this.#http, ...this.#retired];
    this.#retired.clear();
    await Promise.all(all.map((acceptor) => acceptor.stop()));
    this.#repeated.end();
  }

  #overdue(socket: Socket): void {
    this.#repeated.say('info', { peer: peerOf(socket) }, 'nothing was sent, connection dropped');
    socket.destroy();
  }
}
