/**
 * The requests of one service that go on to a backend: how many there may be, and what is written down of those that have no answer.
 *
 *     too many: 503 -> `forward`
 */
import { METHODS } from 'node:http';
import { sendStatus } from '../../http/answer.js';
import { NO_MEMORY } from '../../http/bodies.js';
import { BodyMemory } from '../../http/body-memory.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest } from '../../http/service.js';
import type { Logger } from '../../log/logger.js';
import { RepeatedLog } from '../../log/repeated.js';
import { RefusalLog } from '../../transport/refusal.js';
import { nameOf } from './cookies.js';
import { forward } from './forward.js';
import type { ForwardTerms } from './forward.js';
import { mapHeader } from './headers.js';
import type { HeaderList } from './headers.js';

/** All but those that ask for a tunnel of their own, or for what the proxy says itself. */
export const PROXIED_METHODS: readonly string[] = METHODS.filter(
  (method) => method !== 'CONNECT' && method !== 'TRACE',
);

const TOO_MANY = { status: 503, text: 'Too many requests are under way.', kind: 'too many proxied requests' } as const;
const RETRY_LATER = { 'Retry-After': '5' };

/** What a service lets through. */
export interface ProxiedRequestsOptions {
  readonly maxRequests: number;
  /** How long the backend may take for the head of its answer, once it has the request. */
  readonly timeoutMs: number;
  /** How many bytes a body may have; `Infinity` for no limit. */
  readonly maxBytes: number;
  /** How many bytes all bodies that are under way may have, for a backend that keeps them; by default no limit. */
  readonly maxBytesInAll?: number;
  readonly log: Logger;
}

/** What is asked of a backend. */
export type ProxiedTerms = Pick<
  ForwardTerms,
  'backend' | 'target' | 'headers' | 'adapt' | 'failed' | 'endsWithBackend'
>;

export class ProxiedRequests {
  readonly #options: ProxiedRequestsOptions;
  readonly #memory: BodyMemory | undefined;
  readonly #refusals: RefusalLog;
  readonly #repeated: RepeatedLog;
  #underWay = 0;

  constructor(options: ProxiedRequestsOptions) {
    const { log, maxBytesInAll } = options;
    this.#options = options;
    this.#memory = maxBytesInAll === undefined ? undefined : new BodyMemory(maxBytesInAll);
    this.#refusals = new RefusalLog(log);
    this.#repeated = new RepeatedLog(log);
  }

  /** @returns whether the request may go on; if not, it has its answer. */
  admits({ req }: WebRequest, res: WebResponse): boolean {
    if (this.#underWay < this.#options.maxRequests) return true;
    this.#refusals.request(req, TOO_MANY);
    sendStatus(res, TOO_MANY.status, TOO_MANY.text, RETRY_LATER);
    return false;
  }

  /** Answers a request that was admitted. It counts until its answer has left. */
  forward(request: WebRequest, res: WebResponse, terms: ProxiedTerms): void {
    if (res.closed) return;
    const { timeoutMs, maxBytes } = this.#options;
    const memory = this.#memory;
    this.#underWay += 1;
    res.once('close', () => (this.#underWay -= 1));
    waitLonger(request, res, timeoutMs);
    const full = (): void => this.#refusals.request(request.req, NO_MEMORY);
    forward(request.req, res, { ...terms, timeoutMs, maxBytes, bodies: memory && { memory, full } });
  }

  /**
   * @param hidden the cookies by which this node recognises browsers.
   * @param adapt changes the other cookies that the backend sets.
   * @returns the headers of an answer, without cookies of those names: they are set by the node alone.
   */
  withoutCookies(
    headers: HeaderList,
    hidden: ReadonlySet<string>,
    adapt: (value: string) => string = (value) => value,
  ): string[] {
    return mapHeader(headers, 'set-cookie', (value) => {
      if (!hidden.has(nameOf(value))) return adapt(value);
      const facts = { cookie: nameOf(value), remedy: 'give one of the two another name' };
      this.#repeated.say(
        'warn',
        facts,
        'a backend sets a cookie of the name by which this node recognises browsers, left out',
      );
      return undefined;
    });
  }

  /** Nothing more will be asked: tells what was left out of the log. */
  end(): void {
    this.#refusals.end();
    this.#repeated.end();
  }
}

/** A server cuts a connection on which nothing happens. @param timeoutMs for which nothing need happen here. */
function waitLonger({ req: { socket } }: WebRequest, res: WebResponse, timeoutMs: number): void {
  const usual = socket.timeout;
  if (usual === undefined || usual === 0 || timeoutMs < usual) return;
  socket.setTimeout(timeoutMs + usual);
  res.once('close', () => socket.setTimeout(usual));
}
