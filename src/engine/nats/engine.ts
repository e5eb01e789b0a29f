/**
 * The engine over NATS: messages are core messages, buckets are key-value buckets of JetStream. One connection for each node, so that
 * what it sends keeps its order. The library connects again by itself, and subscribes again.
 */
import { RepeatedLog } from '../../log/repeated.js';
import { EngineError } from '../engine.js';
import { NatsBucket } from './bucket.js';
import { engineErrorOf } from './faults.js';
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { Bucket, BucketOptions, Engine, EngineMessage } from '../engine.js';
import type { Logger } from '../../log/logger.js';
import type { Following } from './following.js';
import type { NatsPackages } from './packages.js';
import { HEADER_BYTES } from './sizes.js';

const DOWN = 'the link to NATS is down';

const FOLLOWS_AGAIN = 'what changes in NATS cannot be followed, and it is tried again';

/** After so many bytes the server is asked whether it has them. */
const CONFIRM_BYTES = 32_768;

/** So long the library may take to close a connection: a node that ends must not wait for an answer that never comes. */
const CLOSE_MS = 2000;

/** What the server answers when nobody is subscribed. */
const NO_RESPONDERS = 503;

export interface NatsEngineOptions {
  /** Copies that JetStream keeps of each value: 1, 3 or 5. */
  readonly replicas: number;
  /** What the subjects for answers begin with. */
  readonly inboxPrefix: string;
  /** How long JetStream may take for an answer, in milliseconds. */
  readonly timeoutMs: number;
  /** How many bytes may wait for the server to take them. */
  readonly maxPendingBytes: number;
  readonly log?: Logger;
}

export class NatsEngine implements Engine {
  readonly maxMessageBytes: number;
  readonly #packages: NatsPackages;
  readonly #connection: NatsConnection;
  readonly #options: NatsEngineOptions;
  readonly #jetstream: JetStreamClient;
  readonly #manager: JetStreamManager;
  readonly #listeners: ((isUp: boolean) => void)[] = [];
  readonly #followings = new Set<Following>();
  /** See `FollowingDeps.distrusted`. */
  readonly #distrusted = new Map<string, string>();
  /** Ends each request that is under way. */
  readonly #asks = new Set<() => void>();
  readonly #repeated: RepeatedLog | undefined;
  #isUp = true;
  // Bytes of messages, counted from the start: sent, sent when the server was asked last, and known to have arrived.
  #sent = 0;
  #asked = 0;
  #confirmed = 0;

  /** Use {@link NatsEngine.over}. */
  private constructor(
    packages: NatsPackages,
    connection: NatsConnection,
    options: NatsEngineOptions,
    manager: JetStreamManager,
  ) {
    this.#repeated = options.log && new RepeatedLog(options.log);
    this.#packages = packages;
    this.#connection = connection;
    this.#options = options;
    this.#jetstream = packages.jetstream.jetstream(connection, { timeout: options.timeoutMs });
    this.#manager = manager;
    this.maxMessageBytes = (connection.info?.max_payload ?? 0) - HEADER_BYTES;
    void this.#supervise();
  }

  /**
   * @param connection which is the engine's from now on.
   * Rejects with EngineError `unavailable` when JetStream does not answer, which closes the connection.
   */
  static async over(
    packages: NatsPackages,
    connection: NatsConnection,
    options: NatsEngineOptions,
  ): Promise<NatsEngine> {
    try {
      const { timeoutMs: timeout } = options;
      const manager = await packages.jetstream.jetstreamManager(connection, { timeout });
      return new NatsEngine(packages, connection, options, manager);
    } catch (error) {
      await closed(connection, connection.close());
      throw engineErrorOf(error);
    }
  }

  get isUp(): boolean {
    return this.#isUp;
  }

  get description(): string {
    const { info } = this.#connection;
    return `nats-server ${info?.version ?? '(unknown)'} at ${this.#connection.getServer()}`;
  }

  publish(subject: string, data: Uint8Array, reply?: string): void {
    if (!this.#isUp) throw new EngineError('unavailable', DOWN);
    if (data.length > this.maxMessageBytes) {
      throw new EngineError(
        'too_large',
        `${data.length} bytes are more than the ${this.maxMessageBytes} that NATS takes`,
      );
    }
    if (this.#sent - this.#confirmed + data.length > this.#options.maxPendingBytes) {
      throw new EngineError('unavailable', 'NATS is slower than this node: too much waits for it already');
    }
    try {
      this.#connection.publish(subject, data, reply === undefined ? undefined : { reply });
    } catch (error) {
      throw engineErrorOf(error);
    }
    this.#sent += data.length + subject.length;
    if (this.#sent - this.#asked >= CONFIRM_BYTES) this.#confirm();
  }

  subscribe(pattern: string, receive: (message: EngineMessage) => void): () => void {
    const subscription = this.#connection.subscribe(pattern, {
      callback: (error, message) => {
        // An error is a subscription that the server refuses: it ends, and `#supervise` hears of it.
        if (error === null) receive(messageOf(message));
      },
    });
    return () => subscription.unsubscribe();
  }

  flush(): Promise<void> {
    return this.#ask(() => this.#connection.flush());
  }

  async bucket(name: string, { durable, isLasting }: BucketOptions): Promise<Bucket> {
    const { Kvm } = this.#packages.kv;
    const { StorageType } = this.#packages.jetstream;
    const { replicas, timeoutMs, inboxPrefix } = this.#options;
    await this.#ask(() =>
      new Kvm(this.#jetstream).create(name, {
        history: 1,
        replicas,
        storage: durable ? StorageType.File : StorageType.Memory,
        timeout: timeoutMs,
        // Only the leader knows what was written last.
        allow_direct: false,
      }),
    );
    return new NatsBucket({
      packages: this.#packages,
      jetstream: this.#jetstream,
      manager: this.#manager,
      inboxPrefix,
      isLasting,
      stream: `KV_${name}`,
      prefix: `$KV.${name}.`,
      ask: (request) => this.#ask(request),
      followings: this.#followings,
      distrusted: this.#distrusted,
      failed: (error) => this.#repeated?.say('warn', { err: error, bucket: name }, FOLLOWS_AGAIN),
    });
  }

  onLink(listener: (isUp: boolean) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    for (const following of this.#followings) following.end();
    this.#followings.clear();
    this.#repeated?.end();
    const connection = this.#connection;
    if (connection.isClosed()) return;
    // While the link is down there is nobody to send the rest to.
    await closed(connection, this.#isUp ? connection.drain() : connection.close());
  }

  async #supervise(): Promise<void> {
    for await (const { type } of this.#connection.status()) {
      if (type === 'disconnect') this.#linkIs(false);
      else if (type === 'reconnect') this.#linkIs(true);
    }
    this.#isUp = false;
    for (const cut of this.#asks) cut();
  }

  /** A request that is under way when the link goes down may or may not have been served. */
  async #ask<T>(request: () => Promise<T>): Promise<T> {
    if (!this.#isUp) throw new EngineError('unavailable', DOWN);
    let cut = (): void => undefined;
    const down = new Promise<never>((_resolve, reject) => {
      cut = () => reject(new EngineError('unavailable', DOWN));
    });
    this.#asks.add(cut);
    try {
      return await Promise.race([request(), down]);
    } catch (error) {
      throw engineErrorOf(error);
    } finally {
      this.#asks.delete(cut);
    }
  }

  /** Asks whether everything so far has arrived. Without an answer the link is down soon, and what waited is lost with it. */
  #confirm(): void {
    const sent = (this.#asked = this.#sent);
    this.#connection.flush().then(
      () => (this.#confirmed = Math.max(this.#confirmed, sent)),
      () => undefined,
    );
  }

  #linkIs(isUp: boolean): void {
    if (this.#isUp === isUp) return;
    this.#isUp = isUp;
    this.#confirmed = this.#asked = this.#sent;
    if (!isUp) for (const cut of this.#asks) cut();
    if (isUp) for (const following of this.#followings) following.renew();
    for (const listener of this.#listeners) listener(isUp);
  }
}

function messageOf({ subject, data, reply, headers }: Msg): EngineMessage {
  const undelivered = data.length === 0 && headers?.code === NO_RESPONDERS;
  return { subject, data, reply: reply === undefined || reply === '' ? undefined : reply, undelivered };
}

/** Resolves when a connection is closed, or the library gives no word of it in time. Never rejects. */
async function closed(connection: NatsConnection, closing: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => (timer = setTimeout(resolve, CLOSE_MS, true)));
  const told = closing.then(
    () => false,
    () => true,
  );
  const isLate = await Promise.race([told, late]);
  clearTimeout(timer);
  // It may have failed, or hang: what is left of it goes with the process.
  if (isLate) connection.close().catch(() => undefined);
}
