/**
 * A connection that a front has, at its router: in the place of a socket there is a link, and frames that are ready go out by it. All else
 * is that of any connection.
 */
import { sayInstead } from '../transport/rawsocket/not-sent.js';
import { WampConnection } from '../transport/connection.js';
import { Kind } from './records.js';
import { CREDIT_BYTES, CREDIT_SIZE } from './shapes.js';
import type { ClientInfo } from '../auth/method.js';
import type { Codec } from '../serializer/serializer.js';
import type { CloseCause, TransportFacts } from '../session/transport.js';
import type { RouterMessage } from '../wamp/message.js';
import type { Fault } from '../transport/endings.js';
import type { TransportHost } from '../transport/transport-host.js';
import type { Carrier, FrameTaker, Wire } from '../transport/wire.js';
import type { Link } from './link.js';
import type { End, Move, Standing } from './shapes.js';

/** The bytes that were worked off are given back in pieces of this size: a record costs more than to wait for some. */
const GIVEN_BACK = CREDIT_BYTES / 4;

/** The link, as a client of it sees it. */
type ClientLink = Pick<Link, 'event' | 'facts' | 'record'>;

/**
 * What stands for the socket of a client, and what its frames go to as long as it is there: its number is somebody else's soon. Nothing
 * waits here: the front has the bounds of each.
 */
export class LinkedCarrier implements Carrier, FrameTaker {
  // What each event looks at lies together: with many subscribers the time is that of the memory.
  readonly #link: ClientLink;
  readonly #number: number;
  destroyed = false;
  waitingBytes = 0;
  readonly isElsewhere = true;
  readonly writable = true;
  readonly writableLength = 0;
  readonly bytesWritten = 0;
  readonly remoteAddress: string | undefined;

  constructor(remoteAddress: string | undefined, link: ClientLink, number: number) {
    this.remoteAddress = remoteAddress;
    this.#link = link;
    this.#number = number;
  }

  take(frame: Buffer, isEvent: boolean): void {
    if (this.destroyed) return;
    if (isEvent) this.#link.event(this.#number, frame);
    else this.#link.record(Kind.FRAME, this.#number, frame);
  }

  /** It has to make room for others before its handshake is done. */
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.#link.record(Kind.CUT, this.#number);
  }

  write(): void {
    throw new TypeError('frames go out by the link');
  }

  cork(): void {
    // Nothing is written here.
  }

  uncork(): void {
    // Nothing is written here.
  }

  once(): void {
    // Nothing waits here.
  }
}

/** What was agreed in the handshake at the front. */
export interface LinkedTerms {
  readonly link: ClientLink;
  readonly number: number;
  readonly carrier: LinkedCarrier;
  readonly client: ClientInfo;
  readonly codec: Codec;
  readonly maxFrameBytes?: number | undefined;
  readonly facts: TransportFacts;
  /** Whether what is larger than it takes is said to the client in other words: that of RawSocket. */
  readonly saysInstead: boolean;
  /** Whether it came from another router, where it goes back to when its session has ended. */
  readonly isVisitor?: boolean;
}

/** Tells the front what is to become of the connection. */
export class LinkedWire implements Wire {
  readonly connection: WampConnection;
  readonly facts: TransportFacts;
  isPaused = false;
  readonly #terms: LinkedTerms;
  readonly #host: TransportHost;
  /** What came and was not given back. */
  #owedBytes = 0;
  #isMade = false;
  /** It has a session with another router, which ends it. */
  #isAway = false;
  /** How it was to end meanwhile. */
  #end: End | undefined;
  /** It has left for the router that it came from: what still comes is for that one. */
  #isBack = false;

  constructor(terms: LinkedTerms, host: TransportHost) {
    const { carrier, client, codec, maxFrameBytes } = terms;
    this.#terms = terms;
    this.#host = host;
    this.facts = terms.facts;
    this.connection = new WampConnection(
      this,
      {
        socket: carrier,
        client,
        codec,
        taker: carrier,
        checksUtf8: false,
        ...(maxFrameBytes !== undefined && { maxFrameBytes }),
      },
      host,
    );
    this.#isMade = true;
  }

  stands(isEstablished: boolean): void {
    // At the beginning the front takes it for a stranger.
    if (!this.#isMade || this.#isAway || this.#terms.carrier.destroyed) return;
    const { link, number, isVisitor = false } = this.#terms;
    if (isVisitor && !isEstablished && !this.connection.hasSaidGoodbye) {
      this.#isBack = true;
      return link.record(Kind.RETURN, number);
    }
    link.facts(Kind.STANDING, number, { isEstablished, id: this.connection.sessionId } satisfies Standing);
  }

  /** A message of the client has come. */
  receive(data: Buffer): void {
    if (this.#isBack) return this.#giveUp(data);
    this.#owedBytes += data.length;
    if (this.#isAway) return this.#giveUp(data);
    this.connection.inbox.receive(data, this.#terms.codec.serializer.binary);
    this.#giveBack(GIVEN_BACK);
  }

  /** The client goes to another router, and what it says with it. Until {@link cameHome} nothing is to become of it here. */
  goesAway(to: Move): void {
    this.#isAway = true;
    this.#terms.link.facts(Kind.MOVE, this.#terms.number, to);
    this.connection.sessionOpened();
  }

  /** The client may say HELLO here again. */
  cameHome(): void {
    if (!this.#isAway) return;
    this.#isAway = false;
    this.#giveBack(1);
    this.connection.sessionEnded();
    const { link, number } = this.#terms;
    if (this.#end !== undefined) link.facts(Kind.CLOSE, number, this.#end);
  }

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
    this.#giveBack(1);
  }

  stopReading(): void {
    this.isPaused = true;
  }

  end(cause: CloseCause | Fault, text: string): void {
    const { link, number, carrier } = this.#terms;
    if (this.#isAway) this.#end = { cause, text };
    else if (!carrier.destroyed) link.facts(Kind.CLOSE, number, { cause, text } satisfies End);
  }

  evict(text: string): void {
    const { link, number, carrier } = this.#terms;
    if (!carrier.destroyed) link.record(Kind.EVICT, number, Buffer.from(text));
  }

  terminate(): void {
    this.#terms.carrier.destroy();
  }

  /** The front answers pings. */
  pongFrame(): Buffer {
    throw new TypeError('pings stay at the front');
  }

  notSent(message: RouterMessage, error: unknown): void {
    if (!this.#terms.saysInstead) throw error;
    sayInstead(this.connection, this.#host, message, error);
  }

  #giveUp(data: Buffer): void {
    const { link, number } = this.#terms;
    link.record(Kind.BACK, number, data);
  }

  #giveBack(least: number): void {
    const { link, number, carrier } = this.#terms;
    if (this.isPaused || this.#owedBytes < least || carrier.destroyed) return;
    const credit = Buffer.allocUnsafe(CREDIT_SIZE);
    credit.writeUInt32LE(this.#owedBytes);
    this.#owedBytes = 0;
    link.record(Kind.CREDIT, number, credit);
  }
}
