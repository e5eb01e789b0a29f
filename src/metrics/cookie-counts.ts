/** What is counted of a cookie store. */
import { Histogram } from './histogram.js';

/** The counts of a cookie store. */
export class CookieCounts {
  created = 0;
  /** Logins that were stored with cookies. */
  logins = 0;
  /** Requests to the store that failed; not those that it refused. */
  failures = 0;
  /** How long it takes to write changes, and to sync them where the config asks for it, in seconds. */
  readonly syncs = new Histogram();
  /** @returns how many cookies are kept; undefined while that is not known. */
  size: () => Promise<number | undefined> = () => Promise.resolve(undefined);
}
