/**
 * JSON as Python's `json.dumps` writes it: `", "` and `": "` between the parts, everything outside ASCII escaped.
 * Crossbar.io writes its cookie file that way; files of both programs stay comparable line by line.
 */

const BEYOND_ASCII = /[\u0080-\uffff]/g;
/** Texts that both write as they are: nearly all that are written here. */
const PLAIN = /^[ !#-[\]-\u007f]*$/;

/** @param value plain data as `JSON.parse` makes it. */
export function pythonJson(value: unknown): string {
  if (typeof value === 'string') return pythonString(value);
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, member]) => pythonMember(key, member))
    .join(', ')}}`;
}

/** @returns one member of an object. */
export function pythonMember(key: string, value: unknown): string {
  return `${pythonString(key)}: ${pythonJson(value)}`;
}

function pythonString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  // Both write the same short escapes; Python escapes a character beyond U+FFFF as its two surrogates, as we do here.
  return JSON.stringify(text).replace(BEYOND_ASCII, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
