/**
 * A client that keeps all that it was ever told, and by what: for tests of what strangers can learn. It asks one thing at a
 * time, answers every invocation, and takes no answer amiss.
 */
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import type { Place } from './examples.js';
import { RawSocketClient, RawSocketRefused, placeOf } from './rawsocket-client.js';
import { LongPollClient } from './long-poll-client.js';
import { ALL_ROLES, ConnectionClosed, HandshakeRefused, WampClient, within } from './wamp-client.js';

/** What was told, and by what. */
export interface Told {
  readonly channel: string;
  readonly text: string;
}

type Message = readonly unknown[];

/** How somebody says who he is. */
export interface Login {
  readonly authmethods: readonly string[];
  readonly authid: string;
  /** The answer to a challenge. */
  readonly signature: string;
}

export interface Entry {
  readonly realm: string;
  readonly cookies?: ReadonlyMap<string, string>;
  readonly login?: Login | undefined;
}

export class Snoop {
  readonly told: Told[] = [];
  readonly setCookie: readonly string[];
  /** Undefined for who was not let in. */
  sessionId: number | undefined;

  readonly #client: WampClient | LongPollClient | RawSocketClient;
  readonly #waiting = new Map<number, { readonly resolve: (answer: Message) => void; readonly uri: unknown }>();
  // subscription id -> topic
  readonly #topics = new Map<unknown, unknown>();
  // registration id -> procedure
  readonly #procedures = new Map<unknown, unknown>();
  #requests = 0;

  private constructor(client: WampClient | LongPollClient | RawSocketClient) {
    this.#client = client;
    this.setCookie = setCookieOf(client);
  }

  /** Connects and says HELLO. @returns undefined where there is not even a connection */
  static async enter(place: Place, { realm, cookies = new Map(), login }: Entry): Promise<Snoop | undefined> {
    const client = await connected(place, cookies);
    if (client === undefined) return undefined;
    const snoop = new Snoop(client);
    await snoop.#hello(realm, login);
    return snoop;
  }

  /** Sends a request, to which its id is added, and waits for what becomes of it. */
  async ask(channel: string, type: number, ...rest: Message): Promise<Message> {
    const id = ++this.#requests;
    const [, uri] = rest;
    const answered = new Promise<Message>((resolve) => this.#waiting.set(id, { resolve, uri }));
    this.#client.send([type, id, ...rest]);
    const answer = await within(Promise.race([answered, this.#client.closed.then(() => [])]), channel);
    this.#keep(channel, answer);
    return answer;
  }

  async call(procedure: string, args: Message = [], options: object = {}): Promise<Message> {
    return this.ask(procedure, 48, options, procedure, args);
  }

  async subscribe(topic: string, options: object = {}): Promise<void> {
    await this.ask(`SUBSCRIBE ${topic}`, 32, options, topic);
  }

  async register(procedure: string, options: object = {}): Promise<void> {
    await this.ask(`REGISTER ${procedure}`, 64, options, procedure);
  }

  async publish(topic: string, options: object): Promise<void> {
    await this.ask(`PUBLISH ${topic}`, 16, { acknowledge: true, ...options }, topic, ['hello']);
  }

  /** Ends the session, if there is one, and the connection. */
  async leave(): Promise<void> {
    if (this.sessionId !== undefined) this.#client.send([6, {}, 'wamp.close.normal']);
    await within(this.#client.closed, 'end of the connection');
  }

  async #hello(realm: string, login: Login | undefined): Promise<void> {
    const { signature, ...who } = login ?? { authmethods: ['cookie', 'anonymous'], signature: '' };
    this.#client.send([1, realm, { roles: ALL_ROLES, ...who }]);
    let answer = await this.#next();
    if (answer?.[0] === 4) {
      this.#client.send([5, signature, {}]);
      answer = await this.#next();
    }
    if (answer?.[0] === 2) this.sessionId = answer[1] as number;
    this.#keep('HELLO', answer ?? []);
    void this.#listen();
  }

  async #listen(): Promise<void> {
    for (let message = await this.#next(); message !== undefined; message = await this.#next()) {
      this.#receive(message);
    }
  }

  async #next(): Promise<Message | undefined> {
    try {
      return await this.#client.next(NEVER_MS);
    } catch (error) {
      if (error instanceof ConnectionClosed) return undefined;
      throw error;
    }
  }

  #receive(message: Message): void {
    const [type, first, second] = message;
    if (type === 36) return this.#keep(`EVENT ${String(this.#topics.get(first))}`, message);
    if (type === 68) {
      this.#keep(`INVOCATION ${String(this.#procedures.get(second))}`, message);
      return this.#client.send([70, first, {}, ['an answer']]);
    }
    // A GOODBYE has its answer coming, and then the connection is of no more use.
    if (type === 6) {
      if (second !== 'wamp.close.goodbye_and_out') this.#client.send([6, {}, 'wamp.close.goodbye_and_out']);
      return void this.#client.close();
    }
    const id = (type === 8 ? second : first) as number;
    const { resolve, uri } = this.#waiting.get(id) ?? {};
    // Here and not where it is waited for: the first event comes right behind.
    if (type === 33) this.#topics.set(second, uri);
    if (type === 65) this.#procedures.set(second, uri);
    this.#waiting.delete(id);
    resolve?.(message);
  }

  #keep(channel: string, message: Message): void {
    this.told.push({ channel, text: JSON.stringify(message) });
  }
}

/** As long as a timer can be: who listens waits for as long as the test lasts. */
const NEVER_MS = 2_147_483_647;

/** @returns undefined where there is not even a connection */
async function connected(place: Place, cookies: ReadonlyMap<string, string>) {
  try {
    if (place.kind === 'websocket') {
      return await WampClient.connect(place.url, { headers: cookieHeader(cookies), tls: place.tls });
    }
    if (place.kind === 'longpoll') {
      const { hostname: host, port, pathname } = new URL(place.url);
      return await LongPollClient.connect({ host, port: Number(port), path: pathname, headers: cookieHeader(cookies) });
    }
    const { tls, url } = place;
    const where = placeOf(url.replace(/^rss:/, 'rs:'));
    return await RawSocketClient.connect(url.startsWith('rss:') && 'port' in where ? { ...where, tls } : where);
  } catch (error) {
    if (error instanceof HandshakeRefused || error instanceof RawSocketRefused || isTlsRefusal(error)) return undefined;
    throw error;
  }
}

function setCookieOf(client: WampClient | LongPollClient | RawSocketClient): readonly string[] {
  if (client instanceof WampClient) return client.handshake.setCookie;
  return client instanceof LongPollClient ? (client.handshake.headers['set-cookie'] ?? []) : [];
}

/** The other side wanted a certificate. TLS 1.3 says so only behind the handshake. */
function isTlsRefusal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return /^(ERR_SSL_|ECONNRESET|EPIPE)/.test(code);
}

function cookieHeader(cookies: ReadonlyMap<string, string>): Record<string, string> {
  const pairs = [...cookies].map(([name, value]) => `${name}=${value}`);
  return pairs.length === 0 ? {} : { cookie: pairs.join('; ') };
}

/** One GET; `target` is sent as it is, dots and all. @returns undefined where there is no answer */
export async function fetchText({ url, tls }: Place, target: string, cookies: ReadonlyMap<string, string> = new Map()) {
  const { protocol, hostname, port } = new URL(url);
  const request = protocol === 'https:' ? requestTls : requestPlain;
  return new Promise<{ text: string; setCookie: readonly string[] } | undefined>((resolve) => {
    request(
      { hostname, port, path: target, headers: cookieHeader(cookies), agent: false, ...(protocol === 'https:' && tls) },
      (response) => {
        let text = response.rawHeaders.join('\n');
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ text, setCookie: response.headers['set-cookie'] ?? [] }));
      },
    )
      .on('error', () => resolve(undefined))
      .end();
  });
}
