/** A consumer of JetStream that pushes what is in a bucket, and what changes. Changes are not acknowledged: whoever misses one makes another consumer. */
import type { ConsumerInfo } from '@nats-io/jetstream';
import type { FollowingDeps } from './following-deps.js';

/** A consumer with nothing to tell says so after this long; after two such times without a word it is taken for gone. */
const HEARTBEAT_MS = 1000;

/** The server removes a consumer that nobody listened to for this long: each that is left behind costs it work. */
const INACTIVE_MS = 10_000;

/** So many consumers in a row are given up because NATS put them on the server that kept something back. The next one is taken. */
const ELSEWHERE = 8;

/** A consumer that pushes to us, and what NATS said of it. */
export interface Made {
  readonly name: string;
  readonly info: ConsumerInfo;
}

/**
 * @param last the number of the last change that is known; 0: the last change of each key comes first.
 * @param isWanted whether it still is, asked between two attempts.
 * @returns one on another server than the one that is not trusted, if NATS has another. Rejects with what NATS says.
 */
export async function makeConsumer(deps: FollowingDeps, last: number, isWanted: () => boolean): Promise<Made> {
  const { packages, manager, inboxPrefix, stream, prefix, distrusted } = deps;
  const { AckPolicy, DeliverPolicy } = packages.jetstream;
  const { createInbox, nanos } = packages.transport;
  for (let tries = 0; ; tries += 1) {
    const deliver_subject = createInbox(inboxPrefix);
    const name = `crossbar_${deliver_subject.slice(inboxPrefix.length + 1)}`;
    const info = await manager.consumers.add(stream, {
      name,
      deliver_subject,
      filter_subject: `${prefix}>`,
      ...(last === 0
        ? { deliver_policy: DeliverPolicy.LastPerSubject }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: last + 1 }),
      ack_policy: AckPolicy.None,
      max_deliver: 1,
      flow_control: true,
      idle_heartbeat: nanos(HEARTBEAT_MS),
      inactive_threshold: nanos(INACTIVE_MS),
      mem_storage: true,
      num_replicas: 1,
    });
    const server = info.cluster?.leader;
    const isElsewhere = server === undefined || server !== distrusted.get(stream);
    if (isElsewhere || tries === ELSEWHERE || !isWanted()) return { name, info };
    await manager.consumers.delete(stream, name);
  }
}
