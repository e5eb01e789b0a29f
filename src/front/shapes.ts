/** What the records between a front and its router carry beside frames, as JSON. Both ends are of one build, and neither trusts the other. */
import { BadRecord } from '../system/stream/record-reader.js';
import {
  eachIs,
  fits,
  isFlag,
  isNumber,
  isObject,
  isText,
  isTexts,
  maybe,
  oneOf,
  reader,
} from '../system/stream/shapes.js';
import { CLOSE_COUNTS, ENDINGS } from '../transport/endings.js';
import type { Fault } from '../transport/endings.js';
import type { CookieRecord } from '../cookie/store.js';
import type { CloseCause, TransportFacts } from '../session/transport.js';
import type { Check, Shape } from '../system/stream/shapes.js';

/** What TLS knows of a client. Bindings by their type, in Base64. */
export interface EntryTls {
  readonly certificate?: { readonly sha1: string; readonly sha256: string; readonly commonName?: string };
  readonly bindings: Readonly<Record<string, string>>;
}

/** A client that wants to come in. */
export interface Entry {
  /** Of the transports and paths of the front, which one. */
  readonly place: string;
  /** As the log calls it. */
  readonly peer: string;
  /** Where it is, see `ClientAddress`. */
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  readonly via?: string | undefined;
  readonly isSecure: boolean;
  readonly tls?: EntryTls | undefined;
  /** Of its request; none without HTTP. */
  readonly headers?: Readonly<Record<string, string | string[] | undefined>> | undefined;
  readonly url?: string | undefined;
  /** Another router of the node has let it in. */
  readonly vouched?: Vouched | undefined;
}

/** What the router that let a client in knows of its cookie. */
export interface Vouched {
  /** Undefined where cookies are not tracked. */
  readonly record?: CookieRecord | undefined;
  /** See `Tracked`. */
  readonly lastsMs?: number | undefined;
}

/** Where a client is to go with the message that it sent last. */
export interface Move {
  /** The name of the router. */
  readonly to: string;
  readonly entry: Entry;
}

/** A client that may come in. */
export interface Admittance {
  /** The value of the header for its answer. */
  readonly setCookie?: string | undefined;
}

/** A client that may not, and what it is told. */
export interface Refused {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** How frames are written. */
export type FramingWord = 'websocket' | 'message' | 'rawsocket';

/** What was agreed in the handshake. */
export interface Opening {
  readonly serializer: string;
  readonly framing: FramingWord;
  /** The largest frame that the client takes; any without it. */
  readonly maxFrameBytes?: number | undefined;
  readonly facts: TransportFacts;
}

/** The end that a front demands of a session. */
export interface Abort {
  readonly reason: string;
  readonly message: string;
  readonly cause: CloseCause;
}

/** The end of a connection at the front. */
export interface Loss {
  /** Why the front ended it, if it did. */
  readonly ending?: CloseCause | Fault | 'evicted' | undefined;
}

/** An event that a slow client has lost. */
export interface Drop {
  /** Since it had read all that waited. */
  readonly isFirst: boolean;
}

/** How a connection is to end. */
export interface End {
  readonly cause: CloseCause | Fault;
  readonly text: string;
}

/** Where a session stands. */
export interface Standing {
  readonly isEstablished: boolean;
  /** The id of the session; 0 before there is one. */
  readonly id: number;
}

/** So many bytes of messages of one client may be under way to the router, beside one message. */
export const CREDIT_BYTES = 64 * 1024;

/** The bytes of a record of credit. */
export const CREDIT_SIZE = 4;

const isLines: Check = (value) => isText(value) || isTexts(value);
const FRAMINGS: Readonly<Record<FramingWord, true>> = { websocket: true, message: true, rawsocket: true };

const CERTIFICATE: Shape<NonNullable<EntryTls['certificate']>> = {
  sha1: isText,
  sha256: isText,
  commonName: maybe(isText),
};
const TLS: Shape<EntryTls> = { certificate: maybe((value) => fits(value, CERTIFICATE)), bindings: eachIs(isText) };

const VOUCHED: Shape<Vouched> = { record: maybe(isObject), lastsMs: maybe(isNumber) };
const ENTRY: Shape<Entry> = {
  ...{ place: isText, peer: isText, remoteAddress: maybe(isText), remotePort: maybe(isNumber), via: maybe(isText) },
  ...{ isSecure: isFlag, tls: maybe((value) => fits(value, TLS)), headers: maybe(eachIs(isLines)), url: maybe(isText) },
  vouched: maybe((value) => fits(value, VOUCHED)),
};

export const entryIn = reader<Entry>('entry', ENTRY);
export const moveIn = reader<Move>('move', { to: isText, entry: (value) => fits(value, ENTRY) });
export const admittanceIn = reader<Admittance>('admittance', { setCookie: maybe(isText) });
export const refusedIn = reader<Refused>('refusal', {
  ...{ status: isNumber, text: isText, headers: maybe(eachIs(isText)) },
});
export const openingIn = reader<Opening>('opening', {
  ...{ serializer: isText, framing: oneOf(FRAMINGS), maxFrameBytes: maybe(isNumber), facts: isObject },
});
export const abortIn = reader<Abort>('abort', { reason: isText, message: isText, cause: oneOf(ENDINGS) });
export const lossIn = reader<Loss>('loss', { ending: maybe(oneOf(CLOSE_COUNTS)) });
export const dropIn = reader<Drop>('drop', { isFirst: isFlag });
export const endIn = reader<End>('end', { cause: oneOf(ENDINGS), text: isText });
export const standingIn = reader<Standing>('standing', { isEstablished: isFlag, id: isNumber });

/** @returns how many bytes more may come. */
export function creditIn(content: Buffer): number {
  if (content.length !== CREDIT_SIZE) throw new BadRecord('a record is no credit');
  return content.readUInt32LE(0);
}
