/** A watch of a bucket over a consumer that says it has nothing to tell, while the stream has more: what it keeps back is read from the leader, and another consumer takes its place. */
import type { JetStreamClient, JetStreamManager, JsMsg, StoredMsg } from '@nats-io/jetstream';
import { expect, it } from 'vitest';
import { Following } from '../../../src/engine/nats/following.js';
import { ToldChanges } from '../../../src/engine/nats/told-changes.js';
import { PORTION } from '../../../src/engine/nats/portions.js';
import type { FollowingDeps } from '../../../src/engine/nats/following-deps.js';

const storedAt = (seq: number, ms = 1000) => ({
  seq,
  subject: `$KV.b.k${seq}`,
  data: new Uint8Array(1),
  time: new Date(ms + seq),
});

/** A stream with consumers that tell what a test tells. */
class FakeStream {
  lastSeq = 0;
  /** How much a consumer says that it is about to tell. */
  pending = 0;
  created = 'once';
  leader = 'n1';
  /** The servers that consumers are put on, one after the other; the last one for all that follow. */
  servers: readonly string[] = [];
  readonly deleted: string[] = [];
  readonly distrusted = new Map<string, string>();
  readonly erased: number[] = [];
  /** Those that are others than were told: when each was stored, about. */
  readonly others = new Map<number, number>();
  /** When its changes were stored, about. */
  storedMs = 1000;
  readonly consumers: { from: number | undefined; tell: (seq: number) => void; beat: () => Promise<void> }[] = [];
  readonly failures: unknown[] = [];
  isAnswering = true;
  /** What a question for the last change ends with. */
  fault: Error = new Error('no leader');

  deps(): FollowingDeps {
    const streams = {
      info: () =>
        Promise.resolve({
          created: this.created,
          cluster: { leader: this.leader },
          state: {
            last_seq: this.lastSeq,
            subjects: Object.fromEntries(this.there.map((seq) => [`$KV.b.k${seq}`, 1])),
          },
        }),
      getMessage: (_stream: string, asked: { seq?: number; last_by_subj?: string; next_by_subj?: string }) => {
        if (!this.isAnswering) return Promise.reject(this.fault);
        const number = this.#numberOf(asked);
        if (number === undefined || !this.there.includes(number)) return Promise.resolve(null);
        return Promise.resolve(storedAt(number, this.others.get(number) ?? this.storedMs));
      },
    };
    let from: number | undefined;
    let made = 0;
    const add = (_stream: string, config: { opt_start_seq?: number }): Promise<object> => {
      from = config.opt_start_seq;
      const leader = this.servers[Math.min(made++, this.servers.length - 1)];
      return Promise.resolve({ num_pending: this.pending, ...(leader !== undefined && { cluster: { leader } }) });
    };
    const remove = (_stream: string, name: string): Promise<boolean> => {
      this.deleted.push(name);
      return Promise.resolve(true);
    };
    const getPushConsumer = (): Promise<object> => Promise.resolve({ consume: this.#consume(from) });
    return {
      packages: {
        jetstream: { AckPolicy: {}, DeliverPolicy: {} },
        transport: { createInbox: (prefix: string) => `${prefix}.1`, nanos: (ms: number) => ms },
      } as unknown as FollowingDeps['packages'],
      jetstream: { consumers: { getPushConsumer } } as unknown as JetStreamClient,
      manager: { streams, consumers: { add, delete: remove } } as unknown as JetStreamManager,
      inboxPrefix: 'inbox',
      stream: 'KV_b',
      prefix: '$KV.b.',
      isLasting: (key) => key !== 'k4',
      distrusted: this.distrusted,
      failed: (error) => this.failures.push(error),
    };
  }

  /** The numbers of its changes. */
  get there(): readonly number[] {
    const all = Array.from({ length: this.lastSeq }, (_, index) => index + 1);
    return all.filter((seq) => !this.erased.includes(seq));
  }

  #numberOf({ seq, last_by_subj, next_by_subj }: { seq?: number; last_by_subj?: string; next_by_subj?: string }) {
    if (last_by_subj !== undefined) {
      return last_by_subj.endsWith('>') ? this.there.at(-1) : Number(last_by_subj.slice('$KV.b.k'.length));
    }
    return next_by_subj === undefined ? seq : this.there.find((each) => each >= (seq ?? 0));
  }

  #consume(from: number | undefined) {
    return ({ callback }: { callback: (message: JsMsg) => void }): Promise<object> => {
      let isStopped = false;
      let wake = (): void => undefined;
      let deliverySequence = 0;
      const queue: string[] = [];
      async function* status(): AsyncGenerator<{ type: string }> {
        while (!isStopped) {
          const type = queue.shift();
          if (type === undefined) await new Promise<void>((resolve) => (wake = resolve));
          else yield { type };
        }
      }
      this.consumers.push({
        from,
        tell: (seq) => {
          const info = { deliverySequence: ++deliverySequence, pending: 0, timestampNanos: (1000 + seq) * 1e6 };
          callback({ ...storedAt(seq), info } as unknown as JsMsg);
        },
        beat: async () => {
          queue.push('heartbeat');
          wake();
          await new Promise((resolve) => setImmediate(resolve));
        },
      });
      const stop = (): void => {
        isStopped = true;
        wake();
      };
      return Promise.resolve({ status, stop });
    };
  }
}

async function follow(
  stream = new FakeStream(),
): Promise<{ stream: FakeStream; told: number[]; following: Following }> {
  const told: number[] = [];
  const following = new Following(stream.deps(), {
    onChange: ({ revision }) => told.push(revision),
    onGone: (loss) => told.push(loss === 'all' ? -1 : -2),
  });
  await following.begin();
  return { stream, told, following };
}

async function beats(stream: FakeStream, count: number): Promise<void> {
  for (let n = 0; n < count; n += 1) await stream.consumers.at(-1)?.beat();
}

it('reads what the consumer keeps back from the leader, and takes another one', async () => {
  const { stream, told, following } = await follow();
  stream.lastSeq = 1;
  stream.consumers[0]?.tell(1);
  stream.lastSeq = 3;
  await beats(stream, 4);
  expect(told).toEqual([1, 2, 3]);
  expect(stream.consumers.map(({ from }) => from)).toEqual([undefined, 4]);
  expect(stream.failures).toHaveLength(1);
  // What the first one has still to say is not heard, and a server whose copy ends early begins too early.
  stream.consumers[0]?.tell(2);
  stream.consumers[1]?.tell(3);
  stream.lastSeq = 4;
  stream.consumers[1]?.tell(4);
  await beats(stream, 6);
  expect(told).toEqual([1, 2, 3, 4]);
  expect(stream.consumers).toHaveLength(2);
  following.end();
});

it('takes no consumer on the server that kept something back, unless NATS has no other place', async () => {
  const one = new FakeStream();
  one.servers = ['a', 'a', 'a', 'b'];
  const { following } = await follow(one);
  one.lastSeq = 1;
  await beats(one, 4);
  expect([one.consumers.length, one.deleted.length]).toEqual([2, 2]);
  one.lastSeq = 2;
  one.consumers[1]?.tell(2);
  await beats(one, 4);
  expect(one.consumers).toHaveLength(2);
  following.end();

  const other = new FakeStream();
  other.servers = ['a'];
  const { following: there } = await follow(other);
  other.lastSeq = 1;
  await beats(other, 4);
  expect([other.consumers.length, other.deleted.length]).toEqual([2, 8]);
  there.end();
});

it('is over, and the next watch takes no consumer on the server that told what the stream does not have', async () => {
  const stream = new FakeStream();
  stream.servers = ['a', 'a', 'b'];
  const { told } = await follow(stream);
  stream.lastSeq = 1;
  stream.consumers[0]?.tell(1);
  stream.storedMs = 5000;
  await beats(stream, 2);
  expect(told).toEqual([1, -2]);
  expect(stream.failures).toHaveLength(1);
  const { following } = await follow(stream);
  expect([stream.consumers.length, stream.deleted.length]).toEqual([2, 2]);
  following.end();
});

it('has told what was there only when the leader says so, whatever the consumer says', async () => {
  const stream = new FakeStream();
  stream.lastSeq = 3;
  const { told, following } = await follow(stream);
  expect(told).toEqual([1, 2, 3]);
  following.end();
});

it('reads from the leader what a copy with holes lacks when the watch begins', async () => {
  const stream = new FakeStream();
  stream.lastSeq = 4;
  stream.pending = 1;
  stream.erased.push(2);
  const beginning = follow(stream);
  while (stream.consumers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  stream.consumers[0]?.tell(4);
  const { told, following } = await beginning;
  expect(told).toEqual([4, 1, 3]);
  following.end();
});

it('reads from the leader what a consumer leaves out, before what comes behind it, and takes another one', async () => {
  const { stream, told, following } = await follow();
  stream.lastSeq = 5;
  for (const seq of [1, 4, 5]) stream.consumers[0]?.tell(seq);
  await expect.poll(() => stream.consumers.length).toBe(2);
  expect(told).toEqual([1, 2, 3, 4, 5]);
  expect([stream.consumers[1]?.from, stream.failures.length]).toEqual([6, 1]);
  following.end();
});

it('stays with a consumer that leaves out what was replaced', async () => {
  const { stream, told, following } = await follow();
  stream.lastSeq = 6;
  stream.erased.push(2, 3, 5);
  for (const seq of [1, 4, 6]) stream.consumers[0]?.tell(seq);
  await expect.poll(() => told).toEqual([1, 4, 6]);
  stream.lastSeq = 7;
  stream.consumers[0]?.tell(7);
  expect(told).toEqual([1, 4, 6, 7]);
  expect([stream.consumers.length, stream.failures]).toEqual([1, []]);
  following.end();
});

it('begins anew behind a gap of which the leader says nothing', async () => {
  const { stream, told, following } = await follow();
  stream.lastSeq = 3;
  stream.consumers[0]?.tell(1);
  stream.isAnswering = false;
  stream.consumers[0]?.tell(3);
  await expect.poll(() => stream.consumers.length).toBe(2);
  expect([told, stream.consumers[1]?.from]).toEqual([[1], 2]);
  following.end();
});

it('waits for the leader until it answers', async () => {
  const stream = new FakeStream();
  stream.isAnswering = false;
  stream.lastSeq = 2;
  const before: unknown[] = [];
  const beginning = follow(stream).then((begun) => {
    before.push('begun');
    return begun;
  });
  while (stream.consumers.length === 0) await new Promise((resolve) => setImmediate(resolve));
  await beats(stream, 4);
  expect(before).toEqual([]);
  stream.isAnswering = true;
  await beats(stream, 4);
  const { told, following } = await beginning;
  expect([told, stream.consumers.length]).toEqual([[1, 2], 1]);
  following.end();
});

it('is over when the stream has another change in the place of the last one that was told', async () => {
  const { stream, told } = await follow();
  stream.lastSeq = 2;
  stream.consumers[0]?.tell(1);
  stream.consumers[0]?.tell(2);
  await beats(stream, 4);
  stream.storedMs = 5000;
  await beats(stream, 2);
  expect(told).toEqual([1, 2, -2]);
});

it('is over when the stream is said to be another one, and has nothing of what was told', async () => {
  const { stream, told } = await follow();
  stream.lastSeq = 2;
  for (const seq of [1, 2]) stream.consumers[0]?.tell(seq);
  await beats(stream, 2);
  stream.created = 'again';
  stream.storedMs = 5000;
  await beats(stream, 2);
  expect(told).toEqual([1, 2, -1]);
});

it('goes on with a stream that is only said to be another one', async () => {
  const { stream, told, following } = await follow();
  stream.lastSeq = 2;
  for (const seq of [1, 2]) stream.consumers[0]?.tell(seq);
  await beats(stream, 2);
  stream.created = 'again';
  await beats(stream, 4);
  stream.erased.push(2);
  stream.created = 'once more';
  await beats(stream, 2);
  expect([told, stream.consumers.length]).toEqual([[1, 2], 1]);
  following.end();
});

it('has lost some changes when such a stream has only the first ones', async () => {
  const { stream, told } = await follow();
  stream.lastSeq = 2;
  for (const seq of [1, 2]) stream.consumers[0]?.tell(seq);
  stream.created = 'again';
  stream.others.set(2, 5000);
  await beats(stream, 4);
  expect(told).toEqual([1, 2, -2]);
});

it('is not over when nobody can say what was in that place', async () => {
  const { stream, told, following } = await follow();
  stream.lastSeq = 2;
  stream.consumers[0]?.tell(1);
  stream.consumers[0]?.tell(2);
  stream.erased.push(1, 2);
  stream.storedMs = 5000;
  await beats(stream, 4);
  expect(told).toEqual([1, 2]);
  following.end();
});

it('is over when one that was told earlier has another one in its place, and the last one has not', async () => {
  const { stream, told } = await follow();
  stream.lastSeq = 3;
  stream.consumers[0]?.tell(1);
  stream.consumers[0]?.tell(2);
  stream.consumers[0]?.tell(3);
  stream.others.set(2, 5000);
  await beats(stream, 2);
  expect(told).toEqual([1, 2, 3, -2]);
});

it('is over when the stream had lost its end, and nobody can say what took the place of what was told', async () => {
  const { stream, told } = await follow();
  stream.lastSeq = 3;
  for (const seq of [1, 2, 3]) stream.consumers[0]?.tell(seq);
  await beats(stream, 2);
  stream.lastSeq = 1;
  await beats(stream, 2);
  stream.lastSeq = 9;
  stream.erased.push(2, 3);
  await beats(stream, 4);
  await expect.poll(() => told).toEqual([1, 2, 3, -2]);
});

it('goes on when the stream ends too early only for a moment', async () => {
  const { stream, told, following } = await follow();
  stream.lastSeq = 3;
  for (const seq of [1, 2, 3]) stream.consumers[0]?.tell(seq);
  await beats(stream, 2);
  stream.lastSeq = 1;
  await beats(stream, 2);
  stream.lastSeq = 3;
  await expect.poll(() => stream.consumers.length).toBe(2);
  await beats(stream, 4);
  expect(told).toEqual([1, 2, 3]);
  following.end();
});

it('is over when another server leads, and lacks a change in the midst of others that was told lately', async () => {
  const { stream, told } = await follow();
  stream.lastSeq = 3;
  for (const seq of [1, 2, 3]) stream.consumers[0]?.tell(seq);
  stream.erased.push(2);
  await beats(stream, 4);
  expect(told).toEqual([1, 2, 3]);
  stream.leader = 'n2';
  await beats(stream, 2);
  expect(told).toEqual([1, 2, 3, -2]);
});

it('looks closely when the link was lost, though the same server leads', async () => {
  const { stream, told, following } = await follow();
  stream.lastSeq = 3;
  for (const seq of [1, 2, 3]) stream.consumers[0]?.tell(seq);
  await beats(stream, 4);
  stream.erased.push(2);
  following.renew();
  await expect.poll(() => told).toEqual([1, 2, 3, -2]);
});

it('looks closely for a while after another server came to lead, until the leader answers', async () => {
  const { stream, told } = await follow();
  stream.lastSeq = 3;
  for (const seq of [1, 2]) stream.consumers[0]?.tell(seq);
  stream.leader = 'n2';
  await beats(stream, 4);
  stream.consumers[0]?.tell(3);
  stream.erased.push(3);
  await beats(stream, 2);
  expect(told).toEqual([1, 2, 3, -2]);
});

it('misses nothing that may be erased, was deleted, or was told long ago', async () => {
  const nowMs = { value: 0 };
  const told = new ToldChanges(() => nowMs.value);
  const there = (changes: Record<string, number>) => ({
    lastOf: (subject: string) => {
      const seq = changes[subject];
      return Promise.resolve(
        seq === undefined ? null : ({ ...storedAt(seq), header: undefined } as unknown as StoredMsg),
      );
    },
  });
  const note = (subject: string, seq: number, isMark = false, isNew = true): void =>
    told.note({ subject, seq, storedMs: 1000 + seq, isMark }, isNew);
  const missing = (changes: Record<string, number>) =>
    told.areMissing(there(changes), (subject) => subject !== 'probe');
  note('before', 1, false, false);
  note('probe', 2);
  note('deleted', 3, true);
  note('replaced', 4);
  note('last', 5);
  expect(await missing({ replaced: 9, last: 5 })).toBe(false);
  expect(await missing({ replaced: 9 })).toBe(true);
  // An earlier one of its key is the last.
  expect(await missing({ replaced: 3, last: 5 })).toBe(true);
  expect(await told.areMissing({ lastOf: () => Promise.resolve(undefined) }, () => true)).toBeUndefined();
  nowMs.value = 20_000;
  told.areSound();
  // However long ago: nobody has looked since.
  nowMs.value = 90_000;
  expect(await missing({})).toBe(true);
  told.areSound();
  expect(await missing({})).toBe(false);
});

it('stays with a consumer that tells it later, that has told all, or about which nobody can be asked', async () => {
  const { stream, told, following } = await follow();
  stream.lastSeq = 1;
  await beats(stream, 2);
  stream.consumers[0]?.tell(1);
  await beats(stream, 6);
  stream.isAnswering = false;
  stream.lastSeq = 2;
  await beats(stream, 6);
  expect({ told, consumers: stream.consumers.length, failures: stream.failures }).toEqual({
    told: [1],
    consumers: 1,
    failures: [],
  });
  following.end();
});

it('tells many changes in their order over several turns, and that all were told behind them', async () => {
  const { stream, told, following } = await follow();
  const nextTurn = () => new Promise((resolve) => setImmediate(resolve));
  await nextTurn();
  const count = PORTION * 2 + 10;
  for (let seq = 1; seq <= count; seq += 1) stream.consumers[0]?.tell(seq);
  expect(told).toHaveLength(PORTION);
  await nextTurn();
  expect(told).toHaveLength(PORTION * 2);
  // What comes meanwhile does not overtake.
  stream.consumers[0]?.tell(count + 1);
  await nextTurn();
  expect(told).toEqual(Array.from({ length: count + 1 }, (_, index) => index + 1));
  await nextTurn();
  stream.consumers[0]?.tell(count + 2);
  expect(told).toHaveLength(count + 2);
  for (let seq = count + 3; seq <= count * 2; seq += 1) stream.consumers[0]?.tell(seq);
  const before = told.length;
  following.end();
  await nextTurn();
  await nextTurn();
  expect(told).toHaveLength(before);
});

it('tells of a fault that is none of NATS, and takes another consumer', async () => {
  const { stream, following } = await follow();
  stream.isAnswering = false;
  stream.fault = new TypeError('a fault of the code');
  await beats(stream, 3);
  expect(stream.failures).toEqual([stream.fault]);
  expect(stream.consumers).toHaveLength(2);
  following.end();
});
