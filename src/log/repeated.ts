/**
 * Log lines that strangers can cause as often as they like: each kind is written once a minute, and the next line of that
 * kind says how many were left out. So an operator sees that something happens and how often, and nobody can fill a disk.
 * It has no timer: what was left out last is told by {@link RepeatedLog.end}.
 */
import type { Logger } from './logger.js';

/** The least time between two lines of one kind, in milliseconds. */
const EVERY_MS = 60_000;

/** Kinds are words of ours, so there are few; more than these share one account. */
const MAX_KINDS = 64;
const OTHERS = 'others';

/** The level of a line that may repeat. */
export type RepeatedLevel = 'debug' | 'info' | 'warn' | 'error';
type Facts = Readonly<Record<string, unknown>>;

/** What is known of one kind. */
interface Account {
  saidAt: number;
  /** How many lines were left out since. */
  omitted: number;
  /** The last line that was left out. */
  last: { readonly level: RepeatedLevel; readonly facts: Facts; readonly message: string } | undefined;
}

/** Writes each kind of line once a minute, with the count of those that were left out. */
export class RepeatedLog {
  readonly #log: Logger;
  readonly #clock: () => number;
  readonly #accounts = new Map<string, Account>();

  /** @param clock milliseconds that never go back; default: those of the process. */
  constructor(log: Logger, clock = (): number => performance.now()) {
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * Writes a line, unless one of its kind was written within the last minute; then it is counted, and the next line of the
   * kind has the count as `omitted`.
   * @returns whether it was written.
   * @param kind a constant, or one of few words; what a client chooses must not be part of it. Default: the message.
   */
  say(level: RepeatedLevel, facts: Facts, message: string, kind = message): boolean {
    const now = this.#clock();
    const account = this.#account(kind);
    if (now - account.saidAt < EVERY_MS) {
      account.omitted += 1;
      account.last = { level, facts, message };
      return false;
    }
    account.saidAt = now;
    this.#write(account, level, facts, message);
    return true;
  }

  /** Writes what was left out and not told yet: for each kind its last line with the count. */
  end(): void {
    for (const account of this.#accounts.values()) {
      if (account.last === undefined) continue;
      const { level, facts, message } = account.last;
      // That line is among the omitted ones, and is written now.
      account.omitted -= 1;
      this.#write(account, level, facts, message);
    }
    this.#accounts.clear();
  }

  #write(account: Account, level: RepeatedLevel, facts: Facts, message: string): void {
    const { omitted } = account;
    account.omitted = 0;
    account.last = undefined;
    this.#log[level](omitted === 0 ? facts : { ...facts, omitted }, message);
  }

  #account(kind: string): Account {
    const known = this.#accounts.get(kind);
    if (known !== undefined) return known;
    if (this.#accounts.size >= MAX_KINDS && kind !== OTHERS) return this.#account(OTHERS);
    const account: Account = { saidAt: -Infinity, omitted: 0, last: undefined };
    this.#accounts.set(kind, account);
    return account;
  }
}

/** Where lines go; without `repeated` each is written. */
export interface RepeatedLogDeps {
  readonly log: Logger;
  readonly repeated?: RepeatedLog;
}

/** Says something that clients can cause as often as they like. Parameters and result: see {@link RepeatedLog.say}. */
export function sayRepeated(
  { log, repeated }: RepeatedLogDeps,
  level: RepeatedLevel,
  facts: Facts,
  message: string,
  kind?: string,
): boolean {
  if (repeated !== undefined) return repeated.say(level, facts, message, kind);
  log[level](facts, message);
  return true;
}
