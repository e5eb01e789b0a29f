/**
 * A realm: its roles, its sessions, a broker and a dealer. `receive` routes a message of an established session completely
 * before it returns. The realm knows sessions by the interface in `session.ts` only.
 */
import { InPlaceMap } from '../collections/in-place.js';
import { Broker } from './broker/broker.js';
import { BROKER_FEATURES, LINKED_BROKER_FEATURES } from './broker/features.js';
import { DEALER_FEATURES, Dealer } from './dealer/dealer.js';
import * as m from '../wamp/message.js';
import { RealmCounts } from '../metrics/realm-counts.js';
import { CloseUri, ProtocolViolation, WampError } from '../wamp/error.js';
import type { ProcedureTable } from './meta/procedure.js';
import { Inventory } from './meta/inventory.js';
import { META_DEALER_FEATURES, MetaApi } from './meta/meta-api.js';
import { isValidUri, quoted } from '../wamp/uri.js';
import { Arrivals } from './arrivals.js';
import { Elsewhere } from './uplink/elsewhere.js';
import { EventHistory } from './broker/history.js';
import { NO_OBSERVER } from './observer.js';
import { RequestIds } from './request-ids.js';
import { Traffic } from './traffic.js';
import { checkRouted, refuse } from './request-error.js';
import type { Request } from './request-error.js';
import { revokeForbidden } from './reload/forbidden.js';
import { Roles } from './roles.js';
import { goodbyeReasonOf, optionsOf } from './realm-options.js';
import type { RandomId } from '../wamp/id.js';
import type { UriRule } from '../wamp/uri.js';
import type { Decider } from './deciders.js';
import type { Scheduler } from './observer.js';
import type { Budget } from './budget.js';
import type { Permission } from './permission.js';
import type { CountByMatch } from './pattern-index.js';
import type { Role } from './role.js';
import type { RealmConfig, RoleConfig } from './schema.js';
import type { RouterSession } from './session.js';
import { checkServed } from './uplink/away.js';
import type { Uplink } from './uplink.js';

export interface RealmDeps {
  readonly randomId: RandomId;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly scheduler: Scheduler;
  readonly nextRouterId: () => number;
  /** What all realms of the router may keep for their sessions together. By default the realm has a budget of its own. */
  readonly budget?: Budget;
  /** Procedures of the node: see `DealerDeps.management`. */
  readonly management?: ProcedureTable | undefined;
  /** See {@link RouterDeps}. */
  readonly authenticators?: readonly Decider[];
  readonly refused?: (realm: string, session: RouterSession, procedure: string) => void;
  /** The other nodes of the realm; undefined: there are none. */
  readonly uplink?: Uplink;
  /** What is counted of the realm; by default nobody looks at it. */
  readonly counts?: RealmCounts;
}

/** For a realm without meta API. */
const NO_BUILTIN = (): undefined => undefined;

/**
 * A realm holds the sessions between WELCOME and their end, and routes their messages to its broker and its dealer (section
 * "Realms, Sessions and Transports"). A session calls {@link Realm.join} once, {@link Realm.receive} for each message, and
 * {@link Realm.leave} at its end. Roles may be added, changed and removed while sessions are open.
 */
export class Realm {
  readonly name: string;
  /** What WELCOME.Details.roles says: the features of this realm. */
  readonly announcement: m.RoleFeatures;
  /** What is counted of all realms of this name. */
  readonly counts: RealmCounts;
  #goodbyeReason: string;
  readonly #roles: Roles;
  // session id -> session; exactly the sessions between WELCOME and their end
  readonly #sessions = new InPlaceMap<number, RouterSession>();
  #uriRule: UriRule;
  readonly #budget: Budget;
  /** Undefined where the realm remembers no publications. */
  readonly #history: EventHistory | undefined;
  readonly #scheduler: Scheduler;
  readonly #uplink: Uplink | undefined;
  readonly #traffic = new Traffic();
  readonly #broker: Broker;
  readonly #dealer: Dealer;
  readonly #arrivals: Arrivals;
  /** Undefined where the ids of requests are not checked. */
  readonly #requestIds: RequestIds | undefined;
  /** Undefined when the realm has none. */
  readonly #meta: MetaApi | undefined;

  constructor(config: RealmConfig, deps: RealmDeps) {
    this.name = config.name;
    const counts = (this.counts = deps.counts ?? new RealmCounts());
    this.#goodbyeReason = goodbyeReasonOf(config);
    const options = optionsOf(config, deps.budget);
    const { uriRule, budget } = options;
    this.#uriRule = uriRule;
    this.#budget = budget;
    this.#scheduler = deps.scheduler;
    this.#uplink = deps.uplink;
    const history = config.store && new EventHistory(config.store);
    this.#history = history;
    this.#meta = config.options?.enable_meta_api === false ? undefined : this.#metaApi(history, budget, deps);
    const { subscriptions = NO_OBSERVER, registrations = NO_OBSERVER, shared } = this.#meta ?? {};
    const builtin = this.#meta?.builtin ?? NO_BUILTIN;
    this.#broker = new Broker({
      ...{ ...deps, ...options, counts, history },
      ...{ observer: subscriptions, shared: shared?.subscriptions },
    });
    const { authenticators, refused } = deps;
    this.#roles = new Roles({
      ...{ realm: config.name, authenticators, refused, sessions: this.#sessions },
      registrations: () => this.#dealer,
    });
    this.#arrivals = new Arrivals((procedure) => this.hasCallee(procedure));
    this.#dealer = new Dealer({
      ...{ ...deps, ...options, counts, builtin, shared: shared?.registrations },
      observer: this.#arrivals.behind(this.#roles.before(registrations)),
      checkRegistration: (session, asked) => this.#roles.checkRegistration(session, asked),
    });
    if (config.options?.strict_request_ids === true) {
      this.#requestIds = new RequestIds((session, requestId) => this.#dealer.isCalling(session, requestId));
    }
    const features = deps.uplink ? LINKED_BROKER_FEATURES : BROKER_FEATURES;
    this.announcement = {
      broker: { features: { ...features, ...this.#meta?.brokerFeatures } },
      dealer: { features: { ...DEALER_FEATURES, ...(this.#meta && META_DEALER_FEATURES) } },
    };
    this.#roles.begin(config.roles);
  }

  /** The reason in the answer to a GOODBYE. */
  get goodbyeReason(): string {
    return this.#goodbyeReason;
  }

  /** What URIs of the realm look like. */
  get uriRule(): UriRule {
    return this.#uriRule;
  }

  /**
   * Takes over the options of another config of the realm, from the next request on: limits, `uri_check`, `compat`, and what its store
   * remembers. Whether there is a store and a meta API, and whether request ids are checked, stays. Roles are not looked at.
   */
  renew(config: RealmConfig): void {
    const { budget, ...options } = optionsOf(config, undefined);
    this.#uriRule = options.uriRule;
    this.#goodbyeReason = goodbyeReasonOf(config);
    this.#budget.limit(budget.limits.perSession);
    this.#broker.renew(options);
    this.#dealer.renew(options);
    if (config.store !== undefined) this.#history?.renew(config.store);
  }

  /** From now on these procedures authenticate clients: see {@link RouterDeps}. */
  decidedBy(authenticators: readonly Decider[]): void {
    this.#roles.decidedBy(authenticators);
  }

  /**
   * Takes subscriptions and registrations away from the sessions of a role that its rules do not allow, with the reason
   * `wamp.error.not_authorized`. An authorizer is not asked about what it has allowed.
   * @returns how many.
   */
  revokeForbidden(role: Role): number {
    const directories = { subscribe: this.#broker.directory, register: this.#dealer };
    return revokeForbidden(role, this.#sessions.values(), directories);
  }

  role(name: string): Role | undefined {
    return this.#roles.get(name);
  }

  /**
   * Adds a role while the realm runs.
   * @throws TypeError when there is one of this name.
   */
  addRole(config: RoleConfig): Role {
    return this.#roles.add(config);
  }

  /**
   * Replaces the rules of a role. Open sessions are bound by the new rules from their next request on. They keep their
   * subscriptions and registrations, with one exception: a procedure that decides about others is taken from callees that may
   * not provide it any more.
   * @throws TypeError when there is no such role.
   */
  updateRole(config: RoleConfig): Role {
    return this.#roles.update(config);
  }

  /** Removes a role, and ends its sessions with GOODBYE `wamp.error.no_such_role`. @returns whether there was such a role. */
  removeRole(name: string): boolean {
    return this.#roles.remove(name);
  }

  /**
   * Ends all sessions because the realm is removed, with GOODBYE `wamp.close.close_realm`. Testaments and meta events are not
   * published, because no session stays to receive them. `size` is all zero afterwards.
   */
  close(): void {
    const sessions = [...this.#sessions.values()];
    const text = 'the realm was removed';
    this.#quietly(sessions, () => sessions.forEach((session) => session.kill(CloseUri.CLOSE_REALM, text)));
  }

  /** Whether the node may serve the realm: see `Uplink.mayServe`. */
  mayServe(): boolean {
    return this.#uplink?.mayServe?.() ?? true;
  }

  /** Ends all sessions, except those of the node itself, because it may not serve the realm: see {@link RouterSession.cut}. */
  cut(text: string): void {
    const sessions = [...this.#sessions.values()].filter(({ isOfNode }) => isOfNode !== true);
    this.#quietly(sessions, () => sessions.forEach((session) => session.cut?.(text)));
  }

  /** What the operator of the node sees of it. */
  get inventory(): Inventory {
    return new Inventory({
      realm: this.name,
      sessions: this.#sessions,
      subscriptions: this.#broker.directory,
      registrations: this.#dealer,
      uriRule: this.uriRule,
      scheduler: this.#scheduler,
      size: () => this.size,
      traffic: this.#traffic,
      quietly: (sessions, action) => this.#quietly(sessions, action),
    });
  }

  /** Changes whenever the procedure that decides for a role is registered, gets another callee or is unregistered. */
  get authorizersVersion(): number {
    return this.#roles.authorizersVersion;
  }

  /** @returns whether an open session has this id: two sessions must not have the same. */
  hasSession(id: number): boolean {
    return this.#sessions.has(id);
  }

  /** Takes a session in. Its WELCOME has been sent. */
  join(session: RouterSession): void {
    this.#sessions.set(session.id, session);
    this.counts.sessionJoined(session.authrole);
    this.#meta?.joined(session);
  }

  /** Removes a session with all that it owns, at once: subscriptions, registrations, calls. Harmless when it has left before. */
  leave(session: RouterSession): void {
    if (!this.#sessions.delete(session.id)) return;
    this.#traffic.ended(session.status);
    this.counts.sessionLeft(session.authrole);
    if (this.#meta === undefined) this.forget(session);
    else this.#meta.leave(session, () => this.forget(session));
  }

  /**
   * Routes one message of an established session. A request that cannot be served is answered with ERROR.
   * @param granted what an authorizer said about this request, for sessions whose role has one.
   * @throws ProtocolViolation when the session must end.
   */
  receive(session: RouterSession, message: m.ClientMessage, granted?: Permission): void {
    checkRouted(message);
    this.#requestIds?.check(session, message);
    try {
      if (this.#uplink !== undefined) checkServed(this.#uplink, message);
      this.#route(session, message, granted);
    } catch (error) {
      if (!(error instanceof WampError)) throw error;
      refuse(session, message, error, this.counts);
    }
  }

  /** For the uplink of the realm. */
  get elsewhere(): Elsewhere {
    return new Elsewhere(this.#broker, this.#dealer, this.#meta);
  }

  /** @returns whether a CALL with this request id would belong to a call that is not over. */
  isCalling(session: RouterSession, requestId: number): boolean {
    return this.#dealer.isCalling(session, requestId);
  }

  /** @returns whether the procedure has callees, and the router may ask them. */
  hasCallee(procedure: string): boolean {
    const registration = this.#dealer.best(procedure);
    return registration !== undefined && this.#roles.trusts(procedure, registration);
  }

  /** See {@link Arrivals.expect}. */
  expectCallee(procedure: string, arrived: () => void): () => void {
    return this.#arrivals.expect(procedure, arrived);
  }

  /** @returns whether others may call this session. */
  isCallee(session: RouterSession): boolean {
    return this.#dealer.isCallee(session);
  }

  /** @returns whether calls of this session, or calls that it has to answer, are in flight. */
  hasCalls(session: RouterSession): boolean {
    return this.#dealer.hasCalls(session);
  }

  /** Answers all calls that a session waits for with ERROR `wamp.error.canceled`. */
  cancelCalls(session: RouterSession, reason: string): void {
    this.#dealer.cancelCalls(session, reason);
  }

  /** Removes what a session owns. Called directly for sessions of the router itself, which never joined. */
  forget(session: RouterSession): void {
    this.#broker.remove(session);
    this.#dealer.remove(session);
    this.#requestIds?.forget(session);
  }

  /** What is on file, in numbers. Everything is zero when the last session has left. */
  get size() {
    return { sessions: this.#sessions.size, ...this.#broker.size, ...this.#dealer.size, ...this.#meta?.size };
  }

  /** What is kept of publications, in events and in bytes; cheap. */
  get kept(): Broker['kept'] {
    return this.#broker.kept;
  }

  /** How many patterns there are by match policy; cheap. */
  get patterns(): { readonly subscriptions: CountByMatch; readonly registrations: CountByMatch } {
    return { subscriptions: this.#broker.patterns, registrations: this.#dealer.patterns };
  }

  /** {@link size}, how much of publications is kept, and the state of calls. Costs more than `size`: for monitoring. */
  get stats() {
    return { ...this.size, ...this.#broker.kept, ...this.#dealer.stats };
  }

  /** Runs `action`, in which `sessions` end, without meta events and without their testaments. */
  #quietly(sessions: readonly RouterSession[], action: () => void): void {
    if (this.#meta === undefined) action();
    else this.#meta.quietly(sessions, action);
  }

  /** The meta API refers to broker and dealer, which are made after it. It is not called before they exist. */
  #metaApi(history: EventHistory | undefined, budget: Budget, { scheduler, uplink }: RealmDeps): MetaApi {
    return new MetaApi({
      budget,
      scheduler,
      uplink,
      history,
      sessions: this.#sessions,
      uriRule: () => this.uriRule,
      publisher: {
        isWanted: (topic, isAside) => this.#broker.isWanted(topic, isAside),
        publish: (topic, payload, options) => this.#broker.publish(topic, payload, options),
      },
      subscriptions: () => this.#broker.directory,
      registrations: () => this.#dealer,
      publishTestament: (session, make, permission) => this.#publishTestament(session, make, permission),
    });
  }

  /** A refusal is dropped: the session that it would be sent to has left. */
  #publishTestament(session: RouterSession, make: () => m.Publish, permission: Permission): void {
    try {
      this.#broker.onPublish(session, make(), permission);
    } catch (error) {
      if (!(error instanceof WampError || error instanceof ProtocolViolation)) throw error;
    }
  }

  #route(session: RouterSession, message: Request, granted: Permission | undefined): void {
    switch (message.type) {
      case m.PUBLISH:
        return this.#broker.onPublish(session, message, granted);
      case m.SUBSCRIBE:
        return this.#broker.onSubscribe(session, message, granted);
      case m.UNSUBSCRIBE:
        return this.#broker.onUnsubscribe(session, message);
      case m.CALL:
        return this.#dealer.onCall(session, message, granted);
      case m.CANCEL:
        return this.#dealer.onCancel(session, message);
      case m.REGISTER:
        return this.#dealer.onRegister(session, message, granted);
      case m.UNREGISTER:
        return this.#dealer.onUnregister(session, message);
      case m.YIELD:
        return this.#dealer.onYield(session, message);
      case m.ERROR:
        if (!isValidUri(message.error, this.uriRule)) {
          throw new ProtocolViolation(`ERROR.Error is not a valid URI: ${quoted(message.error)}`);
        }
        return this.#dealer.onError(session, message);
    }
  }
}
