/** The topics and procedures of a node, a page at a time: who wants and offers them, and how much they are used. */
import { placeOf, selectPage } from './selection.js';
import { placesOf, ratesIn } from './sessions.js';
import { byRate, Wish } from './wish.js';
import type {
  Inventory,
  RegistrationEntry,
  RegistrationMeasures,
  SubscriptionEntry,
  SubscriptionMeasures,
} from '../router/meta/inventory.js';
import type { RateRule } from './rates.js';
import type { Ranked } from './selection.js';
import type { Place, RankedPage } from './sessions.js';
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

const TOPIC_ORDERS: Readonly<Record<string, Order<SubscriptionMeasures>>> = {
  publications: { keyOf: ({ publications }) => publications, descending: true },
  publications_rate: byRate(({ publications }) => publications),
  subscribers: { keyOf: ({ subscriberCount }) => subscriberCount, descending: true },
  uri: { keyOf: ({ uri }) => uri, descending: false },
  created: { keyOf: ({ created }) => created, descending: true },
};

const PROCEDURE_ORDERS: Readonly<Record<string, Order<RegistrationMeasures>>> = {
  calls: { keyOf: ({ calls }) => calls, descending: true },
  calls_rate: byRate(({ calls }) => calls),
  calls_in_flight: { keyOf: ({ callsInFlight }) => callsInFlight, descending: true },
  callees: { keyOf: ({ calleeCount }) => calleeCount, descending: true },
  uri: { keyOf: ({ uri }) => uri, descending: false },
  created: { keyOf: ({ created }) => created, descending: true },
};

/** @throws WampError (rejects) when the request is wrong. */
export function topicPage(
  workers: readonly MonitoredWorker[],
  asked: Asked,
  rules: RateRule,
): Promise<RankedPage<MonitoredTopic>> {
  return patternPage<SubscriptionEntry, SubscriptionMeasures>(workers, asked, {
    ...rules,
    what: 'topics',
    orders: TOPIC_ORDERS,
    usual: 'publications',
    idsOf: (inventory) => inventory.subscriptionIds,
    measuresOf: (inventory, id) => inventory.subscriptionMeasures(id),
    entryOf: (inventory, id) => inventory.subscription(id),
  });
}

/** @throws WampError (rejects) when the request is wrong. */
export function procedurePage(
  workers: readonly MonitoredWorker[],
  asked: Asked,
  rules: RateRule,
): Promise<RankedPage<MonitoredProcedure>> {
  return patternPage<RegistrationEntry, RegistrationMeasures>(workers, asked, {
    ...rules,
    what: 'procedures',
    orders: PROCEDURE_ORDERS,
    usual: 'calls',
    idsOf: (inventory) => inventory.registrationIds,
    measuresOf: (inventory, id) => inventory.registrationMeasures(id),
    entryOf: (inventory, id) => inventory.registration(id),
  });
}

interface Kind<E, M> extends RateRule {
  /** Its name in {@link ratesIn}. */
  readonly what: string;
  readonly orders: Readonly<Record<string, Order<M>>>;
  readonly usual: string;
  readonly idsOf: (inventory: Inventory) => Iterable<number>;
  readonly measuresOf: (inventory: Inventory, id: number) => M | undefined;
  readonly entryOf: (inventory: Inventory, id: number) => E | undefined;
}

async function patternPage<E extends object, M extends { readonly uri: string; readonly created: string }>(
  workers: readonly MonitoredWorker[],
  asked: Asked,
  { orders, usual, idsOf, measuresOf, entryOf, what, ...rules }: Kind<E, M>,
): Promise<RankedPage<E & { readonly worker: string }>> {
  const wish = new Wish(asked, NAMES);
  const { keyOf, descending, isRate = false, name } = wish.order(orders, usual);
  const ratesOf = isRate ? ratesIn(rules, what) : undefined;
  const search = wish.text('search')?.toLowerCase() ?? '';
  const places = placesOf(workers, wish);
  const { limit, after } = wish;
  function* ranked(): Generator<(Ranked & Place) | undefined> {
    for (const [place, { worker, inventory }] of places.entries()) {
      const rateOf = ratesOf?.({ worker, inventory });
      for (const id of idsOf(inventory)) {
        const measures = measuresOf(inventory, id);
        if (measures === undefined) continue;
        const count = keyOf(measures);
        // Also of what is not meant: it may be at the next look.
        const key = rateOf?.(id, count, Date.parse(measures.created)) ?? count;
        const isMeant = search === '' || measures.uri.toLowerCase().includes(search);
        yield isMeant ? { id, place, key, worker, inventory } : undefined;
      }
    }
  }
  const { chosen, total, next } = await selectPage(ranked(), { limit, descending, after });
  // What has gone since it was ranked is left out.
  const rows = chosen.flatMap((found) => {
    const { worker, inventory, id, key } = found;
    const entry = entryOf(inventory, id);
    return entry === undefined ? [] : [{ found, entry: { worker, ...entry, ...(isRate && { [name]: key }) } }];
  });
  const keys = rows.map(({ found }) => placeOf(found));
  return { entries: rows.map(({ entry }) => entry), total, next, keys, descending };
}
