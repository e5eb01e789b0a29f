/**
 * Who may register, and what follows: REGISTER, UNREGISTER and revocation (sections "Registering and Unregistering",
 * "Shared Registration", "Registration Revocation"). What is registered is kept in `registrations.ts`; calls that wait for a
 * callee are told of one that comes, and of the last one that goes.
 */
import { ErrorUri, WampError } from '../../wamp/error.js';
import { REGISTERED, UNREGISTERED } from '../../wamp/message.js';
import { invalidUriText, isReservedUri, isValidUri, quoted } from '../../wamp/uri.js';
import { authorize } from '../authorize.js';
import { patternWeight } from '../weight.js';
import { partyOf } from './call-state.js';
import { checkShared } from './registrations.js';
import type { Register, Unregister } from '../../wamp/message.js';
import type { Match, UriRule } from '../../wamp/uri.js';
import type { Budget } from '../budget.js';
import type { RegistrationObserver, RegistrationView } from '../observer.js';
import type { Permission } from '../role.js';
import type { RouterSession } from '../session.js';
import type { Callee, DealerSession, Parties } from './call-state.js';
import type { Calls } from './calls.js';
import type { Registrations } from './registrations.js';

/** What the realm says of registrations. */
export interface RegistrarRules {
  readonly uriRule: UriRule;
  readonly observer: RegistrationObserver;
  readonly budget: Budget;
  /** How many registrations a session may have. */
  readonly maxRegistrations: number;
  /** What else keeps a session from registering. @throws WampError */
  readonly checkRegistration?:
    ((session: RouterSession, asked: Pick<RegistrationView, 'uri' | 'match'>) => void) | undefined;
}

/** What it shares with the rest of the dealer. */
export interface RegistrarParts {
  readonly parties: Parties;
  readonly registrations: Registrations;
  readonly calls: Pick<Calls, 'fill' | 'failQueue'>;
  /** Whether the router itself answers calls of this procedure. */
  readonly isManaged: (procedure: string) => boolean;
}

export class Registrar {
  readonly #rules: RegistrarRules;
  readonly #parts: RegistrarParts;

  constructor(rules: RegistrarRules, parts: RegistrarParts) {
    this.#rules = rules;
    this.#parts = parts;
  }

  /** @throws WampError when the session may not register this. */
  onRegister(session: RouterSession, { requestId, options, procedure }: Register, granted?: Permission): void {
    const { match = 'exact', invoke = 'single' } = options;
    if (!isValidUri(procedure, this.#rules.uriRule, match)) {
      throw new WampError(ErrorUri.INVALID_URI, invalidUriText('procedure', procedure, match));
    }
    const { registrations, parties, calls } = this.#parts;
    // General patterns that merely include URIs of the router (`""`, `.list`) are fine: they are not asked for those.
    if (isReservedUri(procedure) || this.#parts.isManaged(procedure))
      throw new WampError(ErrorUri.INVALID_URI, `${quoted(procedure)} is reserved for the router`);
    authorize(session, 'register', procedure, match, granted);
    this.#rules.checkRegistration?.(session, { uri: procedure, match });
    let registration = registrations.lookup(procedure, match);
    const taken = registration !== undefined && options.force_reregister === true;
    if (registration !== undefined && !taken) checkShared(registration, invoke);
    const party = partyOf(parties, session);
    const held = registration !== undefined && party.callees.has(registration);
    const joined = taken || !held;
    // Before anything is taken away from others. What is held will be given back.
    if (joined) this.#charge(party, held ? 1 : 0, match, procedure);
    if (registration !== undefined && taken) {
      for (const callee of [...registration.members]) this.#revoke(callee, ErrorUri.UNREGISTERED);
      registration = undefined;
    }
    const created = registration === undefined;
    registration ??= registrations.create(procedure, options);
    if (joined) registrations.join(registration, party, options);
    session.send({ type: REGISTERED, requestId, registration: registration.id });
    if (created) this.#rules.observer.created(session, registration);
    if (joined) this.#rules.observer.joined(session, registration);
    calls.fill(registration);
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

  /** Forgets what a session that is gone has registered. */
  remove(party: DealerSession): void {
    for (const callee of party.callees.values()) this.#leave(callee);
  }

  /** @param held how many of its registrations go in return. @throws WampError when the session has as many as it may. */
  #charge({ session, callees }: DealerSession, held: number, match: Match, procedure: string): void {
    const { budget, maxRegistrations } = this.#rules;
    if (callees.size - held >= maxRegistrations) {
      throw new WampError(
        ErrorUri.LIMIT_EXCEEDED,
        `this session has ${maxRegistrations} registrations, and may not have more`,
      );
    }
    if (!budget.take(session, patternWeight(match, procedure))) {
      throw new WampError(ErrorUri.LIMIT_EXCEEDED, 'the router keeps as much for this session as it may');
    }
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
    this.#rules.budget.give(session, patternWeight(registration.match, registration.uri));
    if (deleted) this.#parts.calls.failQueue(registration);
    this.#rules.observer.left(session, registration);
    if (deleted) this.#rules.observer.deleted(session, registration);
  }
}
