/** What is counted of the answers to HTTP requests, by the type of the service. */
import { Histogram } from './histogram.js';
import { countWord } from './words.js';

/** The counts of one type of service. */
export interface ServiceCounts {
  /** first digit of the status, such as `2xx`, or `aborted` where the client left before there was an answer -> answers */
  readonly codes: Map<string, number>;
  /** In seconds. */
  readonly durations: Histogram;
}

/** Counts answers. */
export class HttpCounts {
  /** Whether somebody wants to know how long answers take: else no clock is read for it. */
  isTimed = false;
  /** type of service -> counts; there are no more than types in the config */
  readonly services = new Map<string, ServiceCounts>();

  /**
   * Counts an answer.
   * @param status undefined when there was none.
   * @param seconds how long it took; undefined where that was not measured.
   */
  count(service: string, status: number | undefined, seconds: number | undefined): void {
    let counts = this.services.get(service);
    if (counts === undefined) this.services.set(service, (counts = { codes: new Map(), durations: new Histogram() }));
    countWord(counts.codes, status === undefined ? 'aborted' : `${Math.floor(status / 100)}xx`);
    if (seconds !== undefined) counts.durations.observe(seconds);
  }
}
