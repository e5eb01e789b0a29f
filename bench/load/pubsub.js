/**
 * Events: one publisher, a number of subscribers. A publication is under way until every subscriber has its event, so a
 * router and a plain broadcast server see the same traffic, acknowledged or not.
 */
import { ClosedLoop } from './closed-loop.js';
import { measure } from './measure.js';
import { Payloads, Sequence } from './sequence.js';
import { EVENT, PUBLISH, PUBLISHED, WampSession, openMany } from './wamp-session.js';
import { WebSocketClient } from './websocket.js';

/** @typedef {import('../load.js').LoadContext} LoadContext */

/** @param {LoadContext} context */
export async function publish(context) {
  const { options, violations, url } = context;
  const { acknowledge } = options;
  const topic = `bench.topic.${process.pid}`;
  const open = () => WampSession.open(url, options.realm, violations);
  const publisher = await open();
  const subscribers = await openMany(options.subscribers, open);
  const fanOut = new FanOut(context, acknowledge ? 1 : 0, (number, payload) =>
    publisher.send([PUBLISH, number + 1, acknowledge ? { acknowledge } : {}, topic, [payload]]),
  );

  const acknowledgements = new Sequence('publisher', violations);
  publisher.handlers.set(PUBLISHED, ([, requestId]) => {
    const number = Number(requestId) - 1;
    if (acknowledgements.accept(number, fanOut.loop.sent)) fanOut.loop.arrived(number);
  });
  for (const [index, subscriber] of subscribers.entries()) {
    const subscriptionId = await subscriber.subscribe(topic);
    const isOwnEvent = (/** @type {readonly unknown[]} */ [type, id]) => type === EVENT && id === subscriptionId;
    subscriber.intercept = fanOut.receiver(`subscriber ${index}`, subscriptionId, isOwnEvent);
  }

  const result = await fanOut.run();
  if (acknowledge) acknowledgements.finish(fanOut.loop.sent);
  for (const session of [publisher, ...subscribers]) session.client.drop();
  return result;
}

/** @param {LoadContext} context */
export async function broadcast(context) {
  const { options, violations, url } = context;
  const open = async () => {
    const client = await WebSocketClient.open(url, 'bench');
    client.onEnd = (reason) => violations.add('connection lost', reason.message);
    return client;
  };
  const publisher = await open();
  const subscribers = await Promise.all(Array.from({ length: options.subscribers }, open));
  const topic = `bench.topic.${process.pid}`;
  const fanOut = new FanOut(context, 0, (number, payload) =>
    publisher.send(JSON.stringify([PUBLISH, number + 1, {}, topic, [payload]])),
  );
  for (const [index, subscriber] of subscribers.entries()) {
    subscriber.onText = fanOut.receiver(`subscriber ${index}`, topic, ([type]) => type === PUBLISH);
  }
  const result = await fanOut.run();
  for (const client of [publisher, ...subscribers]) client.drop();
  return result;
}

/** Publications, and the account of who got which. */
class FanOut {
  loop;
  #context;
  #payloads;
  #deliveries = 0;
  /** @type {Sequence[]} */
  #sequences = [];
  /**
   * The last texts as their first receiver got them, by number modulo window. Most routers send the same bytes to all:
   * comparing them is ten times cheaper than parsing, and the generator is not to be slower than the router.
   * @type {{ number: number, group: unknown, bytes: Buffer }[]}
   */
  #seen = [];

  /**
   * @param {LoadContext} context
   * @param {number} acknowledgements how many come for a publication
   * @param {(number: number, payload: string) => void} send
   */
  constructor(context, acknowledgements, send) {
    const { window, subscribers, payload } = context.options;
    const payloads = new Payloads(payload);
    this.#context = context;
    this.#payloads = payloads;
    this.loop = new ClosedLoop({
      window,
      arrivalsEach: subscribers + acknowledgements,
      send: (number) => send(number, payloads.build(number)),
    });
  }

  /**
   * @param {string} name
   * @param {unknown} group receivers of one group may get the same bytes
   * @param {(message: readonly unknown[]) => boolean} isOwnEvent whether a message is an event for this receiver
   * @returns {(bytes: Buffer, start: number, end: number) => boolean} takes a text; false when it is no event
   */
  receiver(name, group, isOwnEvent) {
    const sequence = new Sequence(name, this.#context.violations);
    this.#sequences.push(sequence);
    return (bytes, start, end) => {
      const number = this.#seenBefore(sequence.next, group, bytes, start, end)
        ? sequence.next
        : this.#parse(group, isOwnEvent, bytes, start, end);
      if (number === undefined) return false;
      if (sequence.accept(number, this.loop.sent)) {
        this.#deliveries++;
        this.loop.arrived(number);
      }
      return true;
    };
  }

  async run() {
    const { options, stretch } = this.#context;
    this.loop.start();
    const measured = await measure(
      stretch,
      () => this.#deliveries,
      () => this.loop.startTiming(),
    );
    await this.loop.drain(options.drain);
    for (const sequence of this.#sequences) sequence.finish(this.loop.sent);
    return { unit: 'event', ...measured, latencyMs: this.loop.latencies() };
  }

  /**
   * @param {number} number that is expected
   * @param {unknown} group
   * @param {Buffer} bytes
   * @param {number} start
   * @param {number} end
   */
  #seenBefore(number, group, bytes, start, end) {
    const seen = this.#seen[number % this.#context.options.window];
    return seen?.number === number && seen.group === group && seen.bytes.compare(bytes, start, end) === 0;
  }

  /**
   * @param {unknown} group
   * @param {(message: readonly unknown[]) => boolean} isOwnEvent
   * @param {Buffer} bytes
   * @param {number} start
   * @param {number} end
   */
  #parse(group, isOwnEvent, bytes, start, end) {
    const { window, subscribers } = this.#context.options;
    const message = JSON.parse(bytes.toString('utf8', start, end));
    if (!isOwnEvent(message)) return undefined;
    const number = this.#payloads.numberIn(message[4]?.[0]);
    if (subscribers > 1 && Number.isInteger(number)) {
      this.#seen[number % window] = { number, group, bytes: Buffer.from(bytes.subarray(start, end)) };
    }
    return number;
  }
}
