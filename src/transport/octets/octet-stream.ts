/**
 * Octets both ways, whatever carries them: for protocols that have a framing of their own, and do not mind how their octets are cut. To
 * add a carrier, write an {@link OctetStream}.
 */
import type { Socket } from 'node:net';
import type { ClientInfo } from '../../auth/method.js';
import type { Frame } from '../../serializer/serializer.js';
import type { CloseCause, TransportFacts } from '../../session/transport.js';
import type { Fault } from '../endings.js';
import type { MessageSender } from '../wire.js';

/** Who reads the octets of a connection. */
export interface OctetReader {
  /** Whether the client is a stranger, who may send little. */
  readonly isOpening: boolean;
  /** Some have come. */
  receive(chunk: Buffer): void;
  /** A frame of the carrier that has to go out, such as the answer to a ping. */
  reply(frame: Buffer): void;
  /** The client has answered a ping of ours. */
  ponged(): void;
  /** The client wants to close: `answer` is to be called when what came before has been handed on. */
  ends(answer: () => void): void;
  /** What has come is no octets: nothing comes any more. The reader closes the connection. */
  failed(fault: Fault, reason: string): void;
  /** The connection is closed. */
  closed(): void;
}

/** The octets of one connection. It reads nothing before {@link OctetStream.start}. */
export interface OctetStream {
  /** What takes the place among the connections, and is written to. */
  readonly socket: Socket;
  readonly client: ClientInfo;
  /** What octets are sent by in place of `socket`; undefined where frames are written to it. */
  readonly sender: MessageSender | undefined;
  /** @returns octets as they are written to `socket`. */
  framed(octets: Frame): Frame;
  /** @returns what other sessions may learn of the connection. @param peer as `peerOf` called it. */
  factsOf(peer: string, framing: NonNullable<TransportFacts['channel_framing']>): TransportFacts;
  start(reader: OctetReader): void;
  pause(): void;
  resume(): void;
  /** Closes behind what was written. What comes until the client has closed, too, is read. */
  close(cause: CloseCause | Fault, text: string): void;
  /** Ends without waiting for the client, with a word after which it comes back, where there is one. */
  evict(text: string): void;
  /** Cuts the connection. */
  destroy(): void;
}
