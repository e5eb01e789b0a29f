/** Which requests to a database change nothing. */
const READING: ReadonlySet<string> = new Set([...['get', 'list', 'count', 'entries', 'unreturned', 'changed', 'gone']]);

/** @param request of `engine.ts`. @returns whether it changes nothing. */
export function isReading(request: { readonly do: string }): boolean {
  return READING.has(request.do);
}
