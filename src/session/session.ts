/**
 * One WAMP session on one transport, from the wait for HELLO to its end (section "Session Lifetime"). It knows no
 * sockets; a transport that goes on after GOODBYE makes a new one.
 *
 *     opening --> established --GOODBYE--> ended
 *        |         |        |
 *        |         |        +-- GOODBYE or kill with `wamp.close.logout` --> leaving --stored--> closing or ended
 *        |         +-- our GOODBYE (kill) --> closing --GOODBYE, ABORT--> ended
 *        +--- ABORT, violation, transport lost, shutdown ---> ended, from every state
 *
 * `opening.ts` has the states of the opening.
 *
 * Here the errors of the layers below become messages to the client. Messages that arrive during a wait are kept in order.
 */
import { CloseUri, ErrorUri, ProtocolViolation, WampError } from '../wamp/error.js';
import { featureSet, hasFeature } from '../wamp/features.js';
import { ABORT, GOODBYE, NO_DETAILS, WELCOME } from '../wamp/message.js';
import { NO_PAYLOAD } from '../wamp/payload.js';
import { NOT_COUNTED } from '../metrics/message-counts.js';
import { Authorization } from './authorizer/authorization.js';
import { abortOf, count, farewellOf } from './counting.js';
import { detailsOf, faultOf, nameOf, welcomeDetails } from './identity.js';
import { Opening } from './opening.js';
import { NOT_STORED, NO_AUDIT } from './outcome.js';
import { factsOf, sayInternalError, sayJoined, sayLeft, sayUndelivered, sayViolation } from './session-log.js';
import { auditEnd, auditLogin } from './session-audit.js';
import { tellDenied, tellRefused } from './tell.js';
import { undelivered } from './undeliverable.js';
import type { AuthorizedSession } from './authorizer/authorization.js';
import type { Deny, Principal, Unavailable } from '../auth/method.js';
import type { MessageCounts } from '../metrics/message-counts.js';
import type { LeaveReason } from '../metrics/realm-counts.js';
import type { LiveCookie, LiveSession } from '../cookie/live/live-cookie.js';
import type { RealmAccess } from '../router/access.js';
import type { Denial, Permission } from '../router/permission.js';
import type { Role } from '../router/role.js';
import type { SessionDetails, SessionStatus } from '../router/session.js';
import type { ClientFeature, ClientRole, FeatureSet } from '../wamp/features.js';
import type { ClientMessage, Hello, RouterMessage } from '../wamp/message.js';
import type { Dict } from '../wamp/payload.js';
import type { SessionDeps } from './deps.js';
import type { Admission } from './admission.js';
import type { OpeningSession } from './opening.js';
import type { CloseCause, ConnectionSession, SessionTransport } from './transport.js';

type State = 'opening' | 'established' | 'leaving' | 'closing' | 'ended';

/** One client on one transport, from HELLO to GOODBYE. The transport may start another one then (section "Session Closing"). */
export class Session implements AuthorizedSession, OpeningSession, LiveSession, ConnectionSession {
  id = 0;
  authid = '';
  authrole = '';
  keptBytes = 0;
  /** How many messages came from the client, and went to it. */
  received = 0;
  sent = 0;
  readonly transport: SessionTransport;
  #deps: SessionDeps;
  /** Where its messages are counted: with those of strangers until it has joined a realm. */
  #messages: MessageCounts;
  #state: State = 'opening';
  #realm: RealmAccess | undefined;
  #role: Role | undefined;
  #principal: Principal | undefined;
  #features: FeatureSet = 0;
  /** Until WELCOME. */
  #opening: Opening | undefined;
  #closeCause: CloseCause = 'goodbye';
  #joinedMs = 0;
  /** For a login that belongs to somebody else: the session is over. */
  #endLease: (() => void) | undefined;
  /** Only where the role has an authorizer: every message goes through it. */
  #authorization: Authorization | undefined;

  constructor(transport: SessionTransport, deps: SessionDeps) {
    this.transport = transport;
    this.#deps = deps;
    this.#messages = deps.counts?.strangers ?? NOT_COUNTED;
    this.#opening = new Opening(this, deps);
  }

  get established(): boolean {
    return this.#state === 'established';
  }

  /** Whether nobody has been let in yet: messages are those of a stranger. */
  get isOpening(): boolean {
    return this.#state === 'opening';
  }

  /** The role on the realm; only an established session has one. */
  get role(): Role {
    if (this.#role === undefined) throw new TypeError('a session has no role before WELCOME');
    return this.#role;
  }

  get details(): SessionDetails {
    if (this.#principal === undefined) throw new TypeError('a session has no details before WELCOME');
    return detailsOf(this.id, this.#principal, this.transport);
  }

  get status(): SessionStatus {
    const { client, waitingBytes } = this.transport;
    const { received, sent } = this;
    return { name: nameOf(this.authid, client), joinedMs: this.#joinedMs, waitingBytes, received, sent };
  }

  get outdated(): string | undefined {
    return this.#principal && faultOf(this.#principal, this.#deps.authMethods, this.transport.client);
  }

  get detailsForAuthorizer(): Dict {
    const authextra = this.#principal?.authextra;
    return authextra === undefined ? this.details : { ...this.details, authextra };
  }

  announced(role: ClientRole, feature: ClientFeature): boolean {
    return hasFeature(this.#features, role, feature);
  }

  send(message: RouterMessage): void {
    if (this.#state === 'ended' || this.#state === 'closing') return;
    this.sent++;
    try {
      this.transport.send(message);
      count(this.#messages.sent, message);
    } catch (error) {
      if (error instanceof WampError) sayUndelivered(this.#deps, this.#facts(), message, error);
      undelivered(this, message, error, this.#realm?.counts);
    }
  }

  /** Takes the next message of the client. Never throws. */
  receive(message: ClientMessage): void {
    this.received++;
    count(this.#messages.received, message);
    try {
      if (this.#state !== 'established') this.#receiveElse(message);
      // An ABORT waits for nothing.
      else if (this.#authorization === undefined || message.type === ABORT) this.route(message);
      else this.#authorization.receive(message);
    } catch (error) {
      this.fail(error);
    }
  }

  /** Ends the session because of an error: of the client (a ProtocolViolation) or our own (anything else). */
  fail(error: unknown): void {
    if (this.#state === 'ended') return;
    if (error instanceof ProtocolViolation) {
      if (this.#deps.counts !== undefined) this.#deps.counts.violations += 1;
      sayViolation(this.#deps, this.#facts(), error);
      this.abort(ErrorUri.PROTOCOL_VIOLATION, error.message, 'protocol_violation');
    } else {
      sayInternalError(this.#deps, this.#facts(), error);
      this.abort(ErrorUri.RUNTIME_ERROR, 'internal error', 'internal_error');
    }
  }

  /** Ends the session with ABORT and closes the transport; nothing that comes later is looked at. */
  abort(reason: string, message: string, cause: CloseCause): void {
    // Nothing follows our own GOODBYE (section "Closing a Session").
    const isClosing = this.#state === 'closing';
    this.#end(reason, abortOf(cause));
    if (!isClosing) this.tell({ type: ABORT, details: { message }, reason, payload: NO_PAYLOAD });
    this.transport.close(cause, message);
  }

  /** Sends a message, whatever the state. */
  tell(message: RouterMessage): void {
    this.sent++;
    count(this.#messages.sent, message);
    this.transport.send(message);
  }

  /** The transport has dropped an event for it, because the client reads too slowly. */
  eventDropped(): void {
    if (this.#realm !== undefined) this.#realm.counts.dropped.slow += 1;
  }

  kill(reason: string, message?: string, done?: (error?: WampError) => void, by = 'node'): void {
    const { liveCookie } = this.transport.client;
    if (this.#state !== 'established') return done?.();
    auditEnd(this.#deps, this, { event: 'session killed', reason, realm: this.#realm?.name, actor: by });
    if (reason !== CloseUri.LOGOUT || liveCookie === undefined) {
      this.#sayGoodbye(reason, message, 'goodbye');
      return done?.();
    }
    const proceed = (isStored: boolean): void => {
      if (this.#state === 'leaving') this.#sayGoodbyeAndClose(reason, message);
      done?.(isStored ? undefined : new WampError(ErrorUri.RUNTIME_ERROR, NOT_STORED));
    };
    this.#logOut(liveCookie, proceed, by);
  }

  /** Its cookie is over, because the browser logged out in another session or has not for too long. */
  dismiss(reason: string, message: string): void {
    if (this.#state === 'established') this.#sayGoodbyeAndClose(reason, message);
  }

  /** Whether others may call it. */
  get isCallee(): boolean {
    return this.#realm?.isCallee(this) === true;
  }

  /** Whether it waits for an answer, somebody waits for one of it, or its logout is being stored. */
  get isBusy(): boolean {
    return this.#state === 'leaving' || this.#authorization?.isAsking === true || this.#realm?.hasCalls(this) === true;
  }

  /**
   * Ends the session because the node stops. Without a word, unless `saysGoodbye`: clients take GOODBYE and ABORT for
   * final, and autobahn-js and wampy would not come back. Its calls are answered: autobahn-js waits for ever for one that is not.
   */
  shutdown(saysGoodbye: boolean): void {
    const message = 'the router is shutting down';
    this.#cancelCalls(message);
    if (saysGoodbye && this.#state === 'established') {
      return this.#sayGoodbye(CloseUri.SYSTEM_SHUTDOWN, message, 'system_shutdown');
    }
    if (saysGoodbye && this.#state === 'closing') return;
    this.#end(CloseUri.SYSTEM_SHUTDOWN, 'shutdown');
    this.transport.close('system_shutdown', message);
  }

  /** The transport is gone, or cannot go on: the session ends without a word. @param reason why, where the node knows. */
  transportLost(reason = 'transport lost'): void {
    this.#end(reason, 'lost');
  }

  /** No session in time. A client that was challenged hears why. Others have done nothing wrong, and take ABORT for final. */
  overdue(timeoutMs: number): void {
    const text = `no session within ${timeoutMs} ms`;
    if (this.#opening?.waitsFor === 'authenticate') return this.abort(ErrorUri.TIMEOUT, text, 'timeout');
    const isOurs = this.#opening?.waitsFor === 'verdict';
    this.#end('timeout', 'lost');
    this.transport.close(isOurs ? 'unavailable' : 'timeout', text);
  }

  unavailable(text: string, cause: CloseCause = 'unavailable'): void {
    this.#cancelCalls(text);
    this.#end('unavailable', 'lost');
    this.transport.close(cause, text);
  }

  get isOfNode(): boolean {
    return this.#deps.isOfNode === true;
  }

  cut(text: string): void {
    this.unavailable(text, 'fenced');
  }

  /** Routes a message of the established session, or ends it: nothing is waited for any more. */
  route(message: ClientMessage, granted?: Permission): void {
    if (message.type === GOODBYE) return this.#onGoodbye(message.reason);
    if (message.type === ABORT) return this.aborted(message.reason);
    this.#realm?.receive(this, message, granted);
  }

  #receiveElse(message: ClientMessage): void {
    if (this.#state === 'opening') this.#opening?.receive(message);
    if (this.#state !== 'closing') return;
    // The peer's answer to our GOODBYE ends it; what was under way before is ignored.
    if (message.type === GOODBYE || message.type === ABORT) {
      this.#end('closed', 'goodbye');
      this.transport.close(this.#closeCause, 'the session is closed');
    }
  }

  /** Once there was an authorizer the messages go on through its {@link Authorization}: some may be waiting there. */
  roleChanged(): void {
    const realm = this.#realm;
    if (realm === undefined || this.#authorization !== undefined || this.role.authorizer === undefined) return;
    const { router, log, repeated } = this.#deps;
    this.#authorization = new Authorization(this, { realm, router, log, ...(repeated && { repeated }) });
  }

  denied(denial: Denial, facts?: { readonly trace?: string }): void {
    tellDenied(this.#deps, this, this.#realm?.name, { ...denial, trace: facts?.trace });
  }

  hello({ details }: Hello, deps: SessionDeps): number {
    this.#deps = deps;
    this.id = this.#deps.router.newSessionId();
    this.#features = featureSet(details.roles);
    return this.id;
  }

  refused(verdict: Deny | Unavailable, asked: Readonly<Record<string, unknown>>): void {
    tellRefused(this.#deps, this, asked, verdict);
    if (verdict.type === 'unavailable') return this.unavailable(verdict.message);
    this.abort(verdict.reason, verdict.message, 'denied');
  }

  admitted({ principal, realm, role, proof, lease }: Admission): void {
    const { authid, authrole, authmethod } = principal;
    // Before anything else: whoever cannot be written down is not let in.
    if (!auditLogin(this.#deps, this, principal)) return this.unavailable(NO_AUDIT);
    this.authid = authid;
    this.authrole = authrole;
    this.#realm = realm;
    this.#role = role;
    this.roleChanged();
    this.#principal = principal;
    this.#opening = undefined;
    this.#state = 'established';
    this.#joinedMs = this.#deps.router.clock();
    const details = welcomeDetails(principal, proof);
    this.#messages = realm.counts.messages;
    this.transport.sessionOpened();
    this.tell({ type: WELCOME, session: this.id, details, roles: realm.announcement });
    realm.join(this);
    realm.counts.admitted(authmethod);
    this.transport.client.liveCookie?.joined(this);
    sayJoined(this.#deps, this, realm.name, authmethod);
    // Last, because it may be over already.
    if (lease !== undefined) this.#endLease = lease.begin(this);
  }

  /** The session is over at once; the transport is closed when the client has answered, or has not in time. */
  #sayGoodbye(reason: string, message: string | undefined, cause: CloseCause): void {
    if (this.#state !== 'established' && this.#state !== 'leaving') return;
    this.tell({ type: GOODBYE, details: message === undefined ? NO_DETAILS : { message }, reason });
    // First, so that it hears nothing of its own leaving (`send`).
    this.#state = 'closing';
    this.#leaveRealm(reason, farewellOf(reason));
    this.#closeCause = cause;
    this.transport.sessionClosing();
  }

  /** Closes at once: the cookie is over, and nobody may go on with the connection. */
  #sayGoodbyeAndClose(reason: string, message: string | undefined): void {
    this.#sayGoodbye(reason, message, 'goodbye');
    this.transport.close('goodbye', message ?? reason);
  }

  #onGoodbye(reason: string): void {
    const { liveCookie } = this.transport.client;
    const answer = this.#realm?.goodbyeReason ?? CloseUri.GOODBYE_AND_OUT;
    if (reason !== CloseUri.LOGOUT || liveCookie === undefined) return this.#answerGoodbye(reason, answer);
    this.#logOut(liveCookie, (isStored) => {
      if (this.#state !== 'leaving') return;
      if (isStored) this.#answerGoodbye(reason, answer);
      else this.abort(ErrorUri.RUNTIME_ERROR, NOT_STORED, 'internal_error');
    });
  }

  #answerGoodbye(reason: string, answer: string): void {
    this.tell({ type: GOODBYE, details: NO_DETAILS, reason: answer });
    this.#end(reason, 'goodbye');
    this.transport.sessionEnded();
  }

  /** Leaves the realm at once, and goes on when the cookie is forgotten for good. Messages that come meanwhile are ignored. */
  #logOut(liveCookie: LiveCookie, proceed: (isStored: boolean) => void, actor?: string): void {
    this.#state = 'leaving';
    auditEnd(this.#deps, this, { event: 'logout', realm: this.#realm?.name, actor });
    this.#leaveRealm(CloseUri.LOGOUT, 'logout');
    liveCookie.logOut(this).then(
      () => proceed(true),
      // `logOut` has said why in the log.
      () => proceed(false),
    );
  }

  aborted(reason: string): void {
    this.#end(reason, 'goodbye');
    this.transport.close('goodbye', 'aborted by the client');
  }

  #end(reason: string, counted: LeaveReason): void {
    if (this.#state === 'ended') return;
    // First, so that it hears nothing of its own leaving (`send`).
    this.#state = 'ended';
    this.#leaveRealm(reason, counted);
    this.#opening?.end();
    this.#opening = undefined;
  }

  #leaveRealm(reason: string, counted: LeaveReason): void {
    if (this.#realm === undefined) return;
    this.#realm.counts.left[counted] += 1;
    this.#authorization?.end();
    this.#endLease?.();
    this.#realm.leave(this);
    this.transport.client.liveCookie?.parted(this);
    sayLeft(this.#deps, this, this.#realm.name, reason);
    this.#realm = undefined;
  }

  #cancelCalls(message: string): void {
    this.#authorization?.cancelCalls(message);
    this.#realm?.cancelCalls(this, message);
  }

  #facts(): Readonly<Record<string, unknown>> {
    return factsOf(this, this.#realm?.name);
  }
}
