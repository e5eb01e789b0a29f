/**
 * A raw WAMP client on a WebSocket: it sends what it is told, also nonsense, and hands over what arrives, in order.
 * It knows no sessions and no request ids; tests write WAMP messages as arrays, in any serializer, batched or not. Beside it: one plain HTTP exchange
 * over a bare socket, for handshakes that no decent client would send.
 *
 * Deadlines are failing limits only: nothing passes because time went by.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { connect as connectSocket } from 'node:net';
import type { Socket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { WebSocket } from 'ws';
import type { RawData } from 'ws';
import type { Codec, AnySerializerName } from './codec.js';
import { CODECS, joinBatch, splitBatch } from './codec.js';

/** How long an expected thing may take before the test fails; generous, because CI machines are slow. */
export const DEADLINE_MS = 60_000;

/** All four roles, without features. */
export const ALL_ROLES = { caller: {}, callee: {}, publisher: {}, subscriber: {} } as const;

export interface WampClientOptions {
  /** For `wss`: `ca`, `cert`, `key`, ... */
  readonly tls?: ConnectionOptions;
  /** More headers of the handshake, such as `cookie` and `origin`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** How messages are written and read; default `json`. */
  readonly serializer?: AnySerializerName;
  /** Frames are batches of messages. */
  readonly batched?: boolean;
  /** Offered subprotocols; default the one of `serializer` and `batched`. */
  readonly subprotocols?: readonly string[];
  /** False: pings of the router stay unanswered. */
  readonly autoPong?: boolean;
  /** Offers compression. */
  readonly deflate?: boolean;
}

export interface CloseInfo {
  readonly code: number;
  readonly reason: string;
}

/** What the router answered to the handshake. */
export interface Handshake {
  readonly headers: IncomingHttpHeaders;
  /** Every `Set-Cookie` line. */
  readonly setCookie: readonly string[];
  /** The chosen subprotocol; empty when none was announced. */
  readonly subprotocol: string;
}

/** The router answered the handshake with something else than 101. */
export class HandshakeRefused extends Error {
  override readonly name = 'HandshakeRefused';
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  constructor(status: number, headers: IncomingHttpHeaders) {
    super(`handshake refused with ${status}`);
    this.status = status;
    this.headers = headers;
  }
}

/** A call of nothing: what is answered to it is behind all that came before. */
export const QUESTION = [48, 900_000_001, {}, 'com.example.nobody'] as const;

/** Whether it is the answer to {@link QUESTION}: there is no such procedure, or it may not be called. */
export function isAnswer([type, request, id]: readonly unknown[]): boolean {
  return type === 8 && request === 48 && id === QUESTION[1];
}

/** The connection ended while a message was waited for. */
export class ConnectionClosed extends Error {
  override readonly name = 'ConnectionClosed';
  readonly info: CloseInfo;
  constructor(info: CloseInfo) {
    super(`connection closed with ${info.code} '${info.reason}' while a message was expected`);
    this.info = info;
  }
}

interface Waiter {
  resolve(bytes: Buffer): void;
  reject(error: Error): void;
}

export class WampClient {
  /** The socket itself, for what WAMP has no word for: pings, fragments, `pause`. */
  readonly socket: WebSocket;
  readonly handshake: Handshake;
  /** Resolves when the connection has ended, however it ended. */
  readonly closed: Promise<CloseInfo>;
  /** Pings of the router so far. */
  pings = 0;

  readonly #codec: Codec;
  readonly #batched: boolean;
  readonly #inbox: Buffer[] = [];
  readonly #waiters: Waiter[] = [];
  #closeInfo: CloseInfo | undefined;

  private constructor(socket: WebSocket, handshake: Handshake, codec: Codec, batched: boolean) {
    this.socket = socket;
    this.handshake = handshake;
    this.#codec = codec;
    this.#batched = batched;
    socket.on('ping', () => (this.pings += 1));
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary));
    // An error is always followed by 'close'; the code tells what a test needs to know.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => {
        this.#closeInfo = { code, reason: reason.toString() };
        resolve(this.#closeInfo);
        for (const waiter of this.#waiters.splice(0)) waiter.reject(new ConnectionClosed(this.#closeInfo));
      });
    });
  }

  /**
   * Opens a connection; no HELLO is sent.
   * @throws HandshakeRefused when the answer is not 101.
   */
  static async connect(url: string, options: WampClientOptions = {}): Promise<WampClient> {
    const { headers = {}, serializer = 'json', batched = false, autoPong = true, deflate = false, tls } = options;
    const { subprotocols = [subprotocolOf(serializer, batched)] } = options;
    const socket = new WebSocket(url, [...subprotocols], { headers, autoPong, perMessageDeflate: deflate, ...tls });
    return new Promise((resolve, reject) => {
      // The 'upgrade' event comes before any message, so nothing can be missed.
      socket.once('upgrade', (response: IncomingMessage) => {
        const handshake = {
          headers: response.headers,
          setCookie: response.headers['set-cookie'] ?? [],
          subprotocol: response.headers['sec-websocket-protocol'] ?? '',
        };
        const client = new WampClient(socket, handshake, CODECS[serializer], batched);
        socket.once('open', () => resolve(client));
        socket.once('error', reject);
      });
      socket.once('unexpected-response', (request, response) => {
        request.destroy();
        reject(new HandshakeRefused(response.statusCode ?? 0, response.headers));
      });
      socket.once('error', reject);
    });
  }

  /** {@link connect}, then a session on `realm`. */
  static async join(url: string, realm = 'realm1', options: WampClientOptions = {}): Promise<JoinedClient> {
    const client = await WampClient.connect(url, options);
    return Object.assign(client, await client.hello(realm));
  }

  get isOpen(): boolean {
    return this.#closeInfo === undefined;
  }

  /** Sends a message (an array, in the serializer of this client), a text as it is, or bytes in a binary frame. */
  send(message: readonly unknown[] | string | Buffer): void {
    if (typeof message === 'string' || Buffer.isBuffer(message)) return this.socket.send(message);
    const bytes = this.#batched ? joinBatch(this.#codec, [message]) : this.#codec.encode(message);
    this.socket.send(bytes, { binary: this.#codec.isBinary });
  }

  /** Sends octets in a frame of the kind that the serializer uses. */
  sendRaw(bytes: Buffer): void {
    this.socket.send(bytes, { binary: this.#codec.isBinary });
  }

  /** The next message as text. @throws ConnectionClosed when none comes any more. */
  async nextText(deadlineMs = DEADLINE_MS): Promise<string> {
    return (await this.nextBytes(deadlineMs)).toString('utf8');
  }

  /** The octets of the next message. @throws ConnectionClosed when none comes any more. */
  async nextBytes(deadlineMs = DEADLINE_MS): Promise<Buffer> {
    const ready = this.#inbox.shift();
    if (ready !== undefined) return ready;
    if (this.#closeInfo !== undefined) throw new ConnectionClosed(this.#closeInfo);
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        resolve: (bytes) => {
          clearTimeout(timer);
          resolve(bytes);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(new Error(`no message within ${deadlineMs} ms`));
      }, deadlineMs);
      this.#waiters.push(waiter);
    });
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
    if (unexpected !== undefined)
      throw new Error(`expected silence, got ${JSON.stringify(this.#codec.decode(unexpected))}`);
  }

  /** Opens a session. @throws when the answer is not WELCOME. */
  async hello(realm = 'realm1', details: Readonly<Record<string, unknown>> = {}): Promise<Welcome> {
    const answer = await this.ask([1, realm, { roles: ALL_ROLES, ...details }]);
    const [type, sessionId, welcome] = answer;
    if (type !== 2) throw new Error(`expected WELCOME, got ${JSON.stringify(answer)}`);
    return { sessionId: sessionId as number, welcome: welcome as Welcome['welcome'] };
  }

  /** Ends the session the orderly way: GOODBYE, the answer, then the WebSocket close. Messages before it are dropped. */
  async leave(): Promise<CloseInfo> {
    this.send([6, {}, 'wamp.close.normal']);
    while ((await this.next())[0] !== 6);
    return this.close();
  }

  /** Closes the WebSocket (code 1000) and waits until it is closed. */
  async close(): Promise<CloseInfo> {
    this.socket.close(1000);
    return this.closed;
  }

  /** Drops the connection without a word. */
  async drop(): Promise<CloseInfo> {
    this.socket.terminate();
    return this.closed;
  }

  #receive(data: RawData, isBinary: boolean): void {
    if (isBinary !== this.#codec.isBinary) {
      throw new Error(`a ${isBinary ? 'binary' : 'text'} frame from the router, with ${this.#codec.name}`);
    }
    const bytes = data as Buffer;
    for (const message of this.#batched ? splitBatch(this.#codec, bytes) : [bytes]) {
      const waiter = this.#waiters.shift();
      if (waiter === undefined) this.#inbox.push(message);
      else waiter.resolve(message);
    }
  }
}

function subprotocolOf(serializer: AnySerializerName, batched: boolean): string {
  return `wamp.2.${serializer}${batched ? '.batched' : ''}`;
}

export interface Welcome {
  readonly sessionId: number;
  readonly welcome: { readonly authid: string; readonly authrole: string; readonly [detail: string]: unknown };
}

export type JoinedClient = WampClient & Welcome;

/** Rejects when `promise` takes longer than {@link DEADLINE_MS}, with a text that says what was waited for. */
export async function within<T>(promise: Promise<T>, what: string, deadlineMs = DEADLINE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${deadlineMs} ms`)), deadlineMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The cookie value in a `Set-Cookie` line. */
export function cookieValue(setCookieLine: string): string {
  const [pair = ''] = setCookieLine.split(';');
  return pair.slice(pair.indexOf('=') + 1);
}

/** The connection ended before the head of an answer was complete. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
}

export interface HttpAnswer {
  readonly status: number;
  readonly reason: string;
  /** Header lines in order, names as they were sent. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Everything behind the header block that came before the connection was closed or, with a 101, until now. */
  readonly body: string;
  /** Open only after a 101. */
  readonly socket: Socket;
  /** The first header of that name (any case). */
  header(name: string): string | undefined;
}

/** The lines of a decent handshake; `lines` come behind them. A line of the same name replaces the default one. */
export function upgradeLines(path: string, lines: readonly string[] = []): readonly string[] {
  const defaults = [
    'Host: 127.0.0.1',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Protocol: wamp.2.json',
  ];
  const nameOf = (line: string): string => line.slice(0, line.indexOf(':')).toLowerCase();
  const replaced = new Set(lines.map(nameOf));
  return [`GET ${path} HTTP/1.1`, ...defaults.filter((line) => !replaced.has(nameOf(line))), ...lines];
}

/**
 * Sends a request head byte for byte over a bare socket, with `rest` in the same packet, and reads the answer: up to the
 * end of the connection, or only the head when it is a 101. @throws NoAnswer when there is none.
 */
export async function rawHttp(
  port: number,
  lines: readonly string[],
  rest: Buffer = Buffer.alloc(0),
): Promise<HttpAnswer> {
  const socket = connectSocket(port, '127.0.0.1');
  await once(socket, 'connect');
  socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), rest]));
  return within(readAnswer(socket), lines[0] ?? 'request');
}

async function readAnswer(socket: Socket): Promise<HttpAnswer> {
  let text = '';
  await new Promise<void>((resolve) => {
    // A reset behind the answer is no concern; one before its end is found below.
    socket.on('error', () => resolve());
    socket.on('end', () => resolve());
    socket.on('close', () => resolve());
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (text.startsWith('HTTP/1.1 101') && text.includes('\r\n\r\n')) resolve();
    });
  });
  if (!text.includes('\r\n\r\n')) throw new NoAnswer();
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [statusLine = '', ...headerLines] = head.split('\r\n');
  const [, status = '', reason = ''] = /^HTTP\/1\.1 (\d{3}) ?(.*)$/.exec(statusLine) ?? [];
  if (status === '') throw new Error(`no status line in '${head}'`);
  const headers = headerLines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon), line.slice(colon + 1).trim()] as const;
  });
  const header = (name: string): string | undefined =>
    headers.find(([candidate]) => candidate.toLowerCase() === name.toLowerCase())?.[1];
  if (status !== '101') socket.destroy();
  return { status: Number(status), reason, headers, body: rest.join('\r\n\r\n'), socket, header };
}
