/** Shows what is in a router: what its counts do not say, because it can be looked at. */
import { REALM } from '../metrics/catalogue.js';
import { sample, samplesOf } from '../metrics/metric.js';
import type { Sample } from '../metrics/metric.js';
import type { Router } from '../router/router.js';

/** @returns what is kept in each realm now. */
export function* routerSamples({ realms }: Pick<Router, 'realms'>): Generator<Sample> {
  for (const { name, patterns, kept } of realms) {
    yield* samplesOf(REALM.subscriptions, Object.entries(patterns.subscriptions), name);
    yield* samplesOf(REALM.registrations, Object.entries(patterns.registrations), name);
    yield sample(REALM.retainedEvents, kept.retainedEvents, name);
    yield sample(REALM.retainedBytes, kept.retainedBytes, name);
    yield sample(REALM.historyBytes, kept.historyBytes, name);
  }
}
