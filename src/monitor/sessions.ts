/** The sessions of a node, a page at a time, in the order that somebody wants. */
import { inPieces, placeOf, selectPage } from './selection.js';
import { byRate, Wish } from './wish.js';
import type { Inventory, SessionEntry, SessionMeasures } from '../router/meta/inventory.js';
import type { RateRule } from './rates.js';
import type { Behind, Ranked } from './selection.js';
import type { MonitoredWorker } from './source.js';
import type { Asked, Order } from './wish.js';

/** A session on the page. */
export interface MonitoredSession extends SessionEntry {
  readonly worker: string;
  /** The digest of its cookie; null without one. */
  readonly cookie: string | null;
  /** Messages in one second, of the kind by which the list is put in order. */
  readonly messages_rate?: number;
  readonly received_rate?: number;
  readonly sent_rate?: number;
}

/** A page of a list. */
export interface MonitorPage<T> {
  readonly entries: readonly T[];
  /** How many there are in all. */
  readonly total: number;
  /** What to ask for as `after` to get the next page; null when there is none. */
  readonly next: Behind | null;
}

/** A page, with what its entries are ranked by. */
export interface RankedPage<T> extends MonitorPage<T> {
  /** One for each entry. */
  readonly keys: readonly Behind[];
  readonly descending: boolean;
}

const ORDERS: Readonly<Record<string, Order<SessionMeasures>>> = {
  joined: { keyOf: ({ joinedMs }) => joinedMs, descending: true },
  unsent_bytes: { keyOf: ({ unsentBytes }) => unsentBytes, descending: true },
  received: { keyOf: ({ received }) => received, descending: true },
  sent: { keyOf: ({ sent }) => sent, descending: true },
  messages: { keyOf: ({ received, sent }) => received + sent, descending: true },
  messages_rate: byRate(({ received, sent }) => received + sent),
  received_rate: byRate(({ received }) => received),
  sent_rate: byRate(({ sent }) => sent),
  subscriptions: { keyOf: ({ subscriptions }) => subscriptions, descending: true },
  registrations: { keyOf: ({ registrations }) => registrations, descending: true },
  authid: { keyOf: ({ authid }) => authid, descending: false },
  authrole: { keyOf: ({ authrole }) => authrole, descending: false },
};

const NAMES = ['sort', 'descending', 'after', 'limit', 'realm', 'worker', 'search', 'slow'];

/** A realm and where it is. */
export interface Place {
  readonly worker: string;
  readonly inventory: Inventory;
}

interface RankedSession extends Ranked, Place {}

/** @returns the realms of the workers, or those that are meant. */
export function placesOf(workers: readonly MonitoredWorker[], wish: Pick<Wish, 'text'>): readonly Place[] {
  const [realm, worker] = [wish.text('realm'), wish.text('worker')];
  return workers
    .filter((each) => worker === undefined || each.worker === worker)
    .flatMap((each) => each.inventories.map((inventory) => ({ worker: each.worker, inventory })))
    .filter(({ inventory }) => realm === undefined || inventory.realm === realm);
}

/** @throws WampError (rejects) when the request is wrong. */
export async function sessionPage(
  workers: readonly MonitoredWorker[],
  asked: Asked,
  rules: RateRule,
): Promise<RankedPage<MonitoredSession>> {
  const wish = new Wish(asked, NAMES);
  const { keyOf, descending, isRate = false, name } = wish.order(ORDERS, 'joined');
  const [search, slow] = [wish.text('search')?.toLowerCase() ?? '', wish.flag('slow') === true];
  const { limit, after } = wish;
  const places = placesOf(workers, wish);
  const { chosen, total, next } = await selectPage(
    ranked(places, { keyOf, ratesOf: isRate ? ratesIn(rules, `sessions ${name}`) : undefined }, (measures, found) => {
      if (slow && measures.unsentBytes === 0) return false;
      return search === '' || isFound(search, found);
    }),
    { limit, descending, after },
  );
  const rows = chosen.flatMap((found) => {
    return entryOf(found).map((entry) => ({ found, entry: isRate ? { ...entry, [name]: found.key } : entry }));
  });
  const keys = rows.map(({ found }) => placeOf(found));
  return { entries: rows.map(({ entry }) => entry), total, next, keys, descending };
}

/** @returns what tells the rates of the things in a place, at this look. */
export function ratesIn({ rates, clock }: RateRule, what: string): RatesOf {
  const nowMs = clock();
  return ({ worker, inventory }) => {
    const rateOf = rates.look({ what, worker, realm: inventory.realm });
    return (id, count, sinceMs) => rateOf({ id, count: Number(count), ageMs: nowMs - sinceMs });
  };
}

/** Begins a look at a place: see {@link ratesIn}. */
export type RatesOf = (place: Place) => (id: number, count: number | string, sinceMs: number) => number;

/** What sessions are put in order by. */
interface SessionKeys {
  readonly keyOf: (measures: SessionMeasures) => number | string;
  /** Where the order is that of rates. */
  readonly ratesOf: RatesOf | undefined;
}

type IsMeant = (measures: SessionMeasures, found: RankedSession) => boolean;

/** The rates of those that are not meant are looked at, too: they may be meant at the next look. */
function* ranked(
  places: readonly Place[],
  { keyOf, ratesOf }: SessionKeys,
  isMeant: IsMeant,
): Generator<RankedSession | undefined> {
  for (const [place, { worker, inventory }] of places.entries()) {
    const rateOf = ratesOf?.({ worker, inventory });
    for (const id of inventory.sessionIds) {
      const measures = inventory.measures(id);
      if (measures === undefined) continue;
      const key = keyOf(measures);
      const found = { id, place, worker, inventory, key: rateOf?.(id, key, measures.joinedMs) ?? key };
      yield isMeant(measures, found) ? found : undefined;
    }
  }
}

/** It may have gone since it was ranked. */
function entryOf({ worker, inventory, id }: Pick<RankedSession, 'worker' | 'inventory' | 'id'>): MonitoredSession[] {
  const entry = inventory.session(id);
  return entry === undefined ? [] : [{ worker, ...entry, cookie: entry.transport.http_cbtid ?? null }];
}

function isFound(search: string, { inventory, id }: RankedSession): boolean {
  return inventory.words(id).some((word) => word.toLowerCase().includes(search));
}

/** A realm in numbers. */
export interface MonitoredRealm {
  readonly worker: string;
  readonly realm: string;
  readonly sessions: number;
  readonly subscriptions: number;
  readonly registrations: number;
  readonly calls_in_flight: number;
  /** Messages from its sessions and to them, also of those that have ended. */
  readonly received: number;
  readonly sent: number;
  /** What its sessions have not read yet. */
  readonly unsent_bytes: number;
  /** How many sessions have not read everything. */
  readonly slow: number;
}

/** Goes through all sessions. */
export async function realmNumbers({ worker, inventory }: Place): Promise<MonitoredRealm> {
  const { received: receivedBefore, sent: sentBefore } = inventory.pastTraffic;
  let [received, sent, unsent, slow] = [receivedBefore, sentBefore, 0, 0];
  await inPieces(inventory.sessionIds, (id) => {
    const measures = inventory.measures(id);
    if (measures === undefined) return;
    received += measures.received;
    sent += measures.sent;
    unsent += measures.unsentBytes;
    if (measures.unsentBytes > 0) slow++;
  });
  const { sessions, subscriptions, registrations, calls } = inventory.numbers;
  return {
    ...{ worker, realm: inventory.realm, sessions, subscriptions, registrations, calls_in_flight: calls },
    ...{ received, sent, unsent_bytes: unsent, slow },
  };
}
