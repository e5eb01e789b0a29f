/**
 * A connection to a router that carries messages in one serializer, whatever is below it. Each kind of transport has a file with a
 * function that opens one: `websocket.ts`, `rawsocket.ts`.
 */
import type { Framing, Serializer } from '../serializer/serializer.js';

/** Who gets what comes. */
export interface ConnectionReceiver {
  /** One message. */
  onMessage(bytes: Buffer): void;
  /** Nothing comes any more. Told once. @param problem why; undefined when the other side closed it properly. */
  onClose(problem: string | undefined): void;
}

/** An open connection. What is sent after its end goes nowhere. */
export interface RouterConnection {
  readonly serializer: Serializer;
  /** How a message is marked on it. */
  readonly framing: Framing;
  /** The largest message that the router takes. */
  readonly maxSendBytes: number;
  /** @param frame a message behind its mark. */
  send(frame: Buffer): void;
  /** Ends it; `onClose` comes. */
  close(): void;
}
