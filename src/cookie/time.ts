/**
 * Times of records: from text to milliseconds and back. Every new cookie asks for the same few times, that of the oldest cookie
 * and the current one, so the last answer is kept.
 */
let lastText = '';
let lastTextMs = NaN;
let lastMs = NaN;
let lastMsText = '';

/** @param text ISO 8601. @returns milliseconds since 1970; NaN for what is no time. */
export function msOf(text: string): number {
  if (text !== lastText) {
    lastTextMs = Date.parse(text);
    lastText = text;
  }
  return lastTextMs;
}

/** @param ms since 1970. @returns UTC in ISO 8601, with milliseconds and `Z`. @throws RangeError for what is no time. */
export function isoTime(ms: number): string {
  if (ms !== lastMs) {
    lastMsText = new Date(ms).toISOString();
    lastMs = ms;
  }
  return lastMsText;
}
