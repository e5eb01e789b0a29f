/**
 * A router with one place for fronts, in this process: fronts with real acceptors and real sockets, and ends of links that a test moves by
 * hand.
 */
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import path from 'node:path';
import type { AuthMethod } from '../../src/auth/method.js';
import type { CookieTracker } from '../../src/cookie/tracker.js';
import { FrontHost } from '../../src/front/front-host.js';
import type { PlaceOptions } from '../../src/front/front-host.js';
import { Congestion } from '../../src/front/congestion.js';
import { FrontLink } from '../../src/front/front-link.js';
import { passedOn } from '../../src/front/passed-on.js';
import { Kind, RecordWriter } from '../../src/front/records.js';
import { RecordReader } from '../../src/system/stream/record-reader.js';
import { RouterLink } from '../../src/front/router-link.js';
import type { OtherRouter } from '../../src/front/router-link.js';
import { LoginCounts } from '../../src/metrics/login-counts.js';
import { NOT_COUNTED } from '../../src/metrics/message-counts.js';
import { TransportCounts } from '../../src/metrics/transport-counts.js';
import { SERIALIZERS } from '../../src/serializer/registry.js';
import type { SessionDeps } from '../../src/session/deps.js';
import { Drain } from '../../src/transport/drain.js';
import { EndpointServer } from '../../src/transport/endpoint.js';
import { RawSocketAcceptor } from '../../src/transport/rawsocket/rawsocket.js';
import { rawsocketOptionsSchema } from '../../src/transport/rawsocket/schema.js';
import type { RawSocketConfig } from '../../src/transport/rawsocket/schema.js';
import { websocketOptionsSchema } from '../../src/transport/websocket/schema.js';
import type { WebSocketConfig } from '../../src/transport/websocket/schema.js';
import { WebSocketAcceptor } from '../../src/transport/websocket/websocket.js';
import { temporaryDirectory } from './daemon.js';
import { RawSocketClient } from './rawsocket-client.js';
import { UpgradeAcceptor, atFront, defaultsOf, endpointOf, partsOf } from './transport-world.js';
import type { Parts } from './transport-world.js';
import { WampClient } from './wamp-client.js';
import type { WampClientOptions } from './wamp-client.js';

const MAX_UNSENT_BYTES = 256 * 1024 * 1024;
/** The name of the place. */
export const PLACE = 'place';

export interface SiteOptions {
  readonly protocol?: 'websocket' | 'rawsocket';
  /** Of the place. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly trackerOf?: (log: SessionDeps['log']) => CookieTracker;
  readonly authMethods?: Readonly<Record<string, AuthMethod>>;
  /** How much may wait for a front, and for its router. */
  readonly maxUnsentBytes?: number;
  /** The realm of the router; default `realm1`. */
  readonly realm?: string;
  /** See `Place`. */
  readonly elsewhere?: (realm: string) => string | undefined;
  /** See `FrontLinkDeps`. */
  readonly takesVisitors?: boolean;
}

export interface HeardRecord {
  readonly kind: Kind;
  readonly number: number;
  readonly content: Buffer;
}

/** An end of a link that a test moves by hand. */
export class LinkPeer {
  readonly socket: Socket;
  /** What the other end has said. */
  readonly heard: HeardRecord[] = [];
  readonly closed: Promise<unknown>;
  isClosed = false;
  readonly #writer = new RecordWriter();

  constructor(socket: Socket) {
    this.socket = socket;
    const reader = new RecordReader<Kind>(
      (kind, number, content) => this.heard.push({ kind, number, content }),
      2 ** 30,
    );
    socket.on('data', (chunk: Buffer) => reader.push(chunk));
    // The other end may cut it in the middle of something.
    socket.on('error', () => socket.destroy());
    this.closed = once(socket, 'close').then(() => (this.isClosed = true));
  }

  say(kind: Kind, number: number, content: Buffer | object = Buffer.alloc(0)): this {
    if (Buffer.isBuffer(content)) this.#writer.record(kind, number, content);
    else this.#writer.facts(kind, number, content);
    for (const piece of this.#writer.take()) this.socket.write(piece);
    return this;
  }

  /** Says what a client of JSON over WebSocket sends. */
  message(number: number, message: readonly unknown[]): this {
    return this.say(Kind.MESSAGE, number, Buffer.from(JSON.stringify(message)));
  }

  /** A client comes in, as far as its session. */
  enter(number: number, entry: Readonly<Record<string, unknown>> = {}): this {
    this.say(Kind.ENTER, number, { place: PLACE, peer: `192.0.2.1:${number}`, isSecure: false, ...entry });
    return this.say(Kind.OPENED, number, OPENING);
  }

  /** @returns the next record that `isIt`, behind what was looked for before. */
  async next(isIt: (record: HeardRecord) => boolean): Promise<HeardRecord> {
    for (;;) {
      const index = this.heard.findIndex(isIt);
      const [found] = index === -1 ? [] : this.heard.splice(0, index + 1).slice(-1);
      if (found !== undefined) return found;
      if (this.isClosed) throw new Error('the link is closed, and the record has not come');
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** What a client of JSON over WebSocket has agreed. */
export const OPENING = {
  serializer: 'json',
  framing: 'message',
  facts: { peer: '192.0.2.1:1' },
} as const;

/** A front with an acceptor. */
export interface SiteFront {
  readonly link: RouterLink;
  /** Its router's end; undefined where a test is the router. */
  readonly front: FrontLink | undefined;
  /** The front's end of the link. */
  readonly socket: Socket;
  readonly port: number;
  readonly counts: TransportCounts;
  /** Why it has lost its router. */
  readonly ends: (string | undefined)[];
  connect(options?: WampClientOptions): Promise<WampClient>;
  connectRaw(): Promise<RawSocketClient>;
}

const newCounts = (): TransportCounts => new TransportCounts({ logins: new LoginCounts(), strangers: NOT_COUNTED });

export class FrontSite {
  readonly parts: Parts;
  readonly sessions: SessionDeps;
  readonly counts = newCounts();
  readonly host: FrontHost;
  readonly tracker: CookieTracker | undefined;
  /** The ends of links at the router. */
  readonly links: FrontLink[] = [];
  /** Why fronts were lost, in their order. */
  readonly ends: (string | undefined)[] = [];
  readonly #options: SiteOptions;
  readonly #config: { readonly serializers: readonly string[]; readonly options: PlaceOptions };
  readonly #server: Server;
  readonly #file = path.join(temporaryDirectory(), 'link.sock');
  readonly #stops: (() => Promise<void>)[] = [];
  readonly #congestion = new Congestion();

  private constructor(options: SiteOptions, server: Server) {
    const { protocol = 'websocket' } = options;
    this.#options = options;
    this.#server = server;
    this.parts = partsOf({ ...(options.realm !== undefined && { realm: options.realm }) });
    const { sessions, drain } = this.parts;
    const authMethods = new Map([
      ...(sessions.authMethods as ReadonlyMap<string, AuthMethod>),
      ...Object.entries(options.authMethods ?? {}),
    ]);
    this.sessions = { ...sessions, authMethods, counts: this.counts };
    this.tracker = options.trackerOf?.(sessions.log);
    const schema = protocol === 'websocket' ? websocketOptionsSchema : rawsocketOptionsSchema;
    const all = { ...defaultsOf(schema), ...options.options } as unknown as PlaceOptions;
    this.#config = { serializers: ['json', 'msgpack', 'cbor'], options: all };
    this.host = new FrontHost(protocol, all, { sessions: this.sessions, log: sessions.log, drain });
  }

  static async open(options: SiteOptions = {}): Promise<FrontSite> {
    const site = new FrontSite(options, createServer());
    await new Promise<void>((resolve) => site.#server.listen(site.#file, resolve));
    return site;
  }

  get #log(): SessionDeps['log'] {
    return this.parts.sessions.log;
  }

  /** @returns the two ends of a stream. */
  async pair(): Promise<readonly [Socket, Socket]> {
    const accepted = once(this.#server, 'connection') as Promise<[Socket]>;
    const socket = connect(this.#file);
    const [other] = await accepted;
    this.#stops.push(() => Promise.resolve(void [socket, other].map((end) => end.destroy())));
    return [socket, other];
  }

  /** @returns the router's end of a link. */
  attach(socket: Socket): FrontLink {
    const { host, sessions, tracker } = this;
    const { elsewhere, takesVisitors = false } = this.#options;
    const place = { host, sessions, tracker, serializers: SERIALIZERS, elsewhere };
    const link = new FrontLink(socket, {
      log: this.#log,
      places: new Map([[PLACE, place]]),
      takesVisitors,
      congestion: this.#congestion,
      maxUnsentBytes: this.#options.maxUnsentBytes ?? MAX_UNSENT_BYTES,
      gone: (why) => this.ends.push(why),
    });
    this.links.push(link);
    return link;
  }

  /** @returns a front that is moved by hand. */
  async frontByHand(): Promise<{ readonly peer: LinkPeer; readonly front: FrontLink }> {
    const [socket, other] = await this.pair();
    return { front: this.attach(other), peer: new LinkPeer(socket) };
  }

  /** @returns a front whose router is moved by hand. */
  async routerByHand(): Promise<SiteFront & { readonly peer: LinkPeer }> {
    const [socket, other] = await this.pair();
    return { ...(await this.#frontOn(socket, undefined)), peer: new LinkPeer(other) };
  }

  /** @returns a front of the router. */
  async front(otherRouter?: OtherRouter): Promise<SiteFront> {
    const [socket, other] = await this.pair();
    return this.#frontOn(socket, this.attach(other), otherRouter);
  }

  /** @returns the end of a link that a front of another router has to this one. */
  async visited(): Promise<RouterLink> {
    const [socket, other] = await this.pair();
    this.attach(other);
    return new RouterLink(socket, { log: this.#log, maxUnsentBytes: MAX_UNSENT_BYTES, gone: () => undefined });
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.reverse()) await stop();
    await this.host.stop();
    this.#server.close();
  }

  async #frontOn(socket: Socket, front: FrontLink | undefined, otherRouter?: OtherRouter): Promise<SiteFront> {
    const log = this.#log;
    const ends: (string | undefined)[] = [];
    const { maxUnsentBytes = MAX_UNSENT_BYTES } = this.#options;
    const link = new RouterLink(socket, {
      ...{ log, maxUnsentBytes, gone: (why: string | undefined) => void ends.push(why) },
    });
    if (otherRouter !== undefined) link.leadsOn(otherRouter);
    const counts = newCounts();
    const { server, stop } = this.#acceptorOf({
      ...{ log, tracker: undefined, entrance: link.entranceOf(PLACE), serializers: passedOn(SERIALIZERS) },
      sessions: { ...this.sessions, counts, open: (transport) => link.open(transport) },
      drain: new Drain({
        ...{ log, saysGoodbye: false, elapsed: () => performance.now(), random: () => 0.5 },
        wait: () => Promise.resolve(),
      }),
    });
    const bound = await server.start();
    const port = 'port' in bound ? bound.port : 0;
    this.#stops.push(async () => {
      link.end();
      await stop();
      await server.stop();
    });
    return {
      ...{ link, front, socket, port, counts, ends },
      connect: (options) => WampClient.connect(`ws://127.0.0.1:${port}/`, options),
      connectRaw: () => RawSocketClient.connect({ port }),
    };
  }

  #acceptorOf(
    deps: ConstructorParameters<typeof WebSocketAcceptor>[1] & ConstructorParameters<typeof RawSocketAcceptor>[1],
  ): {
    readonly server: EndpointServer;
    readonly stop: () => Promise<void>;
  } {
    const config = atFront(this.#config, this);
    const isWebSocket = this.#options.protocol !== 'rawsocket';
    const acceptor = isWebSocket
      ? new UpgradeAcceptor(new WebSocketAcceptor(config as unknown as WebSocketConfig, deps))
      : new RawSocketAcceptor(config as unknown as RawSocketConfig, deps);
    return { server: new EndpointServer(endpointOf('tcp'), acceptor, deps.log), stop: () => acceptor.stop() };
  }
}
