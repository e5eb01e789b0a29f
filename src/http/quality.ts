/** Weights in headers such as `Accept` and `Accept-Encoding` (RFC 9110, "Quality Values"). Pure. */

/**
 * @param header a list of values, each perhaps with a weight: `br, gzip;q=0.5, *;q=0`
 * @param value in lower case
 * @returns the weight that the header gives to exactly this value, 0 where it cannot be read; undefined when it does not name it.
 *   Wildcards are values of their own.
 */
export function qualityOf(header: string | undefined, value: string): number | undefined {
  for (const entry of (header ?? '').toLowerCase().split(',')) {
    const [name, ...parameters] = entry.split(';').map((part) => part.trim());
    if (name !== value) continue;
    const weight = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
    return weight >= 0 && weight <= 1 ? weight : 0;
  }
  return undefined;
}
