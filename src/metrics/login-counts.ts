/** How logins ended, by authentication method. Only methods of the config are asked, so there are few. */

/** How a login ended. `error` is one that nobody could decide on, `limited` one after too many failures. */
export const LOGIN_OUTCOMES = ['ok', 'denied', 'error', 'limited'] as const;
/** One of {@link LOGIN_OUTCOMES}. */
export type LoginOutcome = (typeof LOGIN_OUTCOMES)[number];

/** In place of a method where the client offered none that the transport has. */
export const NO_METHOD = 'none';

/** Counts logins. */
export class LoginCounts {
  /** method -> outcome -> how many */
  readonly byMethod = new Map<string, Record<LoginOutcome, number>>();

  /** Counts a login that is over. */
  count(method: string, outcome: LoginOutcome): void {
    let counts = this.byMethod.get(method);
    if (counts === undefined) this.byMethod.set(method, (counts = { ok: 0, denied: 0, error: 0, limited: 0 }));
    counts[outcome] += 1;
  }
}
