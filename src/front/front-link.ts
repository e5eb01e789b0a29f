/**
 * The end of a link at the router: the clients of one front. Each has a number, from its question until both ends have forgotten it. A
 * front that is gone takes all of its clients with it: they leave in slices, so that nobody else waits for them.
 */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { BadRecord } from '../system/stream/record-reader.js';
import { ProtocolViolation } from '../wamp/error.js';
import { HELLO } from '../wamp/message.js';
import { MAX_OPENING_BYTES } from '../session/opening.js';
import { codecOf } from '../transport/codecs.js';
import { countedAddress } from '../transport/connection-limits.js';
import { TurnedAway, decide } from '../transport/apart/entrance.js';
import { decideAddress } from '../transport/peer.js';
import { RAWSOCKET_FRAMING } from '../transport/rawsocket/framing.js';
import { endLater, visitorOf } from '../transport/websocket/visitor.js';
import { websocketCodec } from '../transport/websocket/framing.js';
import { Link } from './link.js';
import type { Congestion } from './congestion.js';
import { LinkedCarrier, LinkedWire } from './linked-wire.js';
import { FRONT_KINDS, Kind } from './records.js';
import { abortIn, dropIn, entryIn, lossIn, openingIn } from './shapes.js';
import type { ClientInfo, TlsClient } from '../auth/method.js';
import type { Tracked } from '../cookie/tracker.js';
import type { SerializerTypes } from '../serializer/registry.js';
import type { Codec, Serializer } from '../serializer/serializer.js';
import type { Place } from '../transport/apart/apart.js';
import type { WampConnection } from '../transport/connection.js';
import type { LinkDeps, LinkOwner } from './link.js';
import type { Admittance, Entry, EntryTls, Loss, Opening, Refused, Vouched } from './shapes.js';

/** What the end of a link at the router is made with. */
export interface FrontLinkDeps extends LinkDeps {
  /** By their names, see `Entry.place`. */
  readonly places: ReadonlyMap<string, Place>;
  /** All fronts of the router. */
  readonly congestion: Congestion;
  /** Whether clients come that another router has let in, with its word for them. Default: none do. */
  readonly takesVisitors?: boolean;
  /** What the front says of itself. @throws BadRecord */
  readonly onControl?: (kind: Kind, content: Buffer) => void;
  /** The front is gone: called before its clients leave. @param why undefined where it just ended */
  readonly gone: (why: string | undefined) => void;
}

/** A client of the front. */
interface Guest {
  readonly place: Place;
  readonly entry: Entry;
  readonly carrier: LinkedCarrier;
  tracked: Tracked | undefined;
  wire: LinkedWire | undefined;
  /** It has sent nothing yet. */
  isSilent: boolean;
  /** A visitor may come in before the answer. */
  isRefused: boolean;
}

/** In one turn of the event loop so many clients of a front that is gone leave. */
const SLICE = 100;

/** One front. */
export class FrontLink implements LinkOwner {
  readonly #link: Link;
  readonly #deps: FrontLinkDeps;
  readonly #guests = new Map<number, Guest>();
  /** Those for whom something waited at the last look. */
  #slow: LinkedCarrier[] = [];

  constructor(socket: Socket, deps: FrontLinkDeps) {
    this.#deps = deps;
    this.#link = new Link(socket, this, deps);
    deps.congestion.add(this.#link);
  }

  /** Whether it has much to read. */
  get isSlow(): boolean {
    return this.#deps.congestion.isSlow(this.#link);
  }

  /** How many clients it has. */
  get size(): number {
    return this.#guests.size;
  }

  /** How much waits for the front, in bytes. */
  get unsentBytes(): number {
    return this.#link.unsentBytes;
  }

  /** What waits for clients, as the front tells it: of all others nothing does. */
  waits(clients: readonly (readonly [number: number, bytes: number])[]): void {
    for (const carrier of this.#slow) carrier.waitingBytes = 0;
    this.#slow = [];
    for (const [number, bytes] of clients) {
      const carrier = this.#guests.get(number)?.carrier;
      if (carrier === undefined) continue;
      carrier.waitingBytes = bytes;
      this.#slow.push(carrier);
    }
  }

  /** Tells the front what it is to do. */
  say(kind: Kind, value: object): void {
    this.#link.facts(kind, 0, value);
  }

  /** As {@link say}, with a content that is no JSON. */
  tell(kind: Kind, content: Buffer): void {
    this.#link.record(kind, 0, content);
  }

  /** Cuts the link. */
  end(why?: string): void {
    this.#link.end(why);
  }

  readonly onRecord = (kind: Kind, number: number, content: Buffer): void => {
    if (number === 0) return this.#deps.onControl?.(kind, content);
    const guest = this.#guests.get(number);
    const wire = guest?.wire;
    if (guest !== undefined && wire !== undefined && kind === Kind.MESSAGE) {
      if (guest.isSilent) this.#heard(guest);
      if (guest.place.elsewhere !== undefined) goAway(guest, content);
      return wire.receive(content);
    }
    if (!FRONT_KINDS.has(kind)) throw new BadRecord('a front says what fronts do not');
    if (kind === Kind.ENTER) return this.#enter(number, entryIn(content));
    if (guest === undefined) return;
    if (kind === Kind.GONE) this.#gone(number, guest, lossIn(content));
    else if (wire !== undefined && kind === Kind.HOME) wire.cameHome();
    else if (wire !== undefined) this.#tell(wire, kind, content);
    else if (kind === Kind.OPENED && !guest.isRefused) this.#open(number, guest, openingIn(content));
  };

  congested(): void {
    this.#deps.congestion.slow(this.#link);
  }

  drained(): void {
    this.#deps.congestion.relieved(this.#link);
  }

  gone(why: string | undefined): void {
    this.#deps.congestion.delete(this.#link);
    this.#deps.gone(why);
    const all = [...this.#guests.values()];
    this.#guests.clear();
    // Nothing is put together for those who are gone.
    for (const { carrier } of all) carrier.destroyed = true;
    const each = all.values();
    const goOn = (): void => {
      for (let left = SLICE; left > 0; left -= 1) {
        const { value: guest, done } = each.next();
        if (done === true) return;
        this.#leave(guest);
      }
      setImmediate(goOn);
    };
    goOn();
  }

  #tell({ connection }: LinkedWire, kind: Kind, content: Buffer): void {
    if (kind === Kind.DROPPED) connection.eventDropped(dropIn(content).isFirst);
    else if (kind === Kind.BROKEN) {
      const text = content.toString();
      connection.behind((session) => session.fail(new ProtocolViolation(text)));
    } else if (kind === Kind.ABORTED) {
      const { reason, message, cause } = abortIn(content);
      connection.behind((session) => session.abort(reason, message, cause));
    }
  }

  #enter(number: number, entry: Entry): void {
    const place = this.#deps.places.get(entry.place);
    if (place === undefined) throw new BadRecord('a front names a place that is none');
    if (this.#guests.has(number)) throw new BadRecord('a front gives a number twice');
    const { remoteAddress, remotePort, via, isSecure, vouched } = entry;
    if (vouched !== undefined && this.#deps.takesVisitors !== true) throw new BadRecord('a front vouches for a client');
    const carrier = new LinkedCarrier(remoteAddress, this.#link, number);
    decideAddress(carrier, { remoteAddress, remotePort, isSecure, ...(via !== undefined && { via }) });
    const tracked = vouched && trackedOf(vouched);
    const guest: Guest = { place, entry, carrier, tracked, wire: undefined, isSilent: true, isRefused: false };
    this.#guests.set(number, guest);
    const { tracker, host } = place;
    const { headers } = entry;
    const isAsked = tracker !== undefined && headers !== undefined && vouched === undefined;
    decide<Tracked>(
      { ...place, log: this.#deps.log },
      {
        admit: () => host.admit(carrier),
        ask: isAsked ? () => tracker.resolve(requestOf(entry, carrier)) : undefined,
        done: (verdict) => this.#decided(number, guest, verdict),
      },
    );
  }

  #decided(number: number, guest: Guest, verdict: Tracked | TurnedAway | undefined): void {
    if (this.#guests.get(number) !== guest) return;
    if (verdict instanceof TurnedAway) {
      const { status, message: text, headers } = verdict;
      guest.isRefused = true;
      return this.#link.facts(Kind.REFUSED, number, { status, text, headers } satisfies Refused);
    }
    guest.tracked ??= verdict;
    this.#link.facts(Kind.ADMITTED, number, { setCookie: verdict?.setCookie } satisfies Admittance);
  }

  #open(number: number, guest: Guest, opening: Opening): void {
    const { place, entry, carrier, tracked } = guest;
    const codec = codecIn(opening, place.serializers);
    if (codec === undefined) throw new BadRecord('a front speaks what its router does not');
    const { maxFrameBytes, facts, framing } = opening;
    const isVisitor = entry.vouched !== undefined;
    const terms = { link: this.#link, number, carrier, codec, maxFrameBytes, facts, isVisitor };
    const client = this.#clientOf(guest);
    guest.wire = new LinkedWire({ ...terms, client, saysInstead: framing === 'rawsocket' }, place.host);
    place.host.opened(guest.wire.connection);
    if (tracked?.lastsMs !== undefined) endLater(guest.wire.connection, tracked.lastsMs);
    if (entry.headers === undefined) guest.isSilent = false;
  }

  #clientOf({ place, entry, carrier, tracked }: Guest): ClientInfo {
    const { peer, remoteAddress, headers, tls } = entry;
    const liveCookie = tracked && place.tracker?.enter(tracked.record);
    const none = { liveCookie, heldCookie: undefined, headers: undefined, query: undefined };
    const visitor =
      headers === undefined ? none : visitorOf(requestOf(entry, carrier), place.sessions, tracked, liveCookie);
    return { peer, address: countedAddress(remoteAddress) ?? '', ...visitor, tls: tls && new LinkedTls(tls) };
  }

  /** Whoever goes on has read the answer. */
  #heard(guest: Guest): void {
    guest.isSilent = false;
    const { place, tracked } = guest;
    if (tracked?.setCookie !== undefined && tracked.record.rotated !== null) place.tracker?.delivered(tracked.record);
  }

  #gone(number: number, guest: Guest, { ending }: Loss): void {
    this.#guests.delete(number);
    this.#link.record(Kind.FORGOTTEN, number);
    if (ending !== undefined && guest.wire !== undefined) this.#noteEnding(guest.wire.connection, guest.place, ending);
    this.#leave(guest);
  }

  #noteEnding(connection: WampConnection, { host }: Place, ending: NonNullable<Loss['ending']>): void {
    if (connection.ending !== undefined) return;
    connection.ending = ending;
    if (ending === 'slow_consumer') host.counts.slowCut += 1;
  }

  #leave({ place, carrier, wire }: Guest): void {
    carrier.destroyed = true;
    wire?.connection.closed();
    place.host.left(carrier);
  }
}

/** What TLS knew of the client when it came. */
class LinkedTls implements TlsClient {
  readonly certificate: TlsClient['certificate'];
  readonly #bindings: Readonly<Record<string, string>>;

  constructor({ certificate, bindings }: EntryTls) {
    this.certificate = certificate && { ...certificate, commonName: certificate.commonName };
    this.#bindings = bindings;
  }

  channelBinding(type: string): Uint8Array | undefined {
    const binding = Object.hasOwn(this.#bindings, type) ? this.#bindings[type] : undefined;
    return binding === undefined ? undefined : Buffer.from(binding, 'base64');
  }
}

/** @returns what stands for the request of a client: its headers, its URL, and where it is. */
function requestOf({ headers = {}, url = '' }: Entry, socket: LinkedCarrier): IncomingMessage {
  return { headers, url, socket } as unknown as IncomingMessage;
}

/** A message that asks for a realm of another router sends the client there. */
function goAway({ place, entry, wire, tracked }: Guest, content: Buffer): void {
  if (wire?.connection.isOpening !== true) return;
  const realm = realmIn(content, wire.connection.codec.serializer);
  const to = realm === undefined ? undefined : place.elsewhere?.(realm);
  if (to === undefined) return;
  const vouched = { record: tracked?.record, lastsMs: tracked?.lastsMs };
  wire.goesAway({ to, entry: { ...entry, vouched } });
}

/** @returns undefined where the other router does not track cookies. */
function trackedOf({ record, lastsMs }: Vouched): Tracked | undefined {
  return record && { record, setCookie: undefined, ...(lastsMs !== undefined && { lastsMs }) };
}

/** @returns the realm of a HELLO; undefined for anything else, which the session of the client answers. */
function realmIn(content: Buffer, serializer: Serializer): string | undefined {
  if (content.length > MAX_OPENING_BYTES) return undefined;
  try {
    const [first] = serializer.split?.(content) ?? [content];
    const message = first && serializer.decode(first);
    return message?.type === HELLO ? message.realm : undefined;
  } catch (error) {
    if (error instanceof ProtocolViolation) return undefined;
    throw error;
  }
}

/** @returns undefined for words that are not ours. */
function codecIn({ serializer: word, framing }: Opening, formats: SerializerTypes): Codec | undefined {
  const all = Object.values(formats).flatMap(({ single, batched }) => [single, batched]);
  const serializer = all.find(({ type }) => type === word);
  if (serializer === undefined) return undefined;
  if (framing === 'rawsocket') return codecOf(serializer, RAWSOCKET_FRAMING);
  return websocketCodec(serializer, framing === 'websocket');
}
