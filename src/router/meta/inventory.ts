/**
 * What the operator of a node sees of a realm, and may do to its sessions. It is the meta API for somebody who is no client: the
 * same directories and the same kill, also in a realm without meta API. Lists are ids at first, and each entry is made when it is
 * asked for: a realm may have more sessions than one turn of the event loop can show.
 */
import { checkedFarewell, killInTurns } from './killing.js';
import { registrationDetails, subscriptionDetails } from './events.js';
import type { InvocationPolicy } from '../../wamp/message.js';
import type { Match, UriRule } from '../../wamp/uri.js';
import type { WampError } from '../../wamp/error.js';
import type {
  RegistrationDirectory,
  RegistrationView,
  Scheduler,
  SubscriptionDirectory,
  SubscriptionView,
} from '../observer.js';
import type { RouterSession, TransportDetails } from '../session.js';
import type { MessageTotals, Traffic } from '../traffic.js';
import type { Perform, WantedFarewell } from './killing.js';

/** A session as the operator sees it. */
export interface SessionEntry {
  readonly realm: string;
  readonly session: number;
  /** The digest of the cookie where the `authid` is the id of one. */
  readonly authid: string;
  readonly authrole: string;
  readonly authmethod: string;
  readonly authprovider: string;
  readonly transport: TransportDetails;
  /** UTC, ISO 8601 with milliseconds and `Z`. */
  readonly joined: string;
  /** What the client has not read yet, in bytes; null for one without a connection. */
  readonly unsent_bytes: number | null;
  /** How many messages came from the client, and went to it. */
  readonly received: number;
  readonly sent: number;
  readonly subscriptions: number;
  readonly registrations: number;
}

/** What sessions are put in order by. */
export interface SessionMeasures {
  readonly authid: string;
  readonly authrole: string;
  /** Milliseconds since 1970. */
  readonly joinedMs: number;
  readonly unsentBytes: number;
  readonly received: number;
  readonly sent: number;
  readonly subscriptions: number;
  readonly registrations: number;
}

/** A realm in numbers. */
export interface RealmNumbers {
  readonly sessions: number;
  readonly subscriptions: number;
  readonly registrations: number;
  /** Calls that are not over. */
  readonly calls: number;
}

/** What registrations and subscriptions have in common, as the operator sees them. */
export interface PatternEntry {
  readonly realm: string;
  readonly id: number;
  readonly uri: string;
  readonly match: Match;
  /** UTC, ISO 8601 with milliseconds and `Z`. */
  readonly created: string;
}

/** A registration as the operator sees it. */
export interface RegistrationEntry extends PatternEntry {
  readonly invoke: InvocationPolicy;
  /** How many callees it has. */
  readonly callees: number;
  /** How many calls it got, and how many of them are not over. */
  readonly calls: number;
  readonly calls_in_flight: number;
  /** The ids of the first hundred of them, in order of registration. */
  readonly sessions: readonly number[];
}

/** A subscription as the operator sees it. */
export interface SubscriptionEntry extends PatternEntry {
  /** How many subscribers it has. */
  readonly subscribers: number;
  /** How many publications it had events of. */
  readonly publications: number;
}

/** What registrations are put in order by. */
export type RegistrationMeasures = Pick<
  RegistrationView,
  'uri' | 'created' | 'calls' | 'calleeCount' | 'callsInFlight'
>;

/** What subscriptions are put in order by. */
export type SubscriptionMeasures = Pick<SubscriptionView, 'uri' | 'created' | 'publications' | 'subscriberCount'>;

/** Which sessions are meant; all where nothing is said. */
export interface SessionSelection {
  /** As {@link SessionEntry} shows it. */
  readonly authid?: string | undefined;
  readonly authrole?: string | undefined;
}

export interface InventoryDeps {
  readonly realm: string;
  /** The sessions of the realm by id. */
  readonly sessions: ReadonlyMap<number, RouterSession>;
  readonly subscriptions: SubscriptionDirectory;
  readonly registrations: RegistrationDirectory;
  readonly uriRule: UriRule;
  readonly scheduler: Scheduler;
  readonly size: () => RealmNumbers;
  readonly traffic: Pick<Traffic, 'past'>;
  /** Runs `action`, in which `sessions` end, without meta events and without their testaments. */
  readonly quietly: Perform;
}

/** So many callees of a registration are named. */
const NAMED_CALLEES = 100;

/** What is in a realm. What is gone when it is asked for is undefined. */
export class Inventory {
  readonly realm: string;
  readonly #deps: InventoryDeps;

  constructor(deps: InventoryDeps) {
    this.realm = deps.realm;
    this.#deps = deps;
  }

  /** How many sessions there are. */
  get sessionCount(): number {
    return this.#deps.sessions.size;
  }

  /**
   * The ids of all sessions, in the order in which they joined. There is no copy of them: sessions may come and go while somebody goes
   * through the ids, who may let them.
   */
  get sessionIds(): Iterable<number> {
    return idsNow(this.#deps.sessions);
  }

  /** The ids of all registrations, in order of creation. As {@link sessionIds}. */
  get registrationIds(): Iterable<number> {
    return idsNow(this.#deps.registrations.byId);
  }

  /** The ids of all subscriptions, in order of creation. As {@link sessionIds}. */
  get subscriptionIds(): Iterable<number> {
    return idsNow(this.#deps.subscriptions.byId);
  }

  /** @returns whether a session is there and is one of those that are meant. */
  isMeant(id: number, { authid, authrole }: SessionSelection): boolean {
    const session = this.#deps.sessions.get(id);
    if (session === undefined || (authrole !== undefined && session.authrole !== authrole)) return false;
    return authid === undefined || session.status.name === authid;
  }

  /** @returns why the config would not let in the client of a session any more as whom it is; undefined when it would, or has gone. */
  outdated(id: number): string | undefined {
    return this.#deps.sessions.get(id)?.outdated;
  }

  session(id: number): SessionEntry | undefined {
    const found = this.#deps.sessions.get(id);
    if (found === undefined) return undefined;
    const { session, realm, authrole, authmethod, authprovider, transport } = found.details;
    const { name, joinedMs, waitingBytes, received, sent } = found.status;
    return {
      ...{ realm, session, authid: name, authrole, authmethod, authprovider, transport },
      joined: new Date(joinedMs).toISOString(),
      unsent_bytes: waitingBytes ?? null,
      ...{ received, sent, ...this.#counts(found) },
    };
  }

  /** What a session is put in order by. Costs less than {@link session}. */
  measures(id: number): SessionMeasures | undefined {
    const found = this.#deps.sessions.get(id);
    if (found === undefined) return undefined;
    const { name, joinedMs, waitingBytes = 0, received, sent } = found.status;
    const { authrole } = found;
    return { authid: name, authrole, joinedMs, unsentBytes: waitingBytes, received, sent, ...this.#counts(found) };
  }

  /** The texts by which people look for a session: its id, names, address and cookie. None when it is not there. */
  words(id: number): readonly string[] {
    const found = this.#deps.sessions.get(id);
    if (found === undefined) return [];
    const { authmethod, transport } = found.details;
    const { peer, http_cbtid: cookie = '' } = transport;
    return [String(id), found.status.name, found.authrole, authmethod, peer, cookie];
  }

  /** The realm in numbers. Takes longer the more sessions call or are called. */
  get numbers(): RealmNumbers {
    const { sessions, subscriptions, registrations, calls } = this.#deps.size();
    return { sessions, subscriptions, registrations, calls };
  }

  /** Messages of the sessions that have ended. */
  get pastTraffic(): MessageTotals {
    return this.#deps.traffic.past;
  }

  /** What a registration is put in order by. Costs less than {@link registration}. */
  registrationMeasures(id: number): RegistrationMeasures | undefined {
    return this.#deps.registrations.get(id);
  }

  /** What a subscription is put in order by. Costs less than {@link subscription}. */
  subscriptionMeasures(id: number): SubscriptionMeasures | undefined {
    return this.#deps.subscriptions.get(id);
  }

  registration(id: number): RegistrationEntry | undefined {
    const view = this.#deps.registrations.get(id);
    if (view === undefined) return undefined;
    const { calleeCount: callees, calls, callsInFlight } = view;
    const sessions = view.callees.slice(0, NAMED_CALLEES).map((session) => session.id);
    const counts = { callees, calls, calls_in_flight: callsInFlight };
    return { realm: this.realm, ...registrationDetails(view), ...counts, sessions };
  }

  subscription(id: number): SubscriptionEntry | undefined {
    const view = this.#deps.subscriptions.get(id);
    if (view === undefined) return undefined;
    const { subscriberCount: subscribers, publications } = view;
    return { realm: this.realm, ...subscriptionDetails(view), subscribers, publications };
  }

  /** @returns the ids of what a session has registered. */
  registrationsOf(id: number): readonly number[] {
    return this.#idsOf(id, this.#deps.registrations);
  }

  /** @returns the ids of what a session is subscribed to. */
  subscriptionsOf(id: number): readonly number[] {
    return this.#idsOf(id, this.#deps.subscriptions);
  }

  /**
   * Ends sessions with GOODBYE, as `wamp.session.kill` does. Those that have gone are passed over.
   *
   * @param isQuiet without meta events and testaments, as `wamp.session.kill_all` does it.
   * @param by who wants it; the operator by default.
   * @param done called when all have ended, with the first failure.
   * @returns how many sessions that are.
   * @throws WampError `wamp.error.invalid_uri` when the reason is not a URI; then nothing has happened.
   */
  kill(
    ids: readonly number[],
    { isQuiet, by = 'operator', ...wanted }: WantedFarewell & { readonly isQuiet: boolean; readonly by?: string },
    done: (failure?: WampError) => void,
  ): number {
    const { sessions, scheduler, uriRule, quietly } = this.#deps;
    const words = { ...checkedFarewell(wanted, uriRule), by };
    const victims = ids.flatMap((id) => sessions.get(id) ?? []);
    killInTurns(victims, { words, scheduler, perform: isQuiet ? quietly : undefined }, done);
    return victims.length;
  }

  #counts(session: RouterSession): { readonly subscriptions: number; readonly registrations: number } {
    const { subscriptions, registrations } = this.#deps;
    return { subscriptions: subscriptions.countOf(session), registrations: registrations.countOf(session) };
  }

  #idsOf(id: number, directory: Pick<RegistrationDirectory | SubscriptionDirectory, 'of'>): readonly number[] {
    const session = this.#deps.sessions.get(id);
    return session === undefined ? [] : directory.of(session).map((view) => view.id);
  }
}

/** Not more than there are at the beginning: others may come as fast as somebody goes through them. */
function* idsNow(byId: ReadonlyMap<number, unknown>): Generator<number, undefined> {
  let left = byId.size;
  for (const id of byId.keys()) {
    if (left-- === 0) return;
    yield id;
  }
}
