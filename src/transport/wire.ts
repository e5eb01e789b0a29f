/**
 * What one kind of WAMP connection has of its own: its frames, and how it is closed. All else is in
 * `connection.ts`. To add a kind, write a Wire that makes its {@link WampConnection} when the handshake is done, gives its
 * inbox the messages that it finds, and tells it of pings, of frames that are wrong, and of the end of the socket.
 */
import type { ClientInfo } from '../auth/method.js';
import type { Codec } from '../serializer/serializer.js';
import type { CloseCause, TransportFacts } from '../session/transport.js';
import type { RouterMessage } from '../wamp/message.js';
import type { Fault } from './endings.js';
import type { Connection } from './open-connections.js';
import type { OutboxSocket } from './outbox/outbox.js';
import type { CountedConnection } from './transport-host.js';

/** What carries a connection: a socket, or what stands for one where there is none for the whole time. */
export type Carrier = OutboxSocket & CountedConnection & Connection;

/** One kind of frames on one socket. It finds messages and pings in what is read, and ends the socket in its own way. */
export interface Wire {
  /** What other sessions may learn of the connection. */
  readonly facts: TransportFacts;
  /** Whether the socket is not read at the moment. */
  readonly isPaused: boolean;
  pause(): void;
  resume(): void;
  /** Drops what still comes, and what has come of a message that is not complete. */
  stopReading(): void;
  /** Begins the orderly end; all messages are with the socket already. Called once at the most. */
  end(cause: CloseCause | Fault, text: string): void;
  /** Ends without waiting for the client, with a word after which it tries again, where there is one. */
  evict(text: string): void;
  /** Cuts the connection. */
  terminate(): void;
  /** @returns the whole frame that answers a ping of the client. */
  pongFrame(payload: Buffer): Buffer;
  /** The connection has a session from now on, or has none any more. For those whose client is in another process. */
  stands?(isEstablished: boolean): void;
  /**
   * A message of the session has no frame that this client takes. Called while the message is routed.
   *
   * @param error a WampError of the serializer, or `wamp.error.payload_size_exceeded`; anything else is a fault of ours.
   * @throws `error` where the session is to answer it.
   */
  notSent(message: RouterMessage, error: unknown): void;
}

/**
 * Sends messages in place of the outbox: `ws` compresses them, and its frames and ours must not overtake each other; over long-poll
 * they wait for a request.
 */
export interface MessageSender {
  /** In bytes. */
  readonly bufferedAmount: number;
  /** @returns the buffer that waits, where that is a copy of the message. */
  send(message: Buffer, options: { readonly binary: boolean; readonly isEvent?: boolean }): unknown;
}

/** Takes frames in place of the outbox, in order: another process writes them, and has the bounds of what waits for the client. */
export interface FrameTaker {
  /** What waits there for the client, as it was told last, in bytes: for those who ask now and then. */
  readonly waitingBytes: number;
  take(frame: Buffer, isEvent: boolean): void;
}

/** What was agreed in the handshake. */
export interface ConnectionTerms {
  readonly socket: Carrier;
  readonly client: ClientInfo;
  readonly codec: Codec;
  /** Undefined where frames are written to the socket. */
  readonly sender?: MessageSender | undefined;
  /** In place of both, where another process writes frames. */
  readonly taker?: FrameTaker | undefined;
  /** The largest frame that the client takes, in bytes with its header; any by default. */
  readonly maxFrameBytes?: number;
  /** Whether nobody has checked yet that text is UTF-8. */
  readonly checksUtf8: boolean;
}
