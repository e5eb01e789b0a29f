/**
 * How the node ends connections: for each reason the code of the close frame (a RawSocket has none: it just ends), and what
 * the log says. What is passing (the node stops, a store fails, a login is not decided in time) has codes after which
 * clients come back, and goes without ABORT and GOODBYE, after which they do not.
 */
import type { CloseReason } from '../metrics/transport-counts.js';
import type { RepeatedLevel } from '../log/repeated.js';
import type { CloseCause } from '../session/transport.js';

/** What the layer below the session finds wrong. */
export type Fault =
  | 'too_large'
  | 'frame_too_large'
  | 'too_many_pieces'
  | 'too_many_large'
  | 'not_utf8'
  | 'text_message'
  | 'packet_too_large'
  | 'bad_frame'
  | 'no_pong'
  | 'no_request'
  | 'silent'
  | 'slow_consumer';

export interface Ending {
  /** RFC 6455, section 7.4.1, and its registry. */
  readonly code: number;
  /** What a person is told, and the reason of the session's end; of a session that ends itself the session says it. */
  readonly text?: string;
  /** None where somebody else has said it: the session, or who cut the connection. */
  readonly line?: { readonly level: RepeatedLevel; readonly message: string };
}

/** Said to a client whose message takes too long while others have as much under way. */
export const TOO_MANY_LARGE = 'too many large messages at once, please try again later';

/** By reason; the comments are the text of docs/errors.md. */
export const ENDINGS: Readonly<Record<CloseCause | Fault, Ending>> = {
  /** The peer broke the protocol of WAMP: see the ABORT. */
  protocol_violation: { code: 1002 },
  /** The client was not let in: see the ABORT. */
  denied: { code: 1000 },
  /** The session said GOODBYE. */
  goodbye: { code: 1000 },
  /** The node stops. Clients come back by themselves. */
  system_shutdown: { code: 1001 },
  /** The node has lost the other nodes of its cluster. Clients come back by themselves, and find one that has not. */
  fenced: { code: 1001 },
  /** No session in time (`hello_timeout`), or no answer to CHALLENGE. */
  timeout: { code: 1008, line: { level: 'info', message: 'no session in time, connection closed' } },
  /** Nobody can decide about the login at the moment, or the connection makes room for a new one. Clients come back. */
  unavailable: { code: 1013, line: { level: 'warn', message: 'no login possible at the moment, connection closed' } },
  /** A bug of ours, or a login that could not be stored. */
  internal_error: { code: 1011 },
  /** A message is larger than `max_message_size`, or too large for a client without a session. */
  too_large: {
    code: 1009,
    text: 'the message is larger than max_message_size',
    line: { level: 'warn', message: 'message too large, connection closed' },
  },
  /** A frame is larger than `max_frame_size`. */
  frame_too_large: {
    code: 1009,
    text: 'the frame is larger than max_frame_size',
    line: { level: 'warn', message: 'frame too large, connection closed' },
  },
  /** A message comes in too many fragments. */
  too_many_pieces: {
    code: 1008,
    text: 'the message comes in too many pieces',
    line: { level: 'warn', message: 'message in too many pieces, connection closed' },
  },
  /** Large messages of many clients are on their way at once, and this one has taken longest. The client may try again. */
  too_many_large: {
    code: 1013,
    text: TOO_MANY_LARGE,
    line: { level: 'warn', message: 'too many large messages at once, the oldest given up' },
  },
  /** A text message is not valid UTF-8. */
  not_utf8: {
    code: 1007,
    text: 'a text message is not valid UTF-8',
    line: { level: 'warn', message: 'message is not UTF-8, connection closed' },
  },
  /** A text message, where only binary ones mean anything. */
  text_message: {
    code: 1003,
    text: 'a text message where only binary ones may be',
    line: { level: 'warn', message: 'text message, connection closed' },
  },
  /** A packet of MQTT is larger than `max_packet_size`, or too large for a client that was not let in yet. */
  packet_too_large: {
    code: 1009,
    text: 'the packet is larger than max_packet_size',
    line: { level: 'warn', message: 'packet too large, connection closed' },
  },
  /** A frame breaks the protocol of WebSocket. */
  bad_frame: {
    code: 1002,
    text: 'a frame breaks the protocol',
    line: { level: 'warn', message: 'bad frame, connection closed' },
  },
  /** No answer to a ping (`auto_ping_timeout`). */
  no_pong: {
    code: 1008,
    text: 'no answer to a ping',
    line: { level: 'info', message: 'no pong, connection dropped' },
  },
  /** No request of a client of long-poll in time (`session_timeout`), which sees no code. */
  no_request: {
    code: 1008,
    text: 'no request in time',
    line: { level: 'info', message: 'no request in time, connection dropped' },
  },
  /** Nothing of a client of MQTT for one and a half times its keep-alive. */
  silent: {
    code: 1008,
    text: 'no packet within the keep-alive',
    line: { level: 'info', message: 'no packet within the keep-alive, connection dropped' },
  },
  /** The client does not read, and more than `max_unsent_bytes` wait for it. */
  slow_consumer: { code: 1008, text: 'slow consumer' },
};

/** @returns the reason of the end of a session whose connection the node has ended; undefined where that is no news. */
export function textOf(ending: CloseCause | Fault | 'evicted' | undefined): string | undefined {
  return ending === undefined || ending === 'evicted' ? undefined : ENDINGS[ending].text;
}

/** What the end of a connection is counted as. */
export const CLOSE_COUNTS: Readonly<Record<CloseCause | Fault | 'evicted', CloseReason>> = {
  protocol_violation: 'protocol',
  denied: 'denied',
  goodbye: 'ended',
  system_shutdown: 'drain',
  fenced: 'error',
  timeout: 'idle',
  unavailable: 'error',
  internal_error: 'error',
  too_large: 'limit',
  frame_too_large: 'limit',
  too_many_pieces: 'limit',
  too_many_large: 'limit',
  not_utf8: 'protocol',
  text_message: 'protocol',
  packet_too_large: 'limit',
  bad_frame: 'protocol',
  no_pong: 'idle',
  no_request: 'idle',
  silent: 'idle',
  slow_consumer: 'slow',
  evicted: 'limit',
};

/** What Autobahn, and so Crossbar.io, calls to fail a connection: the peer or the router did something wrong. */
const FAILURES: ReadonlySet<CloseCause | Fault> = new Set<CloseCause | Fault>([
  'protocol_violation',
  'internal_error',
  'too_large',
  'frame_too_large',
  'too_many_pieces',
  'not_utf8',
  'text_message',
  'packet_too_large',
  'bad_frame',
]);

/** @returns whether `fail_by_drop` has to do with an end. */
export function isFailure(cause: CloseCause | Fault): boolean {
  return FAILURES.has(cause);
}

/** @returns the fault that `ws` closes a connection for, with a code and no text. */
export function faultOf(code: number): Fault {
  if (code === ENDINGS.too_large.code) return 'too_large';
  if (code === ENDINGS.too_many_pieces.code) return 'too_many_pieces';
  return code === ENDINGS.not_utf8.code ? 'not_utf8' : 'bad_frame';
}
