/**
 * One HTTP request, passed on to a backend, and its answer, passed back. Bodies are streamed in both directions: whoever reads slowly
 * makes the other one send slowly, and nothing is kept.
 *
 *     framing, length -> 400/413/501 | no connection: 502, 503, 504 | reset, or no HTTP, before the answer: 502 | no answer in time: 504
 *     answer -> head, body -> the end: the connection of the client goes on, whatever the backend does then
 *                          -> cut in the middle: the connection of the client is cut, so that it sees that
 *     the client leaves -> the request to the backend is cut
 *
 * It knows no config: what is asked for, and with which headers, it is told.
 */
import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { prepareAnswer, sendAnswer, statusAnswer } from '../../http/answer.js';
import { NO_MEMORY, announcedLength, announcesBody, refusalOfFraming } from '../../http/bodies.js';
import type { BodyMemory } from '../../http/body-memory.js';
import { parseErrorOf } from '../../http/parse-error.js';
import { BYTES_OF_A_TURN, requestTurns } from '../../http/request-turns.js';
import type { WebResponse } from '../../http/response.js';
import type { Backend } from './backend.js';
import { mapHeader, responseHeaders } from './headers.js';
import type { HeaderList } from './headers.js';

/** What is asked of the backend. */
export interface ForwardTerms {
  readonly backend: Backend;
  /** The request target: path and query. */
  readonly target: string;
  /** All headers of the request but those of the framing. */
  readonly headers: HeaderList;
  /** How long the backend may take for the head of its answer, once it has the request. */
  readonly timeoutMs: number;
  /** How many bytes a body may have; `Infinity` for no limit. */
  readonly maxBytes: number;
  /** Where the backend keeps bodies: what all of them together may take. */
  readonly bodies?: ForwardedBodies | undefined;
  /** Whether a last answer of the backend is the last one for the client, too. */
  readonly endsWithBackend?: boolean;
  /** Changes the headers of the answer. */
  readonly adapt: (headers: HeaderList) => HeaderList;
  /** Is told why there is no answer, or only half of one. */
  readonly failed: (failure: Failure) => void;
}

/** The memory of a backend for bodies that it has not answered yet. */
export interface ForwardedBodies {
  readonly memory: BodyMemory;
  /** Is told that there was no room for a body. */
  readonly full: () => void;
}

/** Why a backend does not answer. */
export interface Failure {
  readonly status: 502 | 503 | 504;
  /** For the client, which learns nothing of the backend. */
  readonly text: string;
  /** For the operator. */
  readonly reason: string;
}

/** So long a client that asks whether its body is wanted waits for a backend that does not know the question. */
const CONTINUE_MS = 1000;

/** For how long what a refused client still sends is read. */
const LINGER_MS = 2000;

/** May be asked twice with the same effect as once (RFC 9110, section 9.2.2). */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** A body is expected with them: where there is none, that is said. */
const WITH_BODY = new Set(['POST', 'PUT', 'PATCH']);

const NO_ANSWER = 'The server behind this node does not answer.';

/** Seconds: by then some of the requests are through. */
const RETRY_LATER = { 'Retry-After': '5' };

/** Answers a request with what a backend answers. */
export function forward(req: IncomingMessage, res: WebResponse, terms: ForwardTerms): void {
  if (res.closed || req.socket.destroyed) return;
  if (announcesBody(req)) {
    const refusal = refusalOfFraming(req);
    if (refusal !== undefined) return refuseRequest(req, res, refusal.status, refusal.text);
    if ((announcedLength(req) ?? 0) > terms.maxBytes) return refuseTooLarge(req, res, terms.maxBytes);
  }
  new Exchange(req, res, terms).start();
}

class Exchange {
  readonly #req: IncomingMessage;
  readonly #res: WebResponse;
  readonly #terms: ForwardTerms;
  readonly #hasBody: boolean;
  #upstream: ClientRequest | undefined;
  #incoming: IncomingMessage | undefined;
  #timer: NodeJS.Timeout | undefined;
  #continueTimer: NodeJS.Timeout | undefined;
  #bytes = 0;
  /** What the body has in the memory of the backend. */
  #charged = 0;
  /** There is an answer, from the backend or from us, or nobody who waits for one. */
  #isSettled = false;
  #isRetried = false;

  constructor(req: IncomingMessage, res: WebResponse, terms: ForwardTerms) {
    this.#req = req;
    this.#res = res;
    this.#terms = terms;
    this.#hasBody = announcesBody(req);
  }

  start(): void {
    this.#res.once('close', () => this.#closed());
    if (this.#hasBody) {
      this.#res.once('finish', () => this.#drop());
      this.#req.on('error', (error: NodeJS.ErrnoException) => this.#bodyFailed(error));
      if (this.#res.requestError !== undefined) return this.#bodyFailed(this.#res.requestError);
    }
    this.#send(this.#terms.backend.requestOptions);
  }

  #send(place: object): void {
    const { target, headers, timeoutMs } = this.#terms;
    const { method = 'GET' } = this.#req;
    const isAsking = this.#res.awaitsContinue;
    const upstream = httpRequest({
      ...place,
      method,
      path: target,
      headers: [...this.#withExpect(headers), ...this.#framing(method)],
    });
    this.#upstream = upstream;
    let taken: Socket | undefined;
    upstream
      .once('socket', (socket: Socket) => {
        if (this.#isConnected(upstream, socket)) taken = socket;
      })
      .once('response', (incoming) => this.#answer(incoming))
      .once('close', () => {
        if (taken !== undefined) this.#terms.backend.released(taken);
        this.#upstreamFailed(upstream, 'closed without an answer');
      })
      .on('error', (error: NodeJS.ErrnoException) => this.#upstreamFailed(upstream, error.code ?? error.message));
    if (isAsking) upstream.on('continue', () => this.#goOn());
    this.#timer = setTimeout(() => this.#overdue(), timeoutMs);
    if (!this.#hasBody) upstream.end();
    else if (isAsking) this.#continueTimer = setTimeout(() => this.#goOn(), CONTINUE_MS);
    else this.#passBody(upstream);
  }

  /** The backend is asked only what the client still wants to know. */
  #withExpect(headers: HeaderList): HeaderList {
    const isAsked = this.#res.awaitsContinue || this.#req.headers.expect === undefined;
    return isAsked ? headers : mapHeader(headers, 'expect', () => undefined);
  }

  #framing(method: string): HeaderList {
    if (!this.#hasBody) return WITH_BODY.has(method) ? ['Content-Length', '0'] : [];
    const length = announcedLength(this.#req);
    return length === undefined ? ['Transfer-Encoding', 'chunked'] : ['Content-Length', String(length)];
  }

  /** The request has got its connection, which may still have to be opened. @returns false when there are too many. */
  #isConnected(upstream: ClientRequest, socket: Socket): boolean {
    const { backend } = this.#terms;
    if (!backend.taken(socket)) {
      this.#fail({ status: 503, text: 'Too many connections are open.', reason: 'too many connections in the node' });
      upstream.destroy();
      socket.destroy();
      return false;
    }
    if (!socket.connecting || backend.connectMs === 0) return true;
    const late = setTimeout(() => this.#late(upstream, 'no connection'), backend.connectMs);
    const calledOff = (): void => clearTimeout(late);
    socket.once('connect', calledOff).once('close', calledOff);
    return true;
  }

  /** The backend wants the body, or does not say. */
  #goOn(): void {
    clearTimeout(this.#continueTimer);
    if (this.#isSettled || !this.#res.awaitsContinue || this.#upstream === undefined) return;
    this.#res.writeContinue();
    this.#passBody(this.#upstream);
  }

  #passBody(upstream: ClientRequest): void {
    const { maxBytes, bodies } = this.#terms;
    if (maxBytes !== Infinity || bodies !== undefined) {
      this.#req.on('data', (chunk: Buffer) => {
        if (!this.#isSettled) this.#count(chunk.length);
      });
    }
    this.#req.pipe(upstream);
  }

  #count(bytes: number): void {
    const { maxBytes, bodies } = this.#terms;
    this.#bytes += bytes;
    if (this.#bytes > maxBytes) {
      this.#giveUpBody();
      refuseTooLarge(this.#req, this.#res, maxBytes);
    } else if (bodies?.memory.charge(bytes) === true) {
      this.#charged += bytes;
    } else if (bodies !== undefined) {
      this.#giveUpBody();
      bodies.full();
      refuseRequest(this.#req, this.#res, NO_MEMORY.status, NO_MEMORY.text);
    }
  }

  #giveUpBody(): void {
    this.#settle();
    this.#upstream?.destroy();
  }

  #overdue(): void {
    // The backend cannot answer before it knows the question. A client that has stopped sending is cut by the server.
    if (!this.#req.complete && !this.#res.awaitsContinue) this.#timer?.refresh();
    else if (this.#upstream !== undefined) this.#late(this.#upstream, 'no answer in time');
  }

  #late(upstream: ClientRequest, reason: string): void {
    this.#fail({ status: 504, text: NO_ANSWER, reason });
    upstream.destroy();
  }

  #answer(incoming: IncomingMessage): void {
    if (this.#isSettled) {
      incoming.destroy();
      return;
    }
    this.#settle();
    this.#incoming = incoming;
    incoming.on('error', () => undefined).once('close', () => this.#answerClosed(incoming));
    if (requestTurns.hasTime) this.#passOn(incoming, false);
    else {
      const work = (): boolean => {
        this.#passOn(incoming, true);
        return false;
      };
      requestTurns.enlist({ work });
    }
  }

  /** It is the turn of the answer. */
  #passOn(incoming: IncomingMessage, isLate: boolean): void {
    requestTurns.note(BYTES_OF_A_TURN);
    if (this.#res.destroyed || this.#res.headersSent || !this.#writeHead(incoming)) return;
    this.#passAnswer(incoming, isLate);
    // Events come long before the next byte of a body, and a short body comes with its head.
    setImmediate(() => {
      if (!this.#res.writableEnded && !this.#res.closed) this.#res.flushHeaders();
    });
  }

  /** What `pipe` does, without what it costs to let others look on. @param isLate whether some of the body may be there already. */
  #passAnswer(incoming: IncomingMessage, isLate: boolean): void {
    const res = this.#res;
    let isPaused = false;
    const write = (chunk: Buffer): void => {
      if (res.destroyed || res.writableEnded || res.write(chunk)) return;
      isPaused = true;
      incoming.pause();
    };
    // It costs most to send it: so not in one of the next ticks, which belong to nobody's turn.
    const early = isLate ? (incoming.read() as Buffer | null) : null;
    if (early !== null && incoming.complete) res.end(early);
    else if (early !== null) write(early);
    incoming.on('data', write).once('end', () => {
      if (!res.destroyed && !res.writableEnded) res.end();
    });
    res.on('drain', () => {
      if (!isPaused) return;
      isPaused = false;
      incoming.resume();
    });
  }

  /** @returns false when the head of the answer cannot be passed on. */
  #writeHead(incoming: IncomingMessage): boolean {
    const res = this.#res;
    try {
      const headers = this.#terms.adapt(responseHeaders(incoming.rawHeaders));
      // They speak of documents of ours.
      for (const name of ['Server', 'X-Content-Type-Options']) res.removeHeader(name);
      const seen = new Set(['set-cookie']);
      for (let at = 0; at < headers.length; at += 2) {
        const [name = '', value = ''] = [headers[at], headers[at + 1]];
        const key = name.toLowerCase();
        if (seen.has(key)) res.appendHeader(name, value);
        else res.setHeader(name, value);
        seen.add(key);
      }
      if (this.#terms.endsWithBackend === true && incoming.headers.connection === 'close') res.shouldKeepAlive = false;
      res.writeHead(incoming.statusCode ?? 502, incoming.statusMessage);
      return true;
    } catch (error) {
      incoming.destroy();
      for (const name of res.getHeaderNames()) res.removeHeader(name);
      const reason = `headers that cannot be passed on: ${error instanceof Error ? error.message : ''}`;
      this.#refuse({ status: 502, text: NO_ANSWER, reason });
      return false;
    }
  }

  #answerClosed(incoming: IncomingMessage): void {
    if (incoming.complete || this.#res.writableEnded || this.#res.closed) return;
    this.#refuse({ status: 502, text: NO_ANSWER, reason: 'the answer was cut' });
  }

  #upstreamFailed(upstream: ClientRequest, reason: string): void {
    if (this.#isSettled || upstream !== this.#upstream) return;
    // The backend may have closed a connection that waited for a request, at the moment when it got one.
    if (upstream.reusedSocket && !this.#isRetried && !this.#hasBody && IDEMPOTENT.has(this.#req.method ?? '')) {
      this.#isRetried = true;
      clearTimeout(this.#timer);
      this.#send(this.#terms.backend.upgradeOptions);
      return;
    }
    this.#fail({ status: 502, text: NO_ANSWER, reason });
  }

  #bodyFailed(error: NodeJS.ErrnoException): void {
    if (this.#isSettled && this.#incoming === undefined) return;
    this.#settle();
    this.#upstream?.destroy();
    if (error.code === 'ECONNRESET') return;
    const { status, text } = parseErrorOf(error);
    refuseRequest(this.#req, this.#res, status, text);
  }

  #fail(failure: Failure): void {
    if (this.#isSettled) return;
    this.#settle();
    this.#refuse(failure);
  }

  #refuse(failure: Failure): void {
    this.#terms.failed(failure);
    refuseRequest(this.#req, this.#res, failure.status, failure.text);
  }

  #settle(): void {
    this.#isSettled = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#continueTimer);
  }

  /** The client has its answer. What it still sends belongs to nobody. */
  #drop(): void {
    if (this.#upstream !== undefined) this.#req.unpipe(this.#upstream);
    this.#req.resume();
  }

  #closed(): void {
    this.#settle();
    this.#terms.bodies?.memory.release(this.#charged);
    const upstream = this.#upstream;
    // Not after its end: the connection may be at the next request.
    if (upstream === undefined || (this.#incoming?.complete === true && upstream.writableFinished)) return;
    upstream.destroy();
  }
}

function refuseTooLarge(req: IncomingMessage, res: WebResponse, maxBytes: number): void {
  refuseRequest(req, res, 413, `The request body has more than ${String(maxBytes)} bytes.`);
}

/**
 * Answers a request of which the body may still be on its way: a connection that is closed before it has been read loses the answer.
 */
export function refuseRequest(req: IncomingMessage, res: WebResponse, status: number, text: string): void {
  if (res.headersSent || res.closed) {
    res.destroy();
    return;
  }
  const answer = statusAnswer(status, text, status === 503 ? RETRY_LATER : {});
  if (!announcesBody(req) || req.complete || res.awaitsContinue || res.requestError !== undefined) {
    if (!req.complete) res.shouldKeepAlive = false;
    sendAnswer(res, answer);
    return;
  }
  res.shouldKeepAlive = false;
  prepareAnswer(res, answer);
  res.write(answer.body);
  const callOff = setTimeout(() => res.end(), LINGER_MS);
  res.once('close', () => clearTimeout(callOff));
  req.unpipe();
  req
    .on('error', () => undefined)
    .once('end', () => res.end())
    .resume();
}
