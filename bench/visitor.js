/** A client of bench/logins.js: opens one session after the other on a connection, and asks one thing at a time. */
import { CODECS } from './load/codec.js';
import { WebSocketClient } from './load/websocket.js';

/** Codes of WAMP. */
const [HELLO, WELCOME, CHALLENGE, AUTHENTICATE, GOODBYE, CALL, RESULT] = [1, 2, 4, 5, 6, 48, 50];
const REALM = 'realm1';
const ROLES = { caller: {}, subscriber: {} };
const { json: CODEC } = CODECS;

export class Visitor {
  #client;
  /** @type {{ resolve: (message: any[]) => void, reject: (reason: Error) => void } | undefined} */
  #asked;
  #requests = 0;

  /** @param {WebSocketClient} client */
  constructor(client) {
    this.#client = client;
    client.onMessage = (bytes, start, end) => this.#asked?.resolve([...CODEC.decode(bytes, start, end)]);
    client.onEnd = (reason) => this.#asked?.reject(reason);
  }

  /**
   * @param {URL} url
   * @param {string} [cookie]
   */
  static async open(url, cookie) {
    return new Visitor(await WebSocketClient.open(url, CODEC.subprotocol, { cookie }));
  }

  /**
   * HELLO to WELCOME.
   *
   * @param {object} hello
   * @param {(extra: any) => string} [answer]
   */
  async join(hello, answer) {
    const first = await this.#ask([HELLO, REALM, { roles: ROLES, ...hello }]);
    const isAsked = first[0] === CHALLENGE && answer !== undefined;
    const last = isAsked ? await this.#ask([AUTHENTICATE, answer(first[2]), {}]) : first;
    if (last[0] !== WELCOME) throw new Error(`HELLO was answered with ${JSON.stringify(last)}`);
  }

  /** GOODBYE and its answer. The connection is there for another HELLO. */
  async leave() {
    const [code] = await this.#ask([GOODBYE, {}, 'wamp.close.close_realm']);
    if (code !== GOODBYE) throw new Error(`GOODBYE was answered with a message of type ${code}`);
  }

  /** @param {string} procedure @param {object} kwargs @returns {Promise<any>} the first value of the result */
  async call(procedure, kwargs) {
    const answer = await this.#ask([CALL, ++this.#requests, {}, procedure, [], kwargs]);
    if (answer[0] !== RESULT) throw new Error(`${procedure} was answered with ${JSON.stringify(answer)}`);
    return answer[3][0];
  }

  drop() {
    this.#client.drop();
  }

  /** @param {readonly unknown[]} message @returns {Promise<any[]>} */
  #ask(message) {
    return new Promise((resolve, reject) => {
      this.#asked = { resolve, reject };
      this.#client.send(CODEC.encode(message));
    });
  }
}
