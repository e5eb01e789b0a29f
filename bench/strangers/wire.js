/**
 * The connections of somebody who means harm: they send what they are told, never answer a ping by themselves unless they read,
 * and expect to be cut.
 */
import net from 'node:net';
import { encode as encodeMsgpack } from '@msgpack/msgpack';
import { WebSocket } from 'ws';

/** How much waits in a socket before its attacker waits, too: more is only his own memory. */
const MAX_WAITING_BYTES = 8_388_608;
const WAIT_MS = 5;
const MAX_KEPT_MESSAGES = 10;

export const ROLES = {
  caller: { features: { progressive_call_results: true, progressive_call_invocations: true } },
  callee: { features: { progressive_call_results: true, progressive_call_invocations: true } },
  publisher: { features: { publisher_exclusion: true } },
  subscriber: { features: { pattern_based_subscription: true } },
};

/** Everything that one attack has open. */
export class Attacker {
  #port;
  #rawPort;
  #address;
  /** @type {{ destroy: () => void }[]} */
  #held = [];
  /** When it has to be over, in milliseconds of `Date`. */
  deadline;
  /** How often it was cut, refused or not even let in. */
  turnedAway = 0;

  /** @param {{ port: number, rawPort: number, address: string, seconds: number }} place where it connects to, and from */
  constructor({ port, rawPort, address, seconds }) {
    this.#port = port;
    this.#rawPort = rawPort;
    this.#address = address;
    this.deadline = Date.now() + seconds * 1000;
  }

  get isOver() {
    return Date.now() >= this.deadline;
  }

  /** @param {{ destroy: () => void }} connection */
  #hold(connection) {
    this.#held.push(connection);
  }

  /** Ends all that it holds, without a word. */
  letGo() {
    for (const connection of this.#held.splice(0)) connection.destroy();
  }

  /** @returns {Promise<net.Socket | undefined>} a bare socket; undefined when it is not let in */
  socket(port = this.#port) {
    return new Promise((resolve) => {
      const socket = net.connect({ port, host: '127.0.0.1', localAddress: this.#address });
      this.#hold(socket);
      socket.once('connect', () => resolve(socket));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.turnedAway++;
        resolve(undefined);
      });
    });
  }

  /** @returns {Promise<Client | undefined>} a WebSocket without a session */
  connect(path = '/ws', serializer = 'json') {
    return new Promise((resolve) => {
      const socket = new WebSocket(`ws://127.0.0.1:${this.#port}${path}`, [`wamp.2.${serializer}`], {
        localAddress: this.#address,
      });
      this.#hold({ destroy: () => socket.terminate() });
      socket.once('open', () => resolve(new Client(socket, serializer)));
      socket.on('error', () => undefined);
      socket.on('close', () => {
        this.turnedAway++;
        resolve(undefined);
      });
    });
  }

  /** @returns {Promise<Client | undefined>} one with a session */
  async join(path = '/ws', { serializer = 'json', realm = 'realm1' } = {}) {
    const client = await this.connect(path, serializer);
    client?.send([1, realm, { roles: ROLES }]);
    return (await client?.next()) === undefined ? undefined : client;
  }

  /** @returns {Promise<net.Socket | undefined>} a RawSocket with a session, which reads nothing from then on */
  async joinRaw() {
    const socket = await this.socket(this.#rawPort);
    if (socket === undefined) return undefined;
    socket.write(Buffer.from('7ff10000', 'hex'));
    socket.write(rawFrame([1, 'realm1', { roles: ROLES }]));
    return socket;
  }
}

/** A WebSocket of an attacker. */
export class Client {
  #socket;
  #encode;
  /** @type {((message: Buffer | undefined) => void)[]} */
  #waiting = [];
  /** What came and was not asked for yet; most is never asked for. @type {Buffer[]} */
  #inbox = [];

  /**
   * @param {WebSocket} socket
   * @param {string} serializer
   */
  constructor(socket, serializer) {
    this.#socket = socket;
    this.#encode = serializer === 'json' ? JSON.stringify : encodeMsgpack;
    socket.on('message', (data) => this.#receive(/** @type {Buffer} */ (data)));
    socket.on('close', () => this.#waiting.splice(0).forEach((resolve) => resolve(undefined)));
  }

  get isOpen() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  /** @param {unknown} message an array, or what is sent as it is */
  send(message) {
    if (!this.isOpen) return;
    this.#socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : this.#encode(message));
  }

  /** Waits as long as the node does not read what was sent. */
  async drained() {
    while (this.isOpen && this.#socket.bufferedAmount > MAX_WAITING_BYTES) await pause(WAIT_MS);
  }

  /** @returns {Promise<Buffer | undefined>} the next message; undefined when there will be none */
  next() {
    if (this.#inbox.length > 0 || !this.isOpen) return Promise.resolve(this.#inbox.shift());
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** @param {Buffer} message */
  #receive(message) {
    const resolve = this.#waiting.shift();
    if (resolve !== undefined) resolve(message);
    else if (this.#inbox.length < MAX_KEPT_MESSAGES) this.#inbox.push(message);
  }

  /** Reads nothing any more. */
  stopReading() {
    this.#socket.pause();
  }
}

/** @param {number} ms */
export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** @param {unknown} message */
export function rawFrame(message) {
  const payload = Buffer.from(JSON.stringify(message));
  const head = Buffer.alloc(4);
  head.writeUInt32BE(payload.length);
  return Buffer.concat([head, payload]);
}
