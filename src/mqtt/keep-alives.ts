/**
 * The keep-alive of all connections of a transport (MQTT 3.1.1, section 3.1.2.10): a client says how long it is silent at most, and one
 * that is silent for half as long again is gone. Anything that comes of it counts, because a large packet may take longer. Each time that
 * clients ask for has a queue, as long as there are such clients.
 */
import { DeadlineQueue } from '../transport/deadline-queue.js';

/** In milliseconds, of one second that a client says. */
const MS_EACH = 1500;

interface Queue<T extends object> {
  readonly deadlines: DeadlineQueue<T>;
  members: number;
}

/** Those of one place. {@link KeepAlives.join} and {@link KeepAlives.leave} are called once for each connection. */
export class KeepAlives<T extends object> {
  readonly #onSilent: (connection: T) => void;
  // seconds -> those that said so
  readonly #queues = new Map<number, Queue<T>>();

  /** @param onSilent called when nothing came for too long; the time of that connection begins anew, unless it is ended. */
  constructor(onSilent: (connection: T) => void) {
    this.#onSilent = onSilent;
  }

  /** How many times there are queues for. */
  get size(): number {
    return this.#queues.size;
  }

  /** Something came of a connection, or its time begins: ask {@link join} first. */
  seen(connection: T, seconds: number): void {
    this.#queues.get(seconds)?.deadlines.add(connection);
  }

  /** @param seconds as CONNECT says; 0: it may be silent for ever. To be followed by {@link leave}, with the same. */
  join(connection: T, seconds: number): void {
    if (seconds === 0) return;
    let queue = this.#queues.get(seconds);
    if (queue === undefined) {
      const deadlines = new DeadlineQueue<T>(seconds * MS_EACH, (silent) => {
        deadlines.add(silent);
        this.#onSilent(silent);
      });
      queue = { deadlines, members: 0 };
      this.#queues.set(seconds, queue);
    }
    queue.members += 1;
    queue.deadlines.add(connection);
  }

  leave(connection: T, seconds: number): void {
    const queue = this.#queues.get(seconds);
    if (queue === undefined) return;
    queue.deadlines.delete(connection);
    if (--queue.members > 0) return;
    queue.deadlines.clear();
    this.#queues.delete(seconds);
  }
}
