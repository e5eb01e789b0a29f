/**
 * Watches over the connections of one acceptor, whatever they speak: the deadline for HELLO, pings and their answers,
 * how many there may be, and the orderly end of all of them. It knows no sockets and no frames: what is counted has an
 * address and can be cut.
 */
import { InPlaceMap, InPlaceSet } from '../collections/in-place.js';
import { ConnectionLimits } from './connection-limits.js';
import { RepeatedLog } from '../log/repeated.js';
import { DeadlineQueue } from './deadline-queue.js';
import { CLOSE_COUNTS, ENDINGS } from './endings.js';
import { LoginCounts } from '../metrics/login-counts.js';
import { NOT_COUNTED } from '../metrics/message-counts.js';
import { TransportCounts } from '../metrics/transport-counts.js';
import { addressOf } from './peer.js';
import type { Fault } from './endings.js';
import type { Logger } from '../log/logger.js';
import type { Protocol, Waiting } from '../metrics/transport-counts.js';
import type { SessionDeps } from '../session/deps.js';
import type { CloseCause } from '../session/transport.js';
import type { ConnectionLimitOptions, ConnectionOwner } from './connection-limits.js';
import type { Departing, Drain, DrainedHost } from './drain.js';
import type { UnsentLimits } from './outbox/outbox.js';

/** What takes a place among the connections of a host: a socket, or what has an address and no socket of its own. */
export interface CountedConnection {
  /** As the system writes it; undefined for a socket of the file system. */
  readonly remoteAddress?: string | undefined;
  /** Whether it is closed, or about to be. */
  readonly destroyed: boolean;
  /** Cuts it: it has to make room before its handshake is done. */
  destroy(): unknown;
}

/** A connection whose handshake is done, as its host sees it. */
export interface HostedTransport extends Departing {
  readonly peer: string;
  /** What was admitted for it. */
  readonly counted: CountedConnection;
  /** Whether anything arrived since the last look: a sign of life. */
  active: boolean;
  /** Whether we do not read from it at the moment: then a pong cannot be seen. */
  readonly paused: boolean;
  ping(frame: Buffer): void;
  /** The client did not join a realm, or answer a challenge, in time. */
  helloOverdue(timeoutMs: number): void;
  close(cause: CloseCause, text: string): void;
  /** Ends the connection at once, with a word where there is a way to say one that makes clients come back. */
  evict(text: string): void;
  /** Why the node ends it, if it does; `evicted` makes room for others. */
  readonly ending?: CloseCause | Fault | 'evicted' | undefined;
  /** How much was not sent yet, in bytes. */
  readonly waitingBytes: number;
  /** The next HELLO may come: see {@link TransportHost.rest}. */
  rested(): void;
  /** Cuts the connection because of what is wrong with it, and says so. */
  cut(fault: Fault): void;
  /** Cuts the connection. */
  terminate(): void;
}

/** All in milliseconds or bytes; 0 switches a watchdog off. */
export interface HostLimits {
  /** What its connections speak. */
  readonly protocol: Protocol;
  readonly helloTimeoutMs: number;
  readonly authenticateTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly pongTimeoutMs: number;
  /** A ping as it is sent: the same bytes for everybody. */
  readonly pingFrame: Buffer;
  /** Whether anything that arrives does instead of a pong. */
  readonly trafficIsLife: boolean;
  /** How long the peers have to close after we did. */
  readonly closeTimeoutMs: number;
  readonly unsent: UnsentLimits;
  readonly connections: ConnectionLimitOptions;
}

/** How long clients have to read what was sent and to close, and before that to answer our GOODBYE, if we say one. */
const STOP_GRACE_MS = 1000;

/** How long a connection that had too many sessions waits for the next one. */
const REST_MS = 1000;

/** Of so many addresses each has a line of its own in the log; those behind share one a minute. */
const MAX_TOLD = 256;

/** Said to a connection that has to make room for others. */
const EVICTED = 'too many clients without a session, try again later';

/** What a host gets from its acceptor. */
export interface HostDeps {
  readonly sessions: SessionDeps;
  readonly log: Logger;
  /** What ends the connections of all hosts of the node. */
  readonly drain: Drain;
}

/**
 * One for each acceptor. The order of calls for a connection: {@link admit} before its handshake, {@link opened} behind it;
 * then {@link awaitHello}, {@link awaitAuthenticate} and {@link gotHello} as often as it has sessions; {@link closed} and
 * {@link left} at its end, in any order.
 */
export class TransportHost implements DrainedHost, Waiting {
  readonly sessions: SessionDeps;
  /** Of the transport; nobody looks at them where the sessions have none. */
  readonly counts: TransportCounts;
  readonly log: Logger;
  readonly unsent: UnsentLimits;
  /** Whether its peers are pinged, so that one that vanished is missed. */
  readonly pings: boolean;
  /** {@link left} as a listener, one for all sockets: no closure for each. */
  readonly onClose: (this: CountedConnection) => void;
  readonly #limits: HostLimits;
  readonly #drain: Drain;
  /** For lines that clients can cause as often as they like. */
  readonly repeated: RepeatedLog;
  /** Also of the hosts before and behind it, whose place this one took or that took its place. */
  #connections: ConnectionLimits;
  readonly #asOwner: ConnectionOwner = { evict: (connection) => this.#evict(connection as CountedConnection) };
  readonly #transports = new InPlaceSet<HostedTransport>();
  /** The addresses whose messages were too large. */
  readonly #toldTooLarge = new Set<string>();
  /** what is counted -> its transport, as long as it has no session */
  readonly #waiting = new InPlaceMap<CountedConnection, HostedTransport>();
  readonly #hellos: DeadlineQueue<HostedTransport>;
  readonly #authentications: DeadlineQueue<HostedTransport>;
  readonly #pings: DeadlineQueue<HostedTransport>;
  readonly #pongs: DeadlineQueue<HostedTransport>;
  readonly #closes: DeadlineQueue<HostedTransport>;
  readonly #rests = new DeadlineQueue<HostedTransport>(REST_MS, (transport) => transport.rested());
  /** Resolves the wait of `stop` when the last connection has gone. */
  #onEmpty: (() => void) | undefined;
  #stopping = false;
  /** Called when the last connection has left a host that gets no new ones. */
  #onceLeft: (() => void) | undefined;

  constructor(limits: HostLimits, { sessions, log, drain }: HostDeps) {
    this.sessions = sessions;
    this.counts = sessions.counts ?? new TransportCounts({ logins: new LoginCounts(), strangers: NOT_COUNTED });
    this.counts.hosts.add(this);
    this.log = log;
    this.#drain = drain;
    drain.join(this);
    this.unsent = limits.unsent;
    this.pings = limits.pingIntervalMs > 0;
    const left = (connection: CountedConnection): void => this.left(connection);
    this.onClose = function (this: CountedConnection): void {
      left(this);
    };
    this.#limits = limits;
    this.repeated = sessions.repeated ?? new RepeatedLog(log);
    this.#connections = new ConnectionLimits(limits.connections, this.repeated);
    this.#hellos = new DeadlineQueue(limits.helloTimeoutMs, (transport) =>
      transport.helloOverdue(limits.helloTimeoutMs),
    );
    this.#authentications = new DeadlineQueue(limits.authenticateTimeoutMs, (transport) =>
      transport.helloOverdue(limits.authenticateTimeoutMs),
    );
    this.#pings = new DeadlineQueue(limits.pingIntervalMs, (transport) => this.#ping(transport));
    this.#pongs = new DeadlineQueue(limits.pongTimeoutMs, (transport) => this.#pongOverdue(transport));
    this.#closes = new DeadlineQueue(limits.closeTimeoutMs, (transport) => transport.terminate());
  }

  /** How many connections are open. */
  get size(): number {
    return this.#transports.size;
  }

  /** The connections that are open, and those of them without a session, in numbers; for those who ask now and then. */
  get stats(): { readonly connections: number; readonly unauthenticated: number } {
    return { connections: this.#transports.size, unauthenticated: this.#waiting.size };
  }

  /** How much waits for each connection, in bytes; for those who ask now and then. */
  *waiting(): Generator<number> {
    for (const { waitingBytes } of this.#transports) yield waitingBytes;
  }

  /** Nobody is to be let in any more. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Counts a connection until it has {@link left}. @returns false when there are too many: it has to be refused. */
  admit(connection: CountedConnection): boolean {
    return this.#connections.admit(connection, addressOf(connection).remoteAddress, this.#asOwner);
  }

  /** A connection that was admitted is closed. */
  left(connection: CountedConnection): void {
    this.#connections.leave(connection);
    if (this.#onceLeft !== undefined && this.#hasNone) this.#onceLeft();
  }

  /** The handshake is done. */
  opened(transport: HostedTransport): void {
    this.#transports.add(transport);
    const { protocol } = this.#limits;
    this.counts.connections[protocol] = (this.counts.connections[protocol] ?? 0) + 1;
    this.counts.opened[protocol] = (this.counts.opened[protocol] ?? 0) + 1;
    this.#pings.add(transport);
  }

  /** Nothing more comes of it, and nothing can be sent. */
  closed(transport: HostedTransport): void {
    if (this.#transports.delete(transport)) this.#countClosed(transport);
    this.#waiting.delete(transport.counted);
    this.#rests.delete(transport);
    this.#hellos.delete(transport);
    this.#authentications.delete(transport);
    this.#pings.delete(transport);
    this.#pongs.delete(transport);
    this.#closes.delete(transport);
    if (this.#transports.size === 0) this.#onEmpty?.();
  }

  /** The transport waits for a HELLO from now on. */
  awaitHello(transport: HostedTransport): void {
    const { counted } = transport;
    this.#connections.wait(counted);
    if (!counted.destroyed) this.#waiting.set(counted, transport);
    this.#hellos.add(transport);
  }

  /** The client was asked to prove who it is: a person may have to type something. */
  awaitAuthenticate(transport: HostedTransport): void {
    this.#hellos.delete(transport);
    this.#authentications.add(transport);
  }

  /** The client has joined a realm. */
  gotHello(transport: HostedTransport): void {
    const { counted } = transport;
    this.#connections.establish(counted);
    this.#waiting.delete(counted);
    this.#hellos.delete(transport);
    this.#authentications.delete(transport);
  }

  /** There were too many sessions on a connection, one after the other: {@link HostedTransport.rested} is called later. */
  rest(transport: HostedTransport): void {
    this.#rests.add(transport);
  }

  /** The transport has closed and waits for the peer to do the same; where nobody else sets a limit to that. */
  awaitClose(transport: HostedTransport): void {
    this.#hellos.delete(transport);
    this.#authentications.delete(transport);
    this.#closes.add(transport);
  }

  /** The node closes or cuts a connection: says why, where nobody else has. */
  ended(cause: CloseCause | Fault, facts: Readonly<Record<string, unknown>>): void {
    if (cause === 'slow_consumer') this.counts.slowCut += 1;
    const { line } = ENDINGS[cause];
    if (line === undefined) return;
    if (cause !== 'too_large' || this.#toldTooLarge.size >= MAX_TOLD) {
      this.repeated.say(line.level, facts, line.message);
      return;
    }
    this.log[this.#isNews(facts['peer']) ? line.level : 'debug'](facts, line.message);
  }

  /** A sign of life. */
  gotPong(transport: HostedTransport): void {
    if (this.#limits.pongTimeoutMs === 0) return;
    this.#pongs.delete(transport);
    this.#pings.add(transport);
  }

  /**
   * It gets no new connections, because another host has taken its place; those that it has count for the limits of that one, too.
   * Resolves when the last one of its own has left.
   */
  async retire(successor: TransportHost): Promise<void> {
    this.#connections.renew(successor.#limits.connections, successor.repeated);
    successor.#connections = this.#connections;
    if (this.#hasNone) return;
    await new Promise<void>((resolve) => (this.#onceLeft = resolve));
  }

  /** It gets no new connections, and those that it has end one by one, as when the node stops. Resolves when each was told. */
  async dismiss(): Promise<void> {
    await this.#drain.part(this);
  }

  refuse(): Iterable<HostedTransport> {
    this.#stopping = true;
    return this.#transports;
  }

  /** Closes every connection, in the course of the node's end where that is why. Resolves when all are gone; idempotent. */
  async stop(): Promise<void> {
    this.refuse();
    await this.#drain.over;
    this.#hellos.clear();
    this.#authentications.clear();
    this.#pings.clear();
    const { saysGoodbye } = this.#drain;
    for (const transport of this.#transports) transport.shutdown(saysGoodbye);
    await this.#emptyWithin(STOP_GRACE_MS);
    if (saysGoodbye) {
      for (const transport of this.#transports) transport.shutdown(false);
      await this.#emptyWithin(STOP_GRACE_MS);
    }
    for (const transport of this.#transports) transport.terminate();
    this.#pongs.clear();
    this.#closes.clear();
    this.#rests.clear();
    this.counts.hosts.delete(this);
    this.repeated.end();
    this.#drain.leave(this);
  }

  get #hasNone(): boolean {
    return this.#connections.countOf(this.#asOwner) === 0;
  }

  #countClosed({ ending }: HostedTransport): void {
    const { protocol } = this.#limits;
    this.counts.connections[protocol] = (this.counts.connections[protocol] ?? 0) - 1;
    this.counts.closed[ending === undefined ? 'client' : CLOSE_COUNTS[ending]] += 1;
  }

  /** Whether nothing was said yet of a client from there: each that needs larger messages is to be seen. */
  #isNews(peer: unknown): boolean {
    const address = String(peer).replace(/:\d+$/, '');
    if (this.#toldTooLarge.has(address)) return false;
    this.#toldTooLarge.add(address);
    return true;
  }

  /** Before the handshake is done there is nothing that could be said. */
  #evict(connection: CountedConnection): void {
    const transport = this.#waiting.get(connection);
    if (transport === undefined) connection.destroy();
    else transport.evict(EVICTED);
  }

  #ping(transport: HostedTransport): void {
    if (this.#limits.trafficIsLife && transport.active) {
      transport.active = false;
      this.#pings.add(transport);
      return;
    }
    transport.active = false;
    transport.ping(this.#limits.pingFrame);
    if (this.#limits.pongTimeoutMs === 0) this.#pings.add(transport);
    else this.#pongs.add(transport);
  }

  #pongOverdue(transport: HostedTransport): void {
    if (transport.paused || (this.#limits.trafficIsLife && transport.active)) return this.gotPong(transport);
    transport.cut('no_pong');
  }

  async #emptyWithin(ms: number): Promise<void> {
    if (this.#transports.size === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#onEmpty = undefined;
  }
}
