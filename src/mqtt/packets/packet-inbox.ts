/**
 * The way in of one connection: from what its socket reads to packets, in turn with all other connections. What was read while packets
 * are not taken, or while others are first, stays bytes, and the socket is not read meanwhile. It knows no sockets.
 */
import { LARGE_PAYLOAD_BYTES } from '../../serializer/large-frame.js';
import { LARGE_MESSAGE_BYTES } from '../../transport/received-memory.js';
import { partsOf } from './packet-parts.js';
import { PacketError } from './packet.js';
import type { Backlog, FairScheduler } from '../../transport/fair-scheduler.js';
import type { ClientPacket } from './packet.js';
import type { PacketReader } from './packet-reader.js';

/** The connection of an inbox. */
export interface PacketReceiver {
  /** Takes the next packet. Never throws. */
  take(packet: ClientPacket): void;
  /** The octets are wrong: there will be no other packet. */
  broken(error: PacketError): void;
  stopReading(): void;
  startReading(): void;
  /** So much has come of a large packet; 0 when it is complete, or not waited for. */
  holds(bytes: number): void;
}

export class PacketInbox implements Backlog {
  readonly #reader: PacketReader;
  readonly #receiver: PacketReceiver;
  readonly #turns: FairScheduler;
  /** No packets are taken. */
  #isHeld = false;
  #isReading = true;
  #isEnlisted = false;
  #isStopped = false;
  /** A large one, which waits until what others were sent has left; or what is left of one that is worked on in parts. */
  #putOff: ClientPacket | undefined;
  /** So much has come of a large packet. */
  #heldBytes = 0;
  /** What is to be done behind all that waits. */
  #ending: (() => void) | undefined;

  constructor(reader: PacketReader, receiver: PacketReceiver, turns: FairScheduler) {
    this.#reader = reader;
    this.#receiver = receiver;
    this.#turns = turns;
  }

  /** Whether the socket is read. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** Takes what the socket has read. */
  push(chunk: Buffer): void {
    if (this.#isStopped) return;
    this.#reader.push(chunk);
    if (this.#isHeld || this.#isEnlisted) this.#stopReading();
    else if (this.#handOn()) this.#enlist();
    this.#countHeld();
  }

  /** No packet is handed on until {@link release}. The socket is read until there is something that has to wait. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Packets are handed on again, but not at once: whoever releases may be in the middle of one. */
  release(): void {
    this.#isHeld = false;
    if (!this.#isReading || this.#hasWaiting || this.#ending !== undefined) this.#enlist();
  }

  /** The socket has ended: `ending` is done behind what came before. */
  finish(ending: () => void): void {
    if (this.#isStopped || (!this.#hasWaiting && !this.#isEnlisted)) return ending();
    this.#ending = ending;
    if (!this.#isHeld) this.#enlist();
  }

  /** Drops what waits, and whatever may still come. Idempotent. */
  stop(): void {
    this.#isStopped = true;
    this.#putOff = undefined;
    this.#ending = undefined;
    this.#reader.stop();
    this.#countHeld();
  }

  work(): boolean {
    this.#isEnlisted = this.#handOn();
    this.#countHeld();
    return this.#isEnlisted;
  }

  get #hasWaiting(): boolean {
    return this.#putOff !== undefined || this.#reader.hasUnread;
  }

  /** Hands packets on, as long as they are taken and nobody else is first. @returns whether this has to go on later. */
  #handOn(): boolean {
    while (!this.#isHeld && !this.#isStopped) {
      if (!this.#turns.hasTime) return this.#waits();
      const next = this.#next();
      if (next === undefined) {
        this.#caughtUp();
        return false;
      }
      const [packet, rest] = partsOf(next);
      this.#putOff = rest;
      if (isLarge(packet) && this.#turns.isCongested) {
        this.#putOff = packet;
        this.#turns.pass();
        return this.#waits();
      }
      this.#turns.note(costOf(packet));
      this.#receiver.take(packet);
    }
    if (this.#hasWaiting) this.#stopReading();
    return false;
  }

  #waits(): true {
    this.#stopReading();
    return true;
  }

  #next(): ClientPacket | undefined {
    const putOff = this.#putOff;
    this.#putOff = undefined;
    if (putOff !== undefined) return putOff;
    try {
      return this.#reader.next();
    } catch (error) {
      if (!(error instanceof PacketError)) throw error;
      this.#receiver.broken(error);
      return undefined;
    }
  }

  #caughtUp(): void {
    const ending = this.#ending;
    this.#ending = undefined;
    if (ending !== undefined) return ending();
    if (this.#isReading || this.#isStopped) return;
    this.#isReading = true;
    this.#receiver.startReading();
  }

  #stopReading(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#receiver.stopReading();
  }

  #enlist(): void {
    if (this.#isEnlisted || this.#isStopped) return;
    this.#isEnlisted = true;
    this.#turns.enlist(this);
  }

  #countHeld(): void {
    const bytes = this.#reader.gatheredBytes;
    const held = bytes > LARGE_MESSAGE_BYTES ? bytes : 0;
    if (held === this.#heldBytes) return;
    this.#heldBytes = held;
    this.#receiver.holds(held);
  }
}

function isLarge(packet: ClientPacket): boolean {
  return packet.cmd === 'publish' && packet.payload.length >= LARGE_PAYLOAD_BYTES;
}

/** A filter costs about as much as a few messages, and what is retained for it comes at once. */
const BYTES_EACH_FILTER = 8192;

/** @returns what its work is as much as, in bytes of a message. */
function costOf(packet: ClientPacket): number {
  switch (packet.cmd) {
    case 'publish':
      return packet.payload.length;
    case 'subscribe':
      return packet.subscriptions.length * BYTES_EACH_FILTER;
    case 'unsubscribe':
      return packet.unsubscriptions.length * BYTES_EACH_FILTER;
    default:
      return 0;
  }
}
