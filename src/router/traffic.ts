/** How many messages the sessions of a realm sent and got. Open sessions count for themselves; here are those that have ended. */

/** Messages of sessions, as the router sees it: `received` came from them. */
export interface MessageTotals {
  readonly received: number;
  readonly sent: number;
}

/** Of one realm. The sum never falls, as it would if sessions took their messages with them. */
export class Traffic {
  #received = 0;
  #sent = 0;

  /** A session has ended, and is not counted any more among those that are open. */
  ended({ received, sent }: MessageTotals): void {
    this.#received += received;
    this.#sent += sent;
  }

  /** What sessions that have ended sent and got. */
  get past(): MessageTotals {
    return { received: this.#received, sent: this.#sent };
  }
}
