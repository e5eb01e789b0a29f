/**
 * What the services of the HTTP bridge have in common: they take a request over HTTP, act by one session of their own in a realm, and
 * answer with what came of it. All that is below the path of a service is the service itself.
 *
 *     POST, PUT -> checks (`posts.ts`) -> the body as a request of WAMP: 400 -> the session: 503 -> its answer
 *     OPTIONS   -> 200, and what a browser wants to know before a page may post
 *
 * What a service does with a body is its own affair (`publisher.ts`, `caller.ts`, `webhook.ts`).
 */
import { sendAnswer } from '../../http/answer.js';
import type { Answer } from '../../http/answer.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest, WebService } from '../../http/service.js';
import { ServiceSession } from '../../client/service-session.js';
import type { RelayAnswer, Relayed } from '../../client/relay.js';
import type { Logger } from '../../log/logger.js';
import { spokenForms } from '../../serializer/spoken-forms.js';
import { jsonForm } from '../../serializer/json.js';
import { loggedPath } from '../../transport/refusal.js';
import type { Refusal } from '../../transport/refusal.js';
import { ProtocolViolation, WampError } from '../../wamp/error.js';
import type { Published, Result } from '../../wamp/message.js';
import { traceInHeaders } from '../../wamp/trace.js';
import { invalidUriText, isValidUri } from '../../wamp/uri.js';
import type { WebServiceDeps } from '../service.js';
import { UNEXPECTED, errorAnswer, failedOf } from './answers.js';
import type { Failed } from './answers.js';
import { BridgePosts, POST_METHODS } from './posts.js';
import type { PostOptions } from './posts.js';

/** What differs between the services. */
export interface BridgeKind {
  /** Whether a body that is not JSON is refused. */
  readonly mustBeJson: boolean;
  /** Whether the status of an error says what went wrong. */
  readonly errorStatus: boolean;
  /**
   * @returns what is asked of the router; undefined when there is no memory for it.
   * @throws ProtocolViolation (rejects) for a body that is no such request; the text is for the client.
   */
  requestOf(body: Buffer, request: WebRequest): Promise<Relayed | undefined>;
  /** @throws WampError for a result that cannot be said in JSON. */
  answerTo(answer: Published | Result): Answer;
  /** Default: the URI and the payload of the ERROR. */
  answerToError?(failed: Failed): Answer;
}

/** What the configs of the services have in common. */
export interface BridgeConfig {
  readonly type: string;
  readonly id?: string;
  readonly realm: string;
  readonly role: string;
  readonly options: PostOptions;
}

/** One service. */
export class BridgeService implements WebService {
  readonly methods = [...POST_METHODS, 'OPTIONS'];
  readonly #config: BridgeConfig;
  readonly #kind: BridgeKind;
  readonly #router: WebServiceDeps['router'];
  readonly #log: Logger;
  readonly #posts: BridgePosts;
  readonly #session: ServiceSession;
  #isStarted = false;

  constructor(config: BridgeConfig, kind: BridgeKind, { router, log, clock }: WebServiceDeps) {
    const { type, id = type, realm, role, options } = config;
    this.#config = config;
    this.#kind = kind;
    this.#router = router;
    this.#log = log;
    this.#posts = new BridgePosts(options, kind.mustBeJson, { log, clock });
    this.#session = new ServiceSession({ router, log }, { realm, role, authid: id });
  }

  start(): Promise<void> {
    // Large results are translated before they are due.
    if (!this.#isStarted) spokenForms.add(jsonForm);
    this.#isStarted = true;
    return Promise.resolve();
  }

  async stop(): Promise<void> {
    if (this.#isStarted) spokenForms.remove(jsonForm);
    this.#isStarted = false;
    await this.#session.stop();
    this.#posts.end();
  }

  async handle(request: WebRequest, res: WebResponse): Promise<void> {
    if (request.req.method === 'OPTIONS') return this.#posts.preflight(request, res);
    const body = await this.#posts.read(request, res);
    if (body === undefined) return;
    try {
      await this.#serve(request, res, body);
    } catch (err) {
      const trace = traceInHeaders(request.req.headers)?._traceparent;
      this.#log.error({ err, path: loggedPath(request.req), ...(trace && { trace }) }, 'HTTP bridge failed');
      if (!res.headersSent && !res.closed) sendAnswer(res, UNEXPECTED);
    }
  }

  async #serve(request: WebRequest, res: WebResponse, body: Buffer): Promise<void> {
    const relayed = await this.#requestOf(body, request);
    // Whoever has left wants nothing any more.
    if (hasLeft(res)) return;
    if ('status' in relayed) return this.#posts.refuse(request, res, relayed);
    const answer = await this.#ask(relayed, res);
    if ('status' in answer) return this.#posts.refuse(request, res, answer);
    if (!hasLeft(res)) sendAnswer(res, this.#answerTo(answer));
  }

  async #requestOf(body: Buffer, request: WebRequest): Promise<Relayed | Refusal> {
    try {
      const relayed = await this.#kind.requestOf(body, request);
      return relayed === undefined ? TOO_MUCH : (this.#refusalOfUri(relayed) ?? withTrace(relayed, request));
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      return { status: 400, text: error.message, kind: 'body of a request' };
    }
  }

  /** The router would say so, too, but as an error of WAMP: it is the request that is wrong. */
  #refusalOfUri(relayed: Relayed): Refusal | undefined {
    const [what, uri] = 'topic' in relayed ? ['topic', relayed.topic] : ['procedure', relayed.procedure];
    if (isValidUri(uri, this.#router.realm(this.#config.realm)?.uriRule ?? 'loose')) return undefined;
    return { status: 400, text: invalidUriText(what, uri), kind: 'URI of a request' };
  }

  /** @returns the answer of the router; a refusal when there was none, because there is no session. */
  async #ask(relayed: Relayed, res: WebResponse): Promise<RelayAnswer | Refusal> {
    let cancel = (): void => undefined;
    try {
      const relaying = await this.#session.relay(relayed);
      cancel = () => relaying.cancel('kill');
      if (hasLeft(res)) cancel();
      res.once('close', cancel);
      return await relaying.answer;
    } catch (error) {
      // Not even a request: a bug of ours.
      if (error instanceof TypeError) throw error;
      return { ...NO_SESSION, facts: { cause: error instanceof Error ? error.message : String(error) } };
    } finally {
      res.off('close', cancel);
    }
  }

  #answerTo(answer: RelayAnswer): Answer {
    if ('error' in answer) return this.#answerToError(answer);
    try {
      return this.#kind.answerTo(answer);
    } catch (error) {
      if (!(error instanceof WampError)) throw error;
      return this.#answerToError(failedOf(error));
    }
  }

  #answerToError(failed: Failed): Answer {
    return this.#kind.answerToError?.(failed) ?? errorAnswer(failed, this.#kind.errorStatus);
  }
}

/** What a program asks for over HTTP is a part of the trace that its headers name. */
function withTrace(relayed: Relayed, { req }: WebRequest): Relayed {
  const trace = traceInHeaders(req.headers);
  return trace === undefined ? relayed : { ...relayed, options: { ...relayed.options, ...trace } };
}

/** A function, because a client leaves while something else is awaited. */
function hasLeft(res: WebResponse): boolean {
  return res.closed;
}

/** In seconds: by then the realm may be back, or other requests worked off. */
const RETRY_LATER = { 'Retry-After': '5' };

const NO_SESSION: Refusal = {
  status: 503,
  text: 'the service has no session in its realm at the moment',
  kind: 'no session',
  headers: RETRY_LATER,
};

const TOO_MUCH: Refusal = {
  status: 503,
  text: 'too many large requests are being read',
  kind: 'memory for large requests',
  headers: RETRY_LATER,
};
