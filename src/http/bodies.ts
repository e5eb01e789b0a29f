/**
 * Request bodies for the services that take them. A service makes one {@link BodyReader} with what it allows and asks it at
 * each request; what comes back is the whole body, or nothing: then the request has been answered, or the client has left.
 *
 *     head -> a body of another kind, or too long: 415/413/411/400/501, unread
 *          -> 100 Continue, if the client waits for it -> chunks -> the body
 *                too long: 413 | too slow: 408 | no memory: 503 | no HTTP: 400 | the client has left: nothing
 *
 * A refusal ends the connection. It is sent at once; what the client is still sending is read and dropped for a while, because
 * a connection that is closed before loses the answer on the way. It knows no paths, and no service.
 */
import type { IncomingMessage } from 'node:http';
import type { Logger } from '../log/logger.js';
import { RefusalLog } from '../transport/refusal.js';
import type { Refusal } from '../transport/refusal.js';
import { prepareAnswer, statusAnswer } from './answer.js';
import type { Answer } from './answer.js';
import { HeldBody, bodyMemory } from './body-memory.js';
import type { BodyMemory } from './body-memory.js';
import { parseErrorOf } from './parse-error.js';
import type { WebResponse } from './response.js';
import type { WebRequest } from './service.js';

/** What a service allows. */
export interface BodyRules {
  /** How many bytes a body may have, without the framing of chunks. */
  readonly maxBytes: number;
  /**
   * Within how many milliseconds the whole body has to be there, from the moment the service asks for it. The server waits 20 s
   * for a body, unless the type of the service says more (`times` in `webservice/service.ts`).
   */
  readonly timeoutMs: number;
  /** In lower case, without parameters. Default: any. */
  readonly mediaTypes?: readonly string[];
  /** Whether a body without a Content-Type is taken, too, although `mediaTypes` are given. Default: false. */
  readonly mayBeUntyped?: boolean;
  /** Whether an empty body, or none, is taken: as zero bytes, of any type. Default: false. */
  readonly mayBeEmpty?: boolean;
  /** How the service says no. Default: a page of one sentence, as everywhere. */
  readonly answer?: (refusal: Refusal) => Answer;
}

/** Calls back after so many milliseconds. @returns a function that calls it off; harmless afterwards. */
export type After = (ms: number, callback: () => void) => () => void;

export interface BodyReaderDeps {
  readonly log: Logger;
  /** Default: the one of the process. */
  readonly memory?: BodyMemory;
  /** Default: the timers of Node.js. */
  readonly after?: After;
}

/** For how long what a refused client still sends is read. */
const LINGER_MS = 2_000;

/** In seconds: by then other bodies have been worked off. */
const RETRY_LATER = { 'Retry-After': '5' };

const NOTHING: Buffer = Buffer.alloc(0);

/** Reads the bodies of the requests of one service. */
export class BodyReader {
  readonly #rules: BodyRules;
  readonly #memory: BodyMemory;
  readonly #after: After;
  readonly #refusals: RefusalLog;

  constructor(rules: BodyRules, { log, memory = bodyMemory, after = byTimer }: BodyReaderDeps) {
    this.#rules = rules;
    this.#memory = memory;
    this.#after = after;
    this.#refusals = new RefusalLog(log);
  }

  /**
   * Reads the body of a request, once. Its memory counts until the response has closed.
   *
   * @returns the whole body; undefined when there is nothing left to do: the request was refused and has its answer, or the
   *   client has left.
   */
  async read({ req }: WebRequest, res: WebResponse): Promise<Buffer | undefined> {
    const refusal = refusalOfHead(req, this.#rules);
    if (refusal !== undefined) {
      this.#refuse(req, res, refusal);
      return undefined;
    }
    if (!announcesBody(req)) return NOTHING;
    if (res.awaitsContinue) res.writeContinue();
    const held = new HeldBody(this.#memory, announcedLength(req));
    res.once('close', () => held.release());
    const end = await this.#receive(req, res, held);
    if (end === 'whole') return held.bytes;
    held.release();
    if (end !== 'gone') this.#refuse(req, res, end);
    return undefined;
  }

  /** Nothing more will be read: tells what was left out of the log. */
  end(): void {
    this.#refusals.end();
  }

  /** Takes what comes until it is known how the body ends. */
  #receive(req: IncomingMessage, res: WebResponse, held: HeldBody): Promise<BodyEnd> {
    const { maxBytes, timeoutMs, mayBeEmpty = false } = this.#rules;
    return new Promise((resolve) => {
      const settle = (end: BodyEnd): void => {
        callOff();
        req.off('data', take).off('end', ended).off('error', failed).off('close', left);
        res.off('close', left);
        resolve(end);
      };
      const callOff = this.#after(timeoutMs, () => settle(tooSlow(timeoutMs)));
      const take = (chunk: Buffer): void => {
        if (held.length + chunk.length > maxBytes) settle(tooLarge(maxBytes));
        else if (!held.add(chunk)) settle(NO_MEMORY);
      };
      const ended = (): void => settle(held.length === 0 && !mayBeEmpty ? EMPTY : 'whole');
      const failed = (error: NodeJS.ErrnoException): void => settle(endOfFailure(error));
      const left = (): void => settle('gone');
      if (req.destroyed || res.closed) left();
      else if (res.requestError !== undefined) failed(res.requestError);
      else {
        req.on('data', take).on('end', ended).on('error', failed).on('close', left);
        res.on('close', left);
      }
    });
  }

  #refuse(req: IncomingMessage, res: WebResponse, refusal: BodyRefusal): void {
    if (refusal.isLogged !== true) this.#refusals.request(req, refusal);
    refuseBody(req, res, refusal, { answer: this.#rules.answer, after: this.#after });
  }
}

/** How {@link refuseBody} says no. */
export interface RefusingBody {
  /** Default: a page of one sentence. */
  readonly answer?: BodyRules['answer'];
  /** Default: the timers of Node.js. */
  readonly after?: After;
}

/**
 * Answers a request whose body is not wanted, or not to its end; nothing listens to it any more. The client has the whole answer at
 * once; the connection ends when it has sent what it meant to, or after a while. Nothing happens when there is an answer already.
 */
export function refuseBody(
  req: IncomingMessage,
  res: WebResponse,
  refusal: BodyRefusal,
  { answer: answerOf, after = byTimer }: RefusingBody = {},
): void {
  if (res.headersSent || res.closed) return;
  const { status, text, headers = {} } = refusal;
  const answer = answerOf?.(refusal) ?? statusAnswer(status, text);
  // The client sends its body only if it is asked to.
  const isSending = !res.awaitsContinue && !req.complete && refusal.isLogged !== true;
  res.shouldKeepAlive = false;
  prepareAnswer(res, { ...answer, headers: { ...answer.headers, ...headers } });
  if (!isSending) {
    res.end(answer.body);
    return;
  }
  res.write(answer.body);
  const callOff = after(LINGER_MS, () => res.end());
  res.once('close', callOff);
  req.once('end', () => res.end());
  req.resume();
}

/** A refusal of what stands in the head, or came behind it. */
export interface BodyRefusal extends Refusal {
  /** The parser gave up, and the dispatcher has written it down; nothing behind that is read any more. */
  readonly isLogged?: true;
}

/** How a body ends: it is there, the client has left, or it has to be refused. */
type BodyEnd = 'whole' | 'gone' | BodyRefusal;

/** Whether a body follows the head (RFC 9112, section 6.3). */
export function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** @returns in bytes; undefined for a chunked body. */
export function announcedLength({ headers }: IncomingMessage): number | undefined {
  return headers['content-length'] === undefined ? undefined : Number(headers['content-length']);
}

/** Judges a body by its head, before a byte of it is read. @returns undefined when it may come. */
export function refusalOfHead(req: IncomingMessage, rules: Omit<BodyRules, 'timeoutMs'>): BodyRefusal | undefined {
  if (!announcesBody(req)) return rules.mayBeEmpty === true ? undefined : refusalOfNothing(req);
  const { headers } = req;
  const unreadable = refusalOfFraming(req);
  if (unreadable !== undefined) return unreadable;
  if ((headers['content-encoding'] ?? 'identity').toLowerCase() !== 'identity') return CONTENT_CODING;
  if ((announcedLength(req) ?? 0) > rules.maxBytes) return tooLarge(rules.maxBytes);
  return refusalOfType(headers['content-type'], rules);
}

/** @returns why a body that is announced cannot be read, whoever wants it. */
export function refusalOfFraming({ headers }: IncomingMessage): Refusal | undefined {
  // The parser of Node.js takes any list that ends with `chunked`.
  return (headers['transfer-encoding'] ?? 'chunked').toLowerCase() === 'chunked' ? undefined : TRANSFER_CODING;
}

function refusalOfNothing({ headers }: IncomingMessage): BodyRefusal {
  if (headers['content-length'] !== undefined) return EMPTY;
  return { status: 411, text: 'The request has no body.', kind: 'no body' };
}

function refusalOfType(header: string | undefined, rules: Omit<BodyRules, 'timeoutMs'>): BodyRefusal | undefined {
  const { mediaTypes, mayBeUntyped = false } = rules;
  if (mediaTypes === undefined || (header === undefined && mayBeUntyped)) return undefined;
  if (mediaTypes.includes(header?.split(';', 1).join('').trim().toLowerCase() ?? '')) return undefined;
  const accepted = mediaTypes.join(', ');
  return {
    status: 415,
    text: `The body must be of the type ${accepted}.`,
    kind: 'media type',
    headers: { Accept: accepted },
    facts: { type: header ?? '(none)' },
  };
}

const EMPTY: BodyRefusal = { status: 400, text: 'The request body is empty.', kind: 'empty body' };

const CONTENT_CODING: BodyRefusal = {
  status: 415,
  text: 'The request body must not be compressed.',
  kind: 'content coding',
  headers: { 'Accept-Encoding': 'identity' },
};

const TRANSFER_CODING: BodyRefusal = {
  status: 501,
  text: 'The only transfer coding is "chunked".',
  kind: 'transfer coding',
};

/** There is no memory for another body. */
export const NO_MEMORY: BodyRefusal = {
  status: 503,
  text: 'Too many requests are being read.',
  kind: 'memory for bodies',
  headers: RETRY_LATER,
};

function tooLarge(maxBytes: number): BodyRefusal {
  return { status: 413, text: `The request body has more than ${String(maxBytes)} bytes.`, kind: 'body too large' };
}

/** The body has not come within its time. */
export function tooSlow(timeoutMs: number): BodyRefusal {
  return {
    status: 408,
    text: `The request body did not arrive within ${String(timeoutMs / 1000)} seconds.`,
    kind: 'body too slow',
  };
}

/** How a body ends that fails. @param error of the request, as Node.js or the dispatcher reports it. */
export function endOfFailure(error: NodeJS.ErrnoException): 'gone' | BodyRefusal {
  return error.code === 'ECONNRESET' ? 'gone' : { ...parseErrorOf(error), isLogged: true };
}

function byTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
