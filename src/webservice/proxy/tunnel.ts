/**
 * One WebSocket, passed on to a backend: the handshake is asked for as the client asks, and after the 101 the two connections are
 * one. Of what goes through nothing is looked at but where the frames of the backend end, so close codes, pings and subprotocols are a
 * matter of both ends.
 *
 *     asked -> no connection, no answer: 502/503, 504 | another answer than 101: passed on, the connection ends
 *           -> 101 -> bytes both ways, as fast as the slower side reads -> one side stops sending: the other is told, and may go on
 *                                                                       -> one side is gone: both end
 *                                                                       -> the node stops, or the place is no more: behind the open frame
 *                                                                          of the backend the client is told 1001, and its answer is
 *                                                                          what the backend hears
 */
import { STATUS_CODES, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Departing } from '../../transport/drain.js';
import { askAfter } from '../../transport/keep-alive.js';
import { openConnections } from '../../transport/open-connections.js';
import { refuse } from '../../transport/refusal.js';
import type { Backend } from './backend.js';
import type { Failure } from './forward.js';
import { FrameEnds } from './frame-ends.js';
import { responseHeaders } from './headers.js';
import type { HeaderList } from './headers.js';

/** What is asked of the backend. */
export interface TunnelTerms {
  readonly backend: Backend;
  /** The request target: path and query. */
  readonly target: string;
  /** All headers of the handshake but `Connection` and `Upgrade`. */
  readonly headers: HeaderList;
  /** How long the backend may take to answer; 0 for as long as it likes. */
  readonly timeoutMs: number;
  /** What the client is told when nobody can be reached. */
  readonly unreachable: 502 | 503;
  /** Changes the headers of the answer. */
  readonly adapt: (headers: HeaderList) => HeaderList;
  /** Is told why there is no WebSocket. */
  readonly failed: (failure: Failure) => void;
  /** Both ends are gone. */
  readonly closed: () => void;
}

const NO_ANSWER = 'The server behind this node does not answer.';

/** A close frame with the code 1001, "going away", as a server sends it. */
const GOING_AWAY = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/** How long one end may take to read the rest when the other one is gone. */
const REST_MS = 60_000;

/** Two connections, or one that waits for the other. */
export class Tunnel implements Departing {
  readonly isCallee = false;
  readonly isBusy = false;
  readonly #client: Socket;
  readonly #terms: TunnelTerms;
  #upstream: ClientRequest | undefined;
  #backend: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isSettled = false;
  #isLeaving = false;
  readonly #ends = new FrameEnds();
  readonly #look = (chunk: Buffer): void => void this.#ends.push(chunk);

  constructor(client: Socket, terms: TunnelTerms) {
    this.#client = client;
    this.#terms = terms;
  }

  /** Asks the backend. @param head what the client has sent behind its handshake. */
  open(head: Buffer): void {
    const { backend, target, headers, timeoutMs } = this.#terms;
    this.#client.once('close', () => this.#clientClosed());
    const upstream = httpRequest({
      ...backend.upgradeOptions,
      method: 'GET',
      path: target,
      headers: [...headers, 'Connection', 'Upgrade', 'Upgrade', 'websocket'],
    });
    this.#upstream = upstream;
    upstream.once('socket', (socket: Socket) => this.#connected(socket, upstream));
    upstream
      .on('upgrade', (incoming, socket: Socket, rest: Buffer) => this.#join(incoming, socket, { head, rest }))
      .on('response', (incoming) => this.#passRefusal(incoming))
      .on('error', (error: NodeJS.ErrnoException) => this.#fail(this.#terms.unreachable, error.code ?? error.message));
    if (timeoutMs > 0) {
      this.#timer = setTimeout(() => {
        this.#fail(504, 'no answer in time');
        upstream.destroy();
      }, timeoutMs);
    }
    upstream.end();
  }

  /** Tells the client that it has to leave. The connections end when both sides have said so; else somebody cuts them. */
  shutdown(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    if (this.#backend === undefined) this.#callOff();
    else this.#leave(this.#backend);
  }

  /** Cuts both connections. */
  cut(): void {
    this.#client.destroy();
    this.#upstream?.destroy();
    this.#backend?.destroy();
  }

  /** The backend has not answered yet. */
  #callOff(): void {
    this.#settle();
    refuse(this.#client, 503, 'The node is stopping.');
    this.#upstream?.destroy();
  }

  #leave(backend: Socket): void {
    const client = this.#client;
    const end = (): void => {
      client.destroySoon();
      backend.destroySoon();
    };
    // One of them has no more to say: it could not answer.
    if (!client.writable || client.readableEnded || !backend.writable) return end();
    const rest = (chunk: Buffer): void => {
      const taken = this.#ends.push(chunk, true);
      if (!client.write(chunk.subarray(0, taken))) {
        backend.pause();
        client.once('drain', () => backend.resume());
      }
      if (this.#ends.isBetween) say();
    };
    const say = (): void => {
      backend.off('data', rest);
      if (!this.#ends.isClosing && client.writable) client.write(GOING_AWAY);
      // Nobody hears what it says now; it ends when it has heard of the client.
      backend.resume();
    };
    backend.unpipe(client);
    backend.off('data', this.#look).once('end', end);
    if (this.#ends.isBetween) say();
    else backend.on('data', rest).resume();
  }

  #connected(socket: Socket, upstream: ClientRequest): void {
    const { backend } = this.#terms;
    if (!backend.taken(socket)) {
      this.#fail(503, 'too many connections in the node');
      upstream.destroy();
      socket.destroy();
      return;
    }
    socket.once('close', () => backend.released(socket));
    if (!socket.connecting || backend.connectMs === 0) return;
    const late = setTimeout(() => {
      this.#fail(504, 'no connection');
      upstream.destroy();
    }, backend.connectMs);
    const calledOff = (): void => clearTimeout(late);
    socket.once('connect', calledOff).once('close', calledOff);
  }

  #join(
    incoming: IncomingMessage,
    backend: Socket,
    { head, rest }: { readonly head: Buffer; readonly rest: Buffer },
  ): void {
    this.#settle();
    this.#backend = backend;
    const client = this.#client;
    if (client.destroyed) {
      backend.destroy();
      return;
    }
    client.write(
      this.#headOf(incoming, ['Connection', 'Upgrade', 'Upgrade', incoming.headers.upgrade ?? 'websocket']),
      'latin1',
    );
    if (rest.length > 0) client.write(rest);
    this.#ends.push(rest);
    backend.on('data', this.#look);
    if (head.length > 0) backend.write(head);
    openConnections.inUse(client);
    for (const [end, other] of [
      [client, backend],
      [backend, client],
    ] as const) {
      end.setTimeout(0);
      end.setNoDelay(true);
      askAfter(end);
      end.on('error', () => other.destroy());
      end.once('close', () => endWith(end, other));
      end.pipe(other);
    }
  }

  /** The backend wants no WebSocket, and says why. */
  #passRefusal(incoming: IncomingMessage): void {
    this.#settle();
    const client = this.#client;
    incoming.on('error', () => client.destroy());
    incoming.once('close', () => {
      if (!incoming.complete) client.destroy();
    });
    client.once('finish', () => client.destroy());
    client.write(this.#headOf(incoming, ['Connection', 'close']), 'latin1');
    incoming.pipe(client);
  }

  #headOf({ statusCode = 502, statusMessage, rawHeaders }: IncomingMessage, last: HeaderList): string {
    const status = `HTTP/1.1 ${String(statusCode)} ${statusMessage ?? STATUS_CODES[statusCode] ?? ''}`;
    const headers = [...this.#terms.adapt(responseHeaders(rawHeaders)), ...last];
    const lines = headers.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${headers[at + 1] ?? ''}`] : []));
    return `${[status, ...lines].join('\r\n')}\r\n\r\n`;
  }

  #fail(status: 502 | 503 | 504, reason: string): void {
    if (this.#isSettled) return;
    this.#settle();
    if (!this.#client.destroyed) this.#terms.failed({ status, text: NO_ANSWER, reason });
    refuse(this.#client, status, NO_ANSWER);
  }

  #settle(): void {
    this.#isSettled = true;
    clearTimeout(this.#timer);
  }

  #clientClosed(): void {
    this.#settle();
    if (this.#backend === undefined) this.#upstream?.destroy();
    this.#terms.closed();
  }
}

/** One end is gone. If it had said all that it had to say, the other one gets the rest. */
function endWith(gone: Socket, other: Socket): void {
  if (other.destroyed) return;
  if (!gone.readableEnded) {
    other.destroy();
    return;
  }
  other.setTimeout(REST_MS, () => other.destroy());
  other.destroySoon();
}
