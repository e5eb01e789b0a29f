/**
 * The dealer of a realm (section "Remote Procedure Calls"): it takes what sessions send and hands it to the parts. Who may
 * register is decided in `registrar.ts`, what is registered is kept in `registrations.ts`; who may call is decided here, and
 * a call that has begun is in `calls.ts`. Synchronous, like the broker.
 */
import { ErrorUri, ProtocolViolation, WampError } from '../../wamp/error.js';
import { isReservedUri, quoted } from '../../wamp/uri.js';
import { CALL, NO_DETAILS, RESULT } from '../../wamp/message.js';
import { abandon } from './abandoned-calls.js';
import { partyOf } from './call-state.js';
import { Calls } from './calls.js';
import { Registrar } from './registrar.js';
import { Registrations } from './registrations.js';
import { MAX_ARGUMENT_BYTES, isTooLarge } from '../meta/procedure.js';
import { authorize, checkNamed, checkUri } from '../authorize.js';
import { sendError } from '../request-error.js';
import { MANAGEMENT } from '../role.js';
import type { Call, Cancel, ErrorMessage, Register, Unregister, Yield } from '../../wamp/message.js';
import { RealmCounts } from '../../metrics/realm-counts.js';
import type { RandomId } from '../../wamp/id.js';
import type { Payload } from '../../wamp/payload.js';
import type { Match } from '../../wamp/uri.js';
import type { CallTarget, DealerSession, Parties } from './call-state.js';
import type { RegistrarRules } from './registrar.js';
import type { IdsByMatch, Later, RegistrationDirectory, RegistrationView, Scheduler } from '../observer.js';
import type { MetaProcedure, ProcedureTable } from '../meta/procedure.js';
import type { CountByMatch } from '../pattern-index.js';
import type { Permission } from '../permission.js';
import type { RouterSession } from '../session.js';
import type { AdmittedStanding, RegistrationClaim, RegistrationStanding, WantedPattern } from '../uplink.js';

/** What WELCOME announces for the dealer: exactly what is here. */
export const DEALER_FEATURES = {
  call_canceling: true,
  call_reroute: true,
  call_timeout: true,
  caller_identification: true,
  pattern_based_registration: true,
  payload_passthru_mode: true,
  progressive_call_invocations: true,
  progressive_call_results: true,
  registration_revocation: true,
  shared_registration: true,
} as const;

export interface DealerDeps extends RegistrarRules {
  /** Chooses among the callees of a registration with invoke `random`. */
  readonly randomId: RandomId;
  /** Counts up registration ids, where there is no uplink: router scope. */
  readonly nextRouterId: () => number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly scheduler: Scheduler;
  /** By default nobody looks at them. */
  readonly counts?: RealmCounts;
  /**
   * Off by default. On, CANCEL with `skip` or `killnowait` ends the call without the ERROR that the specification asks
   * for: autobahn-js has forgotten the call by then, and closes its connection when the ERROR comes.
   */
  readonly cancelWithoutError?: boolean;
  /** For clients of Crossbar.io: asking to be shown in vain is no error. */
  readonly ignoreDiscloseMe?: boolean;
  /**
   * Procedures of the router itself, asked for URIs below `wamp.` that the caller may call.
   * @param granted what an authorizer said about the call.
   * @returns the result, or undefined when there is no such procedure.
   * @throws WampError
   */
  readonly builtin?: (session: RouterSession, call: Call, granted?: Permission) => Payload | Later | undefined;
  /** More procedures of the router, below `crossbar.`, for roles with a rule that names them. Nobody else can register them. */
  readonly management?: ProcedureTable | undefined;
}

/** What can change while there are sessions. */
export type DealerOptions = Pick<
  Required<DealerDeps>,
  'uriRule' | 'maxRegistrations' | 'cancelWithoutError' | 'ignoreDiscloseMe'
>;

/**
 * The dealer of a realm. It serves REGISTER, UNREGISTER, CALL and CANCEL of its sessions, and what callees answer (YIELD,
 * ERROR). It throws when it cannot serve a message, as the broker does.
 */
export class Dealer implements RegistrationDirectory {
  #deps: DealerDeps;
  readonly #counts: RealmCounts;
  readonly #parties: Parties = new Map();
  readonly #registrations: Registrations;
  readonly #calls: Calls;
  readonly #registrar: Registrar;

  constructor(deps: DealerDeps) {
    this.#deps = deps;
    this.#counts = deps.counts ?? new RealmCounts();
    this.#registrations = new Registrations({ newId: deps.nextRouterId, clock: deps.clock });
    this.#calls = new Calls(this.#parties, {
      randomId: deps.randomId,
      scheduler: deps.scheduler,
      budget: deps.budget,
      counts: this.#counts,
      cancelWithoutError: deps.cancelWithoutError === true,
    });
    this.#registrar = new Registrar(deps, {
      parties: this.#parties,
      registrations: this.#registrations,
      calls: this.#calls,
      counts: this.#counts,
      isManaged: (procedure) => this.#managed(procedure) !== undefined,
    });
  }

  /** Other options of the realm, from the next request on. */
  renew(options: DealerOptions): void {
    this.#deps = { ...this.#deps, ...options };
    this.#registrar.renew(options);
    this.#calls.cancelWithoutError = options.cancelWithoutError;
  }

  onRegister(session: RouterSession, message: Register, granted?: Permission): void {
    this.#registrar.onRegister(session, message, granted);
  }

  onUnregister(session: RouterSession, message: Unregister): void {
    this.#registrar.onUnregister(session, message);
  }

  onCall(session: RouterSession, message: Call, granted?: Permission): void {
    const caller = partyOf(this.#parties, session);
    if (this.#calls.continues(caller, message)) return;
    if (message.options.progress !== true) return this.#begin(caller, message, granted);
    if (!session.announced('caller', 'progressive_call_invocations')) {
      throw new ProtocolViolation('CALL.Options.progress is set, but progressive_call_invocations was not announced');
    }
    try {
      this.#begin(caller, message, granted);
    } catch (error) {
      abandon(caller, message.requestId);
      throw error;
    }
  }

  /** @returns whether others may call this session. */
  isCallee(session: RouterSession): boolean {
    return this.countOf(session) > 0;
  }

  /** @returns whether calls of this session, or calls that it has to answer, are in flight. */
  hasCalls(session: RouterSession): boolean {
    const party = this.#parties.get(session);
    return party !== undefined && party.calls.size + party.invocations.size > 0;
  }

  /** Answers all calls that a session waits for with ERROR `wamp.error.canceled`. @param reason for people */
  cancelCalls(session: RouterSession, reason: string): void {
    const party = this.#parties.get(session);
    if (party !== undefined) this.#calls.cancelAll(party, reason);
  }

  /** @returns whether a CALL with this id would belong to one that is not over, or whose end the caller cannot know yet. */
  isCalling(session: RouterSession, requestId: number): boolean {
    const party = this.#parties.get(session);
    return party !== undefined && (party.calls.has(requestId) || party.abandoned?.has(requestId) === true);
  }

  onCancel(session: RouterSession, message: Cancel): void {
    this.#calls.onCancel(session, message);
  }

  onYield(session: RouterSession, message: Yield): void {
    this.#calls.onYield(session, message);
  }

  onError(session: RouterSession, message: ErrorMessage): void {
    this.#calls.onError(session, message);
  }

  /** Forgets a session that is gone: its registrations, the calls it made, the calls it was to answer. */
  remove(session: RouterSession): void {
    const party = this.#parties.get(session);
    if (party === undefined) return;
    this.#parties.delete(session);
    this.#calls.removeQueued(party);
    this.#registrar.remove(party);
    this.#calls.remove(party);
  }

  /** How many registrations, sessions and calls in flight are on file. */
  get size() {
    let calls = 0;
    for (const party of this.#parties.values()) calls += party.calls.size;
    return {
      registrations: this.#registrations.size,
      pendingRegistrations: this.#registrar.pending,
      parties: this.#parties.size,
      calls,
    };
  }

  /** @see Calls.stats */
  get stats(): Calls['stats'] {
    return this.#calls.stats;
  }

  /** How many registrations there are, by match policy. */
  get patterns(): CountByMatch {
    return this.#registrations.byMatch;
  }

  list(): IdsByMatch {
    return this.#registrations.list();
  }

  get byId(): ReadonlyMap<number, RegistrationView> {
    return this.#registrations.byId;
  }

  lookup(uri: string, match: Match): RegistrationView | undefined {
    return this.#registrations.lookup(uri, match);
  }

  best(uri: string): RegistrationView | undefined {
    return this.#registrations.best(uri);
  }

  get(id: number): RegistrationView | undefined {
    return this.#registrations.get(id);
  }

  of(session: RouterSession): readonly RegistrationView[] {
    return [...(this.#parties.get(session)?.callees.keys() ?? [])];
  }

  countOf(session: RouterSession): number {
    return this.#parties.get(session)?.callees.size ?? 0;
  }

  revoke(id: number, session: RouterSession, reason?: string): boolean {
    return this.#registrar.revoke(id, session, reason);
  }

  /** @see Registrar.regained */
  regained(claim: RegistrationClaim, standing: RegistrationStanding): void {
    this.#registrar.regained(claim, standing);
  }

  /** @see Registrar.admit */
  admit(session: RouterSession, claim: RegistrationClaim, among: AdmittedStanding): void {
    this.#registrar.admit(session, claim, among);
  }

  /** @see Registrar.dismiss */
  dismiss(session: RouterSession, pattern: WantedPattern): void {
    this.#registrar.dismiss(session, pattern);
  }

  /**
   * A CALL for one callee of this node, which another node chose: a new one, or more of one that is there.
   * @param caller stands for the session that calls there.
   * @param claim of the callee.
   * @param message whose options are the details of INVOCATION.
   * @param mayWait whether the call waits when the callee has no room.
   * @returns false when it may not, and the callee was not asked.
   * @throws WampError when the callee was not asked: `wamp.error.unavailable` where there is none any more.
   */
  forward(caller: RouterSession, claim: RegistrationClaim, message: Call, mayWait: boolean): boolean {
    const party = partyOf(this.#parties, caller);
    if (this.#calls.continues(party, message)) return true;
    const registration = this.#registrations.lookup(claim.uri, claim.match);
    const callee = registration?.members.find((member) => member.claim === claim);
    if (callee === undefined) throw new WampError(ErrorUri.UNAVAILABLE, 'the callee has left');
    return this.#calls.forward(party, callee, message, mayWait);
  }

  /** @see Calls.onBusy */
  busy(session: RouterSession, requestId: number): void {
    this.#calls.onBusy(session, requestId);
  }

  /** Takes a registration away from a session because of what another node did: see {@link Registrar.revokeClaim}. */
  revokeClaim(claim: RegistrationClaim, reason?: string): boolean {
    return this.#registrar.revokeClaim(claim, reason);
  }

  #begin(caller: DealerSession, message: Call, granted: Permission | undefined): void {
    const { session } = caller;
    const { requestId, procedure, options } = message;
    const managed = this.#managed(procedure);
    const registration = managed === undefined ? this.#registrations.best(procedure) : undefined;
    // A procedure on file has been checked when it was registered.
    if (registration?.match !== 'exact') checkUri('call', procedure, 'exact', this.#deps.uriRule);
    const permission = authorize(session, 'call', procedure, 'exact', granted);
    if (managed !== undefined) checkNamed(session, procedure, permission);
    const counts = this.#counts;
    counts.allowed.call += 1;
    const { discloseCaller } = permission;
    if (options.disclose_me === true && !discloseCaller && this.#deps.ignoreDiscloseMe !== true) {
      checkDisclosure(session, registration);
    }
    if (registration !== undefined) return this.#calls.begin(caller, registration, message, discloseCaller);
    if (isTooLarge(message) && (managed !== undefined || isReservedUri(procedure))) {
      const text = `${quoted(procedure)} takes arguments of at most ${MAX_ARGUMENT_BYTES} bytes`;
      throw new WampError(ErrorUri.PAYLOAD_SIZE_EXCEEDED, text);
    }
    const result = managed?.(session, message) ?? this.#builtin(session, message, granted);
    if (result === undefined) {
      throw new WampError(ErrorUri.NO_SUCH_PROCEDURE, `no callee registered for procedure ${quoted(procedure)}`);
    }
    counts.uris?.called(procedure);
    answer(session, requestId, result, counts);
  }

  #managed(procedure: string): MetaProcedure | undefined {
    return procedure.startsWith(MANAGEMENT) ? this.#deps.management?.[procedure] : undefined;
  }

  #builtin(session: RouterSession, call: Call, granted: Permission | undefined): Payload | Later | undefined {
    return isReservedUri(call.procedure) ? this.#deps.builtin?.(session, call, granted) : undefined;
  }
}

/** Hands a result of the router itself to the caller, when it is there. */
function answer(session: RouterSession, requestId: number, result: Payload | Later, { calls }: RealmCounts): void {
  const details = NO_DETAILS;
  const reply = (payload: Payload): void => {
    calls.result += 1;
    session.send({ type: RESULT, requestId, details, payload });
  };
  if (typeof result !== 'function') return reply(result);
  result(reply, (error) => {
    calls.error += 1;
    sendError(session, { type: CALL, requestId }, error);
  });
}

/**
 * A caller that asks to be disclosed is refused where the callees would not see it (section "Caller Identification").
 * @throws WampError
 */
function checkDisclosure(session: RouterSession, registration: CallTarget | undefined): void {
  if (registration?.members.every(({ disclose }) => disclose) === true) return;
  throw new WampError(
    ErrorUri.OPTION_DISALLOWED_DISCLOSE_ME,
    `role "${session.authrole}" may not disclose its callers`,
  );
}
