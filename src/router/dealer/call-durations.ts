/** How long calls take: of all, and of the procedures that the config names. Where nobody wants to know, nothing is measured. */
import type { RealmCounts } from '../../metrics/realm-counts.js';
import type { Scheduler } from '../observer.js';
import type { InFlight } from './call-state.js';

export class CallDurations {
  readonly #counts: RealmCounts;
  readonly #scheduler: Scheduler;

  constructor(counts: RealmCounts, scheduler: Scheduler) {
    this.#counts = counts;
    this.#scheduler = scheduler;
  }

  begin(call: InFlight, procedure: string): void {
    const { durations, uris } = this.#counts;
    if (uris !== undefined) call.durations = uris.called(procedure);
    if (durations !== undefined || call.durations !== undefined) call.begunMs = this.#scheduler.elapsed();
  }

  end({ begunMs, durations }: InFlight): void {
    if (begunMs === 0) return;
    const seconds = (this.#scheduler.elapsed() - begunMs) / 1000;
    this.#counts.durations?.observe(seconds);
    durations?.observe(seconds);
  }
}
