/**
 * What the query of a request says beside its body. Of a name that comes twice the first counts. Form fields of the body are not looked
 * at, as Crossbar.io does it: a webhook could not be called by a form with a field `timestamp`. Pure.
 */

/** Decoded, but otherwise as it was sent. */
export type RequestQuery = Readonly<Record<(typeof NAMES)[number], string | undefined>>;

const NAMES = ['key', 'timestamp', 'seq', 'nonce', 'signature'] as const;

/** @param query with its `?`; empty for none. */
export function requestQuery(query: string): RequestQuery {
  const found = new URLSearchParams(query);
  const [key, timestamp, seq, nonce, signature] = NAMES.map((name) => found.get(name) ?? undefined);
  return { key, timestamp, seq, nonce, signature };
}

/** As all clients of Crossbar.io write it; Python leaves out a fraction that is zero. */
const TIMESTAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z$/;

/** @returns milliseconds since 1970; undefined for what is no time. */
export function timestampMs(text: string): number | undefined {
  const [, seconds, fraction = '0'] = TIMESTAMP.exec(text) ?? [];
  if (seconds === undefined) return undefined;
  const ms = Date.parse(`${seconds}Z`);
  // The 30th of February is another day.
  if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(seconds)) return undefined;
  return ms + Number(`0.${fraction}`) * 1000;
}

/** Longer ones nobody counts to. */
const INTEGER = /^[+-]?\d{1,40}$/;

export function isInteger(text: string): boolean {
  return INTEGER.test(text);
}
