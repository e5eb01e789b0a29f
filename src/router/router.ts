/** The router: the realms of one router worker. Pure and synchronous: clock, timers and randomness are passed in. */
import { nextId } from '../wamp/id.js';
import { BUDGET_LIMITS, Budget } from './budget.js';
import { Realm } from './realm.js';
import type { RealmCounts } from '../metrics/realm-counts.js';
import type { RandomId } from '../wamp/id.js';
import type { Decider } from './deciders.js';
import type { RouterSession } from './session.js';
import type { ProcedureTable } from './meta/procedure.js';
import type { Scheduler } from './observer.js';
import type { RealmDeps } from './realm.js';
import type { RealmConfig } from './schema.js';
import type { Uplink } from './uplink.js';

/** How the realms of a router come to their uplinks. */
export interface RouterUplinks {
  /** The other nodes of a realm; absent or undefined: there are none. */
  readonly uplinkOf?: (realm: string, config: RealmConfig) => Uplink | undefined;
  /** A realm is there from now on: no session has joined it yet. */
  readonly realmAdded?: (realm: Realm) => void;
  /** A realm is not there any more, and has no session. */
  readonly realmRemoved?: (realm: Realm) => void;
  /** Gives ids for sessions that no other router gives; by default they are drawn at random. */
  readonly newSessionId?: () => number;
}

/** What a router is made with: randomness, clock, timers, limits, and the procedures that manage the node. */
export interface RouterDeps extends RouterUplinks {
  /** Draws ids of global scope (sessions, publications). */
  readonly randomId: RandomId;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly scheduler: Scheduler;
  /** Procedures of the node, on every realm: see `DealerDeps.management`. */
  readonly management?: ProcedureTable;
  /** The procedures that authenticate clients. The config of the realms names the authorizers. */
  readonly authenticators?: readonly Decider[];
  /** Called when a session was refused to register a procedure that decides about others. */
  readonly refused?: (realm: string, session: RouterSession, procedure: string) => void;
  /** The most that may be kept for all sessions together, in bytes; by default that of {@link BUDGET_LIMITS}. */
  readonly maxKeptBytes?: number;
  /** The counts of the realms of this name; by default nobody looks at them. */
  readonly countsOf?: (realm: string) => RealmCounts;
}

/**
 * The router. It has the realms and what they share: the counter of ids with router scope, and the budget of what is kept for
 * sessions. Realms can be added and removed while it runs. Sessions find their realm by {@link Router.realm}.
 */
export class Router {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly scheduler: Scheduler;
  readonly #drawSessionId: () => number;
  readonly #budget: Budget;
  readonly #realmDeps: RealmDeps;
  readonly #uplinks: RouterUplinks;
  readonly #countsOf: RouterDeps['countsOf'];
  // realm name -> realm
  readonly #realms = new Map<string, Realm>();
  #lastId = 0;

  constructor(realms: readonly RealmConfig[], deps: RouterDeps) {
    this.clock = deps.clock;
    this.scheduler = deps.scheduler;
    this.#drawSessionId = deps.newSessionId ?? deps.randomId;
    // Subscriptions and registrations of all realms share one count: their ids have router scope (section "IDs").
    const nextRouterId = (): number => (this.#lastId = nextId(this.#lastId));
    const { maxKeptBytes: inAll = BUDGET_LIMITS.inAll } = deps;
    this.#budget = new Budget({ ...BUDGET_LIMITS, inAll });
    this.#realmDeps = { ...deps, budget: this.#budget, nextRouterId };
    this.#uplinks = deps;
    this.#countsOf = deps.countsOf;
    for (const config of realms) this.addRealm(config);
  }

  /**
   * Adds a realm while the router runs.
   * @throws TypeError when there is one of this name.
   */
  addRealm(config: RealmConfig): Realm {
    if (this.#realms.has(config.name)) throw new TypeError(`there is a realm ${config.name} already`);
    const uplink = this.#uplinks.uplinkOf?.(config.name, config);
    const counts = this.#countsOf?.(config.name);
    const realm = new Realm(config, { ...this.#realmDeps, ...(uplink && { uplink }), ...(counts && { counts }) });
    this.#realms.set(realm.name, realm);
    this.#uplinks.realmAdded?.(realm);
    return realm;
  }

  /**
   * Removes a realm and ends its sessions: see {@link Realm.close}. Its retained events and its history are dropped.
   * @returns whether there was such a realm.
   */
  removeRealm(name: string): boolean {
    const realm = this.#realms.get(name);
    if (realm === undefined) return false;
    // First, so that no session can join the realm while its sessions end.
    this.#realms.delete(name);
    realm.close();
    this.#uplinks.realmRemoved?.(realm);
    return true;
  }

  /** @returns the realm of this name. */
  realm(name: string): Realm | undefined {
    return this.#realms.get(name);
  }

  /** All realms, in the order in which they were added. */
  get realms(): readonly Realm[] {
    return [...this.#realms.values()];
  }

  /** @returns an id for a new session, which no open session of any realm has. */
  newSessionId(): number {
    const { realms } = this;
    let id = this.#drawSessionId();
    while (realms.some((realm) => realm.hasSession(id))) id = this.#drawSessionId();
    return id;
  }

  /** How many bytes are kept for the sessions of all realms. */
  get keptBytes(): number {
    return this.#budget.keptBytes;
  }

  /** {@link Realm.size} of each realm, by its name. */
  get size(): Readonly<Record<string, Realm['size']>> {
    return Object.fromEntries([...this.#realms].map(([name, realm]) => [name, realm.size]));
  }
}
