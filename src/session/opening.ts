/**
 * The way into a session, from the wait for HELLO to WELCOME or ABORT. It waits for the authentication method, and for
 * the cookie store where a login is attached to a cookie; what the client sends meanwhile is kept in order.
 *
 *     waiting --HELLO--> authenticating --accept--> storing the login --> admitted
 *                          |      ^                      |
 *                 CHALLENGE|      |AUTHENTICATE          | the store fails
 *                          v      |                      v
 *                         challenged                  refused
 *
 * A login is attached before WELCOME says that it succeeded: a client that was let in can come back with the cookie, also
 * after a power cut in between.
 */
import { ProtocolViolation } from '../wamp/error.js';
import { ABORT, AUTHENTICATE, CHALLENGE, HELLO } from '../wamp/message.js';
import { CookieStoreError } from '../cookie/error.js';
import { shown } from '../log/logger.js';
import { NO_METHOD } from '../metrics/login-counts.js';
import { AUTH_URIS, COOKIE_REPLACED, denied } from '../auth/verdict.js';
import { faultOfPrincipal } from '../auth/standing.js';
import { isValidUri } from '../wamp/uri.js';
import { admit, authenticate } from './admission.js';
import { shownWish } from './identity.js';
import { LOGGED_OUT, outcomeOf } from './outcome.js';
import { AWAY } from '../router/uplink/away.js';
import type { RealmAccess } from '../router/access.js';
import type { Challenge, ClientInfo, Deny, Unavailable, Verdict } from '../auth/method.js';
import type { ClientMessage, Hello, RouterMessage } from '../wamp/message.js';
import type { LoginOutcome } from '../metrics/login-counts.js';
import type { SessionDeps } from './deps.js';
import type { Admission, Asking } from './admission.js';
import type { CloseCause, SessionTransport } from './transport.js';

/**
 * The most that a message may have before WELCOME, in bytes: nothing large of a stranger is taken apart. A HELLO of a browser
 * has some 800 bytes; tokens and certificates in `authextra` have some thousands.
 */
export const MAX_OPENING_BYTES = 65_536;

/** How many messages of a client that cannot be stopped from sending may wait here: it has no reason to send any. */
const MAX_WAITING = 16;
/** So many of the methods that a client offers are logged. */
const MAX_LOGGED_METHODS = 10;

/** The session that is to be. */
export interface OpeningSession {
  readonly transport: SessionTransport;
  /** Sends a message to a client that has not joined yet. */
  tell(message: RouterMessage): void;
  /** The client asks to be let in. @param deps of the router that it gets to. @returns the id that the session will have. */
  hello(hello: Hello, deps: SessionDeps): number;
  admitted(admission: Admission): void;
  /** @param asked what the client asked for, for the log. */
  refused(verdict: Deny | Unavailable, asked: Readonly<Record<string, unknown>>): void;
  /** No client can be let in at the moment. */
  unavailable(text: string, cause?: CloseCause): void;
  /** The client gave up. */
  aborted(reason: string): void;
  /** Takes a message that waited. */
  receive(message: ClientMessage): void;
  /** Ends the session because of an error. */
  fail(error: unknown): void;
}

type State = 'waiting' | 'authenticating' | 'challenged' | 'over';

export class Opening {
  readonly #session: OpeningSession;
  #deps: SessionDeps;
  #state: State = 'waiting';
  #challenge: Challenge | undefined;
  /** What arrived while a verdict was awaited, in order. Most of it waits in the transport, as bytes. */
  #waiting: ClientMessage[] = [];
  #offersCookie = false;
  /** The methods in force when it said HELLO. */
  #methods: SessionDeps['authMethods'] | undefined;
  /** The method that decides. */
  readonly #asking: Asking = {};
  /** As long as what it asks for may have to be written: for most clients it never is. */
  #hello: Hello | undefined;
  /** What the client asked for, as far as it may be logged. */
  #asked: Readonly<Record<string, unknown>> | undefined;

  constructor(session: OpeningSession, deps: SessionDeps) {
    this.#session = session;
    this.#deps = deps;
  }

  /** What has to come next: HELLO or AUTHENTICATE of the client, or a verdict of ours. */
  get waitsFor(): 'hello' | 'authenticate' | 'verdict' {
    if (this.#state === 'waiting') return 'hello';
    return this.#state === 'challenged' ? 'authenticate' : 'verdict';
  }

  /** @throws ProtocolViolation */
  receive(message: ClientMessage): void {
    if (message.type === ABORT) return this.#session.aborted(message.reason);
    switch (this.#state) {
      case 'waiting':
        if (message.type !== HELLO) throw new ProtocolViolation('the first message of a session must be HELLO');
        return this.#onHello(message);
      case 'authenticating':
        if (this.#waiting.push(message) > MAX_WAITING) throw new ProtocolViolation('too many messages before WELCOME');
        return;
      case 'challenged':
        if (message.type !== AUTHENTICATE)
          throw new ProtocolViolation('the answer to CHALLENGE must be AUTHENTICATE or ABORT');
        return this.#onAuthenticate(message.signature, message.extra);
      case 'over':
        return;
    }
  }

  /** The session ended: no verdict matters any more. */
  end(): void {
    this.#state = 'over';
    this.#waiting = [];
    this.#challenge = undefined;
  }

  #onHello(hello: Hello): void {
    const { realm } = hello;
    const found = realm === undefined ? undefined : this.#deps.sharing?.depsFor(realm);
    if (found === 'not yet') return this.#session.unavailable('the router is starting, please try again later');
    if (found !== undefined) this.#deps = found;
    if (realm !== undefined && this.#isAway(this.#deps.router.realm(realm))) return;
    const sessionId = this.#session.hello(hello, this.#deps);
    this.#hello = hello;
    this.#methods = this.#deps.authMethods.current;
    this.#offersCookie = hello.details.authmethods?.includes('cookie') === true;
    this.#state = 'authenticating';
    const { transport } = this.#session;
    const context = { sessionId, client: transport.client, facts: () => transport.facts };
    this.#await(authenticate(hello, this.#deps, context, this.#asking), this.#decide);
  }

  #onAuthenticate(signature: string, extra: Readonly<Record<string, unknown>>): void {
    const challenge = this.#challenge;
    this.#challenge = undefined;
    this.#state = 'authenticating';
    if (challenge !== undefined) this.#await(challenge.resume(signature, extra), this.#decide);
  }

  /** Goes on with a result: at once when it is there, else when it comes. */
  #await<T>(result: T | Promise<T>, proceed: (result: T) => void): void {
    if (!(result instanceof Promise)) return proceed(result);
    this.#noteWish();
    const { transport } = this.#session;
    // The client has done its part: its HELLO is not late because the answer takes a while.
    transport.challenged();
    // The client is still a stranger: what it sends meanwhile stays bytes, and little of it is read.
    transport.pauseReading();
    result
      .then((value) => {
        // The client may have gone, or ended the session, in the meantime.
        if (this.#state !== 'authenticating') return;
        transport.resumeReading();
        proceed(value);
        this.#catchUp();
      })
      // Also what `proceed` throws: nobody else is there to catch it.
      .catch((error: unknown) => this.#fail(error));
  }

  /** A store that fails, on a full disk maybe, is no bug: the client may try again later. */
  #fail(error: unknown): void {
    if (this.#state !== 'over' && !(error instanceof ProtocolViolation)) this.#count('error');
    if (!(error instanceof CookieStoreError)) return this.#session.fail(error);
    if (this.#state === 'over') return;
    this.#deps.log.error({ err: error }, 'cookie store failed, session refused');
    const message = 'the cookie store is not available, please try again later';
    this.#session.refused({ type: 'unavailable', message }, this.#noteWish());
  }

  /** Hands on what waited, unless something has to wait again. */
  #catchUp(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) this.#session.receive(message);
  }

  readonly #decide = (verdict: Verdict): void => {
    if (verdict.type === 'challenge') {
      this.#noteWish();
      this.#challenge = verdict;
      this.#state = 'challenged';
      const { authmethod, extra } = verdict;
      this.#session.tell({ type: CHALLENGE, authmethod, extra });
      this.#session.transport.challenged();
      return;
    }
    if (verdict.type === 'unavailable') return this.#unavailable(verdict);
    const admission = verdict.type === 'accept' ? this.#admissionOf(verdict) : verdict;
    if (admission.type === 'deny') return this.#refuse(admission);
    this.#await(this.#attachLogin(admission), (attached) => {
      if (attached === 'outdated') this.#unavailable(COOKIE_REPLACED);
      else this.#admit(admission, attached);
    });
  };

  /** @param isOfCookie whether the session stands and falls with the login that its cookie remembers. */
  #admit(accepted: Admission, isOfCookie: boolean): void {
    // Once more: the realm or the role may have been removed while the login was stored.
    const admission = this.#admissionOf(accepted);
    if (admission.type === 'deny') return this.#refuse(admission);
    if (this.#isAway(admission.realm)) return;
    // Another session of the browser may have logged out while this one was on its way.
    if (isOfCookie && this.#session.transport.client.liveCookie?.isLoggedOut === true) return this.#refuse(LOGGED_OUT);
    this.#state = 'over';
    this.#count('ok');
    this.#session.admitted(admission);
  }

  /** The config may have changed since the HELLO: whoever is not in it any more is not let in. */
  #admissionOf(accepted: Parameters<typeof admit>[0]): Admission | Deny {
    const { authMethods, authUris = AUTH_URIS.crossbar, router } = this.#deps;
    const { liveCookie } = this.#session.transport.client;
    const isSame = authMethods.current === this.#methods;
    if (!isSame && faultOfPrincipal(accepted.principal, authMethods, liveCookie) !== undefined) return denied(authUris);
    return admit(accepted, router);
  }

  /** @returns whether the node may not serve the realm at present: then the client is told to go elsewhere. */
  #isAway(realm: RealmAccess | undefined): boolean {
    if (realm === undefined || this.#deps.isOfNode === true || realm.mayServe()) return false;
    this.#session.unavailable(AWAY, 'fenced');
    return true;
  }

  /** Before anything is waited for: by the id that its cookie has now it is seen whether the client asked for a secret. */
  #noteWish(): Readonly<Record<string, unknown>> {
    this.#asked ??= this.#hello === undefined ? {} : loggedWish(this.#hello, this.#session.transport.client);
    this.#hello = undefined;
    return this.#asked;
  }

  #unavailable(verdict: Unavailable): void {
    this.#count(outcomeOf(verdict));
    this.#session.refused(verdict, this.#noteWish());
  }

  #count(outcome: LoginOutcome): void {
    this.#deps.counts?.logins.count(this.#asking.method ?? NO_METHOD, outcome);
  }

  #refuse(verdict: Deny): void {
    this.#count(outcomeOf(verdict));
    this.#session.refused(verdict, this.#noteWish());
  }

  /**
   * Changes the login that the cookie remembers. A client that enters by the cookie changes nothing. One that enters as
   * anonymous, and does not offer the cookie though it could have let them in, wants to be nobody: the login is dropped. A login that belongs to
   * somebody else is not for the cookie: a logout there could not reach it.
   * @returns whether the session is of the login that the cookie remembers now; `outdated` when the cookie has got another id,
   *   which this connection does not hold: an attacker who planted the old one must not log the owner in as somebody else.
   */
  #attachLogin({ principal, lease }: Admission): boolean | Promise<boolean | 'outdated'> {
    const { liveCookie, heldCookie } = this.#session.transport.client;
    if (liveCookie === undefined) return false;
    const { realm, authid, authrole, authmethod, authprovider, authextra, credential } = principal;
    if (authprovider === 'cookie') return true;
    if (lease !== undefined) return false;
    if (authmethod !== 'anonymous') {
      const login = { authid, authrole, authmethod, authrealm: realm, authextra: authextra ?? null };
      return liveCookie.remember(credential === undefined ? login : { ...login, credential }, heldCookie);
    }
    // A login of the cookie that does not count here may count elsewhere.
    if (this.#offersCookie || !this.#deps.authMethods.has('cookie')) return false;
    return liveCookie.forgetLogin(heldCookie).then((outcome) => outcome === 'outdated' && outcome);
  }
}

/** Said to a client whose message is larger than {@link MAX_OPENING_BYTES}. */
export const OPENING_TOO_LARGE = `a message before WELCOME may have at most ${MAX_OPENING_BYTES} bytes`;

/** No authextra, and no realm that is none: there may be secrets in them. An anonymous client may tell the id of its cookie again. */
function loggedWish(
  { realm, details: { authid, authmethods = [] } }: Hello,
  client: ClientInfo,
): Readonly<Record<string, unknown>> {
  return {
    realm: realm !== undefined && isValidUri(realm, 'loose') ? shown(realm) : undefined,
    authid: authid === undefined ? undefined : shownWish(authid, client),
    authmethods: authmethods.slice(0, MAX_LOGGED_METHODS).map(shown),
  };
}
