/**
 * The smallest RawSocket client that the load generator needs, with the face of a `WebSocketClient`: four octets each way,
 * then messages with their length in front. It, too, sends every message with a write of its own.
 */
import net from 'node:net';

const MAGIC = 0x7f;
/** The largest message that it takes: 2 to the power of 9 + 15. */
const LENGTH_LIMIT = 15;
const HEAD_BYTES = 4;
/** A frame begins with its kind; all but regular messages are pings and pongs, which do not come here. */
const REGULAR = 0;
const SERIALIZER_IDS = { json: 1, msgpack: 2, cbor: 3 };

export class RawSocketClient {
  /** @type {import('./websocket.js').OnMessage} */
  onMessage = () => undefined;
  /** Called once, when the connection ends in another way than by {@link drop}. @type {(reason: Error) => void} */
  onEnd = () => undefined;
  /** There are no cookies here. @type {readonly string[]} */
  setCookies = [];

  #socket;
  /** Bytes of a message that has not come in full. @type {Buffer | undefined} */
  #rest;
  #ended = false;

  /** @param {net.Socket} socket */
  constructor(socket) {
    this.#socket = socket;
  }

  /**
   * @param {URL} url whose host and port are taken
   * @param {keyof typeof SERIALIZER_IDS} serializer
   * @returns {Promise<RawSocketClient>} settled after the answer was read and checked
   */
  static open(url, serializer) {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: url.hostname, port: Number(url.port), noDelay: true });
      const onClose = () => reject(new Error('the server closed the connection during the handshake'));
      socket.once('error', reject).once('close', onClose);
      socket.write(Buffer.from([MAGIC, (LENGTH_LIMIT << 4) | SERIALIZER_IDS[serializer], 0, 0]));
      socket.once('data', (answer) => {
        socket.off('error', reject).off('close', onClose);
        if (
          answer.length !== HEAD_BYTES ||
          answer[0] !== MAGIC ||
          ((answer[1] ?? 0) & 15) !== SERIALIZER_IDS[serializer]
        ) {
          socket.destroy();
          reject(new Error(`the RawSocket handshake was answered with ${answer.toString('hex')}`));
          return;
        }
        const client = new RawSocketClient(socket);
        client.#listen();
        resolve(client);
      });
    });
  }

  /** @param {string | Uint8Array} message a text has ASCII only */
  send(message) {
    if (this.#ended) return;
    const frame = Buffer.allocUnsafe(HEAD_BYTES + message.length);
    frame.writeUInt32BE(message.length, 0);
    if (typeof message === 'string') frame.write(message, HEAD_BYTES, 'latin1');
    else frame.set(message, HEAD_BYTES);
    this.#socket.write(frame);
  }

  /** Leaves without a word. */
  drop() {
    this.#ended = true;
    this.#socket.destroy();
  }

  /** Leaves with a reset, like a process that was killed with unread data. */
  reset() {
    this.#ended = true;
    this.#socket.resetAndDestroy();
  }

  #listen() {
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', (error) => this.#end(error));
    this.#socket.on('close', () => this.#end(new Error('the server closed the connection')));
  }

  /** @param {Error} reason */
  #end(reason) {
    if (this.#ended) return;
    this.drop();
    this.onEnd(reason);
  }

  /** @param {Buffer} chunk */
  #read(chunk) {
    const data = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = undefined;
    let start = HEAD_BYTES;
    while (!this.#ended && start <= data.length) {
      const head = data.readUInt32BE(start - HEAD_BYTES);
      if (head >>> 24 !== REGULAR) return this.#end(new Error(`unexpected frame of kind ${head >>> 24}`));
      const end = start + head;
      if (end > data.length) break;
      this.onMessage(data, start, end);
      start = end + HEAD_BYTES;
    }
    const left = start - HEAD_BYTES;
    if (!this.#ended && left < data.length) this.#rest = Buffer.from(data.subarray(left));
  }
}
