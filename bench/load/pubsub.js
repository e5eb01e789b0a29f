/**
 * Events: one publisher, a number of subscribers, each with a serializer of its own if need be, and pattern subscriptions
 * that have to be passed over. A publication is under way until every subscriber has its event, so
 * a router and a plain broadcast server see the same traffic, acknowledged or not.
 */
import { ClosedLoop } from './closed-loop.js';
import { CODECS, PreparedMessage } from './codec.js';
import { measure } from './measure.js';
import { patternsAround, patternTopic } from './patterns.js';
import { Payloads, Sequence } from './sequence.js';
import { EVENT, PUBLISH, PUBLISHED, WampSession, openMany } from './wamp-session.js';
import { WebSocketClient } from './websocket.js';

/** @typedef {import('../load.js').LoadContext} LoadContext */

/** @param {LoadContext} context */
export async function publish(context) {
  const { options, violations, url } = context;
  const { acknowledge, serializers, rawsocket, patterns } = options;
  const topic = patterns > 0 ? patternTopic(process.pid) : `bench.topic.${process.pid}`;
  const [own = 'json', ...others] = serializers;
  let opened = 0;
  const open = (serializer = own) => WampSession.open(url, options.realm, violations, { serializer, rawsocket });
  const publisher = await open();
  // With several serializers the first is the publisher's, and the subscribers have all of them in turn.
  const subscribers = await openMany(options.subscribers, () => open([own, ...others][opened++ % serializers.length]));
  const fanOut = new FanOut(context, acknowledge ? 1 : 0, publication(publisher, topic, acknowledge, options.payload));

  const acknowledgements = new Sequence('publisher', violations);
  publisher.handlers.set(PUBLISHED, ([, requestId]) => {
    const number = Number(requestId) - 1;
    if (acknowledgements.accept(number, fanOut.loop.sent)) fanOut.loop.arrived(number);
  });
  const [pattern, ...unmatched] = patternsAround(Math.max(patterns, 1), process.pid);
  for (const [index, subscriber] of subscribers.entries()) {
    const subscriptionId =
      patterns > 0
        ? await subscriber.subscribe(pattern?.uri ?? '', { match: pattern?.match })
        : await subscriber.subscribe(topic);
    const isOwnEvent = (/** @type {readonly unknown[]} */ [type, id]) => type === EVENT && id === subscriptionId;
    const { codec } = subscriber;
    const group = `${codec.subprotocol} ${String(subscriptionId)}`;
    subscriber.intercept = fanOut.receiver(`subscriber ${index}`, group, isOwnEvent, codec);
  }
  // An event for one of these is one too many: the session has no handler for it and says so.
  const bystander = patterns > 0 ? await open() : undefined;
  for (const { uri, match } of unmatched) await bystander?.subscribe(uri, { match });

  const result = await fanOut.run();
  if (acknowledge) acknowledgements.finish(fanOut.loop.sent);
  for (const session of [publisher, ...subscribers]) session.client.drop();
  bystander?.client.drop();
  return result;
}

/**
 * @param {WampSession} publisher
 * @param {string} topic
 * @param {boolean} acknowledge
 * @param {number} payloadSize
 * @returns {(number: number, payload: string) => void} publishes
 */
function publication(publisher, topic, acknowledge, payloadSize) {
  const options = acknowledge ? { acknowledge } : {};
  const build = (/** @type {number} */ id, /** @type {string} */ payload) => [PUBLISH, id, options, topic, [payload]];
  if (!publisher.codec.binary) return (number, payload) => publisher.send(build(number + 1, payload));
  const prepared = new PreparedMessage(publisher.codec, build, new Payloads(payloadSize));
  return (number) => publisher.client.send(prepared.fill(number + 1, number));
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
    subscriber.onMessage = fanOut.receiver(`subscriber ${index}`, topic, ([type]) => type === PUBLISH, CODECS.json);
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
   * For each group the last messages as their first receiver got them, by number modulo window. Most routers send the
   * same bytes to all: comparing them is ten times cheaper than parsing, and the generator is not to be slower than the
   * router.
   * @type {Map<string, { number: number, bytes: Buffer }[]>}
   */
  #seen = new Map();

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
   * @param {string} group receivers of one group may get the same bytes
   * @param {(message: readonly unknown[]) => boolean} isOwnEvent whether a message is an event for this receiver
   * @param {import('./codec.js').Codec} codec
   * @returns {(bytes: Buffer, start: number, end: number) => boolean} takes a message; false when it is no event
   */
  receiver(name, group, isOwnEvent, codec) {
    const { window, subscribers } = this.#context.options;
    const sequence = new Sequence(name, this.#context.violations);
    this.#sequences.push(sequence);
    const seen = this.#seen.get(group) ?? [];
    this.#seen.set(group, seen);

    const parse = (/** @type {Buffer} */ bytes, /** @type {number} */ start, /** @type {number} */ end) => {
      const message = codec.decode(bytes, start, end);
      if (!isOwnEvent(message)) return undefined;
      const number = this.#payloads.numberIn(message[4]?.[0]);
      if (subscribers > 1 && Number.isInteger(number)) {
        seen[number % window] = { number, bytes: Buffer.from(bytes.subarray(start, end)) };
      }
      return number;
    };
    return (bytes, start, end) => {
      const { next } = sequence;
      const before = seen[next % window];
      const isSame = before?.number === next && before.bytes.compare(bytes, start, end) === 0;
      const number = isSame ? next : parse(bytes, start, end);
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
}
