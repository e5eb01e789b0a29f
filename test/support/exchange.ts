/** One HTTP exchange with a web service, without a network: what would go over the wire is caught and parsed. */
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';

import { serve } from '../../src/http/methods.js';
import { WebResponse } from '../../src/http/response.js';
import type { WebRequest, WebService } from '../../src/http/service.js';

export interface ExchangeRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly mount?: string;
  readonly rest?: string;
  readonly query?: string;
  /** Comes with its Content-Length. By default there is none. */
  readonly body?: string | Buffer;
  /** Where the client is; nowhere by default, as on a socket of the file system. */
  readonly client?: WebRequest['client'];
  /** Only a part of the body has come. */
  readonly isCut?: boolean;
}

export interface Exchange {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** As it went over the wire. */
  readonly body: string;
}

/** A socket that keeps what is written to it. */
export class CatchingSocket extends Socket {
  readonly #chunks: Buffer[] = [];

  get sent(): string {
    return Buffer.concat(this.#chunks).toString();
  }

  override _write(chunk: Buffer | string, encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : chunk);
    done();
  }

  override _writev(chunks: { chunk: Buffer | string; encoding: BufferEncoding }[], done: () => void): void {
    for (const { chunk, encoding } of chunks) this._write(chunk, encoding, () => undefined);
    done();
  }

  override _final(done: () => void): void {
    done();
  }

  /** A socket without a peer has nothing to read. */
  override _read(): void {
    return;
  }
}

/** Request and response on a socket that keeps what is sent. */
export function openExchange(request: ExchangeRequest = {}): {
  readonly request: WebRequest;
  readonly res: WebResponse;
  readonly socket: CatchingSocket;
} {
  const {
    method = 'GET',
    headers = {},
    mount = '/',
    rest = '/',
    query = '',
    body,
    client = {},
    isCut = false,
  } = request;
  const socket = new CatchingSocket();
  const req = new IncomingMessage(socket);
  req.method = method;
  req.url = `${mount === '/' ? '' : mount}${rest}${query}`;
  req.httpVersion = '1.1';
  req.httpVersionMajor = 1;
  req.httpVersionMinor = 1;
  for (const [name, value] of Object.entries(headers)) {
    req.headers[name.toLowerCase()] = value;
    req.rawHeaders.push(name, value);
  }
  if (body !== undefined) req.headers['content-length'] = String(Buffer.byteLength(body));
  if (body !== undefined) req.push(isCut ? Buffer.from(body).subarray(0, -1) : body);
  if (!isCut) {
    req.complete = true;
    req.push(null);
  }
  const res = new WebResponse(req);
  res.sendDate = false;
  res.assignSocket(socket);
  // Node.js does this for connections of its own.
  socket.on('drain', () => res.emit('drain'));
  return { request: { req, mount, rest, query, client }, res, socket };
}

/** Lets a service answer, and waits for the end of the response. */
export async function exchange(service: WebService, options: ExchangeRequest = {}): Promise<Exchange> {
  const { request, res, socket } = openExchange(options);
  const finished = new Promise((resolve) => res.once('finish', resolve));
  // A real server does this: without it a service that waits for `close` would wait for ever.
  void finished.then(() => res.emit('close'));
  await Promise.all([serve(service, request, res), finished]);
  return parseResponse(socket.sent);
}

/** @param text one whole response */
export function parseResponse(text: string): Exchange {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = name in headers ? `${headers[name] ?? ''}, ${value}` : value;
  }
  return { status: Number(statusLine.split(' ')[1]), headers, body: text.slice(end + 4) };
}
