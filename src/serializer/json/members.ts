/** Payloads as members of a JSON object, for answers over HTTP. */
import { NO_PAYLOAD } from '../../wamp/payload.js';
import { inJson } from '../json.js';
import { OPEN_LIST, skipSpace, skipValue } from './positions.js';
import type { Payload } from '../../wamp/payload.js';

/** The texts of what is not empty. */
export interface PayloadTexts {
  readonly args: string | undefined;
  readonly kwargs: string | undefined;
}

const NONE: PayloadTexts = { args: undefined, kwargs: undefined };

/**
 * @returns Arguments and ArgumentsKw as JSON; byte strings are U+0000 and their Base64 (section "Binary support in JSON").
 * @throws WampError for a payload that has no place in JSON, or would take too long to be translated.
 */
export function payloadTexts(payload: Payload): PayloadTexts {
  if (payload === NO_PAYLOAD) return NONE;
  const { text } = inJson(payload);
  // An opaque payload is one string.
  if (text.charCodeAt(0) !== OPEN_LIST) return { args: `[${text}]`, kwargs: undefined };
  // ArgumentsKw ends with another bracket.
  const end = text.endsWith(']') ? text.length : skipValue(text, 0);
  const kwargs = text.slice(skipSpace(text, skipSpace(text, end) + 1));
  return { args: unlessEmpty(text.slice(0, end)), kwargs: unlessEmpty(kwargs) };
}

function unlessEmpty(text: string): string | undefined {
  return /^(?:\[\s*\]|\{\s*\})?\s*$/.test(text) ? undefined : text;
}
