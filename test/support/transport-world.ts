/**
 * Transports without a node around them: a router, a real acceptor behind a real endpoint, and clients on real sockets;
 * and the in-process transport, whose clients have none. What they have in common is in `contract/transport.ts`.
 */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { Socket } from 'node:net';
import path from 'node:path';
import { LocalTransport } from '../../src/client/local-transport.js';
import { createLogger } from '../../src/log/logger.js';
import { Router } from '../../src/router/router.js';
import { SERIALIZERS } from '../../src/serializer/registry.js';
import { Drain } from '../../src/transport/drain.js';
import { EndpointServer } from '../../src/transport/endpoint.js';
import { HttpAcceptor } from '../../src/http/acceptor.js';
import { longPollOptionsSchema } from '../../src/transport/longpoll/schema.js';
import { createLongPollService } from '../../src/webservice/longpoll/longpoll.js';
import { RawSocketAcceptor } from '../../src/transport/rawsocket/rawsocket.js';
import { rawsocketOptionsSchema } from '../../src/transport/rawsocket/schema.js';
import { deflateSchema, websocketOptionsSchema } from '../../src/transport/websocket/schema.js';
import { WebSocketAcceptor } from '../../src/transport/websocket/websocket.js';
import { parseMessage, payloadPosition } from '../../src/wamp/parse.js';
import { NO_PAYLOAD, payloadOf } from '../../src/wamp/payload.js';
import type { AuthMethod } from '../../src/auth/method.js';
import type { SessionDeps } from '../../src/session/deps.js';
import type { Acceptor } from '../../src/transport/endpoint.js';
import type { EndpointConfig } from '../../src/transport/endpoint-schema.js';
import type { BoundAddress } from '../../src/transport/listen/listen.js';
import type { LongPollServiceConfig } from '../../src/webservice/longpoll/schema.js';
import type { RawSocketConfig } from '../../src/transport/rawsocket/schema.js';
import type { WebSocketConfig } from '../../src/transport/websocket/schema.js';
import type { RouterMessage } from '../../src/wamp/message.js';
import { Certificates } from './certificates.js';
import { everybody } from './client.js';
import type { AnySerializerName } from './codec.js';
import { temporaryDirectory } from './daemon.js';
import type { LogRecord } from './daemon.js';
import { frontOf } from './front-world.js';
import { LongPollClient } from './long-poll-client.js';
import { ParsedClient } from './parsed-client.js';
import { RawSocketClient } from './rawsocket-client.js';
import { ALLOW_ALL, FakeClock, wire } from './realm.js';
import { serviceDeps } from './web.js';
import { WampClient } from './wamp-client.js';
import type { CloseInfo } from './wamp-client.js';

/** What the suite needs of a client. RawSocket and the in-process transport have no close codes: theirs is 0. */
export interface ContractClient {
  readonly isOpen: boolean;
  readonly closed: Promise<CloseInfo>;
  send(message: readonly unknown[]): void;
  next(): Promise<unknown[]>;
  ask(message: readonly unknown[]): Promise<unknown[]>;
  hello(): Promise<{ readonly sessionId: number }>;
  settle(): Promise<void>;
}

export interface WorldOptions {
  /** Of the transport. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Clients are told at the end. */
  readonly saysGoodbye?: boolean;
  /** Of the router; default `realm1`. */
  readonly realm?: string;
}

/** What a client of a socket can do that has no word in WAMP. */
export interface SocketActs {
  /** What is read from it, and its end. */
  readonly socket: Pick<Socket, 'pause' | 'resume' | 'destroy'>;
  /** How many pings of the router have come. */
  readonly pings: number;
  /** @returns what the router answered. */
  ping(payload: Buffer): Promise<Buffer>;
  /** Ends its half of the socket right behind what was sent. */
  endHalf(): Promise<void>;
  /** Sends the beginning of a message of so many octets, all of it but the last. */
  beginMessage(octets: number): void;
  /** Sends octets that are no frame. */
  breakFrame(): void;
}

export interface TransportWorld {
  readonly router: Router;
  /** What was logged. */
  readonly logs: readonly LogRecord[];
  connect(options?: { readonly autoPong?: boolean }): Promise<ContractClient>;
  /** Ends the transport. */
  stop(): Promise<void>;
}

/** A way in, and what it is able to do. */
export interface TransportSubject {
  open(options?: WorldOptions): Promise<TransportWorld>;
  /** How its messages are written. */
  readonly serializer: AnySerializerName;
  /** Its connections are sockets: they have limits, deadlines, pings, frames, and may be read slowly. */
  readonly acts?: (client: ContractClient) => SocketActs;
  /** Each connection is one socket with frames on it: it has pings, and its end is seen at once. */
  readonly oneSocket: boolean;
  /** What it adds to a message that counts for the limits, in octets; none by default. */
  readonly overhead?: number;
  /** Ends are told by a close frame with a code. */
  readonly closeCodes: boolean;
  /** `channel_framing` of a session; undefined where others learn nothing of it. */
  readonly framing: string | undefined;
}

/** Asks, and lets nobody in. */
const CHALLENGER: AuthMethod = {
  start: () => ({
    type: 'challenge',
    authmethod: 'ticket',
    extra: {},
    resume: () => ({ type: 'deny', reason: 'wamp.error.not_authorized', message: 'wrong' }),
  }),
};

/** What a transport is put on. */
export interface Parts {
  readonly router: Router;
  readonly sessions: SessionDeps;
  readonly drain: Drain;
  readonly logs: LogRecord[];
}

export function partsOf({ saysGoodbye = false, realm = 'realm1' }: WorldOptions = {}): Parts {
  const logs: LogRecord[] = [];
  const write = (line: string): void => void logs.push(JSON.parse(line) as LogRecord);
  const log = createLogger({ level: 'debug', destination: { write } });
  let lastId = 100;
  const router = new Router([{ name: realm, roles: [ALLOW_ALL] }], {
    randomId: () => ++lastId,
    clock: Date.now,
    scheduler: new FakeClock(),
  });
  const drain = new Drain({
    log,
    saysGoodbye,
    elapsed: () => performance.now(),
    wait: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    random: () => 0.5,
  });
  return {
    router,
    drain,
    logs,
    sessions: { router, log, authMethods: new Map([...everybody(), ['ticket', CHALLENGER]]) },
  };
}

/** @returns the defaults in a schema of options. */
export function defaultsOf({ properties }: { readonly properties: Readonly<Record<string, object>> }): object {
  const entries = Object.entries(properties).flatMap(([key, schema]) =>
    'default' in schema ? [[key, schema.default] as const] : [],
  );
  return Object.fromEntries(entries);
}

/** HTTP as far as an upgrade needs it. */
export class UpgradeAcceptor implements Acceptor {
  readonly #http: Server;
  readonly #webSocket: WebSocketAcceptor;

  constructor(webSocket: WebSocketAcceptor) {
    this.#webSocket = webSocket;
    this.#http = createServer().on('upgrade', (request, socket, head) => {
      if (socket instanceof Socket) webSocket.accept(request, socket, head);
    });
  }

  accept(socket: Socket): void {
    this.#http.emit('connection', socket);
  }

  stop(): Promise<void> {
    return this.#webSocket.stop();
  }
}

const foreign = (): TypeError => new TypeError('this client is one of another transport');

export type EndpointKind = 'tcp' | 'unix' | 'tls';

let certificates: Certificates | undefined;

export function endpointOf(kind: EndpointKind): EndpointConfig {
  if (kind === 'unix') {
    return { type: 'unix', path: path.join(temporaryDirectory(), 'router.sock'), mode: '0660', backlog: 16 };
  }
  const tcp = { type: 'tcp', port: 0, interface: '127.0.0.1', shared: false, backlog: 16 } as const;
  if (kind === 'tcp') return tcp;
  certificates ??= new Certificates(temporaryDirectory());
  const tls = { key: certificates.file('server.key'), certificate: certificates.file('server.pem') };
  return { ...tcp, tls: { ...tls, chain_certificates: [] } };
}

const NO_LIMITS = { max_unauthenticated: 0, max_unauthenticated_per_address: 0 };

/** A front leaves to its router what the router decides. */
export function atFront<C extends { readonly options: object }>(config: C, front: object | undefined): C {
  if (front === undefined) return config;
  // The time for HELLO is also that of the opening octets.
  const options = { authenticate_timeout: 0, max_connections: 0, ...NO_LIMITS };
  return { ...config, options: { ...config.options, ...options } };
}

async function worldOf(
  parts: Parts,
  server: EndpointServer,
  connect: (bound: BoundAddress, autoPong: boolean) => Promise<ContractClient>,
  front?: { stop(): Promise<void> },
): Promise<TransportWorld> {
  const { router, logs, drain } = parts;
  const bound = await server.start();
  return {
    router,
    logs,
    connect: ({ autoPong = true } = {}) => connect(bound, autoPong),
    stop: async () => {
      await drain.run();
      await front?.stop();
      await server.stop();
    },
  };
}

export interface WebSocketRow {
  /** Whether a front has the connections. */
  readonly behindFront?: boolean;
  readonly serializer?: AnySerializerName;
  readonly deflate?: boolean;
  readonly endpoint?: EndpointKind;
}

export function webSocketSubject(row: WebSocketRow = {}): TransportSubject {
  const { serializer = 'json', deflate = false, endpoint = 'tcp', behindFront = false } = row;
  const open = async (options: WorldOptions = {}): Promise<TransportWorld> => {
    const parts = partsOf(options);
    const compression = deflate ? { deflate: defaultsOf(deflateSchema) } : undefined;
    const config = {
      serializers: ['json', 'msgpack', 'cbor', 'ubjson'],
      options: { ...defaultsOf(websocketOptionsSchema), ...(compression && { compression }), ...options.options },
    } as unknown as WebSocketConfig;
    const { log } = parts.sessions;
    const front = behindFront ? await frontOf({ ...parts, log }, 'websocket', config.options) : undefined;
    const here = front ?? { ...parts, serializers: SERIALIZERS };
    const acceptor = new WebSocketAcceptor(atFront(config, front), { ...here, tracker: undefined, log });
    const server = new EndpointServer(endpointOf(endpoint), new UpgradeAcceptor(acceptor), log);
    const scheme = endpoint === 'tls' ? 'wss' : 'ws';
    return worldOf(
      parts,
      server,
      (bound, autoPong) =>
        WampClient.connect('port' in bound ? `${scheme}://127.0.0.1:${bound.port}/` : `ws+unix:${bound.path}:/`, {
          ...{ serializer, deflate, autoPong },
          ...(endpoint === 'tls' && { tls: { rejectUnauthorized: false } }),
        }),
      front,
    );
  };
  const acts = (client: ContractClient): SocketActs => {
    if (!(client instanceof WampClient)) throw foreign();
    return webSocketActs(client);
  };
  return { open, serializer, oneSocket: true, closeCodes: true, framing: 'websocket', acts };
}

function webSocketActs(client: WampClient): SocketActs {
  // What lies below a WebSocket: no library would send such frames, or end in such a way.
  const { _socket: socket } = client.socket as unknown as { readonly _socket: Socket };
  return {
    socket,
    get pings() {
      return client.pings;
    },
    ping: (payload) =>
      new Promise((resolve) => {
        client.socket.once('pong', resolve);
        client.socket.ping(payload);
      }),
    endHalf: async () => {
      // What is compressed reaches the socket in a later turn.
      while (client.socket.bufferedAmount > socket.writableLength)
        await new Promise((resolve) => setImmediate(resolve));
      socket.end();
    },
    beginMessage: (octets) => {
      const header = Buffer.alloc(14);
      header.writeUInt16BE(0x81ff);
      header.writeBigUInt64BE(BigInt(octets), 2);
      socket.write(Buffer.concat([header, Buffer.alloc(octets - 1, ' ')]));
    },
    breakFrame: () => void socket.write(Buffer.from([0xf1, 0x80, 0, 0, 0, 0])),
  };
}

export interface RawSocketRow {
  readonly behindFront?: boolean;
  readonly serializer?: AnySerializerName;
  readonly endpoint?: EndpointKind;
}

export function rawSocketSubject(row: RawSocketRow = {}): TransportSubject {
  const { serializer = 'json', endpoint = 'tcp', behindFront = false } = row;
  const open = async (options: WorldOptions = {}): Promise<TransportWorld> => {
    const parts = partsOf(options);
    const config = {
      serializers: ['json', 'msgpack', 'cbor', 'ubjson'],
      options: { ...defaultsOf(rawsocketOptionsSchema), ...options.options },
    } as unknown as RawSocketConfig;
    const { log } = parts.sessions;
    const front = behindFront ? await frontOf({ ...parts, log }, 'rawsocket', config.options) : undefined;
    const here = front ?? { ...parts, serializers: SERIALIZERS };
    const acceptor = new RawSocketAcceptor(atFront(config, front), { ...here, log });
    const server = new EndpointServer(endpointOf(endpoint), acceptor, log);
    const tls = endpoint === 'tls' ? { tls: { rejectUnauthorized: false } } : {};
    return worldOf(
      parts,
      server,
      (bound, autoPong) =>
        RawSocketClient.connect('port' in bound ? { port: bound.port, ...tls } : bound, { serializer, autoPong }),
      front,
    );
  };
  const acts = (client: ContractClient): SocketActs => {
    if (!(client instanceof RawSocketClient)) throw foreign();
    return rawSocketActs(client);
  };
  return { open, serializer, oneSocket: true, closeCodes: false, framing: 'rawsocket', acts };
}

function rawSocketActs(client: RawSocketClient): SocketActs {
  return {
    socket: client.wire.socket,
    get pings() {
      return client.pings.length;
    },
    ping: (payload) => client.ping(payload),
    endHalf: () => Promise.resolve(void client.wire.socket.end()),
    beginMessage: (octets) => {
      const prefix = Buffer.alloc(4);
      prefix.writeUIntBE(octets, 1, 3);
      client.wire.write(Buffer.concat([prefix, Buffer.alloc(octets - 1, ' ')]));
    },
    breakFrame: () => client.wire.write(Buffer.from([7, 0, 0, 0])),
  };
}

export interface LongPollRow {
  readonly serializer?: AnySerializerName;
  readonly batched?: boolean;
}

/** Nobody has to be waited for: what is sent here comes in order. */
const impatient = (_ms: number, callback: () => void): (() => void) => {
  const soon = setImmediate(callback);
  return () => clearImmediate(soon);
};

export function longPollSubject({ serializer = 'json', batched = false }: LongPollRow = {}): TransportSubject {
  const open = async (options: WorldOptions = {}): Promise<TransportWorld> => {
    const parts = partsOf(options);
    const config = {
      type: 'longpoll',
      serializers: ['json', 'msgpack', 'cbor', 'ubjson'],
      options: { ...defaultsOf(longPollOptionsSchema), ...options.options },
    } as unknown as LongPollServiceConfig;
    const { sessions, router, drain } = parts;
    const { log } = sessions;
    const deps = serviceDeps({ router, drain, log, share: () => sessions });
    const http = new HttpAcceptor({
      root: createLongPollService(config, deps, impatient),
      log,
      http: {},
      dispatcher: { clock: Date.now, headers: {}, accessLog: false, displayTracebacks: false },
    });
    return worldOf(parts, new EndpointServer(endpointOf('tcp'), http, log), (bound) =>
      LongPollClient.connect({ port: 'port' in bound ? bound.port : 0, serializer, batched }),
    );
  };
  const acts = (client: ContractClient): SocketActs => {
    if (!(client instanceof LongPollClient)) throw foreign();
    return longPollActs(client);
  };
  // A batch counts as one message.
  const overhead = !batched ? 0 : serializer === 'json' ? 1 : 4;
  return { open, serializer, oneSocket: false, overhead, closeCodes: false, framing: 'longpoll', acts };
}

function longPollActs(client: LongPollClient): SocketActs {
  const absent = (): never => {
    throw new TypeError('long-poll has no frames');
  };
  const socket = {
    pause: () => client.pause(),
    resume: () => client.resume(),
    destroy: () => void client.close(),
  };
  return {
    socket: socket as unknown as Socket,
    pings: 0,
    ping: absent,
    endHalf: absent,
    beginMessage: (octets) => client.beginMessage(octets),
    breakFrame: absent,
  };
}

/** What an in-process client sends and gets, as arrays. */
class LocalClient extends ParsedClient implements ContractClient {
  readonly transport: LocalTransport;

  constructor(deps: SessionDeps) {
    super();
    const receive = (message: RouterMessage): void => this.arrived(wire(message));
    this.transport = new LocalTransport({ receive, disconnected: () => this.ended() }, deps, 'local');
  }

  send(message: readonly unknown[]): void {
    const position = payloadPosition(message[0]);
    const [args, kwargs] = position === undefined ? [] : message.slice(position);
    const payload = args === undefined ? NO_PAYLOAD : payloadOf(args as unknown[], kwargs as Record<string, unknown>);
    const fields = message.slice(0, position);
    this.transport.tell(parseMessage(fields, message.length, payload));
  }
}

/** The transport of components: no socket, no frames, one session. */
export const localSubject: TransportSubject = {
  serializer: 'json',
  oneSocket: false,
  closeCodes: false,
  framing: undefined,
  open: (options = {}) => {
    const { router, sessions, logs } = partsOf(options);
    const clients: LocalClient[] = [];
    return Promise.resolve({
      router,
      logs,
      connect: () => {
        const client = new LocalClient(sessions);
        clients.push(client);
        return Promise.resolve(client);
      },
      stop: () => {
        for (const { transport } of clients) transport.shutdown();
        return Promise.resolve();
      },
    });
  },
};
