/**
 * Refusals written to a bare socket, where there is no response object: an upgrade that is not taken, a connection
 * that does not speak HTTP. Each reason is told to the operator, too: who is refused has no other witness.
 */
import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { RepeatedLog } from '../log/repeated.js';
import { peerOf } from './peer.js';
import type { Logger } from '../log/logger.js';
import type { RequestHead } from './request-head.js';

/** Our `Server` header; without a version, because it only helps those who look for known faults. */
export const SERVER_NAME = 'crossbar-ts';

/** Why a client is turned away. */
export interface Refusal {
  readonly status: number;
  /** One sentence for the body. */
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** One of few words: lines of one reason are written once a minute. */
  readonly kind: string;
  /** What the operator can do to let the client in. */
  readonly remedy?: string;
  /** What the client said that was the reason. */
  readonly facts?: Readonly<Record<string, string>>;
}

/** How much of what a client sends is logged. */
const LOGGED_LENGTH = 256;

/** The lines about those who are turned away. */
export class RefusalLog {
  readonly #log: RepeatedLog;

  constructor(log: Logger) {
    this.#log = new RepeatedLog(log);
  }

  /** A handshake, or what was meant to be one. */
  webSocket(req: RequestHead, { kind, ...refusal }: Refusal): void {
    const { origin } = req.headers;
    const facts = {
      peer: peerOf(req.socket),
      path: loggedPath(req),
      ...(origin !== undefined && { origin: cut(origin) }),
    };
    this.#log.say('warn', { ...facts, ...told(refusal) }, 'WebSocket refused', kind);
  }

  /** A request whose answer is left to the caller. */
  request(req: RequestHead, { kind, ...refusal }: Refusal): void {
    const facts = { peer: peerOf(req.socket), method: req.method, path: loggedPath(req), ...told(refusal) };
    this.#log.say('warn', facts, 'HTTP request refused', kind);
  }

  /** A connection that is of no use as HTTP. */
  connection(socket: Socket, { kind, ...refusal }: Refusal): void {
    this.#log.say('warn', { peer: peerOf(socket), ...told(refusal) }, 'HTTP connection refused', kind);
  }

  /** Nothing more will be refused: tells what was left out. */
  end(): void {
    this.#log.end();
  }
}

function told({ status, text, remedy, facts = {} }: Omit<Refusal, 'kind'>): Readonly<Record<string, unknown>> {
  const said = Object.entries(facts).map(([key, value]) => [key, cut(value)] as const);
  return {
    status,
    reason: cut(text),
    ...Object.fromEntries(said),
    ...(remedy !== undefined && { remedy: cut(remedy) }),
  };
}

function cut(text: string): string {
  return text.slice(0, LOGGED_LENGTH);
}

/** request -> what stands in the log in place of its path */
const shownPaths = new WeakMap<RequestHead, string>();

/** From now on another path stands in the log: there is a password in that of the request. */
export function concealPath(req: RequestHead, shown: string): void {
  shownPaths.set(req, shown);
}

/** @returns the path of a request for the log, without the query, which may hold what is nobody's business. */
export function loggedPath(req: RequestHead): string {
  return cut(shownPaths.get(req) ?? (req.url ?? '').split('?', 1).join(''));
}

/** Answers with a short text and closes. A socket that is gone already is only released. */
export function refuse(
  socket: Duplex,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const reason = STATUS_CODES[status] ?? '';
  const body = `${status} ${reason}\n${text}\n`;
  // Destroyed after the last byte went out: a client that neither reads nor closes must not keep the socket.
  socket.once('finish', () => socket.destroy());
  socket.end(
    [
      `HTTP/1.1 ${status} ${reason}`,
      `Server: ${SERVER_NAME}`,
      'Connection: close',
      'Cache-Control: no-store',
      'Content-Type: text/plain; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      '',
      body,
    ].join('\r\n'),
  );
}
