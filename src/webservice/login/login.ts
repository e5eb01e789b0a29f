/**
 * `login`: logs browsers in and out with HTTP, so that a page needs no WebSocket for it. A login is a new cookie (`desk.ts`), by
 * which WebSockets with `auth.cookie` let the browser in.
 *
 *     POST <login>          who posts a password or a token gets a cookie
 *     POST <login>/logout   takes it away, and ends its sessions
 *     GET  <login>/whoami   tells a page as whom its visitor is logged in
 *     POST <login>/ticket   gives a page a one-time ticket for its visitor (`ticket.ts`)
 *     <login>/<provider>/   sends a browser to a provider, and takes it back (`providers/`)
 *
 *     login: origin, type, body (`posts.ts`) -> limits, method (`methods.ts`) -> new cookie, durable -> 200 with Set-Cookie
 *              403, 415, 413, 400                401, 429, 503                    503                   -> the old cookie is logged out
 *
 * It tracks cookies itself: a login must not make two of them, and a question none.
 */
import { sendAnswer, sendStatus } from '../../http/answer.js';
import { isMountItself } from '../../http/target.js';
import { CookieStoreError } from '../../cookie/error.js';
import { isoTime } from '../../cookie/time.js';
import { shown } from '../../log/logger.js';
import { admits } from '../../session/deps.js';
import { peerOf } from '../../transport/peer.js';
import { ErrorUri } from '../../wamp/error.js';
import { NOT_RECORDED, STORE_FAILED, failureAnswer, failureOf, redirect, sendJson } from './answers.js';
import { credentialsOf } from './credentials.js';
import { LoginDesk } from './desk.js';
import { LoginMethods } from './methods.js';
import { LoginPosts } from './posts.js';
import { LoginReports } from './report.js';
import { ticketFor } from './ticket.js';
import type { Accept } from '../../auth/method.js';
import type { LoginFault, CookieAuth } from '../../cookie/store.js';
import type { WebResponse } from '../../http/response.js';
import type { WebRequest, WebService } from '../../http/service.js';
import type { CookieSection } from '../cookies.js';
import type { WebServiceDeps, WebServiceType } from '../service.js';
import type { Failure } from './answers.js';
import type { NewLogin, Present } from './desk.js';
import type { Post } from './posts.js';
import type { Providers } from './providers-type.js';
import type { LoginConfig } from './schema.js';

/** What answers at one path. */
interface Resource {
  readonly methods: readonly string[];
  answer(request: WebRequest, res: WebResponse, parts: Parts): Promise<void>;
}

/** What there is from the start on. */
interface Parts {
  readonly desk: LoginDesk;
  readonly methods: LoginMethods;
  readonly reports: LoginReports;
  /** Undefined where the config has none. */
  readonly providers: Providers | undefined;
  readonly endVouching: () => void;
}

const NO_CREDENTIALS: Failure = {
  status: 400,
  error: ErrorUri.INVALID_ARGUMENT,
  message: 'a login needs "authid" and "ticket", or "token", as texts that are not empty',
};

class LoginService implements WebService {
  readonly methods = 'any';
  readonly #config: LoginConfig;
  readonly #deps: WebServiceDeps;
  readonly #posts: LoginPosts;
  /** path below the mount -> what answers */
  readonly #resources: ReadonlyMap<string, Resource>;
  #parts: Parts | undefined;

  constructor(config: LoginConfig, deps: WebServiceDeps) {
    this.#config = config;
    this.#deps = deps;
    this.#posts = new LoginPosts(config, deps.log);
    const post = (answer: Resource['answer']): Resource => ({ methods: ['POST'], answer });
    const resources: [string, Resource][] = [
      ['/', post((...asked) => this.#logIn(...asked))],
      ['/logout', post((...asked) => this.#logOut(...asked))],
    ];
    if (config.options.whoami) resources.push(['/whoami', { methods: ['GET', 'HEAD'], answer: tellWho }]);
    if (config.options.ticket) resources.push(['/ticket', post((...asked) => this.#issueTicket(...asked))]);
    this.#resources = new Map(resources);
  }

  async start(): Promise<void> {
    const { cookies, router, clock } = this.#deps;
    if (cookies === undefined) throw new Error('a login without a cookie section, which the config check refuses');
    const methods = await LoginMethods.create(this.#config, this.#deps);
    const tracker = await cookies.tracker();
    const desk = new LoginDesk({ tracker, clock, admits: (realm, role) => admits(router, realm, role) });
    const { log, counts, logins } = this.#deps;
    const reports = new LoginReports({
      log,
      counts,
      refused: logins.refused,
      presented: (asked) => desk.present(asked),
    });
    const providers = await this.#createProviders(desk, reports, cookies);
    const faultOf = (login: CookieAuth): LoginFault | undefined => faultOfLogin(login, methods, providers);
    this.#parts = { desk, methods, reports, providers, endVouching: tracker.vouch({ faultOf }) };
  }

  async stop(): Promise<void> {
    this.#parts?.endVouching();
    this.#posts.end();
    this.#parts?.providers?.stop();
    await this.#parts?.methods.stop();
  }

  async handle(request: WebRequest, res: WebResponse): Promise<void> {
    const { rest, req } = request;
    const resource = this.#resources.get(isMountItself(rest) ? '/' : rest);
    if (resource === undefined) {
      if ((await this.#parts?.providers?.handle(request, res)) !== true) sendStatus(res, 404, 'There is nothing here.');
    } else if (req.method === 'OPTIONS') this.#posts.preflight(request, res, resource.methods);
    else if (resource.methods.includes(req.method ?? '')) await this.#answer(resource, request, res);
    else sendStatus(res, 405, undefined, { Allow: [...resource.methods, 'OPTIONS'].join(', ') });
  }

  /** Only where the config has some: the packages behind them are optional. */
  async #createProviders(
    desk: LoginDesk,
    reports: LoginReports,
    cookies: CookieSection,
  ): Promise<Providers | undefined> {
    const { providers, public_url: publicUrl = '', realm, options } = this.#config;
    if (Object.keys(providers).length === 0) return undefined;
    const { clock, log } = this.#deps;
    const { createProviders } = await import('./providers/providers.js');
    return createProviders(providers, {
      desk,
      reports,
      clock,
      log,
      publicUrl,
      realm,
      returnTo: options.return_to,
      cookie: cookies.config,
    });
  }

  async #answer(resource: Resource, request: WebRequest, res: WebResponse): Promise<void> {
    if (this.#parts === undefined) throw new Error('a login was asked before it was started');
    try {
      await resource.answer(request, res, this.#parts);
    } catch (error) {
      if (!(error instanceof CookieStoreError)) throw error;
      this.#deps.log.error({ err: error }, 'cookie store failed, login or logout refused');
      if (!res.closed) sendAnswer(res, failureAnswer(STORE_FAILED));
    }
  }

  async #logIn(request: WebRequest, res: WebResponse, { desk, methods, reports }: Parts): Promise<void> {
    const report = reports.of(request);
    const post = await this.#posts.read(request, res);
    if (post === undefined) return;
    const credentials = credentialsOf(post.fields);
    if (credentials === undefined) return this.#refuse(res, post, NO_CREDENTIALS);
    const verdict = await methods.ask(request, credentials);
    // Also of one who did not wait for the answer.
    if (verdict.type !== 'accept') await report.refused(methods.wishOf(credentials), verdict);
    // Whoever has left wants no login any more.
    if (hasLeft(res)) return;
    if (verdict.type !== 'accept') return this.#refuse(res, post, failureOf(verdict));
    const record = await desk.open(request, res, loginOf(verdict), report);
    if (report.isUnrecorded) return this.#refuse(res, post, NOT_RECORDED);
    if (hasLeft(res) || record.auth === null) return;
    const present = { record, auth: record.auth };
    this.#tell(request, present.auth, 'browser logged in');
    if (post.isForm) redirect(res, this.#config.options.return_to);
    else sendJson(res, shownLogin(present, desk));
  }

  async #logOut(request: WebRequest, res: WebResponse, { desk, reports, providers }: Parts): Promise<void> {
    const report = reports.of(request);
    const post = await this.#posts.read(request, res);
    if (post === undefined) return;
    const auth = await desk.close(request, res, report);
    if (auth !== undefined) this.#tell(request, auth, 'browser logged out');
    if (post.isForm) redirect(res, this.#config.options.return_to);
    else {
      const url = auth && (await providers?.logoutUrl?.(auth));
      sendJson(res, { authid: null, ...(url !== undefined && { logout_url: url }) });
    }
  }

  async #issueTicket(request: WebRequest, res: WebResponse, { desk }: Parts): Promise<void> {
    const post = await this.#posts.read(request, res);
    if (post === undefined) return;
    const answer = ticketFor(await desk.present(request), request.req, this.#deps.logins.tickets);
    if ('ticket' in answer) sendJson(res, { ...answer });
    else sendAnswer(res, failureAnswer(answer));
  }

  #refuse(res: WebResponse, { isForm }: Post, failure: Failure): void {
    if (isForm) redirect(res, this.#config.options.return_to, failure.code ?? 'access_denied');
    else sendAnswer(res, failureAnswer(failure));
  }

  #tell({ req }: WebRequest, { authid, authrole, authmethod, authrealm: realm }: CookieAuth, message: string): void {
    const peer = peerOf(req.socket);
    this.#deps.log.info({ realm, authid: shown(authid), authrole, authmethod, peer }, message);
  }
}

function faultOfLogin(
  login: CookieAuth,
  methods: LoginMethods,
  providers: Providers | undefined,
): LoginFault | undefined {
  if (login.source?.provider === undefined) return methods.faultOf(login);
  return providers === undefined ? 'no such method' : providers.faultOf(login);
}

/** @returns what a cookie remembers of a user whom a method let in. */
function loginOf({ principal, lease, source = {} }: Accept): NewLogin {
  const { realm, authid, authrole, authmethod, authprovider, authextra, credential } = principal;
  return {
    user: { realm, authid, authrole, authextra },
    authmethod,
    authprovider,
    source,
    ...(credential !== undefined && { credential }),
    ...(lease?.untilMs !== undefined && { expiresMs: lease.untilMs }),
  };
}

/** A function, because a client leaves while something else is awaited. */
function hasLeft(res: WebResponse): boolean {
  return res.closed;
}

async function tellWho(request: WebRequest, res: WebResponse, { desk }: Parts): Promise<void> {
  const present = await desk.present(request);
  sendJson(res, present === undefined ? { authid: null } : shownLogin(present, desk), { Vary: 'Cookie' });
}

function shownLogin(present: Present, desk: LoginDesk): Readonly<Record<string, string>> {
  const { authid, authrole, authmethod } = present.auth;
  return { authid, authrole, authmethod, expires: isoTime(desk.expiryOf(present)) };
}

/** See the head of the file. */
export const loginServiceType: WebServiceType<LoginConfig> = {
  type: 'login',
  tracksItself: true,
  create: (config, deps) => new LoginService(config, deps),
};
