/**
 * What goes to one client, from the event until the client has it (MQTT 3.1.1, sections 4.3 to 4.6):
 *
 *     QoS 0    sent, or dropped while the client is away
 *     QoS 1    queued --a place is free--> PUBLISH --PUBACK--> over
 *     QoS 2    queued --a place is free--> PUBLISH --PUBREC--> PUBREL --PUBCOMP--> over
 *
 * What has a place is *in flight*: `maxInflight` at a time, in the order of the events. The rest waits, within its bounds; what is beyond
 * them is dropped, the newest first. A message larger than all bounds reaches a client for which nothing else is kept. When the client
 * comes back, what is in flight is sent again in its old order, and nothing else ever is. It outlives connections; knows no sockets.
 */
import type { Frame } from '../serializer/serializer.js';
import type { PublishFrame } from './packets/publish-frame.js';
import type { QueuedMemory, QueueOwner } from './queued-memory.js';

export interface OutgoingLimits {
  /** How many PUBLISH of QoS 1 and 2 may wait for an answer of the client. */
  readonly maxInflight: number;
  /** How many bytes they may have together: a client that does not read must not be sent more. One may be larger. */
  readonly maxInflightBytes: number;
  /** How many more may wait, and how many bytes those that wait and those in flight may take together. */
  readonly maxQueued: number;
  readonly maxQueuedBytes: number;
}

/** A way to the client, as long as it is connected. */
export interface OutgoingLink {
  /** Takes a packet. What is no longer of use when the client is slow may be dropped: `isVital` says whether it must not. */
  send(packet: Frame, isVital: boolean): void;
}

/** Whose messages they are. */
export interface OutgoingOwner {
  /** Too much waits for all clients of the process: {@link Outgoing.end} has to follow. */
  giveUpForAll(limitBytes: number): void;
}

/** In flight: the client has a PUBLISH of QoS 2 (PUBREC), and only its id is left. */
const RELEASED = 'released';

const MAX_ID = 65_535;
const PUBREL = 0x62;

export class Outgoing implements QueueOwner {
  readonly #owner: OutgoingOwner;
  readonly #memory: QueuedMemory;
  #limits: OutgoingLimits;
  #link: OutgoingLink | undefined;
  // packet id -> what it stands for, in the order in which they were sent first
  readonly #inFlight = new Map<number, PublishFrame | typeof RELEASED>();
  #waiting: PublishFrame[] = [];
  /** Where the queue begins: what is before has gone. */
  #first = 0;
  #bytes = 0;
  /** Of these, what is in flight. */
  #inFlightBytes = 0;
  #lastId = 0;
  answeredMs = 0;
  /** How many events were dropped because the queue was full. */
  dropped = 0;

  constructor(limits: OutgoingLimits, owner: OutgoingOwner, memory: QueuedMemory) {
    this.#limits = limits;
    this.#owner = owner;
    this.#memory = memory;
  }

  get queuedBytes(): number {
    return this.#bytes;
  }

  giveUpForAll(limitBytes: number): void {
    this.#owner.giveUpForAll(limitBytes);
  }

  /** What is kept for the client: messages, and bytes. */
  get size(): { readonly messages: number; readonly bytes: number } {
    return { messages: this.#inFlight.size + this.#queued, bytes: this.#bytes };
  }

  /** The client is connected: what it has not answered is sent again, and then what waits. */
  connected(link: OutgoingLink): void {
    this.#link = link;
    for (const [id, frame] of this.#inFlight) {
      link.send(frame === RELEASED ? released(id) : frame.write(id, true), true);
    }
    this.#fill();
  }

  /** The connection is gone. */
  disconnected(): void {
    this.#link = undefined;
  }

  /** The client is forgotten, with all that waits for it. Idempotent. */
  end(): void {
    this.#link = undefined;
    for (const frame of this.#inFlight.values()) if (frame !== RELEASED) this.#free(frame);
    for (const frame of this.#waiting.slice(this.#first)) this.#letGo(frame);
    this.#inFlight.clear();
    this.#waiting = [];
    this.#first = 0;
  }

  /** @returns false when it is dropped: the client is away, or has too much to do. */
  deliver(frame: PublishFrame): boolean {
    if (frame.qos === 0) {
      this.#link?.send(frame.write(0, false), false);
      return this.#link !== undefined;
    }
    if (this.#isFull(frame)) {
      this.dropped += 1;
      return false;
    }
    if (this.#bytes === 0) this.answeredMs = performance.now();
    this.#bytes += frame.bytes;
    this.#memory.hold(this, frame);
    if (this.#sendsAtOnce(frame)) this.#send(frame);
    else this.#waiting.push(frame);
    return true;
  }

  /** PUBACK: the client has a PUBLISH of QoS 1. One that nobody waits for is ignored: it may answer one of long ago. */
  acknowledged(id: number): void {
    const frame = this.#inFlight.get(id);
    if (frame === undefined || frame === RELEASED || frame.qos !== 1) return;
    this.#free(frame);
    this.#end(id);
  }

  /** PUBREC: the client has a PUBLISH of QoS 2. Answered in any case, or it would say so for ever. */
  received(id: number): void {
    const frame = this.#inFlight.get(id);
    if (frame !== undefined && frame !== RELEASED) {
      if (frame.qos === 1) return;
      // The id keeps its place.
      this.#free(frame);
      this.#inFlight.set(id, RELEASED);
    }
    this.#link?.send(released(id), true);
    this.#fill();
  }

  /** PUBCOMP: the client has forgotten the id of a PUBLISH of QoS 2. */
  completed(id: number): void {
    if (this.#inFlight.get(id) === RELEASED) this.#end(id);
  }

  /** Other limits, from now on. What is kept stays. */
  limit(limits: OutgoingLimits): void {
    this.#limits = limits;
    this.#fill();
  }

  get #queued(): number {
    return this.#waiting.length - this.#first;
  }

  #isFull(frame: PublishFrame): boolean {
    const { maxQueued, maxQueuedBytes } = this.#limits;
    const isSentAtOnce = this.#sendsAtOnce(frame);
    if (this.#bytes + frame.bytes > maxQueuedBytes) return !isSentAtOnce || this.#bytes > 0;
    return !isSentAtOnce && this.#queued >= maxQueued;
  }

  #sendsAtOnce(frame: PublishFrame): boolean {
    return this.#link !== undefined && this.#queued === 0 && this.#hasPlace(frame);
  }

  #hasPlace({ bytes }: PublishFrame): boolean {
    const { maxInflight, maxInflightBytes } = this.#limits;
    if (this.#inFlight.size >= maxInflight) return false;
    return this.#inFlightBytes === 0 || this.#inFlightBytes + bytes <= maxInflightBytes;
  }

  /** Sends what waits, as far as there is room. */
  #fill(): void {
    for (let next = this.#waiting[this.#first]; next !== undefined; next = this.#waiting[this.#first]) {
      if (this.#link === undefined || !this.#hasPlace(next)) return;
      this.#send(this.#shift());
    }
  }

  #send(frame: PublishFrame): void {
    const id = frame.id !== 0 && !this.#inFlight.has(frame.id) ? frame.id : this.#nextId();
    this.#inFlight.set(id, frame);
    this.#inFlightBytes += frame.bytes;
    this.#link?.send(frame.write(id, false), true);
  }

  #shift(): PublishFrame {
    const frame = this.#waiting[this.#first++];
    if (frame === undefined) throw new RangeError('nothing waits');
    // Each is moved once at the most.
    if (this.#first * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return frame;
  }

  /** @returns an id that is not in use: there are fewer in flight than ids. */
  #nextId(): number {
    do this.#lastId = this.#lastId === MAX_ID ? 1 : this.#lastId + 1;
    while (this.#inFlight.has(this.#lastId));
    return this.#lastId;
  }

  /** The event is not needed any more. */
  #free(frame: PublishFrame): void {
    this.answeredMs = performance.now();
    this.#inFlightBytes -= frame.bytes;
    this.#letGo(frame);
  }

  #letGo(frame: PublishFrame): void {
    this.#bytes -= frame.bytes;
    this.#memory.letGo(this, frame);
  }

  #end(id: number): void {
    this.#inFlight.delete(id);
    this.#fill();
  }
}

function released(id: number): Buffer {
  return Buffer.of(PUBREL, 2, id >> 8, id & 0xff);
}
