/**
 * Logins that belong to somebody else: the session of a web application, a token. No cookie of ours remembers them, and the WAMP
 * session ends with them.
 */
/** A session as the owner of its login sees it. */
export interface LeasedSession {
  readonly id: number;
  /**
   * Ends the session with GOODBYE, and its connection. Harmless for one that has ended.
   * @param reason a URI, one of `CloseUri`.
   * @param message one sentence for the client.
   */
  dismiss(reason: string, message: string): void;
}

/** What a login is lent under. */
export interface Lease {
  /** When it ends, in milliseconds since 1970; undefined where that is not known. */
  readonly untilMs?: number;
  /**
   * The client has got its WELCOME. Called at most once.
   * @returns what is called when the session is over, however it ended. Harmless when it is called twice.
   */
  begin(session: LeasedSession): () => void;
}

/** For a login that nothing ends, and that no cookie may remember. */
export const DETACHED: Lease = { begin: () => () => undefined };

/** How a lease learns the time. */
export interface LeaseTimes {
  /** Milliseconds since 1970. */
  readonly clock: () => number;
  /** Calls back after so many milliseconds, also more than 2^31. @returns a function that calls it off. */
  readonly after: (ms: number, callback: () => void) => () => void;
}

/** How a lease with a fixed end says so. */
export interface LeaseEnd {
  /** Milliseconds since 1970. */
  readonly untilMs: number;
  /** A URI, one of `CloseUri`. */
  readonly reason: string;
  /** One sentence for the client. */
  readonly message: string;
}

/** @returns a lease that ends the session at a moment. */
export function leaseUntil({ untilMs, reason, message }: LeaseEnd, { clock, after }: LeaseTimes): Lease {
  return {
    untilMs,
    begin: (session) => after(Math.max(0, untilMs - clock()), () => session.dismiss(reason, message)),
  };
}

/** The longest time that a timer of Node.js can wait, in milliseconds. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Calls back after a time of any length. @returns a function that calls it off. */
export function afterLong(
  scheduler: { after(ms: number, callback: () => void): () => void },
  ms: number,
  callback: () => void,
): () => void {
  let stop = (): void => undefined;
  const wait = (rest: number): void => {
    const step = Math.min(rest, MAX_TIMER_MS);
    stop = scheduler.after(step, () => (rest > step ? wait(rest - step) : callback()));
  };
  wait(ms);
  return () => stop();
}
