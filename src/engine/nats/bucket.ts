/**
 * A bucket in JetStream, in the form of its key-value buckets, so that the tools of NATS can read it (`nats kv`). It is written here
 * and not by the library, whose `create` after a deletion is an update by revision (see {@link Bucket}).
 */
import { Following } from './following.js';
import { OPERATION, isMark } from './mark.js';
import type { JetStreamApiError, JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { Bucket, Change, Loss } from '../engine.js';
import type { FollowingDeps } from './following-deps.js';

/** JetStream: there is no message with this subject. */
const NO_MESSAGE = 10_037;

const NOTHING = new Uint8Array(0);

export interface BucketDeps extends FollowingDeps {
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  /** Runs a request while the link is up. Rejects with EngineError, at once when the link goes down. */
  readonly ask: <T>(request: () => Promise<T>) => Promise<T>;
  /** Knows the watches of the node, so that they are renewed when the link is back. */
  readonly followings: Set<Following>;
}

export class NatsBucket implements Bucket {
  readonly #deps: BucketDeps;

  constructor(deps: BucketDeps) {
    this.#deps = deps;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    const { ask, manager, stream, prefix } = this.#deps;
    return ask(async () => {
      const message = await manager.streams
        .getMessage(stream, { last_by_subj: `${prefix}${key}` })
        .catch(noneWhereAbsent);
      if (message === null || isMark(message.header)) return undefined;
      return message.data;
    });
  }

  create(key: string, value: Uint8Array): Promise<number> {
    return this.#write(key, value, { expect: { lastSubjectSequence: 0 } });
  }

  put(key: string, value: Uint8Array): Promise<number> {
    return this.#write(key, value);
  }

  delete(key: string): Promise<number> {
    const headers = this.#deps.packages.transport.headers();
    headers.set(OPERATION, 'DEL');
    return this.#write(key, NOTHING, { headers });
  }

  async erase(key: string): Promise<void> {
    const { ask, manager, stream, prefix } = this.#deps;
    await ask(() => manager.streams.purge(stream, { filter: `${prefix}${key}` }));
  }

  async watch(onChange: (change: Change) => void, onGone?: (loss: Loss) => void): Promise<() => void> {
    const following = new Following(this.#deps, {
      onChange,
      onGone: (loss) => {
        this.#deps.followings.delete(following);
        onGone?.(loss);
      },
    });
    this.#deps.followings.add(following);
    const end = (): void => {
      this.#deps.followings.delete(following);
      following.end();
    };
    try {
      await this.#deps.ask(() => following.begin());
    } catch (error) {
      end();
      throw error;
    }
    return end;
  }

  #write(key: string, value: Uint8Array, options: Parameters<JetStreamClient['publish']>[2] = {}): Promise<number> {
    const { ask, jetstream, prefix } = this.#deps;
    // The library tries a write again only when nobody answers; the answer says who was first.
    return ask(async () => (await jetstream.publish(`${prefix}${key}`, value, options)).seq);
  }
}

function noneWhereAbsent(error: unknown): null {
  if ((error as Partial<JetStreamApiError>).code === NO_MESSAGE) return null;
  throw error;
}
