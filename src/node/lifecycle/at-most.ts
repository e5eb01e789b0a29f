/** A limit to waiting. */
import { setTimeout as delay } from 'node:timers/promises';

/** Waits for something, but no longer than that. @throws what it rejects with, if that is in time. */
export async function atMost(ms: number, something: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  const time = delay(ms, undefined, { signal: over.signal }).catch(() => undefined);
  await Promise.race([something, time]);
  over.abort();
}
