/**
 * A raw WAMP client over HTTP long-poll: it sends what it is told, one message after the other, and hands over what arrives, in order.
 * It polls by itself, unless it is paused, and closes its connection as autobahn-js does: behind ABORT, and behind the GOODBYE that
 * answers its own.
 */
import { Agent, request } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import type { RequestOptions } from 'node:https';
import type { ConnectionOptions } from 'node:tls';
import { CODECS, joinBatch, splitBatch } from './codec.js';
import type { AnySerializerName, Codec } from './codec.js';
import { ParsedClient } from './parsed-client.js';

/** Where it is, and how it speaks. */
export interface LongPollOptions {
  readonly port: number;
  readonly path?: string;
  readonly host?: string;
  readonly serializer?: AnySerializerName;
  readonly batched?: boolean;
  /** Of every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The query of `/open`, with its `?`. */
  readonly query?: string;
  /** For `https`: `ca`, `cert`, `key`, ... */
  readonly tls?: ConnectionOptions;
}

/** What was answered to a request. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** One request, by TLS where its agent does TLS. @throws when the connection is lost. */
export function httpRequest(options: RequestOptions, body?: Buffer | string): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const ask: typeof request = options.agent instanceof TlsAgent ? tlsRequest : request;
    const req: ClientRequest = ask(options, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', reject);
      res.on('end', () => {
        resolve({ status: res.statusCode ?? 0, headers: res.headers, body: Buffer.concat(chunks) });
      });
    });
    req.on('error', reject);
    req.end(body);
  });
}

export class LongPollClient extends ParsedClient {
  isPaused = false;
  /** What was answered to `/open`. */
  readonly handshake: HttpAnswer;
  readonly id: string;
  /** What was answered to requests, with the last word of their path. */
  readonly answers: { readonly word: string; readonly status: number; readonly headers: IncomingHttpHeaders }[] = [];
  /** Sent with each request. */
  headers: Readonly<Record<string, string>>;
  readonly agent: Agent;
  readonly #options: LongPollOptions;
  readonly #codec: Codec;
  #sending: Promise<void> = Promise.resolve();
  #hasSaidGoodbye = false;
  #wasSaidGoodbye = false;

  private constructor(options: LongPollOptions, agent: Agent, handshake: HttpAnswer) {
    super();
    this.#options = options;
    this.agent = agent;
    this.headers = options.headers ?? {};
    this.handshake = handshake;
    this.#codec = CODECS[options.serializer ?? 'json'];
    this.id = (JSON.parse(handshake.body.toString()) as { transport: string }).transport;
    void this.#poll();
  }

  /** @throws Error 'refused' with the status. */
  static async connect(options: LongPollOptions): Promise<LongPollClient> {
    const {
      port,
      host = '127.0.0.1',
      path = '',
      serializer = 'json',
      batched = false,
      headers,
      query = '',
      tls,
    } = options;
    const agent = tls === undefined ? new Agent({ keepAlive: true }) : new TlsAgent({ keepAlive: true, ...tls });
    const protocols = [`wamp.2.${serializer}${batched ? '.batched' : ''}`];
    const to = { host, port, agent, method: 'POST', path: `${path}/open${query}`, headers: headers ?? {} };
    const answer = await httpRequest(to, JSON.stringify({ protocols }));
    if (answer.status !== 200) {
      agent.destroy();
      throw new Error(`refused with ${answer.status}: ${answer.body.toString()}`);
    }
    return new LongPollClient(options, agent, answer);
  }

  /** One request below the id of the session. */
  async request(word: string, body?: Buffer | string, headers = this.headers): Promise<HttpAnswer> {
    const { port, host = '127.0.0.1', path = '' } = this.#options;
    const to = { host, port, method: 'POST', path: `${path}/${this.id}/${word}`, agent: this.agent, headers };
    const answer = await httpRequest(to, body);
    this.answers.push({ word, status: answer.status, headers: answer.headers });
    return answer;
  }

  /** Sends a message behind those before; what is answered is in `answers`. */
  send(message: readonly unknown[]): void {
    if (message[0] === 6) this.#hasSaidGoodbye = true;
    if (message[0] === 1) this.#hasSaidGoodbye = false;
    const isLast = message[0] === 3 || (message[0] === 6 && this.#wasSaidGoodbye);
    const bytes = this.encode([message]);
    this.#sending = this.#sending.then(async () => {
      await this.request('send', bytes).catch(() => undefined);
      if (isLast) void this.close();
    });
  }

  encode(messages: readonly (readonly unknown[])[]): Buffer {
    const [message = []] = messages;
    return this.#options.batched === true ? joinBatch(this.#codec, messages) : this.#codec.encode(message);
  }

  /** Polls no more until {@link resume}. */
  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    void this.#poll();
  }

  /** Begins a request with a message of so many octets, and leaves the last one out. */
  beginMessage(octets: number): void {
    const { port, host = '127.0.0.1', path = '' } = this.#options;
    const headers = { 'Content-Length': octets };
    const req = request({ host, port, method: 'POST', path: `${path}/${this.id}/send`, headers });
    req.on('error', () => undefined).on('response', (res) => res.resume().on('error', () => undefined));
    req.write(Buffer.alloc(octets - 1, ' '));
    void this.closed.then(() => req.destroy());
  }

  async close(): Promise<void> {
    await this.#sending;
    await this.request('close').catch(() => undefined);
    this.#over();
  }

  async #poll(): Promise<void> {
    while (this.isOpen && !this.isPaused) {
      const answer = await this.request('receive').catch(() => undefined);
      if (answer?.status === 204) continue;
      if (answer?.status !== 200) return this.#over();
      const frames = this.#options.batched === true ? splitBatch(this.#codec, answer.body) : [answer.body];
      for (const frame of frames) this.#take(this.#codec.decode(frame));
    }
  }

  #take(message: unknown[]): void {
    this.arrived(message);
    if (message[0] === 3) void this.close();
    if (message[0] === 6 && !this.#hasSaidGoodbye) this.#wasSaidGoodbye = true;
  }

  #over(): void {
    if (!this.isOpen) return;
    this.ended();
    this.agent.destroy();
  }
}
