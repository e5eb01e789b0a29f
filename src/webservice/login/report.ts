/**
 * What is told of the logins and logouts by HTTP, as it is of those by WAMP: to the audit log, to the metrics, and to the monitor, which
 * shows who was refused. The log has lines of its own. It knows no bodies and makes no decision; no ticket and no id of a cookie
 * gets here.
 */
import { cookieDigest } from '../../cookie/digest.js';
import { CookieStoreError } from '../../cookie/error.js';
import { auditOf } from '../../log/audit.js';
import { shown } from '../../log/logger.js';
import { NO_METHOD } from '../../metrics/login-counts.js';
import { auditedOutcome, outcomeOf } from '../../session/outcome.js';
import { addressOf, peerOf } from '../../transport/peer.js';
import { traceInHeaders } from '../../wamp/trace.js';
import type { Deny, Unavailable } from '../../auth/method.js';
import type { CookieRecord } from '../../cookie/store.js';
import type { WebRequest } from '../../http/service.js';
import type { AuditRecord } from '../../log/audit.js';
import type { TransportCounts } from '../../metrics/transport-counts.js';
import type { DeskReport, NewLogin, Present, Wish } from './desk.js';
import type { WebServiceDeps } from '../service.js';

/** Whom is told. */
export interface LoginReportsDeps extends Pick<WebServiceDeps, 'log'> {
  readonly counts?: Pick<TransportCounts, 'logins'> | undefined;
  /** Remembers who was not let in, for the operator; by default nobody does. */
  readonly refused?: WebServiceDeps['logins']['refused'];
  /** The cookie of a request, when somebody wants to know. Rejects with a CookieStoreError. */
  readonly presented: (request: WebRequest) => Promise<Pick<Present, 'record'> | undefined>;
}

/** Tells of the requests of one service. */
export class LoginReports {
  readonly #deps: LoginReportsDeps;

  constructor(deps: LoginReportsDeps) {
    this.#deps = deps;
  }

  /** @returns what is told of a request; made before anything is awaited, because its client may leave. */
  of(request: WebRequest): LoginReport {
    return new LoginReport(request, this.#deps);
  }
}

/** Tells of one request. */
export class LoginReport implements DeskReport {
  readonly #request: WebRequest;
  readonly #deps: LoginReportsDeps;
  readonly #place: Pick<AuditRecord, 'peer' | 'via' | 'transport' | 'path' | 'trace'>;
  #isUnrecorded = false;

  constructor(request: WebRequest, deps: LoginReportsDeps) {
    this.#request = request;
    this.#deps = deps;
    const { socket, headers } = request.req;
    this.#place = {
      peer: peerOf(socket),
      via: addressOf(socket).via,
      transport: 'http',
      path: `${request.mount === '/' ? '' : request.mount}${request.rest}` || '/',
      trace: traceInHeaders(headers)?._traceparent,
    };
  }

  /** `address:port` of the client, as it was when the request came. */
  get peer(): string {
    return this.#place.peer ?? '';
  }

  /** Whether a login was refused because it could not be written down, though it has to be. */
  get isUnrecorded(): boolean {
    return this.#isUnrecorded;
  }

  loggedIn({ user, authmethod: method, authprovider: provider, source }: NewLogin, { cbtid }: CookieRecord): boolean {
    const { realm, authid, authrole: role } = user;
    const names = { realm, authid, role, method, provider: source.provider ?? provider, cookie: cookieDigest(cbtid) };
    const entry = { event: 'login', ...names, ...this.#place } as const;
    const audit = auditOf(this.#deps.log);
    const isRecorded = audit?.record({ ...entry, outcome: 'ok' }) !== false;
    // The first one is written, too, when the file can be written again.
    if (!isRecorded) audit.record({ ...entry, outcome: 'failed', reason: 'it could not be recorded' });
    this.#deps.counts?.logins.count(method, isRecorded ? 'ok' : 'error');
    this.#isUnrecorded = !isRecorded;
    return isRecorded;
  }

  /** @param about what else is known. */
  async refused(wish: Wish, verdict: Deny | Unavailable, about?: AuditRecord['about']): Promise<void> {
    const { counts, refused } = this.#deps;
    counts?.logins.count(wish.isKnown ? wish.method : NO_METHOD, outcomeOf(verdict));
    const { realm, authid, method, provider } = wish;
    const asked = { realm: realm && shown(realm), authid: authid && shown(authid), authmethods: [method] };
    if (verdict.type === 'deny') refused?.add(asked, { peer: this.peer, liveCookie: undefined }, verdict);
    const audit = auditOf(this.#deps.log);
    if (audit === undefined) return;
    const names = { realm, authid, method, provider, cookie: await this.#cookie() };
    audit.record({ event: 'login', ...auditedOutcome(verdict), ...names, ...this.#place, about });
  }

  loggedOut({ cbtid, auth }: CookieRecord, end: Pick<AuditRecord, 'reason' | 'actor'> = {}): void {
    const { authrealm: realm, authid, authrole: role, authmethod: method } = auth ?? {};
    const names = { realm, authid, role, method, provider: auth?.source?.provider, cookie: cookieDigest(cbtid) };
    auditOf(this.#deps.log)?.record({ event: 'logout', ...names, ...this.#place, ...end });
  }

  /** @returns the digest of the cookie that the browser has; undefined for one that has none, or when the store fails. */
  async #cookie(): Promise<string | undefined> {
    try {
      const present = await this.#deps.presented(this.#request);
      return present && cookieDigest(present.record.cbtid);
    } catch (error) {
      // Who was refused is written down all the same. The log has the failure where it hurts.
      if (error instanceof CookieStoreError) return undefined;
      throw error;
    }
  }
}
