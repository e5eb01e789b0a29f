/**
 * Publish and subscribe of one realm over all nodes. Each pattern that sessions of this node subscribe to is one subscription of the
 * engine. A publication goes to the subject of its topic, and comes back to this node the same way, so that all subscribers see the
 * publications of one node in the same order. Who of them gets it is decided where it arrives.
 */
import { ErrorUri, WampError } from '../wamp/error.js';
import { NO_DETAILS } from '../wamp/message.js';
import { isDict } from '../wamp/payload.js';
import { EngineError } from '../engine/engine.js';
import { decodeFrame, encodeFrame } from './frame.js';
import { patternTokens, uriTokens } from './subjects.js';
import type { Publication, SubscriptionStanding, Uplink, WantedPattern } from '../router/uplink.js';
import type { Dict } from '../wamp/payload.js';
import type { PublishOptions, Qos } from '../wamp/message.js';
import type { Barrier } from './barrier.js';
import type { Beginning, Standings } from './meta/standings.js';
import type { Engine, EngineMessage } from '../engine/engine.js';

/** The most that a URI may take as a subject: NATS has lines of 4 KiB. */
const MAX_SUBJECT_BYTES = 3072;

/** The options of a PUBLISH that say who gets the event. */
const RECEIVERS: readonly (keyof PublishOptions)[] = [
  ...(['eligible', 'eligible_authid', 'eligible_authrole', 'exclude', 'exclude_authid', 'exclude_authrole'] as const),
];

export interface RealmEventsDeps {
  readonly engine: Pick<Engine, 'publish' | 'subscribe'>;
  /** What the subjects of the realm's publications begin with, see `Subjects.events`. */
  readonly prefix: string;
  readonly barrier: Pick<Barrier, 'leave' | 'pass'>;
  readonly standings: Pick<Standings, 'whenKnown'>;
  /** The id of a subscription. */
  readonly idOf: (pattern: WantedPattern) => number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Whether this node may serve. */
  readonly mayServe: () => boolean;
  /** `Elsewhere.deliver`. */
  readonly deliver: (pattern: WantedPattern, publication: Publication) => void;
}

export class RealmEvents {
  readonly #deps: RealmEventsDeps;
  // pattern as text -> ends its subscription
  readonly #wanted = new Map<string, () => void>();

  constructor(deps: RealmEventsDeps) {
    this.#deps = deps;
  }

  /** How many patterns are wanted here. */
  get size(): number {
    return this.#wanted.size;
  }

  /** See `Uplink`. */
  wanted(pattern: WantedPattern, done: Parameters<Uplink['wanted']>[1]): void {
    const tokens = patternTokens(pattern);
    if (tokens.length > MAX_SUBJECT_BYTES) return done(tooLong());
    const { uri, match } = pattern;
    const isMeant = match === 'prefix' ? (topic: string) => topic.startsWith(uri) : () => true;
    const receive = (message: EngineMessage): void => {
      const publication = publicationIn(message.data);
      if (publication === undefined || !isMeant(publication.topic) || !this.#deps.mayServe()) return;
      this.#deps.deliver(pattern, publication);
    };
    const end = this.#deps.engine.subscribe(this.#deps.prefix + tokens, receive);
    this.#wanted.set(keyOf(pattern), end);
    const { barrier, standings, idOf, clock } = this.#deps;
    const id = idOf(pattern);
    const askedMs = clock();
    const passed = (beginning?: Beginning): void => done(undefined, standingOf(askedMs, beginning));
    standings.whenKnown(id, () => barrier.pass(passed, id));
  }

  /** See `Uplink`. */
  unwanted(pattern: WantedPattern, ended?: () => void): void {
    const key = keyOf(pattern);
    this.#wanted.get(key)?.();
    this.#wanted.delete(key);
    if (ended !== undefined) this.#deps.barrier.leave(this.#deps.idOf(pattern), ended);
  }

  /** See `Uplink`. @throws WampError */
  publish({ id, topic, payload, details, excluded, options, qos }: Publication): void {
    if (!this.#deps.mayServe()) throw notConnected();
    const tokens = uriTokens(topic);
    if (tokens.length > MAX_SUBJECT_BYTES) throw tooLong();
    const head: Record<string, unknown> = { i: id, t: topic };
    if (details !== NO_DETAILS) head['d'] = details;
    if (excluded !== 0) head['x'] = excluded;
    if (qos !== 0) head['q'] = qos;
    const receivers = receiversIn(options);
    if (receivers !== undefined) head['o'] = receivers;
    try {
      this.#deps.engine.publish(this.#deps.prefix + tokens, encodeFrame(head, payload));
    } catch (error) {
      throw error instanceof EngineError ? wampErrorOf(error) : error;
    }
  }

  /** Ends all subscriptions. */
  end(): void {
    for (const end of this.#wanted.values()) end();
    this.#wanted.clear();
  }
}

/** @returns what a client is told when the engine cannot do something. */
export function wampErrorOf(error: EngineError): WampError {
  if (error.fault === 'too_large') {
    return new WampError(ErrorUri.PAYLOAD_SIZE_EXCEEDED, 'the message is larger than the cluster carries');
  }
  return notConnected();
}

function standingOf(askedMs: number, { isFirst, sinceMs }: Beginning = ALONE): SubscriptionStanding {
  return { isFirst, createdMs: Math.min(askedMs, sinceMs) };
}

const ALONE: Beginning = { isFirst: true, sinceMs: Infinity };

function notConnected(): WampError {
  return new WampError(ErrorUri.UNAVAILABLE, 'this node has no connection to the cluster');
}

function tooLong(): WampError {
  return new WampError(ErrorUri.INVALID_URI, 'the URI is longer than the cluster carries');
}

function receiversIn(options: PublishOptions): Dict | undefined {
  if (options === NO_DETAILS) return undefined;
  let found: Record<string, unknown> | undefined;
  for (const key of RECEIVERS) if (options[key] !== undefined) (found ??= {})[key] = options[key];
  return found;
}

/** @returns what a node has published; undefined for what is no publication. */
export function publicationIn(data: Uint8Array): Publication | undefined {
  const frame = decodeFrame(data);
  const {
    i: id,
    t: topic,
    d: details = NO_DETAILS,
    x: excluded = 0,
    o: options = NO_DETAILS,
    q: qos = 0,
  } = frame?.head ?? {};
  if (frame === undefined || typeof id !== 'number' || typeof topic !== 'string') return undefined;
  if (!isDict(details) || typeof excluded !== 'number' || !isDict(options)) return undefined;
  // Nothing is retained in a cluster.
  return { id, topic, payload: frame.payload, details, excluded, options, qos: qosIn(qos), clears: false };
}

/** A node of another version may know more. */
function qosIn(value: unknown): Qos {
  return value === 1 || value === 2 ? value : 0;
}

function keyOf({ match, uri }: WantedPattern): string {
  return `${match} ${uri}`;
}
