/**
 * The way in of one connection: whole messages, in order, to the session. Usually they are handed on as they come. When
 * the process has been busy with messages for too long (`fair-scheduler.ts`), or the session wants no more at the moment, they wait
 * here and the socket is not read: what waits is no more than what was read already, and TCP itself slows the client
 * down. It knows no sockets.
 */
import { LARGE_PAYLOAD_BYTES } from '../serializer/large-frame.js';
import type { Backlog, FairScheduler } from './fair-scheduler.js';

/** The connection of an inbox. */
export interface MessageReceiver {
  /** Works a message off. Never throws. */
  deliver(data: Buffer, binary: boolean): void;
  stopReading(): void;
  startReading(): void;
  /** Too much came at once: the client has to be given up. */
  flooded(maxBytes: number): void;
}

/**
 * So much may wait besides one message, whatever its size. What is read at once is some 64 KiB, but compressed that may be a
 * thousand times as much.
 */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;

/**
 * One for each connection. The order of calls: {@link receive} and {@link act} for what the client sends, then
 * {@link finish} when it has gone, or {@link close} when the router ends the connection.
 */
export class Inbox implements Backlog {
  readonly #receiver: MessageReceiver;
  readonly #turns: FairScheduler;
  /** What comes may be handed on: nothing waits before it. */
  #isDirect = true;
  /** The session wants no more at the moment. */
  #isHeld = false;
  /** A message is being worked off elsewhere: see {@link suspend}. */
  #isSuspended = false;
  #isReading = true;
  #isEnlisted = false;
  #isClosed = false;
  /** Made when something has to wait for the first time: most connections never need it. */
  #waiting: (() => void)[] | undefined;
  /** The size of the messages that wait. */
  #waitingBytes = 0;
  /** What is to be done behind all that waits. */
  #endings: (() => void)[] | undefined;

  constructor(receiver: MessageReceiver, turns: FairScheduler) {
    this.#receiver = receiver;
    this.#turns = turns;
  }

  /** Whatever comes is dropped. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Takes the next message of the client. */
  receive(data: Buffer, binary: boolean): void {
    if (this.#isDirect && this.#turns.hasTime) return this.#deliver(data, binary);
    if (this.#waitingBytes > MAX_WAITING_BYTES) return this.#receiver.flooded(MAX_WAITING_BYTES);
    this.#waitingBytes += data.length;
    this.#keep(() => {
      this.#waitingBytes -= data.length;
      this.#deliver(data, binary);
    });
  }

  /** Does what came between the messages in its place: a ping costs work, too. */
  act(action: () => void): void {
    this.#turns.note(0);
    if (this.#isDirect && this.#turns.hasTime) action();
    else this.#keep(action);
  }

  /**
   * For messages that came together in one: whether the next of them may follow a message of so many bytes. If not,
   * {@link goOn} wants the rest.
   */
  mayGoOn(bytes: number): boolean {
    this.#turns.note(bytes);
    return !this.#mustWait && !this.#isClosed && this.#turns.hasTime;
  }

  /** Takes the rest of the message that is being worked off: it comes before all that waits. */
  goOn(rest: () => void): void {
    if (this.#isClosed) return;
    this.#waiting ??= [];
    this.#waiting.unshift(rest);
    this.#wait();
  }

  /**
   * The message that is being worked off takes longer, elsewhere: all that comes behind it waits, and the client is not read.
   * @returns takes the rest of the work, which is done when it is the turn of this connection again; to be called once.
   */
  suspend(): (rest: () => void) => void {
    this.#isSuspended = true;
    this.#isDirect = false;
    this.#stopReading();
    return (rest) => {
      this.#isSuspended = false;
      this.goOn(rest);
    };
  }

  /**
   * The session wants nothing until {@link release}. The socket is read until something comes that has to be kept: so a
   * client that leaves meanwhile is noticed, and a short wait costs nothing.
   */
  hold(): void {
    if (this.#isClosed) return;
    this.#isHeld = true;
    this.#isDirect = false;
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    if (this.#isReading && !this.#hasWaiting && !this.#isEnlisted && !this.#isSuspended)
      this.#isDirect = !this.#isClosed;
    // Not at once: whoever releases may be in the middle of a message.
    else this.#enlist();
  }

  /** The client has gone: `ending` is done behind the messages that it sent before, unless the session is held. */
  finish(ending: () => void): void {
    if (this.#isHeld) this.close();
    if (!this.#hasWaiting && !this.#isSuspended) return ending();
    this.#endings ??= [];
    this.#endings.push(ending);
  }

  /** Drops what waits, and whatever may still come. */
  close(): void {
    this.#isClosed = true;
    this.#isDirect = false;
    this.#isHeld = false;
    this.#isSuspended = false;
    this.#waiting = undefined;
    this.#waitingBytes = 0;
    if (!this.#isReading || this.#endings !== undefined) this.#enlist();
  }

  work(): boolean {
    if (!this.#mustWait) this.#workOff();
    const isUnfinished = this.#hasWaiting && !this.#mustWait;
    this.#isEnlisted = isUnfinished;
    if (!this.#hasWaiting && !this.#mustWait) this.#caughtUp();
    return isUnfinished;
  }

  get #mustWait(): boolean {
    return this.#isHeld || this.#isSuspended;
  }

  get #hasWaiting(): boolean {
    return this.#waiting !== undefined && this.#waiting.length > 0;
  }

  #workOff(): void {
    do this.#waiting?.shift()?.();
    while (this.#hasWaiting && !this.#mustWait && this.#turns.hasTime);
  }

  #caughtUp(): void {
    const endings = this.#endings ?? [];
    this.#endings = undefined;
    this.#isDirect = !this.#isClosed;
    for (const ending of endings) ending();
    if (this.#isReading) return;
    this.#isReading = true;
    this.#receiver.startReading();
  }

  #keep(action: () => void): void {
    if (this.#isClosed) return;
    this.#waiting ??= [];
    this.#waiting.push(action);
    this.#wait();
  }

  #wait(): void {
    this.#isDirect = false;
    this.#stopReading();
    if (!this.#mustWait) this.#enlist();
  }

  #stopReading(): void {
    if (!this.#isReading) return;
    this.#isReading = false;
    this.#receiver.stopReading();
  }

  /** It may be a publication, and those that came before it have not left yet. */
  #putOff(data: Buffer, binary: boolean): void {
    this.#turns.pass();
    this.goOn(() => this.#deliver(data, binary));
  }

  #enlist(): void {
    if (this.#isEnlisted) return;
    this.#isEnlisted = true;
    this.#turns.enlist(this);
  }

  #deliver(data: Buffer, binary: boolean): void {
    if (data.length >= LARGE_PAYLOAD_BYTES && this.#turns.isCongested) return this.#putOff(data, binary);
    this.#turns.note(data.length);
    this.#receiver.deliver(data, binary);
  }
}
