/** What is taken for the URL of a `redirect`. */
import type { Adapt } from '../schema/rules.js';

/** A header has ASCII only: characters beyond it are percent-encoded, as a browser does when somebody types them. */
export const withoutUmlauts: Adapt = (url) => {
  // Half a character of UTF-16 has no encoding: the schema check refuses it.
  if (typeof url !== 'string' || /[^\x21-\x7e\u00a1-\u{10ffff}]|\p{Surrogate}/u.test(url)) return undefined;
  const ascii = url.replace(/[^\x21-\x7e]/gu, encodeURIComponent);
  // Not the URL itself: it may hold a password.
  return ascii === url ? undefined : { value: ascii, note: 'found characters beyond ASCII, which are percent-encoded' };
};
