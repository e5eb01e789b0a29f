/**
 * The turns of HTTP: requests as they come, and the answers of backends. After 10 ms of them the others wait until the event loop has
 * been round once; a thousand that come at once would hold it for a tenth of a second.
 */
import { FairScheduler } from '../transport/fair-scheduler.js';

/** What one of them costs, beside its bytes: as much as some messages of WAMP. */
export const BYTES_OF_A_TURN = 1024;

/** One for the process, and not that of WAMP messages: what holds those up is no matter of requests. */
export const requestTurns = new FairScheduler({
  now: () => performance.now(),
  defer: (callback) => void setImmediate(callback),
});
