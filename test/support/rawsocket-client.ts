/**
 * A raw WAMP client on a RawSocket, over TCP or a socket file: the counterpart of `wamp-client.ts`, with the same
 * interface as far as there is the same thing. {@link RawSocketWire} below it sends and collects bytes, for handshakes and
 * frames that no decent client would send.
 *
 * Deadlines are failing limits only: nothing passes because time went by.
 */
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import type { Codec, AnySerializerName } from './codec.js';
import { CODECS } from './codec.js';
import { ALL_ROLES, ConnectionClosed, DEADLINE_MS, isAnswer, QUESTION, within } from './wamp-client.js';
import type { CloseInfo, Welcome } from './wamp-client.js';

/** Where a RawSocket listens: a port (of 127.0.0.1 by default), or a socket file. */
export type RawSocketPlace =
  | { readonly port: number; readonly host?: string | undefined; readonly tls?: ConnectionOptions }
  | { readonly path: string };

/** `rs://127.0.0.1:port/`, `rs://unix:path:/` and what they stand for. */
export function placeOf(url: string): RawSocketPlace {
  const [, path] = /^rs:\/\/unix:(.+):\/$/.exec(url) ?? [];
  return path === undefined ? { port: Number(new URL(url.replace(/^rs:/, 'http:')).port) } : { path };
}

export interface RawSocketClientOptions {
  readonly serializer?: AnySerializerName;
  /** The largest message that is asked for: 2 to the power of 9 + this; default 15, which is 16 MiB. */
  readonly lengthNibble?: number;
  /** False: pings of the router stay unanswered. */
  readonly autoPong?: boolean;
}

/** The router answered the handshake with an error, or closed. */
export class RawSocketRefused extends Error {
  override readonly name = 'RawSocketRefused';
  /** The reply in hex; empty when there was none. */
  readonly reply: string;
  constructor(reply: string) {
    super(`handshake refused with '${reply}'`);
    this.reply = reply;
  }
}

/** @returns a whole frame; `length` may lie. */
export function rawFrame(type: number, payload: Buffer, length = payload.length): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(length % 2 ** 24);
  prefix[0] = type | (length >= 2 ** 24 ? 8 : 0);
  return Buffer.concat([prefix, payload]);
}

function socketTo(place: RawSocketPlace): Socket {
  if ('path' in place) return connectSocket(place.path);
  const { port, host = '127.0.0.1', tls } = place;
  return tls === undefined ? connectSocket(port, host) : connectTls({ port, host, ...tls });
}

/** Bytes of a connection. Made by {@link RawSocketWire.open}. */
export class RawSocketWire {
  readonly socket: Socket;
  /** Resolves when the connection has ended, however it ended. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  #ended = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    // An error is always followed by 'close'.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#ended = true;
        this.#wake();
        resolve();
      });
    });
  }

  static async open(place: RawSocketPlace): Promise<RawSocketWire> {
    const socket = socketTo(place);
    const ready = 'tls' in place ? 'secureConnect' : 'connect';
    await within(once(socket, ready), 'connect');
    socket.setNoDelay(true);
    return new RawSocketWire(socket);
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /** What has arrived and was not read. */
  get unread(): Buffer {
    return this.#received;
  }

  write(bytes: Buffer): void {
    this.socket.write(bytes);
  }

  /** The next `count` bytes; fewer when the connection ends before. */
  async read(count: number, deadlineMs = DEADLINE_MS): Promise<Buffer> {
    await within(
      (async () => {
        while (this.#received.length < count && !this.#ended) {
          await new Promise<void>((resolve) => (this.#wake = resolve));
        }
      })(),
      `${count} bytes`,
      deadlineMs,
    );
    const bytes = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(bytes.length);
    return bytes;
  }

  /** The next frame; undefined when the connection ends before. */
  async frame(deadlineMs = DEADLINE_MS): Promise<{ type: number; payload: Buffer } | undefined> {
    const prefix = await this.read(4, deadlineMs);
    if (prefix.length < 4) return undefined;
    const first = prefix.readUInt8(0);
    const length = prefix.readUIntBE(1, 3) + ((first & 8) === 0 ? 0 : 2 ** 24);
    const payload = await this.read(length, deadlineMs);
    return payload.length < length ? undefined : { type: first & 0b1111_0111, payload };
  }
}

export class RawSocketClient {
  readonly wire: RawSocketWire;
  readonly closed: Promise<CloseInfo>;
  /** The largest message that the router announced. */
  readonly routerMaxBytes: number;
  /** Pings of the router so far, and pongs. */
  readonly pings: Buffer[] = [];
  readonly pongs: Buffer[] = [];

  readonly #codec: Codec;
  readonly #autoPong: boolean;
  readonly #inbox: Buffer[] = [];
  readonly #waiters = new Set<() => void>();
  #ended = false;

  private constructor(wire: RawSocketWire, codec: Codec, routerMaxBytes: number, autoPong: boolean) {
    this.wire = wire;
    this.#codec = codec;
    this.routerMaxBytes = routerMaxBytes;
    this.#autoPong = autoPong;
    this.closed = this.#readAll();
  }

  /**
   * Opens a connection and shakes hands; no HELLO is sent.
   * @param target an `rs://` URL, or `{ port }` or `{ path }`.
   * @throws RawSocketRefused
   */
  static async connect(
    target: string | RawSocketPlace,
    { serializer = 'json', lengthNibble = 15, autoPong = true }: RawSocketClientOptions = {},
  ): Promise<RawSocketClient> {
    const wire = await RawSocketWire.open(typeof target === 'string' ? placeOf(target) : target);
    const codec = CODECS[serializer];
    wire.write(Buffer.of(0x7f, (lengthNibble << 4) | codec.rawSocketId, 0, 0));
    const reply = await wire.read(4);
    if (reply.length < 4 || (reply.readUInt8(1) & 0x0f) !== codec.rawSocketId) {
      wire.socket.destroy();
      throw new RawSocketRefused(reply.toString('hex'));
    }
    return new RawSocketClient(wire, codec, 2 ** (9 + (reply.readUInt8(1) >>> 4)), autoPong);
  }

  /** {@link connect}, then a session on `realm`. */
  static async join(
    target: string | RawSocketPlace,
    realm = 'realm1',
    options: RawSocketClientOptions = {},
  ): Promise<RawSocketClient & Welcome> {
    const client = await RawSocketClient.connect(target, options);
    return Object.assign(client, await client.hello(realm));
  }

  get isOpen(): boolean {
    return !this.#ended;
  }

  /** Sends a message, or bytes (a text as UTF-8) in a message frame. */
  send(message: readonly unknown[] | string | Buffer): void {
    const bytes =
      typeof message === 'string' || Buffer.isBuffer(message) ? Buffer.from(message) : this.#codec.encode(message);
    this.wire.write(rawFrame(0, bytes));
  }

  /** The bytes of the next message. @throws ConnectionClosed when none comes any more. */
  async nextBytes(deadlineMs = DEADLINE_MS): Promise<Buffer> {
    await within(
      (async () => {
        while (this.#inbox.length === 0 && !this.#ended) {
          await new Promise<void>((resolve) => this.#waiters.add(resolve));
        }
      })(),
      'message',
      deadlineMs,
    );
    const bytes = this.#inbox.shift();
    if (bytes === undefined) throw new ConnectionClosed(CLOSED);
    return bytes;
  }

  /** The next message. @throws ConnectionClosed when none comes any more. */
  async next(deadlineMs = DEADLINE_MS): Promise<unknown[]> {
    return this.#codec.decode(await this.nextBytes(deadlineMs));
  }

  /** Sends a message and waits for the next one. */
  async ask(message: readonly unknown[]): Promise<unknown[]> {
    this.send(message);
    return this.next();
  }

  /** Waits until everything is here that the router had for this session when it was asked, and keeps it to be read. */
  async settle(): Promise<void> {
    this.send(QUESTION);
    const early: Buffer[] = [];
    for (let bytes = await this.nextBytes(); !isAnswer(this.#codec.decode(bytes)); bytes = await this.nextBytes()) {
      early.push(bytes);
    }
    this.#inbox.unshift(...early);
  }

  /** {@link settle}; of an ended connection nothing else comes. @throws when there is a message that was not read. */
  async silent(): Promise<void> {
    if (this.isOpen) await this.settle();
    const [unexpected] = this.#inbox;
    if (unexpected !== undefined) {
      throw new Error(`expected silence, got ${JSON.stringify(this.#codec.decode(unexpected))}`);
    }
  }

  /** Opens a session. @throws when the answer is not WELCOME. */
  async hello(realm = 'realm1', details: Readonly<Record<string, unknown>> = {}): Promise<Welcome> {
    const answer = await this.ask([1, realm, { roles: ALL_ROLES, ...details }]);
    const [type, sessionId, welcome] = answer;
    if (type !== 2) throw new Error(`expected WELCOME, got ${JSON.stringify(answer)}`);
    return { sessionId: sessionId as number, welcome: welcome as Welcome['welcome'] };
  }

  /** Ends the session the orderly way: GOODBYE, the answer, then the end. Messages before it are dropped. */
  async leave(): Promise<CloseInfo> {
    this.send([6, {}, 'wamp.close.normal']);
    while ((await this.next())[0] !== 6);
    return this.close();
  }

  /** Closes and waits until it is closed. */
  async close(): Promise<CloseInfo> {
    this.wire.socket.end();
    return this.closed;
  }

  /** Drops the connection without a word. */
  async drop(): Promise<CloseInfo> {
    this.wire.socket.destroy();
    return this.closed;
  }

  /** Resolves when the router has answered a ping, and so has read all that was sent before. */
  async ping(payload: Buffer = Buffer.alloc(0)): Promise<Buffer> {
    const before = this.pongs.length;
    this.wire.write(rawFrame(1, payload));
    while (this.pongs.length === before) {
      if (this.#ended) throw new ConnectionClosed(CLOSED);
      await within(new Promise<void>((resolve) => this.#waiters.add(resolve)), 'pong');
    }
    return this.pongs[before] as Buffer;
  }

  async #readAll(): Promise<CloseInfo> {
    for (;;) {
      const frame = await this.wire.frame(NEVER_MS);
      if (frame === undefined) break;
      if (frame.type === 0) this.#inbox.push(frame.payload);
      else if (frame.type === 2) this.pongs.push(frame.payload);
      else if (frame.type === 1) {
        this.pings.push(frame.payload);
        if (this.#autoPong) this.wire.write(rawFrame(2, frame.payload));
      }
      this.#wakeAll();
    }
    await this.wire.closed;
    this.#ended = true;
    this.#wakeAll();
    return CLOSED;
  }

  #wakeAll(): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const wake of waiters) wake();
  }
}

/** The longest a timer can be: a client may be idle as long as the test lasts. */
const NEVER_MS = 2_147_483_647;

/** RawSocket has no close codes. */
const CLOSED: CloseInfo = { code: 0, reason: '' };
