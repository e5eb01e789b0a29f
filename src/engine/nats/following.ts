/**
 * Follows a bucket. A consumer of JetStream pushes each change. Each of these makes a new one, which begins behind the last change that
 * was told: changes are missing (their count has a gap), the consumer is silent (it lives on one server, which may be gone while ours is
 * not), or our link was lost. The library's own watch finds a silent consumer after a minute; a directory must not be out of date for
 * so long.
 *
 * The server of a consumer may also have a copy of the stream that has stopped, while it says that it is current, and that there is
 * nothing to tell (nats-server 2.9.10, when servers were killed under load). Only the leader of the stream knows better, so it is asked
 * from time to time for the last change.
 *
 * Before each consumer it looks whether the stream still is the one that it followed: a server that came back with an empty directory
 * has another one, or none, and its numbers begin again below those that were told.
 */
import type { ConsumerMessages, JetStreamApiError, JetStreamClient, JetStreamManager, JsMsg } from '@nats-io/jetstream';
import { EngineError } from '../engine.js';
import { isMark } from './mark.js';
import { Portions } from './portions.js';
import type { Change } from '../engine.js';
import type { NatsPackages } from './packages.js';

/** A consumer with nothing to tell says so after this long; after two such times without a word it is taken for gone. */
const HEARTBEAT_MS = 1000;

/** So many heartbeats are between two looks whether the consumer keeps something back: each is a request. */
const LOOK_EVERY = 2;

/** The server removes a consumer that nobody listened to for this long. */
const INACTIVE_MS = 60_000;

/** Between two attempts to make a consumer. */
const RETRY_MS = 250;

/** JetStream: there is no such stream. */
const NO_STREAM = 10_059;

/**
 * So many looks in a row have to find no stream, or one that lacks what was told: a server that has just begun to lead may not know
 * all yet. A stream that was made at another time is another one at once.
 */
const LOOKS = 4;

/** The stream has the name of the one that was followed, and is another one. */
const OTHER_STREAM = 'the stream was made anew';

/** The stream ends before the last change that was told. */
const CHANGES_MISSING = 'the stream lacks what was told';

/** A consumer says that there is nothing to tell, and the stream has more. */
const KEPT_BACK = 'a server of NATS does not tell what is in the stream';

/** What is told of a bucket: see `Bucket.watch`. */
export interface FollowingListener {
  readonly onChange: (change: Change) => void;
  readonly onGone: () => void;
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
  /** Called with each failure to make a consumer; another attempt follows. */
  readonly failed: (error: unknown) => void;
}

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
  /** Called when what was there has been told. */
  #complete: () => void = () => undefined;
  #haveAllCome = false;
  #isEnded = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(deps: FollowingDeps, listener: FollowingListener) {
    this.#deps = deps;
    this.#listener = listener;
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
    if (this.#isEnded) return;
    clearTimeout(this.#retry);
    this.#drop();
    const attempt = this.#attempt + 1;
    this.#consume().catch((error: unknown) => {
      if (attempt !== this.#attempt) return;
      this.#missed = isMissing(error) ? this.#missed + 1 : 0;
      if (this.#missed >= LOOKS || isEngineError(error, OTHER_STREAM)) return this.#gone();
      this.#deps.failed(error);
      this.#retry = setTimeout(() => this.renew(), RETRY_MS).unref();
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

  #gone(): void {
    this.end();
    this.#listener.onGone();
  }

  #drop(): void {
    this.#messages?.stop();
    this.#messages = undefined;
  }

  /** Rejects with what NATS says, or with a reason why the stream is not the one that was followed. */
  async #look(attempt: number): Promise<void> {
    const { created, state } = await this.#deps.manager.streams.info(this.#deps.stream);
    if (attempt !== this.#attempt) return;
    this.#created ??= created;
    if (created !== this.#created) throw new EngineError('unavailable', OTHER_STREAM);
    if (state.last_seq < this.#last) throw new EngineError('unavailable', CHANGES_MISSING);
  }

  async #consume(): Promise<void> {
    const attempt = ++this.#attempt;
    await this.#look(attempt);
    if (attempt !== this.#attempt) return;
    const { packages, jetstream, manager, inboxPrefix, stream, prefix } = this.#deps;
    const { AckPolicy, DeliverPolicy } = packages.jetstream;
    const { createInbox, nanos } = packages.transport;
    const deliver_subject = createInbox(inboxPrefix);
    const name = `crossbar_${deliver_subject.slice(inboxPrefix.length + 1)}`;
    const info = await manager.consumers.add(stream, {
      name,
      deliver_subject,
      filter_subject: `${prefix}>`,
      ...(this.#last === 0
        ? { deliver_policy: DeliverPolicy.LastPerSubject }
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: this.#last + 1 }),
      ack_policy: AckPolicy.None,
      max_deliver: 1,
      flow_control: true,
      idle_heartbeat: nanos(HEARTBEAT_MS),
      inactive_threshold: nanos(INACTIVE_MS),
      mem_storage: true,
      num_replicas: 1,
    });
    if (attempt !== this.#attempt) return;
    const consumer = await jetstream.consumers.getPushConsumer(stream, name);
    if (attempt !== this.#attempt) return;
    let expected = 1;
    const messages = await consumer.consume({
      callback: (message) => {
        if (this.#messages !== messages) return;
        if (message.info.deliverySequence !== expected) return this.renew();
        expected += 1;
        this.#tell(message);
        if (message.info.pending === 0) this.#allCame();
      },
    });
    if (attempt !== this.#attempt) return messages.stop();
    this.#messages = messages;
    this.#missed = 0;
    this.#supervise(messages);
    if (info.num_pending === 0) this.#allCame();
  }

  #tell(message: JsMsg): void {
    const { seq, subject, headers, data } = message;
    this.#last = seq;
    const key = subject.slice(this.#deps.prefix.length);
    const change = { key, value: isMark(headers) ? undefined : data.slice(), revision: seq };
    this.#telling.run(() => this.#listener.onChange(change));
  }

  /** What was there when the watch began. */
  #allCame(): void {
    if (this.#haveAllCome) return;
    this.#haveAllCome = true;
    this.#telling.run(() => this.#complete());
  }

  #supervise(messages: ConsumerMessages): void {
    const watch = async (): Promise<void> => {
      let beats = 0;
      let awaited = 0;
      for await (const { type } of messages.status()) {
        if (type === 'heartbeats_missed' || type === 'consumer_deleted') break;
        if (type !== 'heartbeat' || ++beats % LOOK_EVERY > 0) continue;
        if (awaited > this.#last && this.#messages === messages) {
          this.#deps.failed(new EngineError('unavailable', KEPT_BACK));
          break;
        }
        awaited = await this.#lastInStream();
      }
      if (this.#messages === messages) this.renew();
    };
    watch().catch((error: unknown) => {
      if (this.#messages !== messages) return;
      this.#deps.failed(error);
      this.renew();
    });
  }

  /** @returns the number of the last change that the stream has; 0 when NATS gives no answer, or there is none. Rejects else. */
  async #lastInStream(): Promise<number> {
    const { manager, stream, prefix } = this.#deps;
    try {
      return (await manager.streams.getMessage(stream, { last_by_subj: `${prefix}>` }))?.seq ?? 0;
    } catch (error) {
      if (isFaultOfCode(error)) throw error;
      // The heartbeats go on, and the next look is soon; a link that is gone is noticed elsewhere.
      return 0;
    }
  }
}

/** @returns whether it is none of the errors of NATS, whose classes are of its packages. */
function isFaultOfCode(error: unknown): boolean {
  return [TypeError, RangeError, ReferenceError, SyntaxError].some((each) => error instanceof each);
}

function isMissing(error: unknown): boolean {
  return isEngineError(error, CHANGES_MISSING) || (error as Partial<JetStreamApiError>).code === NO_STREAM;
}

function isEngineError(error: unknown, message: string): boolean {
  return error instanceof EngineError && error.message === message;
}
