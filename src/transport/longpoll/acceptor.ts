/**
 * The clients of one place for long-poll: lets them in, knows them by their ids, and ends those that do not come any more. From then
 * on they are watched over as all WAMP connections (`transport-host.ts`). It knows no HTTP but the request that opens.
 */
import type { IncomingMessage } from 'node:http';
import { subprotocolOf } from '../../serializer/registry.js';
import { drawBytes } from '../../system/random.js';
import { DeadlineQueue } from '../deadline-queue.js';
import { openConnections } from '../open-connections.js';
import { unsentLimits } from '../outbox/outbox.js';
import { addressOf, clientInfoOf, clientOf, isSecure, isTls } from '../peer.js';
import { TransportHost } from '../transport-host.js';
import { endLater, visitorOf } from '../websocket/visitor.js';
import { PageWarnings } from '../websocket/page-warnings.js';
import { isPlanted, originCheck } from '../websocket/origin.js';
import { Channel } from './channel.js';
import { CookieVisit } from './cookie-visit.js';
import { LongPollWire } from './wire.js';
import type { CookieTracker, Tracked } from '../../cookie/tracker.js';
import type { Logger } from '../../log/logger.js';
import type { SerializerTypes } from '../../serializer/registry.js';
import type { Serializer } from '../../serializer/serializer.js';
import type { SessionDeps } from '../../session/deps.js';
import type { ClientInfo } from '../../auth/method.js';
import type { Drain } from '../drain.js';
import type { Refusal } from '../refusal.js';
import type { HostedTransport, HostLimits } from '../transport-host.js';
import type { OriginCheck } from '../websocket/origin.js';
import type { After } from './order.js';
import type { LongPollConfig } from './schema.js';
import type { LongPollKeeper } from './wire.js';

/** What it works with. */
export interface LongPollDeps {
  readonly sessions: SessionDeps;
  readonly serializers: SerializerTypes;
  readonly drain: Drain;
  /** Who came back; undefined where cookies are not tracked. */
  readonly tracker: CookieTracker | undefined;
  readonly log: Logger;
  /** Default: the timers of Node.js. */
  readonly after?: After;
}

/** A client that was let in. */
export interface LongPollClient {
  /** By which it is known from now on: a password. */
  readonly id: string;
  readonly subprotocol: string;
  /** The media type of its messages. */
  readonly mediaType: string;
  readonly wire: LongPollWire;
  /** The value of the `Set-Cookie` of the answer to `/open`. */
  readonly setCookie: string | undefined;
  /** Undefined where cookies are not tracked. */
  readonly visit: CookieVisit | undefined;
}

/** 144 bits. */
const ID_BYTES = 18;

/** How long an id is known behind the end of its session: for what the client says of it. */
const CLOSE_MS = 10_000;

/** In seconds. By then the connections that only wait are gone, at the default of `hello_timeout`. */
const RETRY_LATER = { 'Retry-After': '5' };

const STOPPING: Refusal = { status: 503, text: 'the node is shutting down', kind: 'stopping' };
const FULL: Refusal = { status: 503, text: 'too many connections', kind: 'too many', headers: RETRY_LATER };
const NO_STORE: Refusal = { status: 503, text: 'the cookie store is not available', kind: 'cookie store' };

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  json: 'application/json; charset=utf-8',
  msgpack: 'application/x-msgpack',
  cbor: 'application/cbor',
  ubjson: 'application/ubjson',
};

/** Tells of the sessions that are opened. */
class LongPollHost extends TransportHost {
  readonly onSession = new WeakMap<HostedTransport, () => void>();

  override gotHello(transport: HostedTransport): void {
    super.gotHello(transport);
    this.onSession.get(transport)?.();
  }
}

/** One for each place. */
export class LongPollAcceptor implements LongPollKeeper {
  readonly #config: LongPollConfig;
  readonly #deps: LongPollDeps;
  readonly #host: LongPollHost;
  readonly #after: After;
  readonly #pages: PageWarnings;
  readonly #allowsOrigin: OriginCheck;
  /** subprotocol -> serializer */
  readonly #subprotocols: ReadonlyMap<string, Serializer>;
  /** id -> client */
  readonly #clients = new Map<string, LongPollClient>();
  readonly #ids = new WeakMap<LongPollWire, string>();
  readonly #polls: DeadlineQueue<LongPollWire>;
  readonly #idle: DeadlineQueue<LongPollWire>;

  constructor(config: LongPollConfig, deps: LongPollDeps) {
    const { options } = config;
    this.#config = config;
    this.#deps = deps;
    this.#after = deps.after ?? afterByTimer;
    this.#pages = new PageWarnings(deps.log);
    this.#allowsOrigin = originCheck(options.allowed_origins ?? ['*'], options.allow_null_origin ?? true);
    const formats = config.serializers.flatMap((word) => deps.serializers[word] ?? []);
    const serializers = formats.flatMap(({ single, batched }) => [single, batched]);
    this.#subprotocols = new Map(serializers.map((serializer) => [subprotocolOf(serializer), serializer]));
    this.#host = new LongPollHost(hostLimits(config), deps);
    this.#polls = new DeadlineQueue(options.request_timeout * 1000, (wire) => wire.endPoll());
    this.#idle = new DeadlineQueue(options.session_timeout * 1000, (wire) => wire.connection.cut('no_request'));
  }

  /** How many clients there are. */
  get size(): number {
    return this.#clients.size;
  }

  /** The subprotocols that clients may choose from. */
  get subprotocols(): readonly string[] {
    return [...this.#subprotocols.keys()];
  }

  /** @returns undefined for an id that is unknown, or over. */
  find(id: string): LongPollClient | undefined {
    return this.#clients.get(id);
  }

  /**
   * A client comes. Never rejects.
   * @param protocols what it speaks, by preference: the first one counts that is spoken here.
   * @param hasLeft whether nobody waits for the answer any more.
   * @returns why it may not; undefined when it has left.
   */
  async open(
    req: IncomingMessage,
    protocols: readonly string[],
    hasLeft: () => boolean,
  ): Promise<LongPollClient | Refusal | undefined> {
    const subprotocol = protocols.find((each) => this.#subprotocols.has(each));
    const serializer = subprotocol === undefined ? undefined : this.#subprotocols.get(subprotocol);
    if (subprotocol === undefined || serializer === undefined) return this.#noneInCommon();
    if (!this.#isTaking()) return STOPPING;
    if (isPlanted(req.headers, req.socket) && !this.#allowsOrigin(req.headers.origin, undefined)) {
      this.#pages.plantedHost(req);
    }
    const channel = this.#admit(req);
    if (channel === undefined) return FULL;
    let tracked: Tracked | undefined;
    try {
      tracked = await this.#deps.tracker?.resolve(req);
    } catch (error) {
      this.#deps.log.error({ err: error }, 'cookie store failed, connection refused');
      this.#leave(channel);
      return NO_STORE;
    }
    // While the store was asked the client may have left or had to make room, and the node may have begun to stop.
    const reason = this.#isTaking() ? FULL : STOPPING;
    if (channel.isOver || reason === STOPPING || hasLeft()) {
      this.#leave(channel);
      return hasLeft() ? undefined : reason;
    }
    return this.#enter(req, { channel, subprotocol, serializer }, tracked);
  }

  /** Another acceptor opens the sessions from now on, with one account of them all. Resolves when the last one of this one has gone. */
  retire(successor: LongPollAcceptor): Promise<void> {
    return this.#host.retire(successor.#host);
  }

  /** Nobody new comes, and the connections end one by one. Resolves when each was told; never rejects. */
  dismiss(): Promise<void> {
    return this.#host.dismiss();
  }

  /** Closes every connection. Resolves when all are gone; idempotent. */
  async stop(): Promise<void> {
    await this.#host.stop();
    await this.#deps.sessions.stop?.();
    this.#polls.clear();
    this.#idle.clear();
  }

  busy(wire: LongPollWire): void {
    this.#idle.delete(wire);
  }

  idle(wire: LongPollWire): void {
    this.#polls.delete(wire);
    this.#idle.add(wire);
  }

  polls(wire: LongPollWire): void {
    this.#polls.add(wire);
  }

  gone(wire: LongPollWire): void {
    this.#polls.delete(wire);
    this.#idle.delete(wire);
    this.#clients.delete(this.#ids.get(wire) ?? '');
    this.#leave(wire.connection.counted);
  }

  /** Whether clients are let in. */
  #isTaking(): boolean {
    return !this.#host.stopping;
  }

  #noneInCommon(): Refusal {
    const text = `none of the "protocols" is spoken here (spoken: ${this.subprotocols.join(', ')})`;
    return { status: 400, text, kind: 'subprotocol' };
  }

  #admit({ socket }: IncomingMessage): Channel | undefined {
    const { remoteAddress, remotePort } = addressOf(socket);
    const channel = new Channel({ remoteAddress, remotePort });
    if (!openConnections.admit(channel).isAdmitted) return undefined;
    if (this.#host.admit(channel)) return channel;
    openConnections.leave(channel);
    return undefined;
  }

  #leave(counted: Pick<WampCounted, keyof WampCounted>): void {
    counted.destroy();
    this.#host.left(counted);
    openConnections.leave(counted);
  }

  #enter(req: IncomingMessage, agreed: Agreed, tracked: Tracked | undefined): LongPollClient {
    const { tracker, log, sessions } = this.#deps;
    const { channel, serializer, subprotocol } = agreed;
    const { socket } = req;
    const liveCookie = tracked && tracker?.enter(tracked.record);
    const visit =
      tracker && tracked && liveCookie
        ? new CookieVisit({ tracker, tracked, liveCookie, isSecure: isSecure(req), log })
        : undefined;
    if (tracked?.setCookie !== undefined) this.#pages.misfit(tracked.setCookie, req);
    const client = clientBy(req, clientOf(socket, visitorOf(req, sessions, tracked, liveCookie)), visit);
    const facts = clientInfoOf(socket, client.peer, 'longpoll', serializer);
    const maxQueued = this.#config.options.queue_limit_messages ?? 0;
    const terms = { channel, serializer, client, facts, maxQueued, after: this.#after };
    const wire = new LongPollWire(terms, this.#host, this);
    const id = drawBytes(ID_BYTES).toString('base64url');
    const mediaType = MEDIA_TYPES[serializer.type.replace('.batched', '')] ?? 'application/octet-stream';
    const entered = { id, subprotocol, mediaType, wire, setCookie: tracked?.setCookie, visit };
    this.#clients.set(id, entered);
    this.#ids.set(wire, id);
    if (visit !== undefined) this.#host.onSession.set(wire.connection, () => tellLogin(visit, wire));
    this.#host.opened(wire.connection);
    if (tracked?.lastsMs !== undefined) endLater(wire.connection, tracked.lastsMs);
    return entered;
  }
}

/** What was agreed with a client, and its place. */
interface Agreed {
  readonly channel: Channel;
  readonly subprotocol: string;
  readonly serializer: Serializer;
}

type WampCounted = LongPollWire['connection']['counted'];

function hostLimits({ options }: LongPollConfig): HostLimits {
  const maxUnsent = Math.min(options.max_unsent_bytes, options.queue_limit_bytes ?? Infinity);
  return {
    protocol: 'longpoll',
    helloTimeoutMs: options.hello_timeout,
    authenticateTimeoutMs: options.authenticate_timeout,
    pingIntervalMs: 0,
    pongTimeoutMs: 0,
    pingFrame: Buffer.alloc(0),
    trafficIsLife: true,
    closeTimeoutMs: CLOSE_MS,
    unsent: unsentLimits(maxUnsent, options.slow_consumer === 'drop_events'),
    connections: options,
  };
}

/**
 * What is known of a client that came with a request. Its connection ends before its session begins, so its certificate is looked up
 * now; and nothing binds an authentication to it.
 */
function clientBy({ socket }: IncomingMessage, client: ClientInfo, visit: CookieVisit | undefined): ClientInfo {
  const certificate = isTls(socket) ? client.tls?.certificate : undefined;
  return {
    ...client,
    tls: client.tls && { certificate, channelBinding: () => undefined },
    get heldCookie() {
      return visit?.held;
    },
  };
}

/** A browser that has logged in is told the new id of its cookie, by the poll that waits. */
function tellLogin(visit: CookieVisit, wire: LongPollWire): void {
  void visit.loggedIn().then((hasNews) => {
    if (hasNews) wire.endPoll();
  });
}

function afterByTimer(ms: number, callback: () => void): () => void {
  const timer = setTimeout(callback, ms);
  return () => clearTimeout(timer);
}
