/**
 * What is counted by URI: publications, and calls with their durations, of the topics and procedures that the config names. So many of them
 * have series of their own, in the order in which they come; the rest is counted together. It knows neither realms nor sessions.
 */
import { Histogram } from './histogram.js';

/** The most series of a realm, for topics and for procedures each. */
export const MAX_URIS = 200;

/** What stands for all that have no series of their own. */
export const OTHER = 'other';

/** The counts of a procedure. */
export interface ProcedureCounts {
  calls: number;
  /** In seconds. */
  readonly durations: Histogram;
}

/** What is counted by URI in a realm. */
export class UriCounts {
  /** topic, or `other` -> publications */
  readonly topics = new Map<string, number>();
  /** procedure, or `other` -> calls */
  readonly procedures = new Map<string, ProcedureCounts>();
  readonly #isNamed: (uri: string) => boolean;

  /** @param isNamed whether the config names a URI. */
  constructor(isNamed: (uri: string) => boolean) {
    this.#isNamed = isNamed;
  }

  /** Counts a publication that was accepted. */
  published(topic: string): void {
    const count = this.topics.get(topic);
    if (count !== undefined) this.topics.set(topic, count + 1);
    else if (this.#isNamed(topic)) {
      const key = this.topics.size < MAX_URIS ? topic : OTHER;
      this.topics.set(key, (this.topics.get(key) ?? 0) + 1);
    }
  }

  /** Counts a call that began. @returns where its duration belongs; undefined when the config does not name the procedure. */
  called(procedure: string): Histogram | undefined {
    const counts = this.procedures.get(procedure) ?? this.#added(procedure);
    if (counts === undefined) return undefined;
    counts.calls += 1;
    return counts.durations;
  }

  #added(procedure: string): ProcedureCounts | undefined {
    if (!this.#isNamed(procedure)) return undefined;
    const key = this.procedures.size < MAX_URIS ? procedure : OTHER;
    let counts = this.procedures.get(key);
    if (counts === undefined) this.procedures.set(key, (counts = { calls: 0, durations: new Histogram() }));
    return counts;
  }
}
