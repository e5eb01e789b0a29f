/**
 * A provider tells of a logout there (OpenID Connect Back-Channel Logout 1.0): every login that it made for that session, or user, ends
 * here.
 *
 *     POST backchannel, form `logout_token` -> 200 | the token is not good: 400 | the keys, or the cookies, cannot be had: 503
 */
import { CookieStoreError } from '../../../cookie/error.js';
import { BodyReader } from '../../../http/bodies.js';
import { sendAnswer, sendEmpty } from '../../../http/answer.js';
import { PROVIDER_HEADERS } from './error-page.js';
import { failureOf } from './failure.js';
import { LogoutTokenError } from './logout-token.js';
import type { Logger } from '../../../log/logger.js';
import type { RepeatedLog } from '../../../log/repeated.js';
import type { CookieAuth, CookieRecord } from '../../../cookie/store.js';
import type { WebResponse } from '../../../http/response.js';
import type { WebRequest } from '../../../http/service.js';
import type { LoginDesk } from '../desk.js';
import type { LoginReports } from '../report.js';
import type { ProviderLogout } from './identity-provider.js';

/** A logout token has about one KiB. */
const BODY = { maxBytes: 8192, timeoutMs: 5000, mediaTypes: ['application/x-www-form-urlencoded'] } as const;

const RETRY_AFTER = { 'Retry-After': '30' };

export interface BackchannelDeps {
  /** The name of the provider. */
  readonly name: string;
  readonly issuer: string;
  readonly verify: (token: string) => Promise<ProviderLogout>;
  readonly desk: Pick<LoginDesk, 'endWhere'>;
  readonly reports: LoginReports;
  readonly log: Logger;
  readonly repeated: RepeatedLog;
}

/** What one provider posts to. */
export class Backchannel {
  readonly #deps: BackchannelDeps;
  readonly #bodies: BodyReader;

  constructor(deps: BackchannelDeps) {
    this.#deps = deps;
    this.#bodies = new BodyReader(BODY, deps);
  }

  async handle(request: WebRequest, res: WebResponse): Promise<void> {
    const report = this.#deps.reports.of(request);
    const body = await this.#bodies.read(request, res);
    if (body === undefined) return;
    const [token, ...more] = new URLSearchParams(body.toString('utf8')).getAll('logout_token');
    if (token === undefined || more.length > 0) return refuse(res, 'one logout_token is needed');
    const { name, desk, log, repeated } = this.#deps;
    const logout = await this.#verified(token, res);
    if (logout === undefined) return;
    try {
      const onEnd = (record: CookieRecord): void => report.loggedOut(record, { actor: `provider ${name}` });
      const ended = await desk.endWhere((auth) => this.#fits(auth, logout), onEnd);
      log.info({ provider: name, ended }, 'logout at a login provider');
      sendEmpty(res, 200, PROVIDER_HEADERS);
    } catch (error) {
      if (!(error instanceof CookieStoreError)) throw error;
      repeated.say('error', { err: error }, 'cookie store failed, logout of a login provider is not on the disk');
      sendError(res, 503, { error: 'temporarily_unavailable' }, RETRY_AFTER);
    }
  }

  /** Nothing more will be read. */
  stop(): void {
    this.#bodies.end();
  }

  /** @returns undefined when the request has its answer. */
  async #verified(token: string, res: WebResponse): Promise<ProviderLogout | undefined> {
    const { name: provider, verify, repeated } = this.#deps;
    try {
      return await verify(token);
    } catch (error) {
      if (error instanceof LogoutTokenError) {
        repeated.say('warn', { provider, reason: error.message }, 'logout token refused', `logout token ${provider}`);
        refuse(res, error.message);
        return undefined;
      }
      const { reason } = failureOf(error);
      repeated.say('warn', { provider, reason }, 'logout token cannot be checked', `unchecked ${provider}`);
      sendError(res, 503, { error: 'temporarily_unavailable' }, RETRY_AFTER);
      return undefined;
    }
  }

  /** The session counts where both sides know it, else the user. */
  #fits({ source }: CookieAuth, { sid, subject }: ProviderLogout): boolean {
    if (source?.provider !== this.#deps.name || source.issuer !== this.#deps.issuer) return false;
    if (sid !== undefined && source.sid !== undefined) return source.sid === sid;
    return subject !== undefined && source.subject === subject;
  }
}

function refuse(res: WebResponse, description: string): void {
  sendError(res, 400, { error: 'invalid_request', error_description: description });
}

function sendError(res: WebResponse, status: number, body: object, more: Readonly<Record<string, string>> = {}): void {
  const headers = { ...PROVIDER_HEADERS, ...more };
  sendAnswer(res, { status, type: 'application/json', body: JSON.stringify(body), headers });
}
