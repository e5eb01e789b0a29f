/** An HTTP server whose whole path tree is one service of a test, and a client that sends what no HTTP client would. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

import { HttpAcceptor } from '../../src/http/acceptor.js';
import type { WebService } from '../../src/http/service.js';
import { silentLogger } from '../../src/log/logger.js';
import { EndpointServer } from '../../src/transport/endpoint.js';
import { parseResponse } from './exchange.js';
import type { Exchange } from './exchange.js';
import { webConfig } from './web.js';

/** On a free port of 127.0.0.1; `stop` is the caller's. */
export async function startHttp(
  root: WebService,
  { log = silentLogger(), http = {} }: { log?: HttpOptions['log']; http?: HttpOptions['http'] } = {},
): Promise<{ readonly port: number; readonly server: EndpointServer }> {
  const dispatcher = { clock: Date.now, headers: {}, accessLog: false, displayTracebacks: false };
  const acceptor = new HttpAcceptor({ root, log, http, dispatcher });
  const server = new EndpointServer(webConfig({}).endpoint, acceptor, log);
  const bound = await server.start();
  if ('path' in bound) throw new Error(`${bound.path} is no TCP port`);
  return { port: bound.port, server };
}

type HttpOptions = ConstructorParameters<typeof HttpAcceptor>[0];

/** A connection that keeps what it gets. */
export class HttpWire {
  readonly socket: Socket;
  text = '';
  #isOver = false;
  #wake: () => void = () => undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      this.text += chunk.toString('latin1');
      this.#wake();
    });
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#isOver = true;
        this.#wake();
      });
    }
  }

  /** Whether the server has ended the connection. */
  get isOver(): boolean {
    return this.#isOver;
  }

  static async open(port: number): Promise<HttpWire> {
    const socket = connect({ host: '127.0.0.1', port });
    await once(socket, 'connect');
    return new HttpWire(socket);
  }

  /** Head and body as they stand there; the line ends of the head are added. */
  send(head: readonly string[], body: string | Buffer = ''): this {
    this.socket.write([...head, '', ''].join('\r\n'));
    if (body.length > 0) this.socket.write(body);
    return this;
  }

  /** Resolves when `done` says so of what has come; rejects when the connection ends before. */
  async until(done: (text: string) => boolean): Promise<string> {
    while (!done(this.text)) {
      if (this.#isOver) throw new Error(`the connection ended with: ${this.text}`);
      await this.#news();
    }
    return this.text;
  }

  /** Resolves with all that came when the server has ended the connection. */
  async closed(): Promise<string> {
    while (!this.#isOver) await this.#news();
    return this.text;
  }

  /** The one response that came before the server ended the connection. */
  async lastResponse(): Promise<Exchange> {
    return parseResponse(await this.closed());
  }

  async #news(): Promise<void> {
    await new Promise<void>((resolve) => (this.#wake = resolve));
  }
}
