/**
 * An engine within one process: for programs that embed several nodes, and for tests. It does what NATS does, and no more: each node
 * has a server of its own, which learns of the subscriptions of the others some time after they are made; messages between two nodes
 * keep their order, and those of different nodes overtake each other; a link that is cut loses what is under way.
 */
import { EngineError } from '../engine.js';
import { MemoryBucket, Table } from './bucket.js';
import { Interest } from './interest.js';
import { Link } from './links.js';
import type { Bucket, BucketOptions, Change, Engine, EngineMessage, Loss } from '../engine.js';
import type { Pace } from './links.js';

/** What NATS takes by default, less what its headers may need. */
const MAX_MESSAGE_BYTES = 1024 * 1024 - 4096;

const NOTHING = new Uint8Array(0);

const inNextTurn: Pace = (proceed) => void setImmediate(proceed);

export interface HubOptions {
  /** By default all in the next turn of the event loop. */
  readonly pace?: Pace;
}

/** What joins the engines of the nodes. */
export class MemoryHub {
  readonly #pace: Pace;
  readonly #engines = new Set<MemoryEngine>();
  readonly #tables = new Map<string, Table>();

  constructor({ pace = inNextTurn }: HubOptions = {}) {
    this.#pace = pace;
  }

  /** @returns the link of one more node. */
  connect(): MemoryEngine {
    const engine = new MemoryEngine({
      newLink: () => new Link(this.#pace),
      peers: () => this.#engines,
      table: (name) => this.#table(name),
      gone: (gone) => void this.#engines.delete(gone),
    });
    for (const other of this.#engines) other.greet(engine);
    this.#engines.add(engine);
    return engine;
  }

  /** For tests: what comes back has nothing of what was written. */
  lose(): void {
    const lost = [...this.#tables.values()];
    this.#tables.clear();
    for (const table of lost) table.lose();
  }

  /** For tests. @returns a function that loses what is written from now on: a server leads that had stopped here */
  stopHere(): () => void {
    const copies = [...this.#tables.values()].map((table) => [table, table.copy()] as const);
    return () => {
      for (const [table, copy] of copies) table.lose(copy);
    };
  }

  #table(name: string): Table {
    const table = this.#tables.get(name) ?? new Table();
    this.#tables.set(name, table);
    return table;
  }
}

interface HubDeps {
  readonly newLink: () => Link;
  readonly peers: () => ReadonlySet<MemoryEngine>;
  readonly table: (name: string) => Table;
  readonly gone: (engine: MemoryEngine) => void;
}

interface Subscriber {
  readonly receive: (message: EngineMessage) => void;
  isOver: boolean;
}

interface Ask {
  readonly reject: (error: EngineError) => void;
}

const DOWN = 'the link to the engine is down';

/** The link of one node, and its server. */
export class MemoryEngine implements Engine {
  readonly maxMessageBytes = MAX_MESSAGE_BYTES;
  readonly description = 'memory of this process';
  readonly #deps: HubDeps;
  #state: 'up' | 'down' | 'closed' = 'up';
  readonly #own = new Interest<Subscriber>();
  // What the other servers want, as far as this one knows.
  readonly #others = new Interest<MemoryEngine>();
  // pattern -> how many subscriptions of this node have it
  readonly #patterns = new Map<string, number>();
  // Where messages go -> what is under way to there
  readonly #links = new Map<MemoryEngine, Link>();
  readonly #toTables: Link;
  readonly #fromTables: Link;
  readonly #follows = new Set<Link>();
  readonly #asks = new Set<Ask>();
  readonly #listeners: ((isUp: boolean) => void)[] = [];

  constructor(deps: HubDeps) {
    this.#deps = deps;
    this.#toTables = deps.newLink();
    this.#fromTables = deps.newLink();
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  publish(subject: string, data: Uint8Array, reply?: string): void {
    if (!this.isUp) throw new EngineError('unavailable', DOWN);
    if (data.length > this.maxMessageBytes) {
      throw new EngineError(
        'too_large',
        `${data.length} bytes are more than the ${this.maxMessageBytes} that the engine takes`,
      );
    }
    const message = { subject, data: data.slice(), reply, undelivered: false };
    const others = this.#others.of(subject);
    for (const other of new Set(others)) this.#linkTo(other).push(() => other.#arrive(message));
    const isOwn = this.#own.of(subject).length > 0;
    if (isOwn) this.#linkTo(this).push(() => this.#arrive(message));
    if (isOwn || others.length > 0 || reply === undefined) return;
    this.#linkTo(this).push(() => this.#arrive({ subject: reply, data: NOTHING, reply: undefined, undelivered: true }));
  }

  subscribe(pattern: string, receive: (message: EngineMessage) => void): () => void {
    const subscriber = { receive, isOver: false };
    this.#own.add(pattern, subscriber);
    const count = this.#patterns.get(pattern) ?? 0;
    this.#patterns.set(pattern, count + 1);
    if (count === 0) this.#tellAll((other) => other.#others.add(pattern, this));
    return () => {
      if (subscriber.isOver) return;
      subscriber.isOver = true;
      this.#own.delete(pattern, subscriber);
      const left = (this.#patterns.get(pattern) ?? 1) - 1;
      if (left > 0) return void this.#patterns.set(pattern, left);
      this.#patterns.delete(pattern);
      this.#tellAll((other) => other.#others.delete(pattern, this));
    };
  }

  flush(): Promise<void> {
    return this.#ask((resolve) => this.#linkTo(this).push(resolve));
  }

  // Nothing is kept beyond the process, durable or not.
  bucket(name: string, _options: BucketOptions): Promise<Bucket> {
    // Looked up each time: a table that is lost is another one afterwards.
    const table = (): Table => this.#deps.table(name);
    const bucket = new MemoryBucket({
      ask: (action) => this.#askTable(() => action(table())),
      follow: (watcher, gone) => this.#follow(table, watcher, gone),
    });
    return this.#askTable(() => bucket);
  }

  onLink(listener: (isUp: boolean) => void): void {
    this.#listeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return;
    if (this.isUp) await this.flush().catch(() => undefined);
    this.#leave('closed');
    this.#deps.gone(this);
    for (const follow of this.#follows) follow.drop();
  }

  /** For tests: the link breaks. What is under way from and to this node is lost. */
  cut(): void {
    if (!this.isUp) return;
    this.#leave('down');
    for (const listener of this.#listeners) listener(false);
  }

  /** For tests: the link that was cut is there again. */
  mend(): void {
    if (this.#state !== 'down') return;
    this.#state = 'up';
    for (const other of this.#deps.peers()) {
      if (other !== this && other.isUp) other.greet(this);
      if (other !== this && other.isUp) this.greet(other);
    }
    for (const follow of this.#follows) follow.release();
    for (const listener of this.#listeners) listener(true);
  }

  /** Another node learns what this one wants. */
  greet(other: MemoryEngine): void {
    if (!this.isUp) return;
    for (const pattern of this.#patterns.keys()) this.#linkTo(other).push(() => other.#others.add(pattern, this));
  }

  #arrive(message: EngineMessage): void {
    if (!this.isUp) return;
    for (const subscriber of this.#own.of(message.subject)) if (!subscriber.isOver) subscriber.receive(message);
  }

  #tellAll(tell: (other: MemoryEngine) => void): void {
    if (!this.isUp) return;
    for (const other of this.#deps.peers())
      if (other !== this && other.isUp) this.#linkTo(other).push(() => tell(other));
  }

  #linkTo(other: MemoryEngine): Link {
    let link = this.#links.get(other);
    if (link === undefined) {
      link = this.#deps.newLink();
      this.#links.set(other, link);
    }
    return link;
  }

  #leave(state: 'down' | 'closed'): void {
    this.#state = state;
    for (const link of this.#links.values()) link.drop();
    this.#links.clear();
    this.#toTables.drop();
    this.#fromTables.drop();
    for (const follow of this.#follows) follow.hold();
    for (const other of this.#deps.peers()) {
      if (other === this) continue;
      other.#links.get(this)?.drop();
      other.#links.delete(this);
      other.#others.forget(this);
      this.#others.forget(other);
    }
    for (const { reject } of [...this.#asks]) reject(new EngineError('unavailable', DOWN));
  }

  #ask<T>(begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> {
    if (!this.isUp) return Promise.reject(new EngineError('unavailable', DOWN));
    return new Promise((resolve, reject) => {
      const ask = { reject };
      this.#asks.add(ask);
      const over =
        <V>(settle: (value: V) => void) =>
        (value: V) => {
          this.#asks.delete(ask);
          settle(value);
        };
      begin(over(resolve), over(reject));
    });
  }

  #askTable<T>(action: () => T): Promise<T> {
    return this.#ask<T>((resolve, reject) => {
      this.#toTables.push(() => {
        try {
          const value = action();
          this.#fromTables.push(() => resolve(value));
        } catch (error) {
          this.#fromTables.push(() => reject(error));
        }
      });
    });
  }

  /** A link of its own, which loses nothing: it goes on where it was when the link of the node is back. */
  #follow(tableOf: () => Table, watcher: (change: Change) => void, gone: (loss: Loss) => void): Promise<() => void> {
    return this.#ask((resolve) => {
      this.#toTables.push(() => {
        const link = this.#deps.newLink();
        this.#follows.add(link);
        const over = (loss: Loss): void => {
          this.#follows.delete(link);
          gone(loss);
        };
        const end = tableOf().watch(
          (change) => link.push(() => watcher(change)),
          (loss) => link.push(() => over(loss)),
        );
        link.push(() =>
          resolve(() => {
            end();
            link.drop();
            this.#follows.delete(link);
          }),
        );
      });
    });
  }
}
