/**
 * What is dear for the node and cheap for a client: at the limits of sizes and numbers, or a little beyond. Each is a list of
 * batches; between two of them the client waits for a while, so that the later ones may name what the earlier ones have made.
 */
import type { Odd } from './encode.js';
import { listOf } from './odd-values.js';
import type { Random } from './random.js';
import type { WampMessages } from './wamp-messages.js';

export type Batch = (draw: WampMessages) => readonly Odd[];
type Heavy = (random: Random) => readonly Batch[];

const MANY = 3000;
const LARGE_BYTES = 900_000;
/** What the arguments of the router's own procedures may have, and more. */
const LARGE_ARGUMENTS = [60_000, 70_000, LARGE_BYTES];
const PARTS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'];
const LONG_URI = `fuzz.${PARTS.join('.')}`;
const META = [
  ...['wamp.session.count', 'wamp.session.get', 'wamp.session.add_testament', 'wamp.registration.match'],
  ...[
    'wamp.registration.lookup',
    'wamp.subscription.match',
    'wamp.subscription.get_events',
    'wamp.session.kill_by_authid',
  ],
];

export function heavy(random: Random): readonly Batch[] {
  return random.pick(HEAVY)(random);
}

function times<T>(count: number, make: (i: number) => T): readonly T[] {
  return Array.from({ length: count }, (_, i) => make(i));
}

/** So many bytes of text, or of small containers. */
function large(random: Random, bytes: number): Odd {
  return random.chance(0.3) ? 'x'.repeat(bytes) : listOf(Math.ceil(bytes / 3), random);
}

/** The n-th pattern that matches {@link LONG_URI}: a part is empty where n has a bit. */
function pattern(n: number): string {
  return `fuzz.${PARTS.map((part, bit) => ((n >> bit) & 1 ? '' : part)).join('.')}`;
}

const patternsAndEvent: Heavy = (random) => [
  (draw) => times(random.between(100, MANY), (i) => [32, draw.request(), { match: 'wildcard' }, pattern(i + 1)]),
  (draw) =>
    times(3, () => [
      16,
      draw.request(),
      { exclude_me: false },
      LONG_URI,
      [large(random, random.pick([10, 1000, LARGE_BYTES]))],
    ]),
];

const metaArguments: Heavy = (random) => [
  (draw) =>
    times(5, () => {
      const [procedure, args] = [random.pick(META), large(random, random.pick(LARGE_ARGUMENTS))];
      return [48, draw.request(), {}, procedure, random.chance(0.5) ? [args] : [1, 2, args, 3]];
    }),
];

const history: Heavy = (random) => [
  (draw) => [
    [32, draw.request(), {}, 'fuzz.a'],
    ...times(20, () => [16, draw.request(), {}, 'fuzz.a', [large(random, 200_000)]]),
  ],
  (draw) => times(10, () => [48, draw.request(), {}, 'wamp.subscription.get_events', [draw.id('subscriptions'), 1000]]),
];

const retained: Heavy = (random) => [
  (draw) =>
    times(200, (i) => [16, draw.request(), { retain: true }, `fuzz.${'r'.repeat(900)}.${i}`, [large(random, 1000)]]),
  (draw) =>
    times(20, (i) => [32, draw.request(), { match: 'wildcard', get_retained: true }, i % 2 ? 'fuzz..' : `..${i}`]),
];

const others: readonly Heavy[] = [
  // To those with another serializer it has to be translated.
  (random) => [
    (draw) => times(5, () => [16, draw.request(), {}, random.pick(['fuzz.a', 'fuzz.b']), [large(random, LARGE_BYTES)]]),
  ],
  () => [(draw) => times(MANY, () => [48, draw.request(), {}, 'wamp.session.list'])],
  () => [(draw) => times(MANY, (i) => [64, draw.request(), { match: 'wildcard' }, `fuzz.own${i}..${'.'.repeat(20)}x`])],
  (random) => [
    (draw) =>
      times(40, () => [48, draw.request(), {}, 'wamp.session.add_testament', ['fuzz.a', [large(random, 4000)], {}]]),
  ],
  // Calls that wait for a callee that does not answer.
  (random) => [
    (draw) => [[64, draw.request(), { invoke: 'roundrobin', concurrency: 1 }, 'fuzz.slow']],
    (draw) => times(500, () => [48, draw.request(), { timeout: 500 }, 'fuzz.slow', [large(random, 4000)]]),
    (draw) => times(300, () => [49, draw.request(), {}]),
  ],
];

const HEAVY: readonly Heavy[] = [patternsAndEvent, metaArguments, history, retained, ...others];
