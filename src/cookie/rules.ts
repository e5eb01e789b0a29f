/**
 * When the cookies of a store end. Sections of the config that share a store must agree on these rules. Pure.
 */
import { GENEROUS } from './expiry.js';
import type { ExpiryRules } from './expiry.js';
import type { CookieConfig } from './schema.js';

/** When the cookies of one store end, from the keys of its `cookie` section. */
export interface CookieRules extends ExpiryRules {
  /** Whether sessions end when their cookie expires. */
  readonly closeExpired: boolean;
  /** How many cookies may be stored that no browser has come back with; `Infinity` for no limit. */
  readonly maxUnreturned: number;
}

/** Nothing ends before its `max_age`. */
export const LENIENT: CookieRules = { ...GENEROUS, closeExpired: false, maxUnreturned: Infinity };

/** @returns the rules of a section, with times in milliseconds. */
export function rulesOf(section: CookieConfig): CookieRules {
  return {
    idleMs: section.idle_timeout === undefined ? Infinity : section.idle_timeout * 1000,
    sliding: section.sliding,
    closeExpired: section.close_expired,
    maxUnreturned: section.max_unreturned,
  };
}

/** The key of the config behind each rule. */
const KEYS: Readonly<Record<keyof CookieRules, string>> = {
  idleMs: 'idle_timeout',
  sliding: 'sliding',
  closeExpired: 'close_expired',
  maxUnreturned: 'max_unreturned',
};

/** @returns the keys of the config in which two sections differ; empty when they agree. */
export function differencesOf(one: CookieRules, other: CookieRules): string[] {
  return (Object.keys(KEYS) as (keyof CookieRules)[])
    .filter((rule) => one[rule] !== other[rule])
    .map((rule) => KEYS[rule]);
}
