/** How a node ends its connections (`transport/drain.ts`), as its config says, and how long its end takes. */
import { setTimeout as delay } from 'node:timers/promises';
import type { ControllerConfig } from '../../config/schema.js';
import type { Logger } from '../../log/logger.js';
import { Drain, drainTimesOf, longestDrainMs } from '../../transport/drain.js';

/** What stands in `controller.options`. */
type Options = Pick<ControllerConfig['options'], 'drain' | 'shutdown_goodbye'>;

/** What follows when the last connection was told: it may take a second to read that, requests have to end, stores are written. */
const LAST_STEPS_MS = 5000;

/** @returns what ends the connections of the node. */
export function drainOf({ drain, shutdown_goodbye: saysGoodbye }: Options, log: Logger): Drain {
  return new Drain({
    log,
    saysGoodbye,
    times: drainTimesOf(drain),
    elapsed: () => performance.now(),
    wait: (ms) => delay(ms),
    random: Math.random,
  });
}

/** @returns how long the end takes at most, in milliseconds, if nothing hangs. */
export function longestEndMs({ drain }: Pick<Options, 'drain'>): number {
  return longestDrainMs(drainTimesOf(drain)) + LAST_STEPS_MS;
}
