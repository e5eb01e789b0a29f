/**
 * The way of a browser to one provider and back.
 *
 *     GET start    -> 303 to the provider, with the transaction in a cookie
 *                       | the provider cannot be asked: page, 503
 *     GET callback -> a new cookie with the login, the transaction is taken away, 303 to the page
 *                       | not a page of this browser, no transaction: page, 400 | the provider says no: 303 with `login_error`
 *                       | the provider cannot be asked: page, 503 | an answer is not good: page, 400 | nobody here: page, 403
 */
import { mapUser } from '../../../auth/mapping/mapping.js';
import { CookieStoreError } from '../../../cookie/error.js';
import { shown } from '../../../log/logger.js';
import { deny } from '../../../auth/verdict.js';
import { sendAnswer, sendEmpty, sendStatus } from '../../../http/answer.js';
import { errorPage, PROVIDER_HEADERS } from './error-page.js';
import { failureOf } from './failure.js';
import { returnTo, withLoginError } from './return-to.js';
import { randomText, transactionName } from './transaction.js';
import type { AuditRecord } from '../../../log/audit.js';
import type { Logger } from '../../../log/logger.js';
import type { RepeatedLog } from '../../../log/repeated.js';
import type { WebResponse } from '../../../http/response.js';
import type { WebRequest } from '../../../http/service.js';
import type { LoginDesk } from '../desk.js';
import type { LoginReport, LoginReports } from '../report.js';
import type { LoginFailure } from './error-page.js';
import type { Failure } from './failure.js';
import type { Identity, IdentityProvider, SignIn } from './identity-provider.js';
import type { ProviderSettings } from './settings.js';
import type { Transaction } from './transaction.js';
import type { TransactionCookies, TransactionScope } from './transaction-cookies.js';

/** How many answers of a provider are waited for at the same time: strangers can cause questions. */
const MAX_AT_ONCE = 64;

const RETRY_AFTER_S = 10;

/** How many characters of a user a cookie remembers, as JSON: users of a provider may write as much into their profile as it allows. */
const MAX_REMEMBERED = 16_384;

const STALE: LoginFailure = {
  status: 400,
  text: 'This login has expired, was finished already, or was begun in another browser.',
};
const NOT_GOOD: LoginFailure = { status: 400, text: 'The answer of the login provider could not be verified.' };
const NOBODY: LoginFailure = { status: 403, text: 'This account may not log in here.' };
const PROVIDER_AWAY: LoginFailure = {
  status: 503,
  text: 'The login provider does not answer at the moment.',
  retryAfterS: RETRY_AFTER_S,
};
const STORE_AWAY: LoginFailure = {
  status: 503,
  text: 'Logins cannot be stored at the moment.',
  retryAfterS: RETRY_AFTER_S,
};

const NOT_RECORDED: LoginFailure = {
  status: 503,
  text: 'Logins cannot be recorded at the moment.',
  retryAfterS: RETRY_AFTER_S,
};

/** A browser that has come back. */
interface Visit {
  readonly request: WebRequest;
  readonly res: WebResponse;
  readonly report: LoginReport;
}

export interface SignInFlowDeps {
  readonly provider: IdentityProvider;
  readonly settings: ProviderSettings;
  readonly cookies: TransactionCookies;
  readonly log: Logger;
  readonly repeated: RepeatedLog;
  readonly desk: Pick<LoginDesk, 'open'>;
  readonly reports: LoginReports;
}

/** The two steps of a login at one provider. */
export class SignInFlow {
  readonly #deps: SignInFlowDeps;
  #underWay = 0;

  constructor(deps: SignInFlowDeps) {
    this.#deps = deps;
  }

  /** `GET <login>/<provider>/start?return_to=/page` */
  async start(request: WebRequest, res: WebResponse): Promise<void> {
    if (!isOfPage(request)) return this.#refuseFrame(res);
    const { provider, cookies, settings, reports } = this.#deps;
    const report = reports.of(request);
    const asked = new URLSearchParams(request.query).get('return_to');
    const target = returnTo(asked, settings.publicUrl, settings.returnTo);
    const signIn = { ...this.#place(request), state: randomText(), nonce: randomText(), verifier: randomText() };
    const url = await this.#ask(() => provider.signInUrl(signIn));
    if (!(url instanceof URL)) {
      await this.#tell(report, url);
      return this.#fail(request, res, url, target);
    }
    const transaction = { verifier: signIn.verifier, nonce: signIn.nonce, returnTo: target };
    const { cookie } = request.req.headers;
    for (const header of cookies.begin(signIn.state, transaction, cookie, signIn.scope))
      res.appendHeader('Set-Cookie', header);
    redirect(res, url.href);
  }

  /** `GET <login>/<provider>/callback?code&state&iss` */
  async callback(request: WebRequest, res: WebResponse): Promise<void> {
    if (!isOfPage(request)) return this.#refuseFrame(res);
    const { provider, cookies, settings, reports } = this.#deps;
    const report = reports.of(request);
    const place = this.#place(request);
    const callback = new URL(`${place.redirectUri}${request.query}`);
    const state = callback.searchParams.get('state') ?? '';
    const transaction = cookies.find(state, request.req.headers.cookie, place.scope);
    if (transaction === undefined) {
      await this.#tell(report, { kind: 'refused', reason: 'no login of this browser is under way' });
      return this.#page(request, res, STALE, settings.returnTo);
    }
    // Whatever comes of it, it was the only try.
    res.appendHeader('Set-Cookie', cookies.clear(transactionName(state), place.scope));
    const { verifier, nonce } = transaction;
    const identity = await this.#ask(() => provider.identify(callback, { ...place, state, verifier, nonce }));
    if ('kind' in identity) {
      await this.#tell(report, identity);
      return this.#fail(request, res, identity, transaction.returnTo);
    }
    await this.#enter({ request, res, report }, identity, transaction);
  }

  async #enter(visit: Visit, identity: Identity, { returnTo: target }: Transaction): Promise<void> {
    const { request, res, report } = visit;
    const { provider, settings, log, repeated, desk } = this.#deps;
    const { subject, sid } = identity;
    const about = subject === '' ? {} : { subject };
    const user = mapUser(identity.user, settings.mapping);
    if (user === undefined) {
      await this.#tell(report, { kind: 'refused', reason: 'this user has no place here' }, about);
      repeated.say(
        'info',
        { provider: settings.name },
        'user of a login provider has no place here',
        `nobody ${settings.name}`,
      );
      return this.#page(request, res, NOBODY, target);
    }
    if (JSON.stringify([user.authextra, subject, sid]).length > MAX_REMEMBERED) {
      await this.#tell(report, { kind: 'refused', reason: 'this user has too much to remember' }, about);
      repeated.say(
        'warn',
        { provider: settings.name },
        'user of a login provider has too much to remember',
        `large ${settings.name}`,
      );
      return this.#page(request, res, NOBODY, target);
    }
    const source = {
      provider: settings.name,
      issuer: provider.issuer,
      ...(subject !== undefined && { subject }),
      ...(sid !== undefined && { sid }),
    };
    const { authmethod } = provider;
    const { credential, realm } = settings;
    try {
      await desk.open(request, res, { user: { ...user, realm }, authmethod, source, credential }, report);
    } catch (error) {
      if (!(error instanceof CookieStoreError)) throw error;
      repeated.say('error', { err: error }, 'cookie store failed, login refused');
      return this.#page(request, res, STORE_AWAY, target);
    }
    if (report.isUnrecorded) return this.#page(request, res, NOT_RECORDED, target);
    const { authid, authrole } = user;
    const { peer } = report;
    log.info(
      { realm, authid: shown(authid), authrole, authmethod, provider: settings.name, peer },
      'browser logged in',
    );
    redirect(res, target);
  }

  /** @returns what the provider answers, or why there is no answer. */
  async #ask<T>(question: () => Promise<T>): Promise<T | Failure> {
    if (this.#underWay >= MAX_AT_ONCE) return { kind: 'unavailable', reason: 'too many logins wait for the provider' };
    this.#underWay += 1;
    try {
      return await question();
    } catch (error) {
      return failureOf(error);
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Nobody is logged in. @param about what else is known. */
  #tell(report: LoginReport, { kind, reason }: Failure, about?: AuditRecord['about']): Promise<void> {
    const { provider, settings } = this.#deps;
    const wish = { realm: settings.realm, method: provider.authmethod, provider: settings.name, isKnown: true };
    const verdict = kind === 'unavailable' ? { type: kind, message: reason } : deny(reason, reason);
    return report.refused(wish, verdict, about);
  }

  #fail(request: WebRequest, res: WebResponse, { kind, reason, error }: Failure, target: string): void {
    const { name } = this.#deps.settings;
    if (error !== undefined) {
      this.#deps.repeated.say('info', { provider: name, reason }, 'login provider says no', `${kind} ${name}`);
      return redirect(res, withLoginError(target, error));
    }
    const away = kind === 'unavailable';
    if (away)
      this.#deps.repeated.say('warn', { provider: name, reason }, 'login provider cannot be asked', `${kind} ${name}`);
    else
      this.#deps.repeated.say(
        'warn',
        { provider: name, reason },
        'answer of a login provider refused',
        `${kind} ${name}`,
      );
    this.#page(request, res, away ? PROVIDER_AWAY : NOT_GOOD, target);
  }

  /** @param target where the user wanted to go. */
  #page(request: WebRequest, res: WebResponse, failure: LoginFailure, target: string): void {
    const { pathname, search, hash } = new URL(target, this.#deps.settings.publicUrl);
    const query = new URLSearchParams({ return_to: `${pathname}${search}${hash}` });
    sendAnswer(res, errorPage(failure, `${this.#place(request).scope.path}/start?${query.toString()}`));
  }

  /** An image or a frame of another page would log somebody in who does not know it. */
  #refuseFrame(res: WebResponse): void {
    sendStatus(res, 403, 'A login has to be a page of its own.', PROVIDER_HEADERS);
  }

  /** Where the provider is for browsers: from the config and the mount, never from what a client says of the host. */
  #place({ mount }: WebRequest): Pick<SignIn, 'redirectUri'> & { readonly scope: TransactionScope } {
    const { name, publicUrl, secure } = this.#deps.settings;
    const path = `${mount === '/' ? '' : mount}/${name}`;
    return { redirectUri: `${publicUrl}${path}/callback`, scope: { provider: name, path, secure } };
  }
}

/** A browser that says what it loads says `document` for a page, and says so when it only looks ahead. */
function isOfPage({ req: { headers } }: WebRequest): boolean {
  const { 'sec-fetch-dest': destination = 'document', 'sec-purpose': purpose } = headers;
  return destination === 'document' && purpose === undefined;
}

function redirect(res: WebResponse, url: string): void {
  sendEmpty(res, 303, { ...PROVIDER_HEADERS, Location: url, 'Content-Length': 0 });
}
