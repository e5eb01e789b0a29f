/** The values of the memory engine: one table for all nodes, and each node's way to it. */
import { EngineError } from '../engine.js';
import type { Bucket, Change, Loss } from '../engine.js';

/** One bucket, as the server has it. It answers at once; the way to it takes time. */
export class Table {
  // The last change of each key, oldest first.
  readonly #changes = new Map<string, Change>();
  // Each with what it is told when the values are lost.
  readonly #watchers = new Map<(change: Change) => void, (loss: Loss) => void>();
  #revision = 0;

  get(key: string): Uint8Array | undefined {
    return this.#changes.get(key)?.value;
  }

  /** @throws EngineError `conflict` */
  create(key: string, value: Uint8Array): number {
    if (this.#changes.has(key)) throw new EngineError('conflict', `there is, or was, a value of ${key}`);
    return this.write(key, value);
  }

  write(key: string, value: Uint8Array | undefined): number {
    const change = { key, value, revision: ++this.#revision };
    this.#changes.delete(key);
    this.#changes.set(key, change);
    for (const watcher of this.#watchers.keys()) watcher(change);
    return change.revision;
  }

  erase(key: string): void {
    this.#changes.delete(key);
  }

  /** Tells of all that is there, at once, and of each change. */
  watch(watcher: (change: Change) => void, gone: (loss: Loss) => void): () => void {
    for (const change of this.#changes.values()) watcher(change);
    this.#watchers.set(watcher, gone);
    return () => void this.#watchers.delete(watcher);
  }

  /** All is lost; or, of a copy that was made earlier, what came later. */
  lose(earlier?: ReadonlyMap<string, Change>): void {
    const gone = [...this.#watchers.values()];
    this.#watchers.clear();
    this.#changes.clear();
    for (const [key, change] of earlier ?? []) this.#changes.set(key, change);
    if (earlier !== undefined) this.#revision = Math.max(0, ...[...earlier.values()].map(({ revision }) => revision));
    for (const tell of gone) tell(earlier === undefined ? 'all' : 'some');
  }

  /** For {@link Table.lose}. */
  copy(): ReadonlyMap<string, Change> {
    return new Map(this.#changes);
  }
}

/** How a node reaches a table. */
export interface TableAccess {
  /** Runs `action` at the table, and brings back what it returns or throws. Rejects with `unavailable`. */
  ask<T>(action: (table: Table) => T): Promise<T>;
  /** Follows the table, also over a link that was lost. Resolves when all that was there has been told. */
  follow(watcher: (change: Change) => void, gone: (loss: Loss) => void): Promise<() => void>;
}

export class MemoryBucket implements Bucket {
  readonly #access: TableAccess;

  constructor(access: TableAccess) {
    this.#access = access;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#access.ask((table) => table.get(key));
  }

  create(key: string, value: Uint8Array): Promise<number> {
    const own = value.slice();
    return this.#access.ask((table) => table.create(key, own));
  }

  put(key: string, value: Uint8Array): Promise<number> {
    const own = value.slice();
    return this.#access.ask((table) => table.write(key, own));
  }

  delete(key: string): Promise<number> {
    return this.#access.ask((table) => table.write(key, undefined));
  }

  erase(key: string): Promise<void> {
    return this.#access.ask((table) => table.erase(key));
  }

  watch(onChange: (change: Change) => void, onGone: (loss: Loss) => void = () => undefined): Promise<() => void> {
    return this.#access.follow(onChange, onGone);
  }
}
