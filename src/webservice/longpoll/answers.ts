/** The answers of long-poll as HTTP: a request that waits for messages, and one that brings some. */
import { sendEmpty, sendStatus } from '../../http/answer.js';
import { askAfter } from '../../transport/keep-alive.js';
import { openConnections } from '../../transport/open-connections.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest } from '../../http/service.js';
import type { LongPollClient } from '../../transport/longpoll/acceptor.js';
import type { Poll, PollEnd, Post, PostEnd } from '../../transport/longpoll/requests.js';

export const NO_STORE = { 'Cache-Control': 'no-store' };

const NOT_FOUND = 'There is no such session, or it is over.';
const COME_AGAIN = 'The connection has ended, please open another one.';

/** For so long, and longer, the server lets nothing happen on a connection. */
const PATIENCE_MS = 60_000;

/** Larger pieces are not put together. */
const MAX_PIECE_BYTES = 65_536;

/** Puts short messages together: each write costs more than to copy them. */
export function piecesOf(messages: readonly Buffer[]): readonly Buffer[] {
  const pieces: Buffer[] = [];
  let group: Buffer[] = [];
  let bytes = 0;
  const close = (): void => {
    if (group.length > 0) pieces.push(group.length === 1 ? (group[0] as Buffer) : Buffer.concat(group, bytes));
    group = [];
    bytes = 0;
  };
  for (const message of messages) {
    if (bytes + message.length > MAX_PIECE_BYTES) close();
    group.push(message);
    bytes += message.length;
  }
  close();
  return pieces;
}

/**
 * Whether an answer that is over has left. Node.js says so (`writableFinished`) of one whose connection was reset meanwhile, too.
 */
export function hasLeft(res: WebResponse): boolean {
  return res.writableFinished && res.req.socket.errored === null;
}

/** Adds what the cookie of a client has to tell. @param isAtOnce whether the answer follows the request without a wait. */
export function tellCookie({ req }: WebRequest, res: WebResponse, client: LongPollClient, isAtOnce: boolean): void {
  const telling = client.visit?.toTell(req, isAtOnce);
  if (telling === undefined) return;
  res.appendHeader('Set-Cookie', telling.setCookie);
  res.once('close', () => telling.done(hasLeft(res)));
}

/** There is no session of this id. */
export function sendGone(res: WebResponse): void {
  sendStatus(res, 404, NOT_FOUND);
}

/** The session of a request has ended. */
function sendEnd(res: WebResponse, how: Exclude<PollEnd, 'nothing'>, text = COME_AGAIN): void {
  if (how === 'gone') sendGone(res);
  else sendStatus(res, 503, text);
}

/** A request that waits for messages. */
export class HttpPoll implements Poll {
  readonly #request: WebRequest;
  readonly #res: WebResponse;
  readonly #client: LongPollClient;
  #isAnswered = false;

  /** @param waitMs for how long it may wait at most; 0 is for ever. */
  constructor(request: WebRequest, res: WebResponse, client: LongPollClient, waitMs: number) {
    this.#request = request;
    this.#res = res;
    this.#client = client;
    res.once('close', () => {
      if (!this.#isAnswered) client.wire.pollLeft(this);
    });
    const { socket } = request.req;
    if (!client.wire.connection.isOpening) openConnections.mayTakeLong(socket);
    // The server cuts a connection on which nothing happens for that long.
    if (waitMs !== 0 && waitMs < PATIENCE_MS) return;
    socket.setTimeout(0);
    askAfter(socket);
  }

  get isOpen(): boolean {
    return !this.#isAnswered && !this.#res.closed && this.#request.req.socket.writable;
  }

  send(messages: readonly Buffer[], done: (isSent: boolean) => void): void {
    const res = this.#res;
    this.#begin();
    const bytes = messages.reduce((sum, { length }) => sum + length, 0);
    const pieces = piecesOf(messages);
    const { socket } = this.#request.req;
    // Only the writes tell for sure: `finish` comes also where the connection was reset, and no error where it is destroyed.
    let left = 0;
    const note = (error: Error | null | undefined): void => {
      if (!error && !socket.destroyed) left += 1;
    };
    res.once('close', () => done(left === pieces.length));
    res.statusCode = 200;
    res.setHeader('Content-Type', this.#client.mediaType);
    res.setHeader('Content-Length', bytes);
    for (const piece of pieces) res.write(piece, note);
    res.end();
  }

  end(how: PollEnd, text?: string): void {
    if (!this.isOpen) return;
    this.#begin();
    if (how === 'nothing') sendEmpty(this.#res, 204);
    else sendEnd(this.#res, how, text);
  }

  cut(): void {
    this.#res.destroy();
  }

  #begin(): void {
    this.#isAnswered = true;
    this.#res.setHeader('Cache-Control', 'no-store');
    tellCookie(this.#request, this.#res, this.#client, false);
  }
}

/** A request that brings a message, or a batch. */
export class HttpPost implements Post {
  readonly data: Buffer;
  readonly #request: WebRequest;
  readonly #res: WebResponse;
  readonly #client: LongPollClient;

  constructor(data: Buffer, request: WebRequest, res: WebResponse, client: LongPollClient) {
    this.data = data;
    this.#request = request;
    this.#res = res;
    this.#client = client;
    res.once('close', () => client.wire.postLeft(this));
  }

  answer(how: PostEnd, text?: string): void {
    const res = this.#res;
    if (res.closed || res.headersSent) return;
    tellCookie(this.#request, res, this.#client, true);
    if (how === 'taken') sendEmpty(res, 204, NO_STORE);
    else if (how === 'refused') sendStatus(res, 400, text);
    else sendEnd(res, how, text);
  }
}
