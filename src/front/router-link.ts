/**
 * The end of a link at the front. Its acceptors ask here whether a client may come in, and make sessions that are with the router.
 *
 *     a client -> ENTER .. ADMITTED -> its handshake -> OPENED, MESSAGE ..  .. FRAME, EVENTS, CLOSE -> GONE .. FORGOTTEN
 *                      .. REFUSED                                                                  -> GONE .. FORGOTTEN
 *
 * A realm may be with another router of the node. Then the first one sends the client there (MOVE) with the HELLO that it could not answer. It
 * keeps its word for the cookie and the place among the connections, and has the client back when its session has ended (RETURN, HOME).
 */
import type { Socket } from 'node:net';
import { BadRecord } from '../system/stream/record-reader.js';
import { WampConnection } from '../transport/connection.js';
import { TurnedAway } from '../transport/apart/entrance.js';
import { addressOf, isSecure, peerOf } from '../transport/peer.js';
import { RAWSOCKET_FRAMING } from '../transport/rawsocket/framing.js';
import { channelBindingOf, tlsClientOf } from '../transport/tls/peer.js';
import { UNFRAMED } from '../transport/websocket/framing.js';
import { Link } from './link.js';
import { LinkedSession } from './linked-session.js';
import { ReadyFrame } from './passed-on.js';
import { Kind, ROUTER_KINDS, eventsIn } from './records.js';
import { admittanceIn, creditIn, endIn, moveIn, refusedIn, standingIn } from './shapes.js';
import type { Framing } from '../serializer/serializer.js';
import type { ConnectionSession, SessionTransport } from '../session/transport.js';
import type { Entrance, Entered } from '../transport/apart/entrance.js';
import type { RequestHead } from '../transport/request-head.js';
import type { LinkDeps, LinkOwner } from './link.js';
import type { Entry, EntryTls, FramingWord, Move, Opening } from './shapes.js';

/** What the end of a link at a front is made with. */
export interface RouterLinkDeps extends LinkDeps {
  /** What is for the front itself. @throws BadRecord */
  readonly onControl?: (kind: Kind, content: Buffer) => void;
  /** The router is gone. */
  readonly gone: (why: string | undefined) => void;
}

/** @returns another router of the node; undefined where it is not there at present. */
export type OtherRouter = (name: string) => RouterLink | undefined;

/** A client, from its question to the moment when both ends have forgotten it. */
interface Guest {
  readonly socket: Socket;
  session: LinkedSession | undefined;
  answer: ((verdict: Entered | TurnedAway) => void) | undefined;
  /** It has gone back to the router that it came from. */
  hasLeft: boolean;
}

const NOT_THERE = 'the router is not there';

const BINDINGS = ['tls-unique', 'tls-exporter'] as const;

/** The router of a front. */
export class RouterLink implements LinkOwner {
  readonly #link: Link;
  readonly #deps: RouterLinkDeps;
  readonly #guests = new Map<number, Guest>();
  readonly #numbers = new Map<object, number>();
  /** Numbers that both ends have forgotten. */
  readonly #free: number[] = [];
  #lastNumber = 0;
  #isGone = false;
  /** Undefined where there is no other. */
  #otherRouter: OtherRouter | undefined;

  constructor(socket: Socket, deps: RouterLinkDeps) {
    this.#deps = deps;
    this.#link = new Link(socket, this, deps);
  }

  /** How many numbers are in use. */
  get size(): number {
    return this.#guests.size;
  }

  /** @returns what the acceptor of a place asks. @param place by which name the router knows it */
  entranceOf(place: string): Entrance {
    return { enter: (socket, req) => this.#enter(place, socket, req) };
  }

  /** Clients may be sent to other routers from now on. */
  leadsOn(otherRouter: OtherRouter): void {
    this.#otherRouter = otherRouter;
  }

  /** See `SessionDeps.open`. */
  open(transport: SessionTransport): ConnectionSession {
    if (!(transport instanceof WampConnection)) throw new TypeError('a front has connections only');
    const number = this.#numbers.get(transport.counted);
    const guest = number === undefined ? undefined : this.#guests.get(number);
    if (number === undefined || guest === undefined) throw new TypeError('nobody has let this connection in');
    const [{ log }, mayMove] = [this.#deps, this.#otherRouter !== undefined];
    const seat = { link: this.#link, number };
    const session = new LinkedSession(transport, { seat, log, mayMove, openingOf });
    guest.session = session;
    // It was let in, and then the router was gone. The connection is not put together yet.
    if (this.#isGone) queueMicrotask(() => session.shutdown());
    return session;
  }

  /** @returns clients for whom something waits, and how much, in bytes. */
  waiting(limit: number): [number: number, bytes: number][] {
    const found: [number, number][] = [];
    for (const [number, { session }] of this.#guests) {
      const bytes = session?.connection.waitingBytes ?? 0;
      if (bytes > 0 && found.push([number, bytes]) === limit) break;
    }
    return found;
  }

  /** Says something of the front itself. */
  say(kind: Kind, value: object): void {
    this.#link.facts(kind, 0, value);
  }

  end(): void {
    this.#link.end();
  }

  drained(): void {
    for (const { session } of this.#guests.values()) session?.mayGoOn();
  }

  readonly onRecord = (kind: Kind, number: number, content: Buffer): void => {
    if (kind === Kind.EVENTS) return this.#events(number, content);
    if (number === 0) return this.#deps.onControl?.(kind, content);
    if (!ROUTER_KINDS.has(kind)) throw new BadRecord('a router says what routers do not');
    const guest = this.#guests.get(number);
    if (guest === undefined) return;
    if (kind === Kind.FORGOTTEN) return this.#forget(number, guest);
    const { session } = guest;
    if (kind === Kind.BACK) session?.pass(content);
    else if (guest.hasLeft) return;
    else if (session !== undefined && kind === Kind.MOVE) this.#moves(session, guest.socket, moveIn(content));
    else if (session !== undefined && kind === Kind.RETURN) {
      guest.hasLeft = true;
      session.goesHome();
    } else if (session !== undefined) this.#tell(session, kind, content);
    else if (kind === Kind.ADMITTED) this.#answer(guest, admittanceIn(content));
    else if (kind === Kind.REFUSED) {
      const { status, text, headers } = refusedIn(content);
      this.#answer(guest, new TurnedAway(status, text, headers));
    } else if (kind === Kind.CUT || kind === Kind.EVICT) guest.socket.destroy();
  };

  gone(why: string | undefined): void {
    this.#isGone = true;
    for (const [number, guest] of this.#guests) {
      if (guest.socket.closed) this.#guests.delete(number);
      this.#answer(guest, routerGone());
      if (!guest.hasLeft) guest.session?.shutdown();
    }
    this.#deps.gone(why);
  }

  #moves(session: LinkedSession, socket: Socket, { to, entry }: Move): void {
    if (session.isOver) return;
    const other = this.#otherRouter?.(to);
    if (other === undefined || other.#isGone) session.connection.close('unavailable', NOT_THERE);
    else other.#takeIn(session, socket, entry);
  }

  #takeIn(session: LinkedSession, socket: Socket, entry: Entry): void {
    const number = this.#nextNumber();
    this.#guests.set(number, { socket, session, answer: undefined, hasLeft: false });
    this.#link.facts(Kind.ENTER, number, entry);
    session.movesTo({ link: this.#link, number });
  }

  #nextNumber(): number {
    return this.#free.pop() ?? ++this.#lastNumber;
  }

  #tell(session: LinkedSession, kind: Kind, content: Buffer): void {
    const { connection } = session;
    if (kind === Kind.FRAME) {
      connection.send(ReadyFrame.of(content, false));
      session.answered();
    } else if (kind === Kind.EVENT) connection.send(ReadyFrame.of(content, true));
    else if (kind === Kind.CREDIT) session.credited(creditIn(content), this.#link);
    else if (kind === Kind.STANDING) session.stands(standingIn(content));
    else if (kind === Kind.CLOSE) {
      const { cause, text } = endIn(content);
      connection.endFor(cause, text);
    } else if (kind === Kind.EVICT) connection.evict(content.toString());
    else if (kind === Kind.CUT) connection.terminate();
    else if (kind === Kind.REFUSED) connection.close('unavailable', refusedIn(content).text);
  }

  #events(count: number, content: Buffer): void {
    const events = eventsIn(count, content);
    if (events === undefined) throw new BadRecord('a record is too short');
    // One for all: they share the frame.
    const message = ReadyFrame.of(events.frame, true);
    for (const number of events.numbers) {
      const guest = this.#guests.get(number);
      if (guest?.hasLeft === false) guest.session?.connection.send(message);
    }
  }

  #enter(place: string, socket: Socket, req: RequestHead | undefined): Promise<Entered> {
    if (this.#isGone) return Promise.reject(routerGone());
    // Its end has been told already.
    if (socket.closed) return Promise.reject(new TurnedAway(503, 'the client has gone'));
    const number = this.#nextNumber();
    const guest: Guest = { socket, session: undefined, answer: undefined, hasLeft: false };
    this.#guests.set(number, guest);
    this.#numbers.set(socket, number);
    socket.once('close', () => {
      this.#numbers.delete(socket);
      if (this.#isGone) this.#guests.delete(number);
      // Nobody else can tell it.
      else if (guest.session === undefined) this.#link.facts(Kind.GONE, number, {});
    });
    this.#link.facts(Kind.ENTER, number, entryOf(place, socket, req));
    return new Promise((resolve, reject) => {
      guest.answer = (verdict) => {
        if (verdict instanceof TurnedAway) reject(verdict);
        else resolve(verdict);
      };
    });
  }

  #answer(guest: Guest, verdict: Entered | TurnedAway): void {
    guest.answer?.(verdict);
    guest.answer = undefined;
  }

  #forget(number: number, guest: Guest): void {
    this.#answer(guest, new TurnedAway(503, 'the client has gone'));
    this.#guests.delete(number);
    this.#free.push(number);
  }
}

function routerGone(): TurnedAway {
  return new TurnedAway(503, NOT_THERE);
}

function entryOf(place: string, socket: Socket, req: RequestHead | undefined): Entry {
  const { remoteAddress, remotePort, via } = addressOf(socket);
  return {
    ...{ place, peer: peerOf(socket), remoteAddress, remotePort, via, isSecure: isSecure({ socket }) },
    tls: tlsOf(socket),
    ...(req !== undefined && { headers: req.headers, url: req.url }),
  };
}

function tlsOf(socket: Socket): EntryTls | undefined {
  const client = tlsClientOf(socket);
  if (client === undefined) return undefined;
  const bindings: Record<string, string> = {};
  for (const type of BINDINGS) {
    const binding = channelBindingOf(socket, type);
    if (binding !== undefined) bindings[type] = binding.toString('base64');
  }
  const { sha1, sha256, commonName } = client.certificate ?? {};
  if (sha1 === undefined || sha256 === undefined) return { bindings };
  return { bindings, certificate: { sha1, sha256, ...(commonName !== undefined && { commonName }) } };
}

function openingOf({ codec, maxFrameBytes, facts }: WampConnection): Opening {
  const isBounded = maxFrameBytes < Infinity;
  return {
    serializer: codec.serializer.type,
    framing: wordOf(codec.framing),
    ...(isBounded && { maxFrameBytes }),
    facts,
  };
}

function wordOf(framing: Framing): FramingWord {
  if (framing === RAWSOCKET_FRAMING) return 'rawsocket';
  return framing === UNFRAMED ? 'message' : 'websocket';
}
