/**
 * Follows a bucket. A consumer of JetStream pushes each change. Each of these makes a new one, which begins behind the last change that
 * was told: changes are missing (their count has a gap), the consumer is silent (it lives on one server, which may be gone while ours is
 * not), or our link was lost. The library's own watch finds a silent consumer after a minute; a directory must not be out of date for
 * so long.
 *
 * The server of a consumer may also have a copy of the stream that has stopped, while it says that it is current, and that there is
 * nothing to tell (nats-server 2.9.10, when servers were killed under load). Only the leader of the stream knows better, so it is asked
 * for the last change from time to time, and before what was there counts as told. What the consumer keeps back is read from the leader,
 * and the next consumer has to be on another server: NATS takes any of them for it.
 *
 * A copy may also have holes in it: a server that was killed lacks changes from the midst, and knows nothing of it. So what is there when a
 * watch begins is compared with the keys that the leader has; and where a consumer leaves out a number later, the leader is asked what
 * stands there. Mostly nothing does: a later change of the same key took its place.
 *
 * Before each consumer, and from time to time, it looks whether the stream still is the one that it followed. A server that came back with
 * an empty directory has another one, or none. One whose copy had stopped may come to lead the stream (nats-server 2.9.10 again): then the
 * stream ends before the last change that was told, or has other ones in the places of those that were told (`told-changes.ts`). When another server
 * leads, or the link was lost, it looks more closely: all servers may have been gone, and the same one leads again.
 */
import type { ConsumerMessages, JetStreamApiError, JsMsg, StoredMsg } from '@nats-io/jetstream';
import { EngineError } from '../engine.js';
import { Leader } from './leader.js';
import { makeConsumer } from './push-consumer.js';
import { isMark } from './mark.js';
import { Portions } from './portions.js';
import { ToldChanges } from './told-changes.js';
import type { Loss } from '../engine.js';
import type { FollowingDeps, FollowingListener } from './following-deps.js';
import type { Told } from './told-changes.js';

/** So many heartbeats are between two looks whether the consumer keeps something back: each is a request. */
const LOOK_EVERY = 2;

/** Between two attempts to make a consumer. */
const RETRY_MS = 250;

/** JetStream: there is no such stream. */
const NO_STREAM = 10_059;

/**
 * So many looks in a row have to find no stream, or one that lacks what was told: a server that has just begun to lead may not know
 * all yet. A stream that was made at another time is another one at once.
 */
const LOOKS = 4;

/** So many looks are close ones then: a change may still be on its way here from an earlier leader. */
const CLOSE_LOOKS = 3;

/** The stream has the name of the one that was followed, and is another one. */
const OTHER_STREAM = 'the stream was made anew';

/** The stream ends before the last change that was told. */
const CHANGES_MISSING = 'the stream lacks what was told';

/** The stream has another change in the place of one that was told. */
const OTHER_CHANGES = 'the stream has other changes than were told';

/** A consumer says that there is nothing to tell, and the stream has more. */
const KEPT_BACK = 'a server of NATS does not tell what is in the stream';

/** A change, by whichever way it came. */
type Arrived = Pick<JsMsg, 'headers' | 'data'> & Omit<Told, 'isMark'>;

/** One watch of one bucket. */
export class Following {
  readonly #deps: FollowingDeps;
  readonly #listener: FollowingListener;
  /** Changes, and that all have been told. */
  readonly #telling = new Portions();
  #messages: ConsumerMessages | undefined;
  /** Counts the attempts to make a consumer: the last one alone goes on. */
  #attempt = 0;
  /** When the stream was made, as the server writes it; undefined before the first look. */
  #created: string | undefined;
  /** How many looks in a row found that something is missing. */
  #missed = 0;
  /** The number of the last change that came, in the stream; 0: none. */
  #last = 0;
  readonly #told = new ToldChanges();
  /** Where the stream ended when it lacked what was told. It may have grown again since, by other changes. */
  #lackedFrom: number | undefined;
  readonly #leader: Leader;
  /** The server that led the stream at the last look, and how many looks are close ones still. */
  #ledBy: string | undefined;
  #closeLooks = 0;
  /** The server of the consumer; undefined: NATS is one server. */
  #server: string | undefined;
  /** Whether the leader is asked if what was there has come. */
  #isSettling = false;
  /** Called when what was there has been told. */
  #complete: () => void = () => undefined;
  /** Of the keys that were there when the watch began, those that were told; undefined when all were. */
  #loaded: Set<string> | undefined = new Set();
  /** What came behind a gap, as long as the leader is asked what stands in it. */
  #held: Arrived[] | undefined;
  #isEnded = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(deps: FollowingDeps, listener: FollowingListener) {
    this.#deps = deps;
    this.#listener = listener;
    this.#leader = new Leader(deps);
  }

  /** Resolves when everything that was there has been told. Rejects with what NATS says when there can be no consumer. */
  async begin(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#complete = resolve;
      this.#consume().catch(reject);
    });
  }

  /** The link was lost, and is back: what was pushed meanwhile is lost, too. */
  renew(): void {
    this.#closeLooks = CLOSE_LOOKS;
    this.#takeAnother();
  }

  /** Makes another consumer. */
  #takeAnother(): void {
    if (this.#isEnded) return;
    clearTimeout(this.#retry);
    this.#drop();
    const attempt = this.#attempt + 1;
    this.#consume().catch((error: unknown) => {
      if (attempt !== this.#attempt) return;
      this.#missed = isMissing(error) ? this.#missed + 1 : 0;
      this.#deps.failed(error);
      if (isEngineError(error, OTHER_STREAM)) return this.#gone('all');
      if (isEngineError(error, OTHER_CHANGES)) return this.#gone('some');
      if (this.#missed >= LOOKS) return this.#gone(isEngineError(error, CHANGES_MISSING) ? 'some' : 'all');
      this.#retry = setTimeout(() => this.#takeAnother(), RETRY_MS).unref();
    });
  }

  /** Idempotent. */
  end(): void {
    this.#isEnded = true;
    this.#attempt += 1;
    this.#telling.drop();
    clearTimeout(this.#retry);
    this.#drop();
  }

  #gone(loss: Loss): void {
    // Whether the leader has lost something, or that server never had what the others have: the next consumer is better elsewhere.
    this.#distrust();
    this.end();
    this.#listener.onGone(loss);
  }

  #distrust(): void {
    if (this.#server !== undefined) this.#deps.distrusted.set(this.#deps.stream, this.#server);
  }

  #drop(): void {
    this.#messages?.stop();
    this.#messages = undefined;
    this.#held = undefined;
  }

  /** Rejects with what NATS says, or with a reason why the stream is not the one that was followed. */
  async #look(attempt: number): Promise<void> {
    const { created, state, cluster } = await this.#deps.manager.streams.info(this.#deps.stream);
    if (attempt !== this.#attempt) return;
    if (cluster?.leader !== undefined && cluster.leader !== this.#ledBy) {
      if (this.#ledBy !== undefined) this.#closeLooks = CLOSE_LOOKS;
      this.#ledBy = cluster.leader;
    }
    this.#created ??= created;
    if (created !== this.#created) {
      // A server that made its copy anew says that the stream is as young as that (nats-server 2.9.10).
      const areIn = await this.#told.areIn(this.#leader);
      if (areIn === undefined || attempt !== this.#attempt) return;
      if (!areIn) throw new EngineError('unavailable', OTHER_STREAM);
      this.#created = created;
    }
    if (state.last_seq < this.#last) {
      this.#lackedFrom = Math.min(this.#lackedFrom ?? Infinity, state.last_seq);
      throw new EngineError('unavailable', CHANGES_MISSING);
    }
    const found = await this.#told.lookFor(this.#leader, this.#lackedFrom);
    if (found === 'unknown') return;
    if (found === 'other' || (found === 'nothing' && this.#lackedFrom !== undefined)) {
      throw new EngineError('unavailable', OTHER_CHANGES);
    }
    this.#lackedFrom = undefined;
    await this.#lookClosely();
  }

  /** Rejects when the stream lacks what was told lately. */
  async #lookClosely(): Promise<void> {
    const { isLasting, prefix } = this.#deps;
    if (this.#closeLooks === 0 || isLasting === undefined) return this.#told.areSound();
    const areMissing = await this.#told.areMissing(this.#leader, (subject) => isLasting(subject.slice(prefix.length)));
    if (areMissing === true) throw new EngineError('unavailable', OTHER_CHANGES);
    if (areMissing === false) this.#closeLooks -= 1;
  }

  async #consume(): Promise<void> {
    const attempt = ++this.#attempt;
    await this.#look(attempt);
    if (attempt !== this.#attempt) return;
    const { jetstream, stream } = this.#deps;
    const { name, info } = await makeConsumer(this.#deps, this.#last, () => attempt === this.#attempt);
    if (attempt !== this.#attempt) return;
    const consumer = await jetstream.consumers.getPushConsumer(stream, name);
    if (attempt !== this.#attempt) return;
    let expected = 1;
    const messages = await consumer.consume({
      callback: (message) => {
        if (this.#messages !== messages) return;
        if (message.info.deliverySequence !== expected) return this.#takeAnother();
        expected += 1;
        this.#arrived(toldOf(message), messages);
        if (message.info.pending === 0) this.#settle(messages);
      },
    });
    if (attempt !== this.#attempt) return messages.stop();
    this.#messages = messages;
    this.#missed = 0;
    this.#server = info.cluster?.leader;
    this.#supervise(messages);
    if (info.num_pending === 0) this.#settle(messages);
  }

  /** A consumer has pushed a change. */
  #arrived(change: Arrived, messages: ConsumerMessages): void {
    if (this.#held !== undefined) return void this.#held.push(change);
    if (this.#loaded !== undefined || change.seq <= this.#last + 1) return this.#tell(change);
    const held = (this.#held = [change]);
    this.#watchOver(messages, () => this.#closeGaps(held, messages));
  }

  /** Tells what was held back, and before it what the consumer has left out. */
  async #closeGaps(held: readonly Arrived[], messages: ConsumerMessages): Promise<void> {
    let hasHole = false;
    // More may come meanwhile.
    for (const change of held) {
      const last = this.#last;
      if (!(await this.#readUpTo(change.seq - 1, messages))) {
        if (this.#messages === messages) this.#takeAnother();
        return;
      }
      hasHole ||= this.#last > last;
      this.#tell(change);
    }
    this.#held = undefined;
    if (!hasHole) return;
    this.#distrust();
    this.#deps.failed(new EngineError('unavailable', KEPT_BACK));
    this.#takeAnother();
  }

  /** What was told by another way is not told again. */
  #tell({ seq, subject, headers, data, storedMs }: Arrived): void {
    if (seq <= this.#last) return;
    this.#last = seq;
    this.#hand({ seq, subject, headers, data, storedMs });
  }

  #hand({ seq, subject, headers, data, storedMs }: Arrived): void {
    this.#loaded?.add(subject);
    const isDeleted = isMark(headers);
    this.#told.note({ seq, subject, storedMs, isMark: isDeleted }, this.#loaded === undefined);
    const key = subject.slice(this.#deps.prefix.length);
    const change = { key, value: isDeleted ? undefined : data.slice(), revision: seq };
    this.#telling.run(() => this.#listener.onChange(change));
  }

  /** What was there when the watch began has come, says the consumer. Without an answer of the leader the next look is for it. */
  #settle(messages: ConsumerMessages): void {
    if (this.#loaded === undefined || this.#isSettling) return;
    this.#isSettling = true;
    this.#watchOver(messages, async () => {
      try {
        await this.#checkAgainst(await this.#leader.last(), messages);
      } finally {
        this.#isSettling = false;
      }
    });
  }

  /** @param end the number of the last change, as the leader has it. What came late is read there. */
  async #checkAgainst(end: number | undefined, messages: ConsumerMessages): Promise<void> {
    if (end === undefined || !(await this.#readUpTo(end, messages))) return;
    if (!(await this.#readMissing(messages)) || this.#loaded === undefined) return;
    this.#loaded = undefined;
    this.#telling.run(() => this.#complete());
  }

  /** Tells the keys that the leader has, and the consumer did not tell. @returns whether all has been told. */
  async #readMissing(messages: ConsumerMessages): Promise<boolean> {
    const { manager, stream, prefix } = this.#deps;
    const { state } = await manager.streams.info(stream, { subjects_filter: `${prefix}>` });
    for (const subject of Object.keys(state.subjects ?? {})) {
      if (this.#messages !== messages) return false;
      if (this.#loaded?.has(subject) !== false) continue;
      const message = await this.#leader.lastOf(subject);
      if (message === undefined) return false;
      // What has come since is told by the consumer; what is gone since, by nobody.
      if (message === null || message.seq > this.#last || this.#loaded.has(subject)) continue;
      this.#distrust();
      this.#hand(arrivedOf(message));
    }
    return this.#messages === messages;
  }

  /** Reads at the leader, while a consumer may push the same. @returns whether all has been told. */
  async #readUpTo(end: number, messages: ConsumerMessages): Promise<boolean> {
    while (this.#last < end && this.#messages === messages) {
      const message = await this.#leader.next(this.#last + 1);
      if (message === null) break;
      if (message === undefined || this.#messages !== messages) return false;
      if (message.seq > end) break;
      this.#tell(arrivedOf(message));
    }
    return this.#messages === messages;
  }

  #supervise(messages: ConsumerMessages): void {
    this.#watchOver(messages, async () => {
      let beats = 0;
      let awaited = 0;
      for await (const { type } of messages.status()) {
        if (type === 'heartbeats_missed' || type === 'consumer_deleted') break;
        if (type !== 'heartbeat' || ++beats % LOOK_EVERY > 0) continue;
        if (awaited > this.#last && this.#messages === messages) {
          this.#distrust();
          this.#deps.failed(new EngineError('unavailable', KEPT_BACK));
          await this.#readUpTo(awaited, messages);
          break;
        }
        // Without an answer the heartbeats go on, and the next look is soon; a link that is gone is noticed elsewhere.
        awaited = (await this.#leader.last()) ?? 0;
        if (await this.#isOther()) break;
        if (this.#loaded !== undefined) this.#settle(messages);
      }
      if (this.#messages === messages) this.#takeAnother();
    });
  }

  /** @returns whether the stream is another one, or lacks what was told. Without an answer it is not. */
  async #isOther(): Promise<boolean> {
    try {
      await this.#look(this.#attempt);
      return false;
    } catch (error) {
      return error instanceof EngineError || isMissing(error);
    }
  }

  /** Runs what concerns one consumer. Another takes its place when that fails. */
  #watchOver(messages: ConsumerMessages, run: () => Promise<void>): void {
    run().catch((error: unknown) => {
      if (this.#messages !== messages) return;
      this.#deps.failed(error);
      this.#takeAnother();
    });
  }
}

function arrivedOf({ seq, subject, header: headers, data, time }: StoredMsg): Arrived {
  return { seq, subject, headers, data, storedMs: time.getTime() };
}

function toldOf({ seq, subject, headers, data, info }: JsMsg): Arrived {
  return { seq, subject, headers, data, storedMs: info.timestampNanos / 1e6 };
}

function isMissing(error: unknown): boolean {
  return isEngineError(error, CHANGES_MISSING) || (error as Partial<JetStreamApiError>).code === NO_STREAM;
}

function isEngineError(error: unknown, message: string): boolean {
  return error instanceof EngineError && error.message === message;
}
