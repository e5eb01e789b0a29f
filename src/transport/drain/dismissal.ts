/**
 * Connections end one by one, within a time:
 *
 *     who neither serves nor waits for an answer leaves, in random order
 *     -> who has calls in flight leaves as soon as they are answered, or after a moment
 *     -> callees leave in the same way: until then they are there for the others
 *
 * Time and chance are passed in for tests.
 */

/** A connection that has to leave. */
export interface Departing {
  /** Others may call it. */
  readonly isCallee: boolean;
  /** It waits for something, or somebody waits for it. */
  readonly isBusy: boolean;
  /** Begins its end: with GOODBYE, or by closing without a word. Idempotent. */
  shutdown(saysGoodbye: boolean): void;
}

/** What it works with. */
export interface DismissalDeps {
  /** GOODBYE instead of a close without a word. */
  readonly saysGoodbye: boolean;
  /** Milliseconds that never go back. */
  readonly elapsed: () => number;
  readonly wait: (ms: number) => Promise<void>;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** How long it takes, in milliseconds. */
export interface DismissalTerms {
  /** For all connections together. */
  readonly spreadMs: number;
  /** For calls in flight, in all. */
  readonly callsMs: number;
  /** Whether somebody else ends the connections now; by default nobody does. */
  readonly isOver?: (() => boolean) | undefined;
}

/** How often the time is looked at. */
const TICK_MS = 10;

/** Ends connections one by one. */
export class Dismissal {
  readonly #deps: DismissalDeps;
  readonly #isOver: () => boolean;
  readonly #spreadMs: number;
  #msEach = 0;
  #callsMs: number;

  constructor(deps: DismissalDeps, { spreadMs, callsMs, isOver = () => false }: DismissalTerms) {
    this.#deps = deps;
    this.#isOver = isOver;
    this.#spreadMs = spreadMs;
    this.#callsMs = callsMs;
  }

  /** Resolves when the end of each has begun, or somebody else sees to it; never rejects. */
  async of(all: readonly Departing[]): Promise<void> {
    this.#msEach = this.#spreadMs / all.length;
    const callees = await this.#dismiss(this.#shuffled(all), ({ isCallee }) => isCallee);
    await this.#dismiss(callees, () => false);
  }

  /** @returns those that are to stay. */
  async #dismiss(departing: readonly Departing[], stays: (one: Departing) => boolean): Promise<Departing[]> {
    const staying: Departing[] = [];
    const busy: Departing[] = [];
    await this.#oneByOne(departing, (one) => {
      if (stays(one)) staying.push(one);
      else if (one.isBusy) busy.push(one);
      else this.#close(one);
    });
    await this.#oneByOne(await this.#answered(busy), (one) => this.#close(one));
    return staying;
  }

  /** Closes who has no calls in flight any more. @returns who still has, when there is no more time. */
  async #answered(busy: readonly Departing[]): Promise<readonly Departing[]> {
    let waiting = busy;
    while (waiting.length > 0 && this.#callsMs > 0 && !this.#isOver()) {
      const before = this.#deps.elapsed();
      await this.#deps.wait(TICK_MS);
      this.#callsMs -= this.#deps.elapsed() - before;
      for (const one of waiting) if (!one.isBusy) this.#close(one);
      waiting = waiting.filter(({ isBusy }) => isBusy);
    }
    return waiting;
  }

  async #oneByOne(departing: readonly Departing[], act: (one: Departing) => void): Promise<void> {
    const start = this.#deps.elapsed();
    let done = 0;
    while (!this.#isOver()) {
      const due = Math.ceil((this.#deps.elapsed() - start + 1) / this.#msEach);
      for (; done < departing.length && done < due; done++) act(departing[done] as Departing);
      if (done >= departing.length) return;
      await this.#deps.wait(TICK_MS);
    }
  }

  #close(one: Departing): void {
    one.shutdown(this.#deps.saysGoodbye);
  }

  /** So that neighbours, who came at the same time, do not come back at the same time. */
  #shuffled(connections: readonly Departing[]): Departing[] {
    const all = [...connections];
    for (let i = all.length - 1; i > 0; i--) {
      const j = Math.floor(this.#deps.random() * (i + 1));
      [all[i], all[j]] = [all[j] as Departing, all[i] as Departing];
    }
    return all;
  }
}
