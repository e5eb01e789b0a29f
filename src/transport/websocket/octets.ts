/**
 * The octets of a WebSocket, as they are in its binary messages: how they are cut into messages means nothing. So no message is waited
 * for: what has come of one is handed on, and it may be as long as the client likes. A text message is a fault.
 */
import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { MAX_OPENING_BYTES } from '../../session/opening.js';
import { LargeFrame } from '../../serializer/large-frame.js';
import { ENDINGS, faultOf } from '../endings.js';
import { clientInfoOf } from '../peer.js';
import { FrameGate } from './frame-gate.js';
import { BINARY, controlFrame, PONG_FRAME } from './framing.js';
import { putBefore } from './read-before.js';
import { guardReceiver, inflateNoMore, limitInflated, passFragments } from './receiver-guard.js';
import { closeReason, TRY_AGAIN_LATER } from './wire.js';
import type { ClientInfo } from '../../auth/method.js';
import type { Frame } from '../../serializer/serializer.js';
import type { CloseCause, TransportFacts } from '../../session/transport.js';
import type { Fault } from '../endings.js';
import type { OctetReader, OctetStream } from '../octets/octet-stream.js';
import type { MessageSender } from '../wire.js';
import type { GateOwner } from './frame-gate.js';
import type { FeedListener, SocketReader } from './read-before.js';
import type { Upgraded } from './upgrades.js';

/** Frames that are longer come in pieces of this size. */
const PIECE_BYTES = 16_384;

/** The WebSocket of a connection: `ws` makes it, `octets` is put on it. */
export class OctetWebSocket extends WebSocket {
  octets: WebSocketOctets | undefined;

  /** As `WampWebSocket`: `ws` calls it with a code alone for a fault, and else to answer a close frame. */
  override close(code?: number, data?: string | Buffer): void {
    const { octets } = this;
    if (octets === undefined) super.close(1000);
    else if (code !== undefined && data === undefined) octets.faulty(faultOf(code));
    else octets.ends();
  }

  /** Closes with this code. */
  closeWith(code: number, text?: string): void {
    super.close(code, text);
  }
}

/** What is known when the 101 has been written. */
export interface OctetTerms extends Omit<Upgraded<OctetWebSocket, unknown>, 'agreement'> {
  /** What a piece of a compressed message may have when it is inflated, in bytes. */
  readonly maxInflatedBytes: number;
}

/** A WebSocket as a stream of octets. What comes before {@link WebSocketOctets.start} is lost: call it in the turn of the 101. */
export class WebSocketOctets implements OctetStream, GateOwner, SocketReader {
  readonly socket: Socket;
  readonly client: ClientInfo;
  readonly sender: MessageSender | undefined;
  /** Only where messages may be compressed. */
  readonly begins: (() => void) | undefined;
  readonly #ws: OctetWebSocket;
  readonly #maxInflatedBytes: number;
  readonly #gate: FrameGate;
  readonly #feed: FeedListener;
  #reader: OctetReader | undefined;
  #fault: Fault | undefined;
  /** What has come of what the socket has read at once. */
  #parts: Buffer[] = [];
  #isReading = false;

  constructor({ ws, socket, client, maxInflatedBytes }: OctetTerms) {
    this.#ws = ws;
    this.socket = socket;
    this.client = client;
    this.#maxInflatedBytes = Math.max(maxInflatedBytes, MAX_OPENING_BYTES);
    const isCompressed = ws.extensions !== '';
    if (isCompressed) {
      guardReceiver(ws);
      this.sender = ws;
      this.begins = () => this.#limitInflated();
    }
    ws.octets = this;
    passFragments(ws, (data, binary) => this.#take(data, binary));
    this.#gate = new FrameGate(Infinity, 0, this, PIECE_BYTES);
    this.#feed = putBefore(socket, this);
    ws.on('message', (data: Buffer, binary) => this.#take(data, binary));
    ws.on('error', ({ message }) => this.#failed(message));
  }

  framed(octets: Frame): Frame {
    return octets instanceof LargeFrame ? framedLarge(octets) : lastFramed(octets);
  }

  factsOf(peer: string, framing: NonNullable<TransportFacts['channel_framing']>): TransportFacts {
    return { ...clientInfoOf(this.socket, peer, framing), websocket_protocol: this.#ws.protocol };
  }

  start(reader: OctetReader): void {
    this.#reader = reader;
    this.#ws.on('ping', (payload: Buffer) => reader.reply(controlFrame(PONG_FRAME, payload)));
    this.#ws.on('pong', () => reader.ponged());
    this.#ws.on('close', () => reader.closed());
  }

  pause(): void {
    this.#ws.pause();
  }

  resume(): void {
    this.#ws.resume();
  }

  close(cause: CloseCause | Fault, text: string): void {
    this.#ws.resume();
    this.#ws.closeWith(ENDINGS[cause].code, closeReason(text));
  }

  evict(text: string): void {
    this.#ws.closeWith(TRY_AGAIN_LATER, text);
    this.socket.destroySoon();
  }

  destroy(): void {
    this.#ws.terminate();
  }

  // What the gate asks for.

  push(chunk: Buffer): void {
    this.#isReading = true;
    this.#gate.push(chunk);
    this.#isReading = false;
    this.#handOn();
  }

  socketClosed(): void {
    this.#gate.stop();
    if (this.begins !== undefined) inflateNoMore(this.#ws);
  }

  feed(chunk: Buffer): void {
    this.#feed.call(this.socket, chunk);
  }

  /** Of a stranger the reader looks at the first octets. */
  mayBeLarge(): boolean {
    return true;
  }

  /** Nothing is held: what has come is handed on. */
  holds(): void {
    return;
  }

  // What the WebSocket tells.

  /** The close frame of the client. */
  ends(): void {
    this.#handOn();
    const answer = (): void => this.#ws.closeWith(1000);
    if (this.#reader === undefined) answer();
    else this.#reader.ends(answer);
  }

  /** A frame is wrong; what is wrong is told right behind. */
  faulty(fault: Fault): void {
    this.#gate.stop();
    this.#fault ??= fault;
  }

  #failed(reason: string): void {
    const fault = this.#fault;
    if (fault === undefined) return;
    this.#handOn();
    this.#reader?.failed(fault, reason);
  }

  #take(data: Buffer, binary: boolean): void {
    if (!binary) return this.#notBinary();
    if (data.length === 0 || this.#fault !== undefined) return;
    this.#parts.push(data);
    if (!this.#isReading) this.#handOn();
  }

  #notBinary(): void {
    if (this.#fault !== undefined) return;
    this.faulty('text_message');
    this.#failed('a text message');
  }

  /** What came in many small messages is one piece for whoever reads it. */
  #handOn(): void {
    const parts = this.#parts;
    const [first, ...more] = parts;
    if (first === undefined) return;
    this.#parts = [];
    this.#reader?.receive(more.length === 0 ? first : Buffer.concat(parts));
  }

  #limitInflated(): void {
    limitInflated(this.#ws, this.#reader?.isOpening !== false ? MAX_OPENING_BYTES : this.#maxInflatedBytes);
  }
}

/** What goes to many is framed once: they get it one after the other. */
let last: { readonly octets: Buffer; readonly frame: Buffer } | undefined;

function lastFramed(octets: Buffer): Buffer {
  if (last?.octets === octets) return last.frame;
  const headBytes = BINARY.headerBytes(octets.length);
  const frame = Buffer.allocUnsafe(headBytes + octets.length);
  BINARY.writeHeader(frame, octets.length);
  octets.copy(frame, headBytes);
  last = octets.length <= MAX_REMEMBERED ? { octets, frame } : undefined;
  return frame;
}

/** It stays there until the next one comes. */
const MAX_REMEMBERED = 65_536;

function framedLarge({ head, body, tail, length, isVital }: LargeFrame): LargeFrame {
  const headBytes = BINARY.headerBytes(length);
  const framed = Buffer.allocUnsafe(headBytes + head.length);
  BINARY.writeHeader(framed, length);
  head.copy(framed, headBytes);
  return new LargeFrame(framed, body, tail, isVital);
}
