/** What a challenge of a router has in it, checked: it may be any router. */

/** @throws Error for what is no text. */
export function challengeText(challenge: unknown): string {
  if (typeof challenge !== 'string') throw new Error('the challenge of the router is no text');
  return challenge;
}

/** A router that wants more wants to keep us busy. */
const MAX_COUNT = 10_000_000;

/** @throws Error for what is no number, or too large. */
export function count(value: unknown, fallback?: number): number {
  const found = value ?? fallback;
  if (typeof found === 'number' && Number.isInteger(found) && found > 0 && found <= MAX_COUNT) return found;
  throw new Error('a number in the challenge of the router is missing or out of range');
}
