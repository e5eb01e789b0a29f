/** Waiting for what happens some time later, however slow the machine is. */
import { vi } from 'vitest';

/** In milliseconds: a test that waits longer has failed. */
const PATIENCE_MS = 60_000;

/** Resolves when `check` throws no more, or rejects, with what it threw last, when that takes too long. */
export async function until(check: () => unknown): Promise<void> {
  await vi.waitFor(check, { timeout: PATIENCE_MS, interval: 5 });
}
