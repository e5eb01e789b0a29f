/**
 * Who may register, and what follows: REGISTER, UNREGISTER and revocation (sections "Registering and Unregistering",
 * "Shared Registration", "Registration Revocation"). What is registered is kept in `registrations.ts`; calls that wait for a
 * callee are told of one that comes, and of the last one that goes.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { REGISTERED, UNREGISTERED } from '../../wamp/message.js';
import { authorize, checkReserved, checkUri } from '../authorize.js';
import { patternWeight } from '../weight.js';
import { sendError } from '../request-error.js';
import { partyOf } from './call-state.js';
import { PendingRegistrations } from './pending-registrations.js';
import { checkShared } from './registrations.js';
import type { RealmCounts } from '../../metrics/realm-counts.js';
import type { Register, Unregister } from '../../wamp/message.js';
import type { Match, UriRule } from '../../wamp/uri.js';
import type { Budget } from '../budget.js';
import type { RegistrationObserver, RegistrationView, SharedObserver } from '../observer.js';
import type { Permission } from '../permission.js';
import type { RouterSession } from '../session.js';
import type { AdmittedStanding, RegistrationClaim, RegistrationStanding, Uplink, WantedPattern } from '../uplink.js';
import type { Callee, DealerSession, Parties } from './call-state.js';
import type { Calls } from './calls.js';
import type { AskedRegistration, PendingRegistration } from './pending-registrations.js';
import type { Registration } from './registration.js';
import type { Registrations } from './registrations.js';

/** What the realm says of registrations. */
export interface RegistrarRules {
  readonly uriRule: UriRule;
  readonly observer: RegistrationObserver;
  /** Where there are other nodes, and somebody wants to know. */
  readonly shared?: SharedObserver<RegistrationView> | undefined;
  readonly budget: Budget;
  /** How many registrations a session may have. */
  readonly maxRegistrations: number;
  /** What else keeps a session from registering. @throws WampError */
  readonly checkRegistration?:
    ((session: RouterSession, asked: Pick<RegistrationView, 'uri' | 'match'>) => void) | undefined;
  /** The other nodes of the realm; undefined: there are none. */
  readonly uplink?: Uplink | undefined;
}

/** What it shares with the rest of the dealer. */
export interface RegistrarParts {
  readonly parties: Parties;
  readonly registrations: Registrations;
  readonly calls: Pick<Calls, 'fill' | 'failForwarded' | 'failQueue'>;
  readonly counts: RealmCounts;
  /** Whether the router itself answers calls of this procedure. */
  readonly isManaged: (procedure: string) => boolean;
}

/** How things stand for one REGISTER. */
interface Standing {
  /** Of exactly this procedure or pattern. */
  readonly registration: Registration | undefined;
  /** Whether the session is a callee of it. */
  readonly holds: boolean;
  /** Whether it becomes one: it is none, or takes the place of all that there are. */
  readonly joins: boolean;
}

export class Registrar {
  #rules: RegistrarRules;
  readonly #parts: RegistrarParts;
  readonly #pending = new PendingRegistrations();

  constructor(rules: RegistrarRules, parts: RegistrarParts) {
    this.#rules = rules;
    this.#parts = parts;
  }

  /** Other rules, from the next request on. */
  renew({ uriRule, maxRegistrations }: Pick<RegistrarRules, 'uriRule' | 'maxRegistrations'>): void {
    this.#rules = { ...this.#rules, uriRule, maxRegistrations };
  }

  /** @throws WampError when the session may not register this. */
  onRegister(session: RouterSession, message: Register, granted?: Permission): void {
    const { options, procedure } = message;
    const { match = 'exact' } = options;
    checkUri('register', procedure, match, this.#rules.uriRule);
    // General patterns that merely include URIs of the router (`""`, `.list`) are fine: they are not asked for those.
    checkReserved(procedure, this.#parts.isManaged(procedure));
    authorize(session, 'register', procedure, match, granted);
    this.#parts.counts.allowed.register += 1;
    this.#register({ session, message });
  }

  /**
   * Calls that were already sent to the callee may still be answered.
   * @throws WampError when the session does not hold the registration.
   */
  onUnregister(session: RouterSession, { requestId, registration: id }: Unregister): void {
    const callee = this.#callee(session, id);
    if (callee === undefined) {
      throw new WampError(ErrorUri.NO_SUCH_REGISTRATION, `this session holds no registration ${id}`);
    }
    session.send({ type: UNREGISTERED, requestId });
    this.#leave(callee);
  }

  /** Takes a registration away from a session. @returns false when the session does not hold it. */
  revoke(id: number, session: RouterSession, reason?: string): boolean {
    const callee = this.#callee(session, id);
    if (callee !== undefined) this.#revoke(callee, reason);
    return callee !== undefined;
  }

  /**
   * Takes a registration away from the session that made a claim, because it belongs to another node now.
   * @returns false when the session does not hold it any more.
   */
  revokeClaim(claim: RegistrationClaim, reason: string | undefined): boolean {
    const registration = this.#parts.registrations.lookup(claim.uri, claim.match);
    const callee = registration?.members.find((member) => member.claim === claim);
    if (callee !== undefined) this.#revoke(callee, reason);
    return callee !== undefined;
  }

  /** The other nodes know a callee of this node again, which they took for gone: it is told as one that begins. */
  regained(claim: RegistrationClaim, { place, createdMs, isFirst }: RegistrationStanding): void {
    const registration = this.#parts.registrations.lookup(claim.uri, claim.match);
    const callee = registration?.members.find((member) => member.claim === claim);
    if (registration === undefined || callee === undefined) return;
    registration.move(callee, place);
    registration.created = new Date(createdMs).toISOString();
    const { session } = callee.party;
    if (isFirst) this.#rules.shared?.begun(session, registration);
    this.#rules.observer.joined(session, registration);
  }

  /** A session of another node is a callee there, and therefore here: its own node has asked, and has charged it. */
  admit(session: RouterSession, claim: RegistrationClaim, among: AdmittedStanding): void {
    const { registrations, parties, calls } = this.#parts;
    const { uri, match, invoke, options } = claim;
    const known = registrations.lookup(uri, match);
    const registration = known ?? registrations.create(uri, { ...options, match, invoke }, among);
    registrations.join(registration, partyOf(parties, session), options, undefined, among.place);
    if (known === undefined) this.#rules.observer.created(session, registration);
    this.#rules.observer.joined(session, registration);
    calls.fill(registration);
  }

  /** A session of another node is no callee of a pattern any more. Calls that it has it may still answer. */
  dismiss(session: RouterSession, { uri, match }: WantedPattern): void {
    const registration = this.#parts.registrations.lookup(uri, match);
    const callee = registration && this.#parts.parties.get(session)?.callees.get(registration);
    if (callee !== undefined) this.#leave(callee);
  }

  /** Forgets what a session that is gone has registered, or has asked for. */
  remove(party: DealerSession): void {
    for (const callee of party.callees.values()) this.#leave(callee);
    const left = this.#pending.leave(party.session);
    for (const asked of left.keys()) this.#giveBack(asked);
    for (const [asked, pending] of left) {
      if (asked !== pending.asked || !this.#pending.end(pending)) continue;
      this.#rules.uplink?.unregistered(pending.claim);
      this.#goOn(pending);
    }
  }

  /** How many patterns the uplink is asked about. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Serves a REGISTER that is permitted: now, or when it is its turn. @throws WampError */
  #register(asked: AskedRegistration): void {
    const { session, message } = asked;
    const { options, procedure: uri } = message;
    const { match = 'exact' } = options;
    const party = partyOf(this.#parts.parties, session);
    const before = this.#pending.get({ uri, match });
    if (before !== undefined) {
      this.#charge(party, 0, match, uri);
      return this.#pending.wait(asked, before);
    }
    const standing = this.#look(asked, false);
    const { uplink } = this.#rules;
    if (!standing.joins) return this.#join(asked, standing);
    // Before anything is taken away from others. A registration that the session holds will be given back.
    this.#charge(party, standing.holds ? 1 : 0, match, uri);
    if (uplink === undefined) this.#join(asked, standing);
    else this.#ask(uplink, asked);
  }

  /**
   * @param isAgreed whether the other nodes have agreed. Before, only what this node has itself stands in the way: what it knows of the
   *   others may be over, and they are asked.
   * @returns what a REGISTER finds.
   * @throws WampError when it may not have it.
   */
  #look({ session, message: { options, procedure: uri } }: AskedRegistration, isAgreed: boolean): Standing {
    const { match = 'exact', invoke = 'single', force_reregister: force = false } = options;
    const { parties, registrations } = this.#parts;
    this.#rules.checkRegistration?.(session, { uri, match });
    const registration = registrations.lookup(uri, match);
    if (registration === undefined) return { registration, holds: false, joins: true };
    const isCertain = isAgreed || registration.members.some((member) => member.party.session.isElsewhere !== true);
    if (!force && isCertain) checkShared(registration, invoke);
    const holds = parties.get(session)?.callees.has(registration) === true;
    return { registration, holds, joins: force || !holds };
  }

  #ask(uplink: Uplink, asked: AskedRegistration): void {
    const { options, procedure: uri } = asked.message;
    const { match = 'exact', invoke = 'single', force_reregister: force = false } = options;
    const claim = { uri, match, invoke, force, options, callee: asked.session };
    const pending = this.#pending.begin(asked, claim);
    uplink.registered(claim, (error, among) => {
      // Its session may have gone.
      if (!this.#pending.end(pending)) return;
      if (error === undefined) this.#admitted(uplink, pending, among);
      else this.#refuse(asked, error);
      this.#goOn(pending);
    });
  }

  /** The other nodes have agreed; here something may have changed. */
  #admitted(uplink: Uplink, { asked, claim }: PendingRegistration, among: RegistrationStanding | undefined): void {
    const standing = this.#tried(() => this.#look(asked, true));
    if (!(standing instanceof WampError)) return this.#join(asked, standing, claim, among);
    uplink.unregistered(claim);
    this.#refuse(asked, standing);
  }

  /** Serves what waited behind a REGISTER that has its answer, or needs none. */
  #goOn(pending: PendingRegistration): void {
    for (const asked of pending.behind) {
      this.#pending.next(asked, pending);
      this.#giveBack(asked);
      const error = this.#tried(() => this.#register(asked));
      if (error !== undefined) sendError(asked.session, asked.message, error);
    }
  }

  /** Nobody above catches what is thrown in an answer of the uplink. */
  #tried<T>(work: () => T): T | WampError {
    try {
      return work();
    } catch (error) {
      if (error instanceof WampError) return error;
      throw error;
    }
  }

  #refuse(asked: AskedRegistration, error: WampError): void {
    this.#giveBack(asked);
    sendError(asked.session, asked.message, error);
  }

  /** @param among how it stands among those of all nodes. */
  #join(
    { session, message }: AskedRegistration,
    standing: Standing,
    claim?: RegistrationClaim,
    among?: RegistrationStanding,
  ): void {
    const { registrations, parties, calls } = this.#parts;
    const { requestId, options, procedure } = message;
    const { registration: known, joins } = standing;
    const taken = known !== undefined && options.force_reregister === true;
    if (taken) for (const callee of [...known.members]) this.#revoke(callee, ErrorUri.UNREGISTERED);
    const created = known === undefined || taken;
    const registration = created ? registrations.create(procedure, options, among) : known;
    if (joins) registrations.join(registration, partyOf(parties, session), options, claim, among?.place);
    session.send({ type: REGISTERED, requestId, registration: registration.id });
    if (created) this.#rules.observer.created(session, registration);
    if (joins && (among?.isFirst ?? created)) this.#begin(session, registration, among?.replaced);
    if (joins) this.#rules.observer.joined(session, registration);
    calls.fill(registration);
  }

  #begin(session: RouterSession, registration: Registration, replaced: RegistrationStanding['replaced']): void {
    const { shared } = this.#rules;
    const { uri } = registration;
    if (replaced !== undefined) shared?.ended({ id: replaced.session }, { id: replaced.registration, uri })?.();
    shared?.begun(session, registration);
  }

  /** @param held how many of its registrations go in return. @throws WampError when the session has as many as it may. */
  #charge({ session, callees }: DealerSession, held: number, match: Match, procedure: string): void {
    const { budget, maxRegistrations } = this.#rules;
    if (callees.size + this.#pending.countOf(session) - held >= maxRegistrations) {
      throw new WampError(
        ErrorUri.LIMIT_EXCEEDED,
        `this session has ${maxRegistrations} registrations, and may not have more`,
      );
    }
    if (!budget.take(session, patternWeight(match, procedure))) {
      throw new WampError(ErrorUri.LIMIT_EXCEEDED, 'the router keeps as much for this session as it may');
    }
  }

  #giveBack({ session, message: { options, procedure } }: AskedRegistration): void {
    this.#rules.budget.give(session, patternWeight(options.match ?? 'exact', procedure));
  }

  #callee(session: RouterSession, id: number): Callee | undefined {
    const { registrations, parties } = this.#parts;
    const registration = registrations.get(id);
    return registration && parties.get(session)?.callees.get(registration);
  }

  /** Takes a registration away from a callee (section "Registration Revocation"). */
  #revoke(callee: Callee, reason: string | undefined): void {
    const { session } = callee.party;
    const registration = callee.registration.id;
    if (session.announced('callee', 'registration_revocation')) {
      const details = reason === undefined ? { registration } : { registration, reason };
      session.send({ type: UNREGISTERED, requestId: 0, details });
    }
    this.#leave(callee);
  }

  #leave(callee: Callee): void {
    const { registration } = callee;
    const { session } = callee.party;
    const deleted = this.#parts.registrations.leave(callee);
    if (session.isElsewhere !== true)
      this.#rules.budget.give(session, patternWeight(registration.match, registration.uri));
    this.#parts.calls.failForwarded(callee);
    if (deleted) this.#parts.calls.failQueue(registration);
    this.#rules.observer.left(session, registration);
    if (deleted) this.#rules.observer.deleted(session, registration);
    if (callee.claim === undefined) return;
    const { uplink, shared } = this.#rules;
    uplink?.unregistered(callee.claim, shared?.ended(session, registration));
  }
}
