/**
 * A place in a config that may be wrong anywhere: moving on never fails, it only ends at nothing. That lets the rules
 * between keys (`rules.ts`) run beside the schema check, so that all problems are told at once.
 */
import type { Place } from '../schema/rules.js';
import type { Path } from './source/source.js';

export class Cursor implements Place {
  readonly value: unknown;
  readonly path: Path;

  constructor(value: unknown, path: Path = []) {
    this.value = value;
    this.path = path;
  }

  /** What stands under a key; a cursor on undefined when nothing does. */
  get(key: string): Cursor {
    return new Cursor(this.#object()?.[key], [...this.path, key]);
  }

  /** Goes through several keys. */
  at(...keys: readonly string[]): Cursor {
    return keys.reduce<Cursor>((cursor, key) => cursor.get(key), this);
  }

  /** Replaces what stands under a key, or at an index. Nothing happens where there is neither an object nor a list. */
  set(key: string, value: unknown): void {
    const object = this.#object();
    if (object !== undefined) object[key] = value;
    else if (Array.isArray(this.value)) this.value[Number(key)] = value;
  }

  /** The items of a list. */
  items(): Cursor[] {
    if (!Array.isArray(this.value)) return [];
    return this.value.map((item: unknown, index) => new Cursor(item, [...this.path, String(index)]));
  }

  /** The values of an object. */
  entries(): Cursor[] {
    return Object.entries(this.#object() ?? {}).map(([key, value]) => new Cursor(value, [...this.path, key]));
  }

  /** The value if it is a string. */
  text(): string | undefined {
    return typeof this.value === 'string' ? this.value : undefined;
  }

  /** The value if it is a number. */
  number(): number | undefined {
    return typeof this.value === 'number' ? this.value : undefined;
  }

  get isObject(): boolean {
    return this.#object() !== undefined;
  }

  get missing(): boolean {
    return this.value === undefined;
  }

  #object(): Record<string, unknown> | undefined {
    const { value } = this;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  }
}
