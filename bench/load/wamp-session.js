/**
 * One anonymous WAMP session on a {@link WebSocketClient}: joins, asks, and hands routed messages to handlers.
 *
 * It carries no library's idea of a client, so its cost is small and the same for every router.
 */
import { CODECS } from './codec.js';
import { WebSocketClient } from './websocket.js';

export const CALL = 48;
export const YIELD = 70;
export const PUBLISH = 16;
export const PUBLISHED = 17;
export const EVENT = 36;
export const RESULT = 50;
export const INVOCATION = 68;
const HELLO = 1;
const WELCOME = 2;
const ERROR = 8;
const SUBSCRIBE = 32;
const SUBSCRIBED = 33;
const REGISTER = 64;
const REGISTERED = 65;

const ROLES = {
  caller: { features: { progressive_call_results: true } },
  callee: { features: { progressive_call_results: true } },
  publisher: { features: {} },
  subscriber: { features: {} },
};

/**
 * @typedef {import('./sequence.js').Violations} Violations
 * @typedef {readonly unknown[]} Message
 * @typedef {keyof typeof CODECS} Serializer
 */

export class WampSession {
  client;
  codec;
  /** Message type -> what to do with it. @type {Map<number, (message: Message) => void>} */
  handlers = new Map();
  /** Sees the raw bytes first; true when it has dealt with it. @type {(bytes: Buffer, start: number, end: number) => boolean} */
  intercept = () => false;

  #violations;
  #requestId = 0;
  /** The answer that is waited for; a session here has one open question at a time. */
  #asked =
    /** @type {{ type: number, resolve: (message: Message) => void, reject: (e: Error) => void } | undefined} */ (
      undefined
    );

  /**
   * @param {WebSocketClient} client
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
      if (this.#asked === undefined) violations.add('connection lost', reason.message);
      else this.#asked.reject(reason);
    };
  }

  /**
   * @param {URL} url
   * @param {string} realm
   * @param {Violations} violations
   * @param {{ serializer?: Serializer, cookie?: string | undefined }} [options]
   */
  static async open(url, realm, violations, { serializer = 'json', cookie } = {}) {
    const codec = CODECS[serializer];
    const client = await WebSocketClient.open(url, codec.subprotocol, { binary: codec.binary, cookie });
    const session = new WampSession(client, violations, codec);
    await session.#ask(WELCOME, [HELLO, realm, { roles: ROLES, authmethods: ['anonymous'] }]);
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
   * @returns {Promise<any>} the first value of the result
   */
  async call(procedure, args = []) {
    const [, , , values] = await this.#ask(RESULT, [CALL, this.nextRequestId(), {}, procedure, args]);
    return Array.isArray(values) ? values[0] : undefined;
  }

  /**
   * @param {number} type of the answer
   * @param {Message} message
   * @returns {Promise<Message>}
   */
  #ask(type, message) {
    return new Promise((resolve, reject) => {
      this.#asked = { type, resolve, reject };
      this.send(message);
    });
  }

  /** @param {Message} message */
  #onMessage(message) {
    const type = Number(message[0]);
    const asked = this.#asked;
    const handler = this.handlers.get(type);
    if (handler !== undefined) {
      handler(message);
    } else if (asked?.type === type) {
      this.#asked = undefined;
      asked.resolve(message);
    } else if (asked !== undefined) {
      this.#asked = undefined;
      asked.reject(new Error(`answered with ${JSON.stringify(message)}`));
    } else {
      this.#violations.add(type === ERROR ? 'error' : 'unexpected message', JSON.stringify(message).slice(0, 200));
    }
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
