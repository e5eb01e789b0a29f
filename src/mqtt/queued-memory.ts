/**
 * What waits in the whole process for clients of MQTT: the messages with QoS 1 and 2 that they have not answered, and those behind them.
 * Each client has a limit of its own (`outgoing.ts`), but many of them together would still fill the memory. Beyond the limit for what
 * may wait for all clients some are given up: first those who have answered nothing for a while, and of these for whom most waits.
 *
 * A message that waits for a thousand clients is counted once. It knows no clients.
 */
import { unsentMemory } from '../transport/outbox/unsent-memory.js';

/** A message, as far as it takes memory. */
export interface QueuedMessage {
  readonly bytes: number;
  /** For how many clients it waits: counted here. */
  waitingFor: number;
}

/** Whose messages wait. */
export interface QueueOwner {
  /** All that waits for it, in bytes. */
  readonly queuedBytes: number;
  /** When it answered last, or since when something waits for it, by `performance.now()`. */
  readonly answeredMs: number;
  /** Too much waits in the whole process: nothing may wait for it any more. */
  giveUpForAll(limitBytes: number): void;
}

/** What a message takes in the lists of one client. */
const PLACE_BYTES = 64;

/** Who has answered nothing for so long, in milliseconds, is slower than somebody who was just sent a lot. */
const SILENT_MS = 1000;

/** After some are given up there is room for this part of the limit, or the next message would be the next cause. */
const ROOM_SHARE = 8;

/** One for the process, but for tests. */
export class QueuedMemory {
  readonly #limitBytes: () => number;
  readonly #defer: (callback: () => void) => void;
  readonly #owners = new Set<QueueOwner>();
  #bytes = 0;
  #isDue = false;

  /** @param defer runs something when the messages of now have been worked off. */
  constructor(limitBytes: () => number, defer: (callback: () => void) => void) {
    this.#limitBytes = limitBytes;
    this.#defer = defer;
  }

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A message waits for somebody. To be followed by {@link letGo}. */
  hold(owner: QueueOwner, message: QueuedMessage): void {
    this.#owners.add(owner);
    this.#bytes += PLACE_BYTES + (message.waitingFor++ === 0 ? message.bytes : 0);
    if (this.#isDue || this.#bytes <= this.#limitBytes()) return;
    this.#isDue = true;
    // Not at once: the router is in the middle of it.
    this.#defer(() => this.#enforce());
  }

  /** It does not wait for him any more. */
  letGo(owner: QueueOwner, message: QueuedMessage): void {
    this.#bytes -= PLACE_BYTES + (--message.waitingFor === 0 ? message.bytes : 0);
    if (owner.queuedBytes === 0) this.#owners.delete(owner);
  }

  #enforce(): void {
    this.#isDue = false;
    const limitBytes = this.#limitBytes();
    if (this.#bytes <= limitBytes) return;
    const enough = limitBytes - limitBytes / ROOM_SHARE;
    const silentSince = performance.now() - SILENT_MS;
    const isSilent = ({ answeredMs }: QueueOwner): number => (answeredMs <= silentSince ? 1 : 0);
    const worstFirst = [...this.#owners].sort(
      (one, other) => isSilent(other) - isSilent(one) || other.queuedBytes - one.queuedBytes,
    );
    for (const owner of worstFirst) {
      if (this.#bytes <= enough) return;
      owner.giveUpForAll(limitBytes);
    }
  }
}

/** As much as may wait in sockets: `max_unsent_bytes` of the controller. */
export const queuedMemory = new QueuedMemory(
  () => unsentMemory.limitBytes,
  (callback) => void setImmediate(callback),
);
