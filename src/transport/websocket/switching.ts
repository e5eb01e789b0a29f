/**
 * The 101, and the WebSocket behind it. `handleUpgrade` of `ws` reads and checks the request for that, which has been done here before
 * (`handshake.ts`). Where there is no compression nothing is left to be decided, so the answer is written here, and `ws` gets the socket
 * right away; everything else is left to it.
 *
 * How `ws` takes a socket (`setSocket`, `_protocol`) it does not promise to anybody. This is the one file that knows it, the version of the
 * package is exact, and a test compares what comes of both ways.
 */
import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { ServerOptions, WebSocket } from 'ws';
import type { RequestHead } from '../request-head.js';

/** What the 101 says beside the usual. */
export interface SwitchingAnswer {
  /** Undefined when none is agreed on. */
  readonly subprotocol: string | undefined;
  /** Whole lines without their ends. */
  readonly headers: readonly string[];
}

/** What is told about WebSockets, and their class. */
export type SwitchingOptions<W extends WebSocket> = ServerOptions & {
  readonly WebSocket: NonNullable<ServerOptions['WebSocket']> & (new (...parts: never[]) => W);
};

/** What is used of `ws` that its types do not know. */
interface Inside {
  _protocol: string;
  setSocket(socket: Socket, head: Buffer, options: object): void;
}

type ClassInside<W> = new (address: null, protocols: undefined, options: object) => W;

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** Several subprotocols, as libraries write them. */
const NAMES = /^[!#$%&'*+\-.^_`|~\dA-Za-z]+(?:, ?[!#$%&'*+\-.^_`|~\dA-Za-z]+)*$/;

/** Makes WebSockets of the upgrades of one place. */
export class Switching<W extends WebSocket> {
  readonly #server: WebSocketServer;
  readonly #WebSocket: ClassInside<W>;
  /** With what `ws` adds of its own. */
  readonly #options: ServerOptions;
  /** For the 101 that `ws` is writing: it asks before `handleUpgrade` returns. */
  #answer: SwitchingAnswer | undefined;

  constructor(options: SwitchingOptions<W>) {
    this.#server = new WebSocketServer({
      ...options,
      handleProtocols: () => this.#answer?.subprotocol ?? false,
    });
    this.#server.on('headers', (headers) => headers.push(...(this.#answer?.headers ?? [])));
    this.#options = this.#server.options;
    this.#WebSocket = options.WebSocket as unknown as ClassInside<W>;
  }

  /**
   * Answers a handshake that has been checked. @param opened called before this returns, with a WebSocket of the class; not where the
   * client has ended its half, or has sent what `ws` refuses.
   */
  switch(req: RequestHead, socket: Socket, head: Buffer, answer: SwitchingAnswer, opened: (ws: W) => void): void {
    if (this.#isPlain(req)) {
      const ws = this.#open(req, socket, head, answer);
      if (ws !== undefined) opened(ws);
      return;
    }
    this.#answer = answer;
    // It looks at method, URL and headers. It makes WebSockets of the class that it was given.
    this.#server.handleUpgrade(req as IncomingMessage, socket, head, (ws) => opened(ws as W));
  }

  #isPlain({ headers }: RequestHead): boolean {
    if (this.#options.perMessageDeflate !== false && headers['sec-websocket-extensions'] !== undefined) return false;
    const names = headers['sec-websocket-protocol'];
    if (names === undefined || !names.includes(',')) return names === undefined || NAMES.test(names);
    if (!NAMES.test(names)) return false;
    const all = names.split(',').map((name) => name.trim());
    return new Set(all).size === all.length;
  }

  #open(req: RequestHead, socket: Socket, head: Buffer, answer: SwitchingAnswer): W | undefined {
    if (!socket.readable || !socket.writable) {
      socket.destroy();
      return undefined;
    }
    const ws = new this.#WebSocket(null, undefined, this.#options);
    const inside = ws as unknown as Inside;
    if (answer.subprotocol !== undefined) inside._protocol = answer.subprotocol;
    socket.write(textOf(req.headers['sec-websocket-key'] ?? '', answer));
    // Of all options it takes those that are for it.
    inside.setSocket(socket, head, this.#options);
    return ws;
  }
}

function textOf(key: string, { subprotocol, headers }: SwitchingAnswer): string {
  const accept = hash('sha1', key + GUID, 'base64');
  const protocol = subprotocol === undefined ? '' : `Sec-WebSocket-Protocol: ${subprotocol}\r\n`;
  const usual = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n';
  return `${usual}Sec-WebSocket-Accept: ${accept}\r\n${protocol}${headers.join('\r\n')}${headers.length === 0 ? '' : '\r\n'}\r\n`;
}
