/** Waits for a start to be given up. */

/** Resolves when the signal is aborted; never without one. */
export function aborted(signal: AbortSignal | undefined): Promise<undefined> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(undefined), { once: true }));
}
