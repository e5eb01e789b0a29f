/**
 * The smallest WebSocket client that the load generator needs: text or binary messages over one TCP connection.
 *
 * It exists so that the generator is not what limits a measurement: server frames are read where they lie, without a
 * copy or a string. It sends every message in a frame and a write of its own, as independent clients do. Anything a
 * server may not send here (a masked, compressed or fragmented frame, or the other kind) ends it with an error.
 */
import { createHash, randomBytes } from 'node:crypto';
import net from 'node:net';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
// One key for all handshakes of this process: the answer to it is computed once, not per connection.
const KEY = randomBytes(16).toString('base64');
const ACCEPT = createHash('sha1')
  .update(KEY + GUID)
  .digest('base64');
const MASK = randomBytes(4);
const MASK_WORD = new Int32Array(new Uint8Array(MASK).buffer)[0] ?? 0;

const TEXT = 0x81;
const BINARY = 0x82;
const CLOSE = 0x88;
const PING = 0x89;
const PONG = 0x8a;
const MAX_HEAD_BYTES = 16_384;
const MAX_SENT_BYTES = 65_535;

/**
 * @callback OnMessage
 * @param {Buffer} bytes the chunk that holds the message; valid during the call only
 * @param {number} start where the message begins
 * @param {number} end where it ends
 */

export class WebSocketClient {
  /** @type {OnMessage} */
  onMessage = () => undefined;
  /** @type {(text: string) => void} */
  onPong = () => undefined;
  /** Called once, when the connection ends in another way than by {@link drop}. @type {(reason: Error) => void} */
  onEnd = () => undefined;
  /** Whole `Set-Cookie` values of the handshake. @type {readonly string[]} */
  setCookies = [];

  #socket;
  #kind;
  /** Bytes of a frame that has not come in full. @type {Buffer | undefined} */
  #rest;
  #ended = false;

  /**
   * @param {net.Socket} socket
   * @param {boolean} binary
   */
  constructor(socket, binary) {
    this.#socket = socket;
    this.#kind = binary ? BINARY : TEXT;
  }

  /**
   * @param {URL} url a `ws:` address
   * @param {string} subprotocol
   * @param {{ binary?: boolean, cookie?: string | undefined }} [options] the kind of its messages; what a browser sends along
   * @returns {Promise<WebSocketClient>} settled after the 101 was read and checked
   */
  static open(url, subprotocol, { binary = false, cookie } = {}) {
    return new Promise((resolve, reject) => {
      const socket = net.connect({ host: url.hostname, port: Number(url.port || 80), noDelay: true });
      const client = new WebSocketClient(socket, binary);
      let head = /** @type {Buffer} */ (Buffer.alloc(0));
      const refuse = (/** @type {Error} */ reason) => {
        socket.destroy();
        reject(reason);
      };
      const onClose = () => refuse(new Error('the server closed the connection during the handshake'));
      const onHead = (/** @type {Buffer} */ chunk) => {
        head = head.length === 0 ? chunk : Buffer.concat([head, chunk]);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0 && head.length <= MAX_HEAD_BYTES) return;
        try {
          client.setCookies = checkHandshake(head.toString('latin1', 0, Math.max(end, 0)), subprotocol);
        } catch (error) {
          refuse(error instanceof Error ? error : new Error(String(error)));
          return;
        }
        socket.off('data', onHead).off('error', refuse).off('close', onClose);
        client.#listen();
        resolve(client);
        if (head.length > end + 4) queueMicrotask(() => client.#read(head.subarray(end + 4)));
      };
      socket.on('data', onHead).on('error', refuse).on('close', onClose);
      socket.write(
        `GET ${url.pathname}${url.search} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\n` +
          `Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n` +
          `Sec-WebSocket-Protocol: ${subprotocol}\r\n${cookie === undefined ? '' : `Cookie: ${cookie}\r\n`}\r\n`,
      );
    });
  }

  /** @param {string | Uint8Array} message a text has ASCII only */
  send(message) {
    if (!this.#ended) this.#socket.write(maskedFrame(this.#kind, message));
  }

  /**
   * Sends several in one write, as a client does that has much to say.
   *
   * @param {readonly (string | Uint8Array)[]} messages
   */
  sendAll(messages) {
    this.#socket.cork();
    for (const message of messages) this.send(message);
    this.#socket.uncork();
  }

  /** @param {string} text comes back with {@link onPong} */
  ping(text) {
    if (!this.#ended) this.#socket.write(maskedFrame(PING, text));
  }

  /** How many bytes wait because the server does not read. */
  get unsentBytes() {
    return this.#socket.writableLength;
  }

  /** Reads nothing any more. */
  pause() {
    this.#socket.pause();
  }

  resume() {
    this.#socket.resume();
  }

  /** Leaves with a reset, like a process that was killed with unread data. */
  reset() {
    this.#ended = true;
    this.#socket.resetAndDestroy();
  }

  /** Leaves without a closing handshake, like a browser tab whose machine goes to sleep. */
  drop() {
    this.#ended = true;
    this.#socket.destroy();
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
    let offset = 0;
    while (!this.#ended && offset < data.length) {
      const next = this.#readFrame(data, offset);
      if (next < 0) break;
      offset = next;
    }
    if (!this.#ended && offset < data.length) this.#rest = Buffer.from(data.subarray(offset));
  }

  /**
   * @param {Buffer} data
   * @param {number} offset
   * @returns {number} where the next frame begins; -1 while this one is not complete
   */
  #readFrame(data, offset) {
    if (data.length < offset + 2) return -1;
    const kind = data.readUInt8(offset);
    let length = data.readUInt8(offset + 1);
    let start = offset + 2;
    if (length === 126) {
      if (data.length < start + 2) return -1;
      length = data.readUInt16BE(start);
      start += 2;
    } else if (length === 127) {
      if (data.length < start + 8) return -1;
      length = Number(data.readBigUInt64BE(start));
      start += 8;
    }
    const end = start + length;
    if (data.length < end) return -1;
    if (kind === this.#kind) this.onMessage(data, start, end);
    else this.#onOtherFrame(kind, data.subarray(start, end));
    return end;
  }

  /**
   * @param {number} kind
   * @param {Buffer} payload
   */
  #onOtherFrame(kind, payload) {
    if (kind === PING) this.#socket.write(maskedFrame(PONG, payload.toString('latin1')));
    else if (kind === CLOSE) this.#end(new Error(`the server sent a close frame: ${closeText(payload)}`));
    else if (kind === PONG) this.onPong(payload.toString('latin1'));
    else this.#end(new Error(`unexpected frame, first byte 0x${kind.toString(16)}`));
  }
}

/**
 * @param {number} kind
 * @param {string | Uint8Array} message a text has one byte per character
 */
function maskedFrame(kind, message) {
  const { length } = message;
  if (length > MAX_SENT_BYTES)
    throw new RangeError(`the load generator sends at most ${MAX_SENT_BYTES} bytes in a message`);
  // The payload begins at byte 8 and so on a word border: masking word by word keeps the generator fast.
  const words = (length + 3) >> 2;
  const room = Buffer.allocUnsafe(8 + words * 4);
  if (typeof message === 'string') room.write(message, 8, 'latin1');
  else room.set(message, 8);
  const payload = new Int32Array(room.buffer, room.byteOffset + 8, words);
  for (let i = 0; i < words; i++) payload[i] = /** @type {number} */ (payload[i]) ^ MASK_WORD;
  MASK.copy(room, 4);
  if (length < 126) {
    room[2] = kind;
    room[3] = 0x80 | length;
    return room.subarray(2, 8 + length);
  }
  room[0] = kind;
  room[1] = 0x80 | 126;
  room.writeUInt16BE(length, 2);
  return room.subarray(0, 8 + length);
}

/**
 * @param {string} head status line and header lines
 * @param {string} subprotocol
 * @returns {string[]} the Set-Cookie values
 */
function checkHandshake(head, subprotocol) {
  const [status = '', ...lines] = head.split('\r\n');
  if (!status.startsWith('HTTP/1.1 101')) throw new Error(`the handshake was answered with "${status}"`);
  const setCookies = [];
  let accept;
  let chosen;
  for (const line of lines) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'sec-websocket-accept') accept = value;
    else if (name === 'sec-websocket-protocol') chosen = value;
    else if (name === 'set-cookie') setCookies.push(value);
  }
  if (accept !== ACCEPT) throw new Error('the handshake was answered with a wrong Sec-WebSocket-Accept');
  if (chosen !== subprotocol) throw new Error(`subprotocol ${subprotocol} was not chosen, but ${chosen ?? 'none'}`);
  return setCookies;
}

/** @param {Buffer} payload */
function closeText(payload) {
  return payload.length < 2 ? 'no code' : `${payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`.trim();
}
