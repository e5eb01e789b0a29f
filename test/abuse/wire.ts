/**
 * A connection that sends octets the way nobody should: in pieces of any size, and ended in any way. Times are limits of what
 * is waited for; nothing passes or fails by them.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import type { Random } from './random.js';

/** Where a transport of the node listens. */
export interface Place {
  readonly at: { readonly port: number; readonly host: string } | { readonly path: string };
  /** The certificate to trust, for TLS. */
  readonly ca?: string;
}

/** A client that is not done by then goes. */
const PATIENCE_MS = 1500;
/** For what may come, and may not. */
export const A_WHILE_MS = 20;
/** How many of the clients do not read. */
const DEAF = 0.05;
/** An answer that is larger is not read to its end. */
const MOST_KEPT = 4 * 1024 * 1024;

export class Wire {
  readonly #socket: Socket;
  readonly #closed: Promise<unknown>;
  readonly #end: number;
  /** Only TCP has resets. */
  readonly #canReset: boolean;
  #received = Buffer.alloc(0);
  #isDeaf = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket, canReset: boolean) {
    this.#socket = socket;
    this.#canReset = canReset;
    this.#end = performance.now() + PATIENCE_MS;
    // A reset is an end like any other.
    socket.on('error', () => undefined);
    this.#closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#wake();
        resolve(undefined);
      });
    });
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      if (this.#received.length > MOST_KEPT) socket.pause();
      this.#wake();
    });
  }

  /** @returns a connection, which the node may have closed at once. */
  static async open({ at, ca }: Place, random: Random): Promise<Wire> {
    const socket = ca === undefined ? connect(at) : connectTls({ ...at, ca });
    const wire = new Wire(socket, 'port' in at && ca === undefined);
    await Promise.race([once(socket, ca === undefined ? 'connect' : 'secureConnect'), wire.#closed]).catch(ignore);
    socket.setNoDelay(true);
    if (random.chance(DEAF)) wire.#goDeaf();
    return wire;
  }

  get isOpen(): boolean {
    return !this.#socket.destroyed && !this.#socket.writableEnded;
  }

  /** Reads nothing any more: what the node has for it must not become too much. */
  #goDeaf(): void {
    this.#isDeaf = true;
    this.#socket.pause();
  }

  /** Takes what has come. */
  take(): Buffer {
    const taken = this.#received;
    this.#received = Buffer.alloc(0);
    if (this.#socket.isPaused() && !this.#isDeaf) this.#socket.resume();
    return taken;
  }

  /** Gives back what was taken and is not complete. */
  untake(rest: Buffer): void {
    this.#received = Buffer.concat([rest, this.#received]);
  }

  /** Waits until `done` says so of what has come, the connection is closed, or patience is over. */
  async until(done: (received: Buffer) => boolean, patienceMs = PATIENCE_MS): Promise<void> {
    const end = Math.min(this.#end, performance.now() + (this.#isDeaf ? A_WHILE_MS : patienceMs));
    const isOver = (): boolean => this.#socket.destroyed || this.#socket.readableEnded || performance.now() > end;
    while (!done(this.#received) && !isOver()) await this.#change(end);
  }

  /** Sends all at once, or in pieces with turns of the event loop between them; what the node does not read is not sent. */
  async send(bytes: Buffer, random: Random): Promise<void> {
    let rest = bytes;
    const most = random.pick([1, 7, 100, 5000, 70_000]);
    // A megabyte octet by octet would be nothing but waiting.
    const inPieces = random.chance(0.5) && bytes.length / most < 500;
    while (rest.length > 0 && this.isOpen && !this.#isOver) {
      const piece = inPieces ? rest.subarray(0, random.between(1, most)) : rest;
      rest = rest.subarray(piece.length);
      if (!this.#socket.write(piece)) await Promise.race([once(this.#socket, 'drain'), this.#change()]).catch(ignore);
      if (inPieces) await turn();
    }
  }

  /** Ends the connection in one of all the ways there are, and waits until it is closed on this side. */
  async end(random: Random): Promise<void> {
    const way = random.pick(['finish', 'half', 'half', 'reset', 'destroy', 'wait'] as const);
    if (way === 'finish') this.#socket.end();
    if (way === 'half') {
      this.#socket.end();
      await this.until(() => false, A_WHILE_MS);
    }
    if (way === 'wait') await this.until(() => false, A_WHILE_MS);
    if (way === 'reset' && this.#canReset) this.#socket.resetAndDestroy();
    this.#socket.destroy();
    await this.#closed;
  }

  get #isOver(): boolean {
    return performance.now() > this.#end;
  }

  /** Something came, the connection is closed, or it is too late. */
  async #change(end = this.#end): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, Math.max(0, end - performance.now()));
    });
    const news = new Promise<void>((resolve) => (this.#wake = resolve));
    await Promise.race([news, late, this.#closed]);
    clearTimeout(timer);
  }
}

/** The end of a connection is told by `close`. */
function ignore(): void {
  return undefined;
}
