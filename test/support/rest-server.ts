/** An HTTP server as components find it: one that answers, and one that is slow, huge, lost, or leads elsewhere. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import { mailbox } from './mailbox.js';

/** A request with its whole body. */
export interface TakenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

type Answer = (res: ServerResponse, request: TakenRequest) => void;

const MEGABYTE = 1_048_576;

/** By the path, without its query. */
const ANSWERS: Readonly<Record<string, Answer>> = {
  '/echo': (res, { method, url, headers, body }) => {
    res.setHeader('Content-Type', 'application/json');
    res.setHeader('Set-Cookie', ['a=1', 'b=2']);
    res.setHeader('X-Frame-Options', 'DENY');
    res.setHeader('ETag', '"1"');
    res.end(JSON.stringify({ method, url, headers, body }));
  },
  '/missing': (res) => res.writeHead(404, { 'Content-Type': 'text/plain' }).end('not here'),
  '/silent': () => undefined,
  '/slow-body': (res) => void res.write('a beginning'),
  '/huge': (res) => {
    const more = (): void => {
      while (res.write(Buffer.alloc(65_536, 'x')));
    };
    res.on('drain', more);
    more();
  },
  '/exact': (res) => res.end(Buffer.alloc(MEGABYTE, 'x')),
  '/bomb': (res) => res.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync(Buffer.alloc(20 * MEGABYTE))),
  '/packed': (res) => res.writeHead(200, { 'Content-Encoding': 'gzip' }).end(gzipSync('unpacked')),
  '/reset': (res) => res.socket?.resetAndDestroy(),
  '/half': (res) => {
    res.writeHead(200, { 'Content-Length': '100' });
    res.write('half', () => res.socket?.destroy());
  },
  '/loop': (res) => res.writeHead(302, { Location: '/loop' }).end(),
  '/moved': (res) => res.writeHead(302, { Location: 'echo?moved=1' }).end('elsewhere'),
  '/see-other': (res) => res.writeHead(303, { Location: '/echo?seen=1' }).end(),
  '/away': (res) => res.writeHead(302, { Location: 'http://localhost:1/echo' }).end(),
  '/latin1': (res) => res.writeHead(200, { 'Content-Type': 'text/plain; charset="ISO-8859-1"' }).end('\xe4', 'latin1'),
  '/no-utf8': (res) => res.writeHead(200, { 'Content-Type': 'text/plain; charset=utf-8' }).end('\xe4', 'latin1'),
  '/klingon': (res) => res.writeHead(200, { 'Content-Type': 'text/plain; charset=klingon' }).end('x'),
};

/** On a free port of 127.0.0.1. */
export class RestServer {
  readonly #server: Server;
  /** Every request, when its body is there. */
  readonly requests = mailbox<TakenRequest>();
  /** A line for each answer that was cut off, by the client or here. */
  readonly cut = mailbox<string>();
  /** How each next request is answered, before the paths count. */
  readonly answers: Answer[] = [];
  /** How many requests wait for an answer, and how many did at most. */
  open = 0;
  mostOpen = 0;

  private constructor() {
    this.#server = createServer((req, res) => void this.#take(req, res));
  }

  static async start(): Promise<RestServer> {
    const server = new RestServer();
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async #take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    this.open += 1;
    this.mostOpen = Math.max(this.open, this.mostOpen);
    const { method = '', url = '', headers } = req;
    res.on('error', () => undefined);
    res.once('close', () => {
      this.open -= 1;
      if (!res.writableFinished) this.cut.put(url);
    });
    let body = '';
    for await (const chunk of req.setEncoding('utf8')) body += chunk as string;
    const request = { method, url, headers, body };
    this.requests.put(request);
    const [path = ''] = url.split('?');
    const answer = this.answers.shift() ?? ANSWERS[path] ?? ((to: ServerResponse) => to.writeHead(204).end());
    answer(res, request);
  }
}
