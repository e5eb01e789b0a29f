/**
 * A router: the realms of one router worker. Pure and synchronous; ids and randomness are passed in.
 */
import { nextId } from '../wamp/id.js';
import { BUDGET_LIMITS, Budget } from './budget.js';
import { Realm } from './realm.js';
import type { RandomId } from '../wamp/id.js';
import type { Decider } from './deciders.js';
import type { RouterSession } from './session.js';
import type { ProcedureTable } from './meta/procedure.js';
import type { Scheduler } from './observer.js';
import type { RealmDeps } from './realm.js';
import type { RealmConfig } from './schema.js';
import type { Uplink } from './uplink.js';

/** What a router is made with: clock, timers, randomness, limits, and the procedures that manage the node. */
export interface RouterDeps {
  /** Draws ids of global scope (sessions, publications). */
  readonly randomId: RandomId;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly scheduler: Scheduler;
  /** Procedures of the node, on every realm: see `DealerDeps.management`. */
  readonly management?: ProcedureTable;
  /** Procedures that decide who is let in. Authorizers are in the config of the realms. */
  readonly authenticators?: readonly Decider[];
  /** A session was kept from registering a procedure that decides. */
  readonly refused?: (realm: string, session: RouterSession, procedure: string) => void;
  /** The most that is kept for all sessions together, in bytes. */
  readonly maxKeptBytes?: number;
  /** The other nodes of a realm; absent or undefined: there are none. */
  readonly uplinkOf?: (realm: string) => Uplink | undefined;
}

/**
 * The realms of one router worker. What they share is here: the count of ids of router scope, and the budget of what is kept
 * for sessions. Realms may come and go while it runs.
 */
export class Router {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  readonly scheduler: Scheduler;
  readonly #randomId: RandomId;
  readonly #budget: Budget;
  readonly #realmDeps: RealmDeps;
  readonly #uplinkOf: RouterDeps['uplinkOf'];
  // realm name -> realm
  readonly #realms = new Map<string, Realm>();
  #lastId = 0;

  constructor(realms: readonly RealmConfig[], deps: RouterDeps) {
    this.clock = deps.clock;
    this.scheduler = deps.scheduler;
    this.#randomId = deps.randomId;
    // Subscriptions and registrations of all realms share one count: their ids have router scope (section "IDs").
    const nextRouterId = (): number => (this.#lastId = nextId(this.#lastId));
    const { maxKeptBytes: inAll = BUDGET_LIMITS.inAll } = deps;
    this.#budget = new Budget({ ...BUDGET_LIMITS, inAll });
    this.#realmDeps = { ...deps, budget: this.#budget, nextRouterId };
    this.#uplinkOf = deps.uplinkOf;
    for (const config of realms) this.addRealm(config);
  }

  /**
   * Adds a realm while the router runs.
   * @throws TypeError when there is one of this name.
   */
  addRealm(config: RealmConfig): Realm {
    if (this.#realms.has(config.name)) throw new TypeError(`there is a realm ${config.name} already`);
    const uplink = this.#uplinkOf?.(config.name);
    const realm = new Realm(config, { ...this.#realmDeps, ...(uplink && { uplink }) });
    this.#realms.set(realm.name, realm);
    return realm;
  }

  /**
   * Takes a realm away and ends its sessions: see {@link Realm.close}. What was kept for them is given back, and what the
   * realm kept itself (retained events, history) goes with it.
   * @returns whether there was one.
   */
  removeRealm(name: string): boolean {
    const realm = this.#realms.get(name);
    if (realm === undefined) return false;
    // First, so that nobody can join it while its sessions end.
    this.#realms.delete(name);
    realm.close();
    return true;
  }

  realm(name: string): Realm | undefined {
    return this.#realms.get(name);
  }

  /** @returns an id for a new session that no live session of any realm has. */
  newSessionId(): number {
    const realms = [...this.#realms.values()];
    let id = this.#randomId();
    while (realms.some((realm) => realm.hasSession(id))) id = this.#randomId();
    return id;
  }

  /** How many bytes are kept for the sessions of all realms. */
  get keptBytes(): number {
    return this.#budget.keptBytes;
  }

  /** What is on file in each realm, in numbers. */
  get size(): Readonly<Record<string, Realm['size']>> {
    return Object.fromEntries([...this.#realms].map(([name, realm]) => [name, realm.size]));
  }
}
