/**
 * A place in a config that may be wrong anywhere. A step to a place that does not exist leads to a cursor on undefined, and
 * never fails. So the rules between keys (`rules/rules.ts`) can run after a failed schema check, and all problems are reported
 * at once.
 */
import type { Place } from '../schema/rules.js';
import type { Path } from './source/source.js';

/** A place in a config that may be wrong anywhere, and may be changed there. */
export class Cursor implements Place {
  readonly value: unknown;
  readonly path: Path;

  constructor(value: unknown, path: Path = []) {
    this.value = value;
    this.path = path;
  }

  /** @returns the place under a key. */
  get(key: string): Cursor {
    return new Cursor(this.#object()?.[key], [...this.path, key]);
  }

  /** @returns the place under several keys, one below the other. */
  at(...keys: readonly string[]): Cursor {
    return keys.reduce<Cursor>((cursor, key) => cursor.get(key), this);
  }

  /** Sets the value under a key or at an index. Does nothing when this is neither an object nor a list. */
  set(key: string, value: unknown): void {
    const object = this.#object();
    if (object !== undefined) object[key] = value;
    else if (Array.isArray(this.value)) this.value[Number(key)] = value;
  }

  /** Takes out what is under a key of an object. */
  remove(key: string): void {
    const object = this.#object();
    if (object !== undefined) Reflect.deleteProperty(object, key);
  }

  /** @returns the items of a list; none of anything else. */
  items(): Cursor[] {
    if (!Array.isArray(this.value)) return [];
    return this.value.map((item: unknown, index) => new Cursor(item, [...this.path, String(index)]));
  }

  /** @returns the values of an object; none of anything else. */
  entries(): Cursor[] {
    return Object.entries(this.#object() ?? {}).map(([key, value]) => new Cursor(value, [...this.path, key]));
  }

  /** @returns the value if it is a string. */
  text(): string | undefined {
    return typeof this.value === 'string' ? this.value : undefined;
  }

  /** @returns the value if it is a number. */
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
