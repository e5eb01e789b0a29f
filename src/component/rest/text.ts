/** The body and the headers of an answer, as a callee gives them to its caller. Pure. */
import { RequestFailed } from './request.js';

/**
 * @returns the text of a body. Where no charset is named, it is UTF-8 if it can be, and Latin-1 otherwise, which has a character for
 *   each byte.
 * @throws RequestFailed for a charset that is unknown, or a body that is not of the charset.
 */
export function textOf(bytes: Uint8Array, contentType: string | null): string {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType ?? '')?.[1];
  if (charset === undefined) return decoded(bytes, 'utf-8') ?? Buffer.from(bytes).toString('latin1');
  const text = decoded(bytes, charset);
  if (text === undefined) throw new RequestFailed(`The answer of the server is no text of the charset "${charset}".`);
  return text;
}

/** @returns undefined for what is no such text, and for a charset that nobody knows. */
function decoded(bytes: Uint8Array, charset: string): string | undefined {
  try {
    return new TextDecoder(charset, { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return undefined;
    throw error;
  }
}

/** Names that are not written with a capital letter for each word. */
const SPELLED: Readonly<Record<string, string>> = {
  'content-md5': 'Content-MD5',
  dnt: 'DNT',
  etag: 'ETag',
  p3p: 'P3P',
  te: 'TE',
  'www-authenticate': 'WWW-Authenticate',
  'x-xss-protection': 'X-XSS-Protection',
};

/** @returns the headers of an answer with the names and the lists of Crossbar.io. Those of a body that was unpacked say nothing of it. */
export function headerLists(headers: Headers): Record<string, string[]> {
  const isUnpacked = /^(?:x-gzip|gzip|deflate|br)$/i.test(headers.get('content-encoding') ?? '');
  const lists = new Map<string, string[]>();
  for (const [name, value] of headers) {
    if (isUnpacked && (name === 'content-encoding' || name === 'content-length')) continue;
    // `fetch` joins the values of a name, those of cookies excepted.
    const written = SPELLED[name] ?? name.replace(/(?<![a-z0-9])[a-z]/g, (letter) => letter.toUpperCase());
    lists.set(written, [...(lists.get(written) ?? []), value]);
  }
  return Object.fromEntries(lists);
}
