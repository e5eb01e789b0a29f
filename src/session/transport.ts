/**
 * What a session sees of its transport: a way out for messages and an end. Sockets, frames and buffers lie behind it. The
 * two kinds are `transport/connection.ts`, for all connections on sockets, and `client/local-transport.ts`, for clients in
 * this process; `test/contract/transport.ts` holds for both.
 */
import type { ClientInfo } from '../auth/method.js';
import type { ClientMessage } from '../wamp/message.js';
import type { TransportDetails } from '../router/session.js';
import type { RouterMessage } from '../wamp/message.js';

/** Why a session closes its transport. `unavailable` passes: the client is to come back. */
export type CloseCause =
  | 'protocol_violation'
  | 'denied'
  | 'goodbye'
  | 'system_shutdown'
  /** The node has lost the other nodes of the realm, and another one is to serve the client. */
  | 'fenced'
  | 'timeout'
  | 'unavailable'
  | 'internal_error'
  /** A stranger has begun a message that is too large for one. */
  | 'too_large';

/** The facts about a connection that others may learn. */
export type TransportFacts = TransportDetails;

/** What a connection uses of its session: `session.ts`, or what stands for one in another process. */
export interface ConnectionSession {
  /** 0 before WELCOME. */
  readonly id: number;
  /** Whether nobody has been let in yet: messages are those of a stranger. */
  readonly isOpening: boolean;
  /** Whether others may call it. */
  readonly isCallee: boolean;
  /** Whether somebody waits for an answer that has to do with it. */
  readonly isBusy: boolean;
  /** Takes the next message of the client. Never throws. */
  receive(message: ClientMessage): void;
  /** Ends the session because of an error: of the client (a ProtocolViolation) or our own (anything else). */
  fail(error: unknown): void;
  /** Ends the session with ABORT and closes the transport. */
  abort(reason: string, message: string, cause: CloseCause): void;
  /** The transport is gone, or cannot go on. */
  transportLost(reason?: string): void;
  /** No session in time. */
  overdue(timeoutMs: number): void;
  /** The node stops. */
  shutdown(saysGoodbye: boolean): void;
  /** The transport has dropped an event for it. @param isFirst since the client had read all that waited */
  eventDropped(isFirst: boolean): void;
}

/** What a session uses of its connection. */
export interface SessionTransport {
  /** Who is at the other end. */
  readonly client: ClientInfo;
  /** Without its cookie. Made when it is asked for. */
  readonly facts: TransportFacts;
  /** What was sent and the client has not taken yet, in bytes; undefined where there are none to count. */
  readonly waitingBytes: number | undefined;
  /**
   * Sends without waiting. The transport deals with a client that does not read.
   *
   * @throws WampError for a message that the serializer of this client cannot write.
   */
  send(message: RouterMessage): void;
  /** Closes when all that was sent is on its way; nothing more is received. `text` tells a person why. Idempotent. */
  close(cause: CloseCause, text: string): void;
  /** The HELLO is here. The client, or an authenticator, is asked who it is: that may take a while. */
  challenged(): void;
  /** The session is established: its HELLO is no longer waited for, and what comes may be large. WELCOME follows. */
  sessionOpened(): void;
  /** The session said GOODBYE: the client has so long to answer as it has for a HELLO. */
  sessionClosing(): void;
  /** Reads nothing more from the client until {@link resumeReading}; what is read already may still come. */
  pauseReading(): void;
  resumeReading(): void;
  /** The session ended with a GOODBYE from the client: the transport may carry another one. */
  sessionEnded(): void;
}
