/** What a watch of a bucket is made with, and whom it tells. */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { Change, Loss } from '../engine.js';
import type { NatsPackages } from './packages.js';

/** What is told of a bucket: see `Bucket.watch`. */
export interface FollowingListener {
  readonly onChange: (change: Change) => void;
  readonly onGone: (loss: Loss) => void;
}

export interface FollowingDeps {
  readonly packages: Pick<NatsPackages, 'transport' | 'jetstream'>;
  readonly jetstream: JetStreamClient;
  readonly manager: JetStreamManager;
  /** What the subjects for answers begin with. */
  readonly inboxPrefix: string;
  /** The stream of the bucket, and what its subjects begin with. */
  readonly stream: string;
  readonly prefix: string;
  /** See `BucketOptions`. */
  readonly isLasting?: ((key: string) => boolean) | undefined;
  /** stream -> the server that kept something back, or told what the stream does not have. Shared by all watches of a node. */
  readonly distrusted: Map<string, string>;
  /** Called with each failure to make a consumer; another attempt follows. */
  readonly failed: (error: unknown) => void;
}
