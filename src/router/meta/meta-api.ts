/**
 * The WAMP meta API of a realm: procedures and events of the router itself, below `wamp.`. It knows broker and dealer by the
 * interfaces in `observer.ts` only, and they do not know it.
 */
import { registrationProcedures, registrationsOfAll, subscriptionProcedures } from './directory-procedures.js';
import { MetaEvents } from './events.js';
import { historyProcedures } from './history-procedures.js';
import { sessionProcedures } from './session-procedures.js';
import { Spread } from './spread.js';
import { Testaments } from './testaments.js';
import type { Call } from '../../wamp/message.js';
import type { WampError } from '../../wamp/error.js';
import type { Dict, Payload } from '../../wamp/payload.js';
import type { UriRule } from '../../wamp/uri.js';
import type { EventHistory } from '../broker/history.js';
import type { Budget } from '../budget.js';
import type {
  Later,
  RegistrationDirectory,
  RegistrationObserver,
  Scheduler,
  SubscriptionDirectory,
  SubscriptionObserver,
} from '../observer.js';
import type { Permission } from '../permission.js';
import type { RouterSession } from '../session.js';
import type { MetaAnswer, Uplink } from '../uplink.js';
import type { Publisher } from './event-pieces.js';
import type { MetaProcedure } from './procedure.js';
import type { SpreadTable } from './spread.js';
import type { TestamentDeps } from './testaments.js';

/** The features of broker and dealer that WELCOME announces where the meta API is on. */
export const META_BROKER_FEATURES = { session_meta_api: true, subscription_meta_api: true } as const;
export const META_DEALER_FEATURES = {
  session_meta_api: true,
  registration_meta_api: true,
  testament_meta_api: true,
} as const;

export interface MetaApiDeps {
  /** The sessions of the realm by id. */
  readonly sessions: ReadonlyMap<number, RouterSession>;
  readonly uriRule: () => UriRule;
  readonly publisher: Publisher;
  readonly budget: Budget;
  readonly scheduler: Scheduler;
  readonly subscriptions: () => SubscriptionDirectory;
  readonly registrations: () => RegistrationDirectory;
  /** Undefined where the realm has no store. */
  readonly history?: EventHistory | undefined;
  /** The other nodes of the realm; undefined: there are none. */
  readonly uplink?: Uplink | undefined;
  /** Publishes for a session that is gone. */
  readonly publishTestament: TestamentDeps['publish'];
}

/** The meta API of a realm. The realm calls {@link MetaApi.joined} and {@link MetaApi.leave}, the dealer {@link MetaApi.builtin}. */
export class MetaApi {
  readonly subscriptions: SubscriptionObserver;
  readonly registrations: RegistrationObserver;
  readonly shared: MetaEvents['shared'];
  /** The features that it adds to those of the broker. */
  readonly brokerFeatures: Readonly<Record<string, boolean>>;
  /** The sessions of the realm by id. */
  readonly sessions: ReadonlyMap<number, RouterSession>;
  readonly #events: MetaEvents;
  readonly #testaments: Testaments;
  // procedure URI -> procedure
  readonly #procedures: ReadonlyMap<string, MetaProcedure>;
  // procedure URI -> procedure that concerns all nodes
  readonly #spread: SpreadTable;
  readonly #waiting: Spread;

  constructor(deps: MetaApiDeps) {
    const { sessions, uriRule, publisher, publishTestament, history, budget, scheduler } = deps;
    this.sessions = sessions;
    this.brokerFeatures = { ...META_BROKER_FEATURES, ...(history && { event_history: true }) };
    this.#events = new MetaEvents(publisher, scheduler, deps.uplink !== undefined);
    this.subscriptions = this.#events.subscriptions;
    this.registrations = this.#events.registrations;
    this.shared = this.#events.shared;
    this.#testaments = new Testaments({ uriRule, budget, publish: publishTestament });
    this.#waiting = new Spread({ sessions, uplink: deps.uplink });
    this.#spread = {
      ...sessionProcedures({
        sessions,
        uriRule,
        scheduler,
        quietly: (victims, action) => this.quietly(victims, action),
      }),
      ...subscriptionProcedures(deps.subscriptions, deps),
      ...registrationsOfAll(deps.registrations, deps),
    };
    const whole = Object.entries(this.#spread).map(([uri, each]) => [uri, this.#waiting.whole(uri, each)] as const);
    this.#procedures = new Map(
      Object.entries({
        ...Object.fromEntries(whole),
        ...this.#testaments.procedures,
        ...registrationProcedures(deps.registrations),
        ...(history && historyProcedures(deps.subscriptions, history)),
      }),
    );
  }

  /** Answers a question of another node. @param reply called once; with an empty answer to what is not known here. */
  answer(uri: string, question: Dict, reply: (answer: MetaAnswer | WampError) => void): void {
    const answer = this.#spread[uri]?.answer(question) ?? {};
    if (typeof answer === 'function') answer(reply);
    else reply(answer);
  }

  /** Serves a call of a URI below `wamp.`, once it is authorized. See `DealerDeps.builtin`. */
  readonly builtin = (session: RouterSession, call: Call, granted?: Permission): Payload | Later | undefined =>
    this.#procedures.get(call.procedure)?.(session, call, granted);

  /** Publishes that a session has joined. */
  joined(session: RouterSession): void {
    this.#events.sessionJoined(session);
  }

  /** Publishes the testaments of a session that leaves, and that it has left. @param remove removes it from broker and dealer */
  leave(session: RouterSession, remove: () => void): void {
    this.#events.leaving(() => {
      remove();
      this.#testaments.execute(session);
      this.#events.sessionLeft(session);
    });
  }

  /** See `Elsewhere.lost`. */
  registrationLost(...about: Parameters<MetaEvents['registrationLost']>): void {
    this.#events.registrationLost(...about);
  }

  /** How many sessions have testaments, how many meta events wait, and how many sessions wait for the answers of other nodes. */
  get size(): { readonly testaments: number; readonly metaEvents: number; readonly metaCallers: number } {
    return { testaments: this.#testaments.size, metaEvents: this.#events.size, metaCallers: this.#waiting.size };
  }

  /** Runs `action`, in which sessions end, without meta events. Their testaments are dropped. */
  quietly(victims: readonly RouterSession[], action: () => void): void {
    for (const victim of victims) this.#testaments.forget(victim);
    this.#events.quietly(action);
  }
}
