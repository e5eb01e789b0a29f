/**
 * The name of an uploaded file. A browser, or whoever says to be one, may call a file anything: only the last part of a path is
 * taken, and nothing in it leads elsewhere, hides the file, or cannot be seen. Pure.
 */

/** How long a name may be: in octets of UTF-8, as file systems count. */
const MAX_OCTETS = 255;

/** Longer ones are no extensions: they are cut with the rest. */
const MAX_EXTENSION_OCTETS = 32;

/** Controls, line separators, and marks by which text runs from right to left, so that `exe.txt` would look like `txt.exe`. */
const INVISIBLE = /[\p{Cc}\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu;

/** More of a name is not looked at: to normalize it may take steps that grow with the square of its length. */
const MAX_LOOKED_AT = 1024;

/**
 * @param given as the client called the file: a path of any system, or anything else.
 * @returns a name for a file in a directory; undefined when nothing is left of it.
 */
export function fileNameOf(given: string): string | undefined {
  const last = lastPartOf(shortened(lastPartOf(given)).normalize('NFC'));
  const name = last.replace(INVISIBLE, '').replace(/^[\s.]+/u, '');
  const fitting = fit(name.trimEnd(), '');
  return fitting === '' ? undefined : fitting;
}

function lastPartOf(file: string): string {
  return file.split(/[/\\]/).at(-1) ?? '';
}

/** Leaves out the middle: what counts is the beginning, and the extension. */
function shortened(text: string): string {
  const half = MAX_LOOKED_AT / 2;
  return text.length <= MAX_LOOKED_AT ? text : text.slice(0, half) + text.slice(-half);
}

/** @returns the name for another file of that name: `name (1).ext`. */
export function numberedName(name: string, number: number | string): string {
  return fit(name, ` (${String(number)})`);
}

/** @param types extensions with their dot. @returns whether a name has one of them, in letters of any size. */
export function isOfType(name: string, types: readonly string[]): boolean {
  const lower = name.toLowerCase();
  return types.some((type) => lower.length > type.length && lower.endsWith(type.toLowerCase()));
}

/** Cuts the stem of a name, so that it fits with what is put behind the stem. */
function fit(name: string, suffix: string): string {
  const { stem, extension } = partsOf(name);
  const room = MAX_OCTETS - Buffer.byteLength(suffix) - Buffer.byteLength(extension);
  return `${cut(stem, room)}${suffix}${extension}`;
}

function partsOf(name: string): { readonly stem: string; readonly extension: string } {
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 ? name.slice(dot) : '';
  if (Buffer.byteLength(extension) > MAX_EXTENSION_OCTETS) return { stem: name, extension: '' };
  return { stem: name.slice(0, name.length - extension.length), extension };
}

/** @returns as many whole characters as fit. */
function cut(text: string, octets: number): string {
  if (Buffer.byteLength(text) <= octets) return text;
  let kept = '';
  let length = 0;
  for (const character of text) {
    length += Buffer.byteLength(character);
    if (length > octets) break;
    kept += character;
  }
  return kept.trimEnd();
}
