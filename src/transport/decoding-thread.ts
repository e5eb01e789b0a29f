/**
 * Large messages are taken apart in a thread of their own. To check 16 MiB takes up to a second, which nobody else may have to wait
 * for, and to do that in parts would need each reader a second time. The thread says where the payload lies and what stands before
 * it, and translates the payload for those who speak another serializer; bytes only change hands. Messages come back in the order in which they were given, and each connection waits
 * for its own, so one thread is as fair as many. It is started for the first large message, and ends when there were none for a
 * while. Knows no sockets and no sessions.
 */
import { Worker } from 'node:worker_threads';
import { ProtocolViolation } from '../wamp/error.js';
import { movable } from '../serializer/large-frame.js';
import { keepTranslations } from '../serializer/translations.js';
import { WirePayload } from '../serializer/wire-payload.js';
import { receivedMemory } from './received-memory.js';
import { spokenForms } from '../serializer/spoken-forms.js';
import type { ClientMessage } from '../wamp/message.js';
import type { Found, ThreadAnswer, ThreadOrder } from '../serializer/decoding-worker.js';
import type { Decoder } from '../serializer/serializer.js';
import type { Receiving } from './received-memory.js';

/** From so many bytes on a message is worth another thread: smaller ones take some milliseconds at most. */
const THREAD_BYTES = 262_144;
/** How long the thread waits for the next message. */
const IDLE_MS = 60_000;
/** In MiB. A hostile message may make the check hold some bytes for each of its own. */
const MAX_HEAP_MIB = 512;

/** @returns the message. @throws ProtocolViolation as `decode` does, or our own error. */
type Decoded = () => ClientMessage;

interface Order {
  readonly serializer: Decoder;
  readonly bytes: Buffer;
  readonly done: (decoded: Decoded) => void;
}

export class DecodingThread {
  #worker: Worker | undefined;
  /** The first one is with the thread. */
  readonly #orders: Order[] = [];
  #idle: NodeJS.Timeout | undefined;

  /** @returns whether a message is to be decoded here. */
  isFor(serializer: Decoder, bytes: Buffer): boolean {
    return bytes.length > THREAD_BYTES && serializer.takeApart !== undefined;
  }

  /**
   * Decodes one message.
   *
   * @param bytes are not to be used any more.
   * @param done is called in a later turn, and only once.
   * @returns lets go of the message, unless it is with the thread already: `done` is not called then.
   */
  decode(serializer: Decoder, bytes: Buffer, done: (decoded: Decoded) => void): () => void {
    const order = { serializer, bytes, done };
    this.#orders.push(order);
    if (this.#orders.length === 1) this.#send();
    return () => {
      const index = this.#orders.indexOf(order);
      if (index > 0) this.#orders.splice(index, 1);
    };
  }

  #send(): void {
    const [order] = this.#orders;
    if (order === undefined) return this.#rest();
    clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    this.#worker.ref();
    const bytes = movable(order.bytes);
    const type = order.serializer.type.replace('.batched', '');
    const forms = spokenForms.besides(order.serializer.form);
    this.#worker.postMessage({ type, bytes, forms } satisfies ThreadOrder, [bytes.buffer as ArrayBuffer]);
  }

  #rest(): void {
    this.#worker?.unref();
    this.#idle = setTimeout(() => {
      void this.#worker?.terminate();
      this.#worker = undefined;
    }, IDLE_MS).unref();
  }

  #start(): Worker {
    const worker = new Worker(new URL('../serializer/decoding-worker.js', import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: MAX_HEAP_MIB },
    });
    worker.on('message', (answer: ThreadAnswer) => this.#answered(answer));
    // The end of the thread follows.
    worker.on('error', (error) => this.#lost(worker, error));
    worker.on('exit', () => this.#lost(worker, new Error('the thread for large messages has ended')));
    return worker;
  }

  #answered({ outcome, bytes }: ThreadAnswer): void {
    const order = this.#orders.shift();
    this.#send();
    if (order === undefined) return;
    const { serializer, done } = order;
    const own = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    done(() => {
      if ('unknown' in outcome) return serializer.decode(own);
      if ('violation' in outcome) throw new ProtocolViolation(outcome.violation);
      if ('failed' in outcome) throw new Error(outcome.failed);
      return putTogether(serializer, own, outcome);
    });
  }

  /** The message that it had is lost with it; the next one gets another thread. */
  #lost(worker: Worker, error: unknown): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    const order = this.#orders.shift();
    this.#send();
    order?.done(() => {
      throw error;
    });
  }
}

function putTogether(serializer: Decoder, bytes: Buffer, { parts, translations }: Found): ClientMessage {
  if (serializer.putTogether === undefined) throw new TypeError(`${serializer.type} cannot put a message together`);
  const message = serializer.putTogether(bytes, parts);
  if ('payload' in message && message.payload instanceof WirePayload) keepTranslations(message.payload, translations);
  return message;
}

/** One for the process: it works for all connections in turn. */
export const decodingThread = new DecodingThread();

/** Decodes a message of a connection, and counts it as memory of what comes in until that is done or the connection is given up. */
export function decodeLater(
  connection: Receiving,
  { serializer, bytes }: Pick<Order, 'serializer' | 'bytes'>,
  done: (decoded: Decoded) => void,
): void {
  const held: Receiving = {
    giveUpReceiving: () => {
      letGo();
      connection.giveUpReceiving();
    },
  };
  // The message changes hands.
  const length = bytes.length;
  const letGo = decodingThread.decode(serializer, bytes, (decoded) => {
    receivedMemory.hold(held, 0);
    done(decoded);
  });
  receivedMemory.hold(held, length);
}
