/**
 * One client of MQTT 3.1.1 of the bench. It writes and reads packets itself, and only those that the bench needs: the usual libraries
 * cost more than the servers that are measured. Many packets of one read are answered with one write, as clients do that are far away.
 */
import { once } from 'node:events';
import net from 'node:net';

/** The first octet of a packet, without the flags of a PUBLISH. */
const Packet = {
  CONNECT: 0x10,
  CONNACK: 0x20,
  PUBLISH: 0x30,
  PUBACK: 0x40,
  SUBSCRIBE: 0x82,
  SUBACK: 0x90,
  DISCONNECT: 0xe0,
};
/** @type {Buffer} */
const NOTHING = Buffer.alloc(0);

/**
 * @callback OnPublish
 * @param {Buffer} bytes
 * @param {number} start where the payload begins
 * @param {number} end
 */

export class MqttClient {
  /** @type {OnPublish} */
  onPublish = () => undefined;
  /** The server has taken a message. @type {(id: number) => void} */
  onAcknowledged = () => undefined;
  /** Called once, unless the client leaves. @type {(reason: Error) => void} */
  onEnd = () => undefined;
  #socket;
  /** @type {Buffer} */
  #rest = NOTHING;
  #lastId = 0;
  /** What the packet awaited now is for. @type {((packet: number, code: number) => void) | undefined} */
  #awaiting;

  /** @param {net.Socket} socket */
  constructor(socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', (error) => this.onEnd(error));
    socket.on('close', () => this.onEnd(new Error('the server closed the connection')));
  }

  /**
   * @param {number} port of 127.0.0.1
   * @param {{ id: string, clean?: boolean }} options
   */
  static async connect(port, { id, clean = true }) {
    const socket = net.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    const client = new MqttClient(socket);
    const fields = Buffer.concat([text('MQTT'), Buffer.of(4, clean ? 2 : 0, 0, 0), text(id)]);
    const code = await client.#ask(packet(Packet.CONNECT, fields), Packet.CONNACK);
    if (code !== 0) throw new Error(`CONNECT was answered with ${code}`);
    return client;
  }

  /**
   * @param {string} filter
   * @param {number} qos
   */
  async subscribe(filter, qos) {
    const fields = Buffer.concat([this.#nextId(), text(filter), Buffer.of(qos)]);
    const granted = await this.#ask(packet(Packet.SUBSCRIBE, fields), Packet.SUBACK);
    if (granted !== qos) throw new Error(`SUBSCRIBE was answered with ${granted}`);
  }

  /**
   * @param {Buffer} topic with its length before it: {@link text}
   * @param {string} payload
   * @param {number} qos 0 or 1
   */
  publish(topic, payload, qos) {
    const fields = [topic, ...(qos === 0 ? [] : [this.#nextId()]), Buffer.from(payload)];
    this.#socket.write(packet(Packet.PUBLISH | (qos << 1), Buffer.concat(fields)));
  }

  /** Is gone without a word. Idempotent. */
  drop() {
    this.onEnd = () => undefined;
    this.#socket.destroy();
  }

  /** Says DISCONNECT. Resolves when the server has closed. */
  async leave() {
    this.onEnd = () => undefined;
    const closed = once(this.#socket, 'close');
    this.#socket.end(Buffer.of(Packet.DISCONNECT, 0));
    await closed;
  }

  /**
   * @param {Buffer} bytes
   * @param {number} answer
   * @returns {Promise<number>} the last octet of the answer
   */
  #ask(bytes, answer) {
    return new Promise((resolve, reject) => {
      this.onEnd = reject;
      this.#awaiting = (first, code) => {
        if (first !== answer) return;
        this.#awaiting = undefined;
        resolve(code);
      };
      this.#socket.write(bytes);
    });
  }

  /** @param {Buffer} chunk */
  #read(chunk) {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const answers = /** @type {number[]} */ ([]);
    let at = 0;
    for (;;) {
      const { start, end } = fieldsAt(bytes, at);
      if (end > bytes.length) break;
      const first = bytes[at] ?? 0;
      if ((first & 0xf0) === Packet.PUBLISH) this.#takePublish(bytes, first, { start, end }, answers);
      else if (first === Packet.PUBACK) this.onAcknowledged(bytes.readUInt16BE(start));
      else this.#awaiting?.(first, bytes[end - 1] ?? 0);
      at = end;
    }
    this.#rest = bytes.subarray(at);
    if (answers.length > 0) this.#socket.write(Buffer.from(answers));
  }

  /**
   * @param {Buffer} bytes
   * @param {number} first
   * @param {{ start: number, end: number }} fields
   * @param {number[]} answers
   */
  #takePublish(bytes, first, { start, end }, answers) {
    const payload = start + 2 + bytes.readUInt16BE(start);
    const hasId = (first & 0x06) !== 0;
    if (hasId) answers.push(Packet.PUBACK, 2, bytes[payload] ?? 0, bytes[payload + 1] ?? 0);
    this.onPublish(bytes, hasId ? payload + 2 : payload, end);
  }

  #nextId() {
    this.#lastId = (this.#lastId % 65_535) + 1;
    return Buffer.of(this.#lastId >> 8, this.#lastId & 0xff);
  }
}

/** @param {string} value @returns {Buffer} with its length before it */
export function text(value) {
  const bytes = Buffer.from(value);
  return Buffer.concat([Buffer.of(bytes.length >> 8, bytes.length & 0xff), bytes]);
}

/**
 * @param {number} first
 * @param {Buffer} fields fewer than 16,384 bytes
 */
function packet(first, fields) {
  const { length } = fields;
  const head = length < 128 ? [first, length] : [first, (length & 0x7f) | 0x80, length >> 7];
  return Buffer.concat([Buffer.from(head), fields]);
}

/**
 * @param {Buffer} bytes
 * @param {number} at
 * @returns {{ start: number, end: number }} `end` lies behind the bytes where the packet has not come
 */
function fieldsAt(bytes, at) {
  let length = 0;
  for (let place = 1; at + place < bytes.length; place += 1) {
    const octet = bytes[at + place] ?? 0;
    length += (octet & 0x7f) * 128 ** (place - 1);
    if (octet < 0x80) return { start: at + place + 1, end: at + place + 1 + length };
  }
  return { start: Infinity, end: Infinity };
}
