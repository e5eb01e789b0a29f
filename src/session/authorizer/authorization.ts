/**
 * The messages of a session whose role has an authorizer: a procedure on the same realm that decides on every PUBLISH,
 * SUBSCRIBE, CALL and REGISTER (section "Authorization"; config key `authorizer`), and on the topics of testaments.
 * Sessions of other roles have none of this.
 *
 * One message after the other. While the authorizer is asked about one, all later ones wait, of every type:
 * nothing overtakes. Other sessions go on. Messages that come meanwhile stay bytes in the transport: a parsed one may take
 * many times the memory.
 *
 * An authorizer that is not there is waited for, once in a while that it is missing: it may come back later than its clients
 * after a restart. A REGISTER that would make the session the authorizer does not wait: it would wait for itself.
 *
 * An authorizer should have a role with `permissions`. One that has an authorizer itself is asked like anybody else, and
 * if that is the same procedure, its YIELD waits behind the request that it should decide: that request fails at the
 * deadline, and nobody gets in.
 */
import { CallFault, ErrorUri, WampError } from '../../wamp/error.js';
import { CALL } from '../../wamp/message.js';
import { sayRepeated } from '../../log/repeated.js';
import { covers } from '../../router/pattern-relations.js';
import { isValidUri } from '../../wamp/uri.js';
import { furtherQuestionOf, keyOf, questionOf, withFurther } from './question.js';
import { AuthorizerFault, verdictOf } from './verdict.js';
import { Attendance } from '../attendance.js';
import { DecisionCache } from './decision-cache.js';
import { InternalCaller } from '../internal-caller.js';
import type { RealmAccess } from '../../router/access.js';
import type { Permission } from '../../router/permission.js';
import type { RouterSession } from '../../router/session.js';
import type { Call, ClientMessage } from '../../wamp/message.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { SessionDeps } from '../deps.js';
import type { SessionTransport } from '../transport.js';
import type { Question } from './question.js';

/** For messages that the router decides on alone: they get nothing that needs permission. */
const NOTHING: Permission = {
  decidedBy: 'authorizer',
  call: false,
  register: false,
  publish: false,
  subscribe: false,
  discloseCaller: false,
  disclosePublisher: false,
  namesManagement: false,
};

/** The session that the messages are of. */
export interface AuthorizedSession extends RouterSession {
  /** While the authorizer is asked, nothing is read from the client. */
  readonly transport: Pick<SessionTransport, 'pauseReading' | 'resumeReading'>;
  /** Its details and the `authextra` of its authenticator, which nobody else gets to see. */
  readonly detailsForAuthorizer: Dict;
  /** Routes a message that waits for nothing any more. @throws ProtocolViolation */
  route(message: ClientMessage, granted?: Permission): void;
  /** Ends the session because of an error. */
  fail(error: unknown): void;
}

export interface AuthorizationDeps extends Pick<SessionDeps, 'router' | 'log' | 'repeated'> {
  readonly realm: RealmAccess;
}

export class Authorization {
  readonly #session: AuthorizedSession;
  readonly #deps: AuthorizationDeps;
  /** The authorizer that is asked, or was the last time. */
  #procedure = '';
  readonly #caller: InternalCaller;
  readonly #decisions: DecisionCache;
  /** Messages that came while the authorizer was asked, in order: not every client can be stopped from sending. */
  readonly #waiting: ClientMessage[] = [];
  /** Waits for an authorizer that is not there. */
  readonly #attendance: Attendance;
  /** Whether it was waited for in vain, and has not been there since. */
  #isMissing = false;
  /** What the authorizer is asked about. */
  #asked: ClientMessage | undefined;
  #isReading = true;
  #ended = false;

  constructor(session: AuthorizedSession, deps: AuthorizationDeps) {
    const { realm, router } = deps;
    this.#session = session;
    this.#deps = deps;
    const id = router.newSessionId();
    this.#caller = new InternalCaller({ id, authid: 'authorizer-caller', realm, scheduler: router.scheduler });
    this.#attendance = new Attendance(realm, router.scheduler);
    this.#decisions = new DecisionCache(router.scheduler);
  }

  /** Takes the next message of the client. @throws ProtocolViolation */
  receive(message: ClientMessage): void {
    if (!this.isAsking) return this.#next(message);
    this.#waiting.push(message);
  }

  /** Whether a message waits for its answer. */
  get isAsking(): boolean {
    return this.#asked !== undefined;
  }

  /** The router ends: the calls that wait are answered with ERROR `wamp.error.canceled`. Then only {@link end} may follow. */
  cancelCalls(reason: string): void {
    const waiting = this.#asked === undefined ? [] : [this.#asked, ...this.#waiting.splice(0)];
    const failure = new WampError(ErrorUri.CANCELED, reason);
    try {
      for (const message of waiting) if (message.type === CALL) this.#session.route(message, { ...NOTHING, failure });
    } catch (error) {
      this.#session.fail(error);
    }
  }

  /** The session is over: the waiting messages are dropped. */
  end(): void {
    this.#ended = true;
    this.#waiting.length = 0;
    this.#caller.stop();
    this.#attendance.stop();
    this.#resume();
  }

  #next(message: ClientMessage): void {
    const question = questionOf(message);
    const { authorizer } = this.#session.role;
    // The role may have got rules in place of its authorizer.
    if (question === undefined || authorizer === undefined) return this.#session.route(message);
    this.#procedure = authorizer;
    const { uri, match } = question;
    // An authorizer is asked about URIs, and gets nothing else to see; once about a call, not about each part of it.
    const pointless = !isValidUri(uri, 'loose', match) || (message.type === CALL && this.#continues(message));
    if (pointless) return this.#session.route(message, NOTHING);
    const known = this.#known(message, question);
    if (known !== undefined) return this.#session.route(message, known);
    this.#asked = message;
    this.#pause();
    void this.#ask(message, question);
  }

  #continues({ requestId }: Call): boolean {
    return this.#deps.realm.isCalling(this.#session, requestId);
  }

  /** @returns what was decided before on all that the message needs, undefined when something is open. */
  #known(message: ClientMessage, question: Question): Permission | undefined {
    const granted = this.#find(question);
    const further = granted && furtherQuestionOf(message, granted);
    if (granted === undefined || further === undefined) return granted;
    const decided = this.#find(further);
    return decided && withFurther(granted, decided);
  }

  #find(question: Question): Permission | undefined {
    return this.#decisions.find(keyOf(question), this.#deps.realm.authorizersVersion);
  }

  async #ask(message: ClientMessage, question: Question): Promise<void> {
    let granted = this.#find(question) ?? (await this.#answer(question));
    const further = this.#ended ? undefined : furtherQuestionOf(message, granted);
    if (further !== undefined) granted = withFurther(granted, this.#find(further) ?? (await this.#answer(further)));
    // The client may have gone in the meantime, or been killed.
    if (this.#ended) return;
    this.#asked = undefined;
    try {
      this.#session.route(message, granted);
      this.#catchUp();
    } catch (error) {
      this.#session.fail(error);
    }
  }

  async #answer(question: Question): Promise<Permission> {
    const { action, uri } = question;
    const isThere = this.#isThere() || (await this.#attend(question));
    if (this.#ended) return NOTHING;
    // As it is when the question is put: an answer from an authorizer that is replaced meanwhile is not kept.
    const version = this.#deps.realm.authorizersVersion;
    try {
      if (!isThere) throw new CallFault('it is not registered');
      const result = await this.#call(question);
      const { permission, cache } = verdictOf(action, result);
      if (cache) this.#decisions.keep(keyOf(question), permission, version);
      return permission;
    } catch (error) {
      if (this.#isOver()) return NOTHING;
      const isFault = error instanceof AuthorizerFault || error instanceof CallFault;
      const fault = isFault ? { fault: error.message } : { err: error };
      const { id: sessionId, authrole } = this.#session;
      const facts = { realm: this.#deps.realm.name, sessionId, authrole, authorizer: this.#procedure, action, uri };
      const kind = `authorizer failed ${this.#procedure}`;
      sayRepeated(this.#deps, 'warn', { ...facts, ...fault }, 'authorizer failed, request refused', kind);
      const failure = new WampError(ErrorUri.AUTHORIZATION_FAILED, 'the authorizer of the role failed');
      return { ...NOTHING, failure };
    }
  }

  async #call(question: Question): Promise<Payload> {
    const { action, uri, options } = question;
    const args = [this.#session.detailsForAuthorizer, uri, action, options];
    try {
      return await this.#caller.call(this.#procedure, args);
    } catch (error) {
      // It left in the middle: the next one in its place may decide.
      const hasLeft = error instanceof CallFault && error.uri === ErrorUri.CANCELED;
      if (!hasLeft || !(await this.#attend(question))) throw error;
      return await this.#caller.call(this.#procedure, args);
    }
  }

  /** @returns whether the authorizer is there, now or in time. */
  async #attend({ action, uri, match }: Question): Promise<boolean> {
    if (this.#isThere()) return true;
    const isItself = action === 'register' && covers({ uri, match }, { uri: this.#procedure, match: 'exact' });
    if (this.#isMissing || isItself) return false;
    const { realm } = this.#deps;
    const facts = { realm: realm.name, authorizer: this.#procedure };
    sayRepeated(this.#deps, 'info', facts, 'authorizer is not there, requests wait for it');
    const isThere = await this.#attendance.wait(this.#procedure);
    this.#isMissing = !isThere;
    return isThere && !this.#ended;
  }

  /** Asked after a wait. */
  #isOver(): boolean {
    return this.#ended;
  }

  #isThere(): boolean {
    const isThere = this.#attendance.isThere(this.#procedure);
    if (isThere) this.#isMissing = false;
    return isThere;
  }

  #catchUp(): void {
    while (!this.isAsking && !this.#ended) {
      const message = this.#waiting.shift();
      if (message === undefined) break;
      this.#next(message);
    }
    if (!this.isAsking) this.#resume();
  }

  #pause(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#session.transport.pauseReading();
  }

  #resume(): void {
    if (this.#isReading) return;
    this.#isReading = true;
    this.#session.transport.resumeReading();
  }
}
