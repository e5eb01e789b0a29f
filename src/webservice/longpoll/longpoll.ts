/**
 * `longpoll`: WAMP over plain HTTP requests (section "HTTP Longpoll Transport"), for clients behind proxies that let no WebSockets
 * through. The work is done by `LongPollAcceptor`; this is its place in the tree, and all that is HTTP.
 *
 *     POST <longpoll>/open           {"protocols": [...]} -> {"transport": id, "protocol": ...}, with the cookie
 *     POST <longpoll>/<id>/send      a message, or a batch -> 204
 *     POST <longpoll>/<id>/receive   200 with messages, or 204 when there were none for a while
 *     POST <longpoll>/<id>/close     204
 *
 *     every request: method 405 -> origin 403 -> id 404 -> body 413, 408, 503 -> the session
 *
 * A page can post without asking first, so its origin is looked at before anything is done. The id of a session is its password: it
 * stands in no log. Cookies are tracked by `/open`, which is the visit. No other request needs one.
 */
import { sendAnswer, sendEmpty, sendStatus } from '../../http/answer.js';
import { BodyReader } from '../../http/bodies.js';
import { BodyMemory } from '../../http/body-memory.js';
import { CrossOrigin } from '../../http/cross-origin.js';
import { keepConnection } from '../../http/kept-connections.js';
import { countRefusal } from '../../metrics/transport-counts.js';
import { MAX_OPENING_BYTES } from '../../session/opening.js';
import { createSessionDeps } from '../../session/deps.js';
import type { LiveSessionDeps } from '../../session/deps.js';
import { LongPollAcceptor } from '../../transport/longpoll/acceptor.js';
import { concealPath, RefusalLog } from '../../transport/refusal.js';
import { hasLeft, HttpPoll, HttpPost, NO_STORE, sendGone, tellCookie } from './answers.js';
import { protocolsOf } from './opening.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest, WebService } from '../../http/service.js';
import type { LongPollClient } from '../../transport/longpoll/acceptor.js';
import type { After } from '../../transport/longpoll/order.js';
import type { Refusal } from '../../transport/refusal.js';
import type { WebServiceDeps, WebServiceType } from '../service.js';
import type { LongPollServiceConfig } from './schema.js';

/** How long a body may take to arrive, in milliseconds. */
const BODY_MS = 10_000;
/** A list of subprotocols is short. */
const MAX_LIST_BYTES = 4096;

const METHODS = ['POST'];

/** The bodies of all sessions: those that are large, or have to wait, take no room of other services. */
const bodyMemory = new BodyMemory();

/** What a request wants of a session. */
type Action = (request: WebRequest, res: WebResponse, client: LongPollClient) => void | Promise<void>;

class LongPollService implements WebService {
  readonly methods = 'any';
  readonly #config: LongPollServiceConfig;
  readonly #deps: WebServiceDeps;
  readonly #after: After | undefined;
  readonly #origins: CrossOrigin;
  readonly #refusals: RefusalLog;
  readonly #lists: BodyReader;
  /** For those who have no session yet, and for the others. */
  readonly #short: BodyReader;
  readonly #long: BodyReader;
  readonly #actions: ReadonlyMap<string, Action>;
  #acceptor: LongPollAcceptor | undefined;
  #sessions: LiveSessionDeps | undefined;
  /** What was here before, as long as it has sessions: their ids are known there. */
  #before: LongPollService | undefined;

  constructor(config: LongPollServiceConfig, deps: WebServiceDeps, after: After | undefined) {
    const { options } = config;
    const { log } = deps;
    this.#config = config;
    this.#deps = deps;
    this.#after = after;
    const { allowed_origins = ['*'], allow_null_origin = true } = options;
    this.#origins = new CrossOrigin({ allowed_origins, allow_null_origin }, METHODS);
    this.#refusals = new RefusalLog(log);
    this.#lists = new BodyReader({ maxBytes: MAX_LIST_BYTES, timeoutMs: BODY_MS, mayBeEmpty: true }, { log });
    const reader = (maxBytes: number): BodyReader =>
      new BodyReader({ maxBytes, timeoutMs: BODY_MS, mayBeEmpty: true }, { log, memory: bodyMemory });
    this.#short = reader(Math.min(options.max_message_size, MAX_OPENING_BYTES));
    this.#long = reader(options.max_message_size);
    this.#actions = new Map<string, Action>([
      ['send', (...asked) => this.#send(...asked)],
      ['receive', (...asked) => this.#receive(...asked)],
      ['close', close],
    ]);
  }

  async start(): Promise<void> {
    const { router, load, families, logins, cookies, log, drain, share, counts } = this.#deps;
    const own = await createSessionDeps(this.#config, { router, load, log, families, logins, counts });
    this.#sessions = own;
    const tracker = await cookies?.tracker();
    const sessions = share?.(this.#config, own) ?? own;
    this.#acceptor = new LongPollAcceptor(this.#config, {
      sessions,
      serializers: families.serializers,
      tracker,
      log,
      drain,
      ...(this.#after && { after: this.#after }),
    });
  }

  /** Sessions go on as they are, where the path is one of long-polls; else they end one by one. */
  async retire(successor: WebService | undefined): Promise<void> {
    if (!(successor instanceof LongPollService)) return this.dismiss();
    const [sessions, acceptor] = [successor.#sessions, successor.#acceptor];
    if (sessions === undefined || acceptor === undefined) return this.dismiss();
    this.#sessions?.follow(sessions);
    successor.#before = this;
    await this.#acceptor?.retire(acceptor);
    if (successor.#before === this) successor.#before = this.#before;
  }

  knows(rest: string): boolean {
    const [, id = ''] = rest.split('/');
    return this.#acceptor?.find(id) !== undefined || this.#before?.knows(rest) === true;
  }

  async dismiss(): Promise<void> {
    const before = this.#before;
    const beforeOver = before?.dismiss().then(() => before.stop());
    await Promise.all([this.#acceptor?.dismiss(), beforeOver]);
  }

  async stop(): Promise<void> {
    await this.#acceptor?.stop();
    for (const reader of [this.#lists, this.#short, this.#long]) reader.end();
    this.#refusals.end();
  }

  async handle(request: WebRequest, res: WebResponse): Promise<void> {
    const { req, rest, mount } = request;
    const [, id = '', word = '', ...more] = rest.split('/');
    const action = more.length === 0 ? this.#actions.get(word) : undefined;
    const isOpening = rest === '/open';
    if (!isOpening) concealPath(req, `${mount === '/' ? '' : mount}/…${action === undefined ? '' : `/${word}`}`);
    if (req.method === 'OPTIONS') return this.#preflight(request, res);
    const refusal = this.#origins.admit(req, res);
    if (req.method !== 'POST') return sendStatus(res, 405, undefined, { Allow: 'POST, OPTIONS' });
    if (refusal !== undefined) return this.#refuse(request, res, refusal);
    if (this.#acceptor === undefined) throw new Error('a long-poll service was asked before it was started');
    if (isOpening) return this.#open(request, res, this.#acceptor);
    const client = this.#acceptor.find(id);
    if (client === undefined && this.#before !== undefined) return this.#before.handle(request, res);
    if (client === undefined || action === undefined) return sendGone(res);
    this.#keep(request);
    client.visit?.goesOn(req);
    await action(request, res, client);
  }

  /** A client between two polls is told by the next one that the node stops. */
  #keep({ req, mount }: WebRequest): void {
    keepConnection(req.socket, { mount, isNeeded: () => this.#acceptor !== undefined && this.#acceptor.size > 0 });
  }

  #preflight({ req }: WebRequest, res: WebResponse): void {
    const refusal = this.#origins.preflight(req, res);
    if (refusal !== undefined) this.#refusals.request(req, refusal);
  }

  async #open(request: WebRequest, res: WebResponse, acceptor: LongPollAcceptor): Promise<void> {
    const body = await this.#lists.read(request, res);
    if (body === undefined || res.closed) return;
    const protocols = protocolsOf(body);
    if (typeof protocols === 'string') {
      return this.#refuse(request, res, { status: 400, text: protocols, kind: 'body of a handshake' });
    }
    const opened = await acceptor.open(request.req, protocols, () => res.closed);
    if (opened === undefined) return;
    if ('status' in opened) return this.#refuse(request, res, opened);
    const { id, subprotocol, setCookie, wire } = opened;
    this.#keep(request);
    if (setCookie !== undefined) res.appendHeader('Set-Cookie', setCookie);
    // Nobody knows the id then.
    res.once('close', () => {
      if (!hasLeft(res)) wire.close();
    });
    sendAnswer(res, {
      status: 200,
      type: 'application/json; charset=utf-8',
      body: JSON.stringify({ transport: id, protocol: subprotocol }),
      headers: NO_STORE,
    });
  }

  async #send(request: WebRequest, res: WebResponse, client: LongPollClient): Promise<void> {
    const { connection } = client.wire;
    client.wire.arrives();
    try {
      const body = await (connection.isOpening ? this.#short : this.#long).read(request, res);
      if (body !== undefined && this.#acceptor?.find(client.id) === undefined) sendGone(res);
      else if (body !== undefined && !res.closed) client.wire.post(new HttpPost(body, request, res, client));
      else if (res.statusCode === 413 && res.headersSent) this.#tooLarge(client);
    } finally {
      client.wire.arrived();
    }
  }

  #receive(request: WebRequest, res: WebResponse, client: LongPollClient): void {
    if (res.closed) return;
    client.wire.poll(new HttpPoll(request, res, client, this.#config.options.request_timeout * 1000));
  }

  /** A stranger is told so in words of WAMP, too. */
  #tooLarge({ wire: { connection } }: LongPollClient): void {
    if (!connection.mayBeLarge()) return;
    const text = `a message has more than ${this.#config.options.max_message_size} bytes, which "max_message_size" decides`;
    connection.broken('too_large', text);
  }

  #refuse({ req }: WebRequest, res: WebResponse, refusal: Refusal): void {
    countRefusal(this.#deps.counts, refusal.kind);
    this.#refusals.request(req, refusal);
    if (!res.closed) sendStatus(res, refusal.status, refusal.text, refusal.headers);
  }
}

/** The client ends the session. */
function close(request: WebRequest, res: WebResponse, client: LongPollClient): void {
  client.wire.close();
  tellCookie(request, res, client, true);
  sendEmpty(res, 204, NO_STORE);
}

/** @param after default: the timers of Node.js. */
export function createLongPollService(config: LongPollServiceConfig, deps: WebServiceDeps, after?: After): WebService {
  return new LongPollService(config, deps, after);
}

/** Its own `cookie` section, or the one inherited from a path above, decides who is recognised. */
export const longPollServiceType: WebServiceType<LongPollServiceConfig> = {
  type: 'longpoll',
  tracksItself: true,
  create: (config, deps) => createLongPollService(config, deps),
};
