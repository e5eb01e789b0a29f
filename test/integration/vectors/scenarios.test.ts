/**
 * The scenarios of the vectors, each against one node (or three of a cluster), over every transport and in every serializer. Those of the
 * Basic Profile are always played, those of the Advanced Profile as far as `built.ts` lists them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BUILT } from '../../support/built.js';
import { nodeConfig } from '../../support/node-config.js';
import type { Place } from '../../support/place.js';
import { isSpreadOverThree, startPlace } from '../../support/place.js';
import type { Bindings, Peer, Scenario } from '../../support/scenario.js';
import { loadVectors, mismatch, playScenario, prefixMismatch } from '../../support/scenario.js';
import { RAWSOCKET_TRANSPORTS, TRANSPORTS } from '../../support/transports.js';
import { ALL_ROLES } from '../../support/wamp-client.js';

const { scenarios } = loadVectors('scenarios.json') as { readonly scenarios: readonly Scenario[] };
const basic = scenarios.filter(({ priority }) => priority === 'P0');
/** A realm of several nodes retains no events, and says so. */
const isRetention = ({ id }: Scenario): boolean => id === 'SC-027';
const played = scenarios
  .filter(({ id, priority }) => priority === 'P0' || BUILT.hasScenario(id))
  .filter((scenario) => !isSpreadOverThree() || !isRetention(scenario));
const brokerFeatures = BUILT.brokerFeatures.filter((name) => !isSpreadOverThree() || name !== 'event_retention');

it('has all scenarios of the Basic Profile', () => {
  expect([basic.length, scenarios.length]).toEqual([21, 46]);
});

interface Welcome {
  readonly roles: Readonly<Record<'broker' | 'dealer', { readonly features: Readonly<Record<string, boolean>> }>>;
}

async function welcome(client: Peer): Promise<unknown[]> {
  client.send([1, 'realm1', { roles: ALL_ROLES }]);
  return client.next();
}

let place: Place;
beforeAll(async () => {
  place = await startPlace(nodeConfig({ transports: RAWSOCKET_TRANSPORTS }));
});
afterAll(() => place.dispose());

/** What is between the nodes knows no transport: a row of each is enough there. */
const ROWS = isSpreadOverThree() ? TRANSPORTS.filter((_row, index) => index % 4 === 0) : TRANSPORTS;

describe.each(ROWS)('scenarios over $transport, $serializer', ({ connect }) => {
  it('announces the features that this build is held to', async () => {
    const client = await connect(place.next());
    const [, , details] = await welcome(client);
    const { broker, dealer } = (details as Welcome).roles;
    expect(broker.features).toMatchObject(Object.fromEntries(brokerFeatures.map((name) => [name, true])));
    expect(dealer.features).toMatchObject(Object.fromEntries(BUILT.dealerFeatures.map((name) => [name, true])));
    await client.drop();
  });

  it.each(played)('$id $title', async (scenario) => {
    await playScenario(scenario, { realm: 'realm1', connect: () => connect(place.next()), settle: place.settle });
  });
});

describe('the scenario language itself', () => {
  const bound: Bindings = new Map([['$s', 5]]);
  it.each<[pattern: unknown, value: unknown]>([
    [
      [33, 1, '$s'],
      [33, 1, 6],
    ],
    [
      [33, 1],
      [33, 1, 5],
    ],
    [
      [33, 1, 5],
      [33, 1],
    ],
    [
      [36, { topic: 'a' }],
      [36, {}],
    ],
    [
      [36, { topic: 'a' }],
      [36, { topic: 'b' }],
    ],
    [
      [36, {}],
      [36, []],
    ],
    [[1], [true]],
    [[null], [0]],
    [['$$nobody'], [1]],
  ])('%j does not fit %j', (pattern, value) => {
    expect(mismatch(pattern, value, new Map(bound))).toBeDefined();
  });

  it('lets objects be larger, names bind, and prefixes end early', () => {
    expect(mismatch([36, '$s', '$p', { a: '?' }], [36, 5, 9, { a: 1, b: 2 }], new Map(bound))).toBeUndefined();
    expect(mismatch(['$p', '$p'], [9, 8], new Map())).toBeDefined();
    expect(prefixMismatch([8, 48], [8, 48, 1, {}], new Map())).toBeUndefined();
    expect(prefixMismatch([8, 48, 1], [8, 48], new Map())).toBeDefined();
  });
});
