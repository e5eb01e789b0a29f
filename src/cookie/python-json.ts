/**
 * JSON as Python's `json.dumps` writes it: `", "` and `": "` between the parts, everything outside ASCII escaped.
 * Crossbar.io writes its cookie file that way; files of both programs stay comparable line by line.
 */

const BEYOND_ASCII = /[\u0080-\uffff]/g;

/** @param value plain data as `JSON.parse` makes it. */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).map(([key, member]) => `${pythonString(key)}: ${pythonJson(member)}`);
    return `{${members.join(', ')}}`;
  }
  if (typeof value === 'string') return pythonString(value);
  return JSON.stringify(value);
}

function pythonString(text: string): string {
  // Both write the same short escapes; Python escapes a character beyond U+FFFF as its two surrogates, as we do here.
  return JSON.stringify(text).replace(BEYOND_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
