/** What the clients of one transport share, and what a connection is to them. */
import type { ClientInfo } from '../auth/method.js';
import type { MqttCounts } from '../metrics/mqtt-counts.js';
import type { SessionDeps } from '../session/deps.js';
import type { CloseCause, TransportFacts } from '../session/transport.js';
import type { Qos } from '../wamp/message.js';
import type { EventFrames } from './event-frames.js';
import type { OutgoingLimits, OutgoingLink } from './outgoing.js';
import type { PacketCodec } from './packets/packet-codec.js';
import type { MappingOf } from './payload/mappings.js';
import type { QueuedMemory } from './queued-memory.js';
import type { TopicMapping } from './topics.js';

/**
 * One network connection of a client. None of this enters the client again: what happens to the connection is told in a later turn. What
 * is sent to one that is closed, or gone, is dropped.
 */
export interface MqttLink extends OutgoingLink {
  readonly client: ClientInfo;
  readonly facts: TransportFacts;
  /** What was sent and the client has not read yet, in bytes. */
  readonly waitingBytes: number;
  /** The CONNECT has been served: its deadline is over. */
  opened(): void;
  /**
   * Closes when all that was sent is on its way. Nothing comes from it any more, not even that it is gone. Idempotent.
   * @param cause why, where it is not the client who wants it.
   */
  end(text: string, cause?: CloseCause): void;
  pauseReading(): void;
  resumeReading(): void;
  /** Cuts it, and says why: what waits for the client is too much. It is told that it is gone. */
  giveUp(facts: Readonly<Record<string, unknown>>): void;
}

export interface MqttLimits extends OutgoingLimits {
  readonly maxQos: Qos;
  /** How many filters a client may have. */
  readonly maxSubscriptions: number;
  /** How long a client is kept while it is away, in milliseconds; 0: no client is. */
  readonly sessionExpiryMs: number;
  /** How many clients are kept while they are away, and how many bytes of events for them all. */
  readonly maxKept: number;
  readonly maxKeptBytes: number;
}

/** Calls back once. @returns what takes it back. */
export type After = (ms: number, callback: () => void) => () => void;

/** What the clients of one place are made with. */
export interface MqttDeps {
  readonly sessions: SessionDeps;
  /** Where all clients of the transport go. */
  readonly realm: string;
  readonly encode: PacketCodec['encode'];
  readonly topics: TopicMapping;
  readonly mappingOf: MappingOf;
  readonly frames: EventFrames;
  readonly limits: MqttLimits;
  /** What waits for clients, those of other transports too. */
  readonly queued: QueuedMemory;
  readonly after: After;
  readonly counts: MqttCounts;
}
