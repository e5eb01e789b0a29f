/**
 * One anonymous WAMP session on a {@link WebSocketClient}, a {@link RawSocketClient} or a {@link LongPollClient}: joins, asks, and hands
 * routed messages to handlers.
 *
 * It carries no library's idea of a client, so its cost is small and the same for every router.
 */
import { CODECS } from './codec.js';
import { RawSocketClient } from './rawsocket.js';
import { WebSocketClient } from './websocket.js';

export const CALL = 48;
export const YIELD = 70;
export const PUBLISH = 16;
export const PUBLISHED = 17;
export const EVENT = 36;
export const RESULT = 50;
export const INVOCATION = 68;
export const ERROR = 8;
export const INTERRUPT = 69;
const HELLO = 1;
const WELCOME = 2;
const GOODBYE = 6;
const SUBSCRIBE = 32;
const SUBSCRIBED = 33;
const UNSUBSCRIBE = 34;
const UNSUBSCRIBED = 35;
const CANCEL = 49;
const REGISTER = 64;
const REGISTERED = 65;
const UNREGISTER = 66;
const UNREGISTERED = 67;

/** Requests count from 1; what has no id of its own is filed under these. */
const HELLO_ID = 0;
const GOODBYE_ID = -1;

const ROLES = {
  caller: { features: { progressive_call_results: true } },
  callee: { features: { progressive_call_results: true } },
  publisher: { features: {} },
  subscriber: { features: {} },
};

/**
 * @typedef {import('./sequence.js').Violations} Violations
 * @typedef {import('./longpoll.js').LongPollClient} LongPollClient
 * @typedef {readonly unknown[]} Message
 * @typedef {keyof typeof CODECS} Serializer
 * @typedef {{ type: number, resolve: (message: Message) => void, reject: (reason: Error) => void }} Asked
 */

/**
 * @param {WampSession} session
 * @returns {WebSocketClient} what it is on
 * @throws {Error} when that is a RawSocket, which has no pings and is not held back
 */
export function webSocketOf({ client }) {
  if (client instanceof WebSocketClient) return client;
  throw new Error('the session is not on a WebSocket');
}

export class WampSession {
  client;
  codec;
  /** Message type -> what to do with it. @type {Map<number, (message: Message) => void>} */
  handlers = new Map();
  /** Sees the raw bytes first; true when it has dealt with it. @type {(bytes: Buffer, start: number, end: number) => boolean} */
  intercept = () => false;

  #violations;
  #requestId = 0;
  /** Request id -> the answer that is waited for; HELLO counts as 0. @type {Map<unknown, Asked>} */
  #asked = new Map();

  /**
   * @param {WebSocketClient | RawSocketClient | LongPollClient} client
   * @param {Violations} violations
   * @param {import('./codec.js').Codec} codec
   */
  constructor(client, violations, codec) {
    this.client = client;
    this.codec = codec;
    this.#violations = violations;
    client.onMessage = (bytes, start, end) => {
      if (!this.intercept(bytes, start, end)) this.#onMessage(codec.decode(bytes, start, end));
    };
    client.onEnd = (reason) => {
      if (this.#asked.size === 0) violations.add('connection lost', reason.message);
      else this.#rejectAll(reason);
    };
  }

  /**
   * @param {URL} url
   * @param {string} realm
   * @param {Violations} violations
   * @param {{ serializer?: Serializer, rawsocket?: boolean, cookie?: string | undefined, roles?: object }} [options]
   */
  static async open(url, realm, violations, { serializer = 'json', rawsocket = false, cookie, roles = ROLES } = {}) {
    const codec = CODECS[serializer];
    const client = rawsocket
      ? await RawSocketClient.open(url, serializer)
      : await WebSocketClient.open(url, codec.subprotocol, { binary: codec.binary, cookie });
    return WampSession.join(client, realm, violations, { codec, roles });
  }

  /**
   * @param {WebSocketClient | RawSocketClient | LongPollClient} client which is open
   * @param {string} realm
   * @param {Violations} violations
   * @param {{ codec?: import('./codec.js').Codec, roles?: object }} [options]
   */
  static async join(client, realm, violations, { codec = CODECS.json, roles = ROLES } = {}) {
    const session = new WampSession(client, violations, codec);
    await session.#ask(WELCOME, [HELLO, realm, { roles, authmethods: ['anonymous'] }]);
    return session;
  }

  nextRequestId() {
    return ++this.#requestId;
  }

  /** @param {Message} message */
  send(message) {
    this.client.send(this.codec.encode(message));
  }

  /**
   * @param {string} topic
   * @param {object} [options]
   * @returns {Promise<unknown>} the subscription's id
   */
  async subscribe(topic, options = {}) {
    return (await this.#ask(SUBSCRIBED, [SUBSCRIBE, this.nextRequestId(), options, topic]))[2];
  }

  /**
   * @param {string} procedure
   * @param {object} [options]
   * @returns {Promise<unknown>} the registration's id
   */
  async register(procedure, options = {}) {
    return (await this.#ask(REGISTERED, [REGISTER, this.nextRequestId(), options, procedure]))[2];
  }

  /** @param {unknown} subscriptionId */
  async unsubscribe(subscriptionId) {
    await this.#ask(UNSUBSCRIBED, [UNSUBSCRIBE, this.nextRequestId(), subscriptionId]);
  }

  /** @param {unknown} registrationId */
  async unregister(registrationId) {
    await this.#ask(UNREGISTERED, [UNREGISTER, this.nextRequestId(), registrationId]);
  }

  /**
   * @param {string} topic
   * @param {object} options `acknowledge` is added
   * @param {readonly unknown[]} args
   */
  async publish(topic, options, args) {
    await this.#ask(PUBLISHED, [PUBLISH, this.nextRequestId(), { ...options, acknowledge: true }, topic, args]);
  }

  /**
   * @param {string} procedure
   * @param {readonly unknown[]} [args]
   * @param {object} [options]
   * @returns {Promise<any>} the first value of the result
   */
  async call(procedure, args = [], options = {}) {
    const [, , , values] = await this.#ask(RESULT, [CALL, this.nextRequestId(), options, procedure, args]);
    return Array.isArray(values) ? values[0] : undefined;
  }

  /**
   * Cancels the last request, which has been a call.
   *
   * @param {'skip' | 'kill' | 'killnowait'} mode
   */
  cancel(mode) {
    this.send([CANCEL, this.#requestId, { mode }]);
  }

  /** Says GOODBYE and waits for the answer. */
  async leave() {
    await this.#ask(GOODBYE, [GOODBYE, {}, 'wamp.close.close_realm']);
    this.client.drop();
  }

  /**
   * @param {number} type of the answer
   * @param {Message} message
   * @returns {Promise<Message>} rejected with a {@link RequestError} when the answer is an ERROR
   */
  #ask(type, message) {
    return new Promise((resolve, reject) => {
      this.#asked.set(idIn(type, message), { type, resolve, reject });
      this.send(message);
    });
  }

  /** @param {Message} message */
  #onMessage(message) {
    const type = Number(message[0]);
    const handler = this.handlers.get(type);
    if (handler !== undefined) return void handler(message);
    // More of this result is to come.
    if (type === RESULT && /** @type {{ progress?: boolean }} */ (message[2]).progress === true) return undefined;
    const id = idIn(type, message);
    const asked = this.#asked.get(id);
    if (asked?.type === type) {
      this.#asked.delete(id);
      asked.resolve(message);
    } else if (asked !== undefined && type === ERROR) {
      this.#asked.delete(id);
      asked.reject(new RequestError(message));
    } else if (this.#asked.size > 0) {
      this.#rejectAll(new Error(`answered with ${JSON.stringify(message)}`));
    } else {
      this.#violations.add(type === ERROR ? 'error' : 'unexpected message', JSON.stringify(message).slice(0, 200));
    }
  }

  /** @param {Error} reason */
  #rejectAll(reason) {
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { reject } of asked) reject(reason);
  }
}

/**
 * @param {number} type of an answer
 * @param {Message} message the answer, or its question
 */
function idIn(type, message) {
  if (type === WELCOME) return HELLO_ID;
  if (type === GOODBYE) return GOODBYE_ID;
  return type === ERROR ? message[2] : message[1];
}

/** An ERROR in place of an answer. */
export class RequestError extends Error {
  /** @param {Message} message */
  constructor(message) {
    super(`answered with ${JSON.stringify(message)}`);
    this.uri = message[4];
  }
}

/**
 * @param {number} count
 * @param {() => Promise<WampSession>} open
 * @returns {Promise<WampSession[]>} opened 16 at a time: a listen queue is short
 */
export async function openMany(count, open) {
  const sessions = /** @type {WampSession[]} */ ([]);
  let started = 0;
  const opener = async () => {
    while (started < count) {
      started++;
      sessions.push(await open());
    }
  };
  await Promise.all(Array.from({ length: 16 }, opener));
  return sessions;
}
