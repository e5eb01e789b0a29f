/** Finds positions in a text that is known to be valid JSON, so that no error can occur here. */
import { skipString } from '../json-values.js';

export const QUOTE = 34;
const COMMA = 44;
export const OPEN_LIST = 91;
const CLOSE_LIST = 93;
export const OPEN_DICT = 123;
const CLOSE_DICT = 125;

/** @returns where the element behind the first `count` elements of the outermost list starts. */
export function skipElements(text: string, count: number): number {
  let at = skipSpace(text, text.indexOf('[') + 1);
  for (let i = 0; i < count; i++) {
    at = skipSpace(text, skipValue(text, at));
    at = skipSpace(text, at + 1); // the comma
  }
  return at;
}

/** @returns the position of the bracket that closes the outermost list. */
export function endOf(text: string): number {
  const last = text.length - 1;
  return text.charCodeAt(last) === CLOSE_LIST ? last : text.lastIndexOf(']');
}

/** @returns the position of the first character from `from` on that is no space. */
export function skipSpace(text: string, from: number): number {
  let at = from;
  while (text.charCodeAt(at) <= 32) at++;
  return at;
}

/** @returns the position just behind the value that starts at `from`. */
export function skipValue(text: string, from: number): number {
  const first = text.charCodeAt(from);
  if (first === QUOTE) return skipString(text, from);
  if (first === OPEN_LIST || first === OPEN_DICT) return skipNested(text, from);
  let at = from + 1;
  for (;;) {
    const char = text.charCodeAt(at);
    if (char === COMMA || char === CLOSE_LIST || char === CLOSE_DICT || char <= 32) return at;
    at++;
  }
}

function skipNested(text: string, from: number): number {
  let depth = 0;
  for (let at = from; ;) {
    const char = text.charCodeAt(at);
    if (char === QUOTE) {
      at = skipString(text, at);
      continue;
    }
    if (char === OPEN_LIST || char === OPEN_DICT) depth++;
    if ((char === CLOSE_LIST || char === CLOSE_DICT) && --depth === 0) return at + 1;
    at++;
  }
}
