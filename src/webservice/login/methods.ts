/**
 * The methods of a login over HTTP. They are those of WebSockets, asked in the same way, with the same limits against guessing: a
 * HELLO is made of the request, and what the page posted is the answer to the CHALLENGE. Nothing here makes a login.
 */
import { admit } from '../../session/admission.js';
import { createSessionDeps } from '../../session/deps.js';
import { faultOfLogin } from '../../auth/standing.js';
import { denied, deny } from '../../auth/verdict.js';
import { channelOf, clientOf, isSecure } from '../../transport/peer.js';
import { ErrorUri } from '../../wamp/error.js';
import { quoted } from '../../wamp/uri.js';
import type { Accept, AuthContext, AuthMethod, AuthRequest, Deny, Unavailable, Verdict } from '../../auth/method.js';
import type { CookieAuth, LoginFault } from '../../cookie/store.js';
import type { WebRequest } from '../../http/service.js';
import type { LiveSessionDeps } from '../../session/deps.js';
import type { WebServiceDeps } from '../service.js';
import type { Credentials } from './credentials.js';
import type { Wish } from './desk.js';
import type { LoginConfig } from './schema.js';

export type LoginVerdict = Accept | Deny | Unavailable;

/** The methods of one service. */
export class LoginMethods {
  readonly #config: LoginConfig;
  readonly #sessions: LiveSessionDeps;

  private constructor(config: LoginConfig, sessions: LiveSessionDeps) {
    this.#config = config;
    this.#sessions = sessions;
  }

  /** Rejects when a method cannot be set up. */
  static async create(config: LoginConfig, deps: WebServiceDeps): Promise<LoginMethods> {
    return new LoginMethods(config, await createSessionDeps(config, deps));
  }

  /** @returns whether a user is who they say, as ABORT or WELCOME would tell. Never rejects for what a client sends. */
  async ask(request: WebRequest, { realm, authid, secret, method }: Credentials): Promise<LoginVerdict> {
    const home = this.#config.realm;
    if (realm !== undefined && realm !== home) {
      return deny(ErrorUri.NO_SUCH_REALM, `no logins for the realm ${quoted(realm)} are made here`);
    }
    const { authUris } = this.#sessions;
    const asked = this.#asked(method);
    if (asked === undefined) {
      return deny(authUris?.noMethod ?? ErrorUri.NO_AUTH_METHOD, `no login by ${method} is possible here`);
    }
    const hello: AuthRequest = { authmethod: method, realm: home, authid, authextra: undefined };
    const verdict = await asked.start(hello, this.#contextOf(request));
    const answer = verdict.type === 'challenge' ? await verdict.resume(secret, {}) : verdict;
    return this.#admitted(answer.type === 'pass' ? undefined : answer);
  }

  /** @returns what somebody wants who has such credentials, as it may be written down. */
  wishOf({ realm = this.#config.realm, authid, method }: Credentials): Wish {
    return { realm, authid, method, isKnown: this.#asked(method) !== undefined };
  }

  /** @returns what is wrong with a login that a cookie remembers; `no such method` for one that was made elsewhere. */
  faultOf(login: CookieAuth): LoginFault | undefined {
    const { realm, auth } = this.#config;
    const method = this.#asked(login.authmethod);
    if (method === undefined) return 'no such method';
    // Another service may have other principals of the same names, for a realm of its own. Authenticators and tokens name realms.
    if (login.authrealm !== realm && auth.ticket?.type === 'static' && login.authmethod === 'ticket') {
      return 'no such method';
    }
    return faultOfLogin(login, method);
  }

  async stop(): Promise<void> {
    await this.#sessions.stop?.();
  }

  #asked(method: string): AuthMethod | undefined {
    // Without a section everybody would be anonymous.
    return Object.keys(this.#config.auth).length === 0 ? undefined : this.#sessions.authMethods.get(method);
  }

  /** Only what a cookie can remember: a login in a role that is built in would never count. */
  #admitted(verdict: Verdict | undefined): LoginVerdict {
    const { router, authUris } = this.#sessions;
    if (verdict === undefined || verdict.type === 'challenge') {
      return denied(authUris ?? { denied: ErrorUri.NOT_AUTHORIZED, noMethod: '', required: '' });
    }
    if (verdict.type !== 'accept') return verdict;
    const admission = admit(verdict, router);
    if (admission.type === 'deny') return admission;
    if (!admission.role.isBuiltIn) return verdict;
    return deny(ErrorUri.NO_SUCH_ROLE, `role "${admission.role.name}" is never remembered by a cookie`);
  }

  #contextOf({ req }: WebRequest): AuthContext {
    const { socket, headers } = req;
    const { router, keepsHandshake } = this.#sessions;
    const seen = keepsHandshake === true ? { ...headers } : undefined;
    const client = clientOf(socket, { liveCookie: undefined, heldCookie: undefined, headers: seen, query: undefined });
    const facts = { peer: client.peer, is_secure: isSecure(req), channel_type: channelOf(socket, client.peer) };
    return { sessionId: router.newSessionId(), client, facts: () => facts };
  }
}
