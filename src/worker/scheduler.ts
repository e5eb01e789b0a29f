/** The timers of the system, for the router, which has none of its own. */
import type { Scheduler } from '../router/observer.js';

/** See {@link Scheduler}. */
export const systemScheduler: Scheduler = {
  elapsed: () => performance.now(),

  after(ms, callback) {
    const timer = setTimeout(callback, ms);
    // A call that waits is no reason to keep the process running.
    timer.unref();
    return () => clearTimeout(timer);
  },
};
