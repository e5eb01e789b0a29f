/**
 * A value that somebody has to be asked for. It is asked for when it is needed, once for all who need it then, and kept when it is
 * good. After a failure nobody is asked for a while: strangers can cause questions.
 */
export interface KeptOptions<T> {
  readonly load: () => Promise<T>;
  /** For how long a good value is kept. Then it is asked for again, and kept if that fails. */
  readonly goodMs: number;
  /** For how long nobody is asked after a failure. */
  readonly badMs: number;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** One value. */
export class Kept<T> {
  readonly #options: KeptOptions<T>;
  #value: { readonly is: T; readonly sinceMs: number } | undefined;
  #failure: { readonly error: unknown; readonly sinceMs: number } | undefined;
  #loading: Promise<T> | undefined;

  constructor(options: KeptOptions<T>) {
    this.#options = options;
  }

  /** @throws what `load` rejected with (rejects). */
  async get(): Promise<T> {
    const { goodMs, badMs, clock } = this.#options;
    const now = clock();
    if (this.#value !== undefined && now < this.#value.sinceMs + goodMs) return this.#value.is;
    const isCooling = this.#failure !== undefined && now < this.#failure.sinceMs + badMs;
    if (isCooling && this.#value !== undefined) return this.#value.is;
    if (isCooling) throw this.#failure?.error;
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<T> {
    const { load, clock } = this.#options;
    try {
      const is = await load();
      this.#value = { is, sinceMs: clock() };
      this.#failure = undefined;
      return is;
    } catch (error) {
      this.#failure = { error, sinceMs: clock() };
      if (this.#value === undefined) throw error;
      return this.#value.is;
    } finally {
      this.#loading = undefined;
    }
  }
}
