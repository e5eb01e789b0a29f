/**
 * What is asked on one connection, one after the other. A client may send requests without waiting for answers (RFC 9112,
 * section 9.3.2), and Node.js hands over all that it has read at once. Here the next one begins when the one before is
 * through: so a connection holds one file and one response at a time, answers come in their order, and a handshake or a
 * refusal never lands in the middle of a response. It knows no HTTP.
 *
 *     add -> [waits behind others] -> begins -> done (its response is closed) -> the next one begins
 *     the connection closes -> whatever waits is dropped
 */
import type { Duplex } from 'node:stream';

/** So many requests of one connection may wait. Browsers do not do it at all; who does it sends a handful. */
export const MAX_WAITING_REQUESTS = 64;

/** @param done to be called once, when the next one may begin. */
export type Turn = (done: () => void) => void;

interface Pipeline {
  isBusy: boolean;
  readonly waiting: Turn[];
}

export class Pipelines {
  /** Connections with something under way. */
  readonly #pipelines = new Map<Duplex, Pipeline>();

  /** How many connections have something under way. */
  get size(): number {
    return this.#pipelines.size;
  }

  /**
   * Begins a turn when all that was added before on the same connection is through.
   * @returns false when too many wait already: then it is dropped.
   */
  add(connection: Duplex, turn: Turn): boolean {
    const pipeline = this.#pipelines.get(connection) ?? this.#open(connection);
    if (!pipeline.isBusy) this.#begin(connection, pipeline, turn);
    else if (pipeline.waiting.length >= MAX_WAITING_REQUESTS) return false;
    else pipeline.waiting.push(turn);
    return true;
  }

  /** The connection is closed: nothing that waits begins. */
  drop(connection: Duplex): void {
    const pipeline = this.#pipelines.get(connection);
    if (pipeline === undefined) return;
    pipeline.waiting.length = 0;
    this.#pipelines.delete(connection);
  }

  #open(connection: Duplex): Pipeline {
    const pipeline: Pipeline = { isBusy: false, waiting: [] };
    this.#pipelines.set(connection, pipeline);
    return pipeline;
  }

  #begin(connection: Duplex, pipeline: Pipeline, turn: Turn): void {
    pipeline.isBusy = true;
    turn(() => {
      pipeline.isBusy = false;
      const next = pipeline.waiting.shift();
      if (next !== undefined && !connection.destroyed) this.#begin(connection, pipeline, next);
      else this.drop(connection);
    });
  }
}
