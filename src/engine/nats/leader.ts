/**
 * Reads of a bucket at the leader of its stream: the only server that surely knows what the stream has. Each is a request for one message,
 * where a consumer pushes them.
 */
import type { JetStreamManager, MsgRequest, StoredMsg } from '@nats-io/jetstream';

export interface LeaderDeps {
  readonly manager: JetStreamManager;
  /** The stream of the bucket, and what its subjects begin with. */
  readonly stream: string;
  readonly prefix: string;
}

/** No answer is undefined, and nobody waits for another one; faults of the code reject. */
export class Leader {
  readonly #deps: LeaderDeps;

  constructor(deps: LeaderDeps) {
    this.#deps = deps;
  }

  /** @returns the number of the last change of the bucket; 0 when there is none. */
  async last(): Promise<number | undefined> {
    const message = await this.#ask({ last_by_subj: `${this.#deps.prefix}>` });
    return message === null ? 0 : message?.seq;
  }

  /** @returns the change with this number; null when it is not there any more. */
  at(seq: number): Promise<StoredMsg | null | undefined> {
    return this.#ask({ seq });
  }

  /** @returns the last change of a key; null when there is none. */
  lastOf(subject: string): Promise<StoredMsg | null | undefined> {
    return this.#ask({ last_by_subj: subject });
  }

  /** @returns the first change of the bucket from this number on; null when there is none. */
  next(seq: number): Promise<StoredMsg | null | undefined> {
    // NATS takes both, as the library writes it for reads at any server.
    return this.#ask({ seq, next_by_subj: `${this.#deps.prefix}>` } as MsgRequest);
  }

  async #ask(query: MsgRequest): Promise<StoredMsg | null | undefined> {
    try {
      return await this.#deps.manager.streams.getMessage(this.#deps.stream, query);
    } catch (error) {
      if (isFaultOfCode(error)) throw error;
      return undefined;
    }
  }
}

/** @returns whether it is none of the errors of NATS, whose classes are of its packages. */
function isFaultOfCode(error: unknown): boolean {
  return [TypeError, RangeError, ReferenceError, SyntaxError].some((each) => error instanceof each);
}
