/**
 * Several protocols on the connections of one endpoint, told apart by the first octet: each of them but HTTP has one of its own, which
 * begins no HTTP request.
 *
 *     accepted --an octet of the table--> its protocol
 *        |  |
 *        |  +--anything else--> HTTP, and WebSocket
 *        +-- nothing in time, or the client ends: closed without a word
 */
import type { Socket } from 'node:net';
import type { Logger } from '../../log/logger.js';
import { RepeatedLog } from '../../log/repeated.js';
import { DeadlineQueue } from '../deadline-queue.js';
import type { Acceptor } from '../endpoint.js';
import { peerOf } from '../peer.js';

export interface UniversalAcceptorOptions {
  /** First octet -> who takes the connection. */
  readonly byOctet: ReadonlyMap<number, Acceptor>;
  /** Takes all others. */
  readonly http: Acceptor;
  /** For the first octet; 0 means never. */
  readonly timeoutMs: number;
  readonly log: Logger;
}

/** Gives each connection to a protocol, by its first octet. */
export class UniversalAcceptor implements Acceptor {
  readonly #byOctet: ReadonlyMap<number, Acceptor>;
  readonly #http: Acceptor;
  /** Strangers decide how often. */
  readonly #repeated: RepeatedLog;
  /** Connections that have sent nothing yet. */
  readonly #undecided = new Set<Socket>();
  #timeoutMs: number;
  #deadlines: DeadlineQueue<Socket>;

  constructor({ byOctet, http, timeoutMs, log }: UniversalAcceptorOptions) {
    this.#byOctet = byOctet;
    this.#http = http;
    this.#repeated = new RepeatedLog(log);
    this.#timeoutMs = timeoutMs;
    this.#deadlines = this.#deadlinesOf(timeoutMs);
  }

  async start(): Promise<void> {
    for (const acceptor of this.#all) await acceptor.start?.();
  }

  /** @param timeoutMs for the first octet of connections that come from now on; 0 means never. */
  limit(timeoutMs: number): void {
    if (timeoutMs === this.#timeoutMs) return;
    this.#timeoutMs = timeoutMs;
    this.#deadlines = this.#deadlinesOf(timeoutMs);
  }

  accept(socket: Socket): void {
    const look = (): void => {
      // All of it: what comes next may look at the whole first piece.
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      socket.off('readable', look).off('end', end).off('close', forget).off('error', end);
      forget();
      socket.unshift(chunk);
      (this.#byOctet.get(chunk[0] ?? -1) ?? this.#http).accept(socket);
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
    await Promise.all(this.#all.map(async (acceptor) => acceptor.dismiss?.()));
  }

  async stop(): Promise<void> {
    for (const socket of this.#undecided) socket.destroy();
    this.#deadlines.clear();
    await Promise.all(this.#all.map((acceptor) => acceptor.stop()));
    this.#repeated.end();
  }

  get #all(): readonly Acceptor[] {
    return [...this.#byOctet.values(), this.#http];
  }

  #deadlinesOf(timeoutMs: number): DeadlineQueue<Socket> {
    return new DeadlineQueue(timeoutMs, (socket) => this.#overdue(socket));
  }

  #overdue(socket: Socket): void {
    this.#repeated.say('info', { peer: peerOf(socket) }, 'nothing was sent, connection dropped');
    socket.destroy();
  }
}
