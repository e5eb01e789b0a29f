/** The topics and procedures of a node, a page at a time: who wants and offers them, and how much they are used. */
import { selectPage } from './selection.js';
import { placesOf, ratesIn } from './sessions.js';
import { byRate, Wish } from './wish.js';
import type { Inventory, PatternEntry, RegistrationEntry, SubscriptionEntry } from '../router/meta/inventory.js';
import type { RateRule } from './rates.js';
import type { Ranked } from './selection.js';
import type { MonitorPage } from './sessions.js';
import type { MonitoredWorker } from './source.js';
import type { Asked, Order } from './wish.js';

/** A subscription, with all its subscribers. */
export type MonitoredTopic = SubscriptionEntry & {
  readonly worker: string;
  /** Publications in one second, where that is the order. */
  readonly publications_rate?: number;
};
/** A registration, with all its callees. */
export type MonitoredProcedure = RegistrationEntry & {
  readonly worker: string;
  /** Calls in one second, where that is the order. */
  readonly calls_rate?: number;
};

const NAMES = ['sort', 'descending', 'after', 'limit', 'realm', 'worker', 'search'];

const TOPIC_ORDERS: Readonly<Record<string, Order<SubscriptionEntry>>> = {
  publications: { keyOf: ({ publications }) => publications, descending: true },
  publications_rate: byRate(({ publications }) => publications),
  subscribers: { keyOf: ({ subscribers }) => subscribers, descending: true },
  uri: { keyOf: ({ uri }) => uri, descending: false },
  created: { keyOf: ({ created }) => created, descending: true },
};

const PROCEDURE_ORDERS: Readonly<Record<string, Order<RegistrationEntry>>> = {
  calls: { keyOf: ({ calls }) => calls, descending: true },
  calls_rate: byRate(({ calls }) => calls),
  calls_in_flight: { keyOf: ({ calls_in_flight: inFlight }) => inFlight, descending: true },
  callees: { keyOf: ({ callees }) => callees, descending: true },
  uri: { keyOf: ({ uri }) => uri, descending: false },
  created: { keyOf: ({ created }) => created, descending: true },
};

/** @throws WampError (rejects) when the request is wrong. */
export function topicPage(
  workers: readonly MonitoredWorker[],
  asked: Asked,
  rules: RateRule,
): Promise<MonitorPage<MonitoredTopic>> {
  return patternPage<SubscriptionEntry>(workers, asked, {
    ...rules,
    what: 'topics',
    orders: TOPIC_ORDERS,
    usual: 'publications',
    idsOf: (inventory) => inventory.subscriptionIds,
    entryOf: (inventory, id) => inventory.subscription(id),
  });
}

/** @throws WampError (rejects) when the request is wrong. */
export function procedurePage(
  workers: readonly MonitoredWorker[],
  asked: Asked,
  rules: RateRule,
): Promise<MonitorPage<MonitoredProcedure>> {
  return patternPage<RegistrationEntry>(workers, asked, {
    ...rules,
    what: 'procedures',
    orders: PROCEDURE_ORDERS,
    usual: 'calls',
    idsOf: (inventory) => inventory.registrationIds,
    entryOf: (inventory, id) => inventory.registration(id),
  });
}

interface Kind<E> extends RateRule {
  /** Its name in {@link ratesIn}. */
  readonly what: string;
  readonly orders: Readonly<Record<string, Order<E>>>;
  readonly usual: string;
  readonly idsOf: (inventory: Inventory) => readonly number[];
  readonly entryOf: (inventory: Inventory, id: number) => E | undefined;
}

interface RankedEntry<E> extends Ranked {
  readonly entry: E & { readonly worker: string };
}

async function patternPage<E extends PatternEntry>(
  workers: readonly MonitoredWorker[],
  asked: Asked,
  { orders, usual, idsOf, entryOf, what, ...rules }: Kind<E>,
): Promise<MonitorPage<E & { readonly worker: string }>> {
  const wish = new Wish(asked, NAMES);
  const { keyOf, descending, isRate = false, name } = wish.order(orders, usual);
  const ratesOf = isRate ? ratesIn(rules, what) : undefined;
  const search = wish.text('search')?.toLowerCase() ?? '';
  const places = placesOf(workers, wish);
  const { limit, after } = wish;
  function* ranked(): Generator<RankedEntry<E> | undefined> {
    for (const [place, { worker, inventory }] of places.entries()) {
      const rateOf = ratesOf?.({ worker, inventory });
      for (const id of idsOf(inventory)) {
        const entry = entryOf(inventory, id);
        if (entry === undefined) continue;
        const count = keyOf(entry);
        // Also of what is not meant: it may be at the next look.
        const key = rateOf?.(id, count, Date.parse(entry.created)) ?? count;
        const isMeant = search === '' || entry.uri.toLowerCase().includes(search);
        yield isMeant ? { id, place, key, entry: { worker, ...entry, ...(isRate && { [name]: key }) } } : undefined;
      }
    }
  }
  const { chosen, total, next } = await selectPage(ranked(), { limit, descending, after });
  return { entries: chosen.map(({ entry }) => entry), total, next };
}
