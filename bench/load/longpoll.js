/**
 * WAMP in JSON over HTTP long-poll, in the place of a {@link import('./websocket.js').WebSocketClient}. Without batches every message
 * has a request of its own, and several are under way, as with autobahn-js. With batches one request is under way, and the next one
 * takes along what was said meanwhile.
 */
import http from 'node:http';

/** Stands behind each message of a batch. */
const SEPARATOR = '\x1e';
const SEPARATOR_BYTE = 0x1e;

export class LongPollClient {
  /** @type {import('./websocket.js').OnMessage} */
  onMessage = () => undefined;
  /** Called once, when the session ends in another way than by {@link drop}. @type {(reason: Error) => void} */
  onEnd = () => undefined;
  /** Whole `Set-Cookie` values of the handshake. @type {readonly string[]} */
  setCookies = [];
  /** How many requests it has begun. */
  requests = 0;

  #agent = new http.Agent({ keepAlive: true });
  #place;
  #isBatched;
  #ended = false;
  /** With batches: what the next request takes along. @type {string[]} */
  #unsent = [];
  #isSending = false;

  /** @param {URL} place @param {boolean} isBatched */
  constructor(place, isBatched) {
    this.#place = place;
    this.#isBatched = isBatched;
  }

  /**
   * @param {URL} place the long-poll service
   * @param {{ batched: boolean }} options
   */
  static async open(place, { batched }) {
    const client = new LongPollClient(place, batched);
    const protocol = `wamp.2.json${batched ? '.batched' : ''}`;
    const { status, bytes, setCookies } = await client.#post('open', JSON.stringify({ protocols: [protocol] }));
    const opened = status === 200 ? JSON.parse(bytes.toString()) : undefined;
    if (opened?.protocol !== protocol) {
      client.#agent.destroy();
      throw new Error(`the handshake was answered with ${status}: ${bytes.toString()}`);
    }
    client.setCookies = setCookies;
    client.#place = new URL(`${place.href}/${opened.transport}`);
    // Who opens it sets its handlers first.
    setImmediate(() => client.#poll());
    return client;
  }

  /** @param {string | Uint8Array} message a text */
  send(message) {
    if (this.#ended) return;
    const text = String(message);
    if (!this.#isBatched) return void this.#deliver(text);
    this.#unsent.push(text + SEPARATOR);
    if (!this.#isSending) void this.#sendBatches();
  }

  /** Leaves without GOODBYE, but tells that it is gone. */
  drop() {
    if (this.#ended) return;
    this.#ended = true;
    const done = () => this.#agent.destroy();
    this.#post('close', '').then(done, done);
  }

  /** Leaves without a word. */
  reset() {
    this.#ended = true;
    this.#agent.destroy();
  }

  async #sendBatches() {
    this.#isSending = true;
    while (this.#unsent.length > 0 && !this.#ended) await this.#deliver(this.#unsent.splice(0).join(''));
    this.#isSending = false;
  }

  /** @param {string} text */
  async #deliver(text) {
    try {
      const { status } = await this.#post('send', text);
      if (status !== 204) this.#end(new Error(`a message was answered with ${status}`));
    } catch (error) {
      this.#end(error);
    }
  }

  async #poll() {
    try {
      while (!this.#ended) {
        const { status, bytes } = await this.#post('receive', '');
        if (status === 200) this.#read(bytes);
        else if (status !== 204) return this.#end(new Error(`a poll was answered with ${status}`));
      }
    } catch (error) {
      this.#end(error);
    }
  }

  /** @param {Buffer} bytes */
  #read(bytes) {
    if (!this.#isBatched) return this.onMessage(bytes, 0, bytes.length);
    for (let start = 0, end = 0; start < bytes.length; start = end + 1) {
      end = bytes.indexOf(SEPARATOR_BYTE, start);
      if (end < 0) return this.#end(new Error('a batch ends within a message'));
      this.onMessage(bytes, start, end);
    }
  }

  /** @param {unknown} reason */
  #end(reason) {
    if (this.#ended) return;
    this.reset();
    this.onEnd(reason instanceof Error ? reason : new Error(String(reason)));
  }

  /**
   * @param {string} word
   * @param {string} body
   * @returns {Promise<{ status: number, setCookies: readonly string[], bytes: Buffer }>}
   */
  #post(word, body) {
    this.requests += 1;
    const { hostname, port, pathname } = this.#place;
    const headers = { 'Content-Length': Buffer.byteLength(body) };
    const options = { hostname, port, path: `${pathname}/${word}`, method: 'POST', agent: this.#agent, headers };
    return new Promise((resolve, reject) => {
      const request = http.request(options, (response) => {
        const chunks = /** @type {Buffer[]} */ ([]);
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const { statusCode: status = 0, headers } = response;
          resolve({ status, setCookies: headers['set-cookie'] ?? [], bytes: Buffer.concat(chunks) });
        });
      });
      request.on('error', reject);
      request.end(body);
    });
  }
}
