/**
 * How long a browser may keep a file without asking again. A name with a hash of the content never means anything else, so that it
 * is kept for good. A page names those files, and must be asked for each time, or visitors keep the old one after a new build.
 * Pure.
 */

/** Where neither the config nor the file says: Crossbar.io's 12 hours. */
const USUAL_SECONDS = 43_200;

/** For {@link cachingOf}. */
export interface CachedFile {
  /** `cache_timeout` of the config: undefined when it does not say, null for no header at all. */
  readonly timeout: number | null | undefined;
  /** The URL path that it was asked for by, percent-encoded. */
  readonly urlPath: string;
  /** The file. */
  readonly file: string;
  /** Its media type in the config. */
  readonly type: string | undefined;
}

/** @returns the value of `Cache-Control`; undefined for none. With a negative number browsers ask each time, as with 0. */
export function cachingOf({ timeout, urlPath, file, type }: CachedFile): string | undefined {
  if (timeout === null) return undefined;
  if (timeout !== undefined) return `max-age=${String(Math.max(timeout, 0))}, public`;
  if (isPage(file, type)) return 'no-cache';
  // The name of a default file is not in the URL: another build answers there with another file.
  return hasHash(urlPath) ? 'public, max-age=31536000, immutable' : `max-age=${String(USUAL_SECONDS)}, public`;
}

function isPage(file: string, type: string | undefined): boolean {
  return type === undefined
    ? /\.(?:[xs]?html?|xht)$/i.test(file)
    : /^(?:text\/html|application\/xhtml\+xml)\b/i.test(type);
}

/** What bundlers write: a name, a separator, what may be a hash, perhaps `.chunk` or `.min`, and a type that pages load. */
const BUILT =
  /^.+[.-]([\w-]{8}|[0-9a-f]{9,64})(?:\.[a-z]+)?\.(?:m?js|css|map|wasm|woff2?|ttf|otf|eot|png|jpe?g|gif|svg|webp|avif|ico|mp[34]|webm|og[gv])$/;

/** A name that is a UUID says nothing about the content. */
const UUID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\./;

/**
 * Whether a URL path ends in a file name with a hash in it. It is strict: a file that is kept for a year by mistake is worse than one
 * that is asked for twice a day. So some hashes that look like words are not taken for one.
 */
export function hasHash(urlPath: string): boolean {
  const name = urlPath.slice(urlPath.lastIndexOf('/') + 1);
  const [, hash] = BUILT.exec(name) ?? [];
  return hash !== undefined && !UUID.test(name) && (isHex(hash) || isBase32(hash) || isBase64(hash));
}

/** webpack, Parcel, and many others: digits alone may be a date, letters alone a word. */
function isHex(text: string): boolean {
  return /^(?=.*\d)(?=.*[a-f])[0-9a-f]+$/.test(text) || /^(?=.*\d)(?=.*[A-F])[0-9A-F]+$/.test(text);
}

/** esbuild. A word with a number behind it is none: `CHAPTER2`. */
function isBase32(text: string): boolean {
  return /^(?=.*\d)(?=.*[A-Z])[A-Z2-7]{8}$/.test(text) && !/^[A-Z]+\d+$/.test(text);
}

/** Words and numbers behind each other: `HelloWorld`, `Html5Api`, `Base64JS`. */
const WORDS = /^(?:[A-Z]?[a-z]{2,}|[A-Z]{2,}(?![a-z])|\d+|[-_])+$/;
/** Where one kind of character follows another, but for the first letter of a word. */
const JUMP = /[a-z](?=[A-Z\d])|[A-Z](?=\d)|\d(?=[A-Za-z])/g;

/** Rollup and Vite. A `-` in it may be a separator: `Audient-iD4-0003`. */
function isBase64(text: string): boolean {
  if (!/^(?=.*[A-Z])(?=.*[a-z])[\w-]{8}$/.test(text) || WORDS.test(text)) return false;
  return (text.match(JUMP)?.length ?? 0) >= (text.includes('-') ? 3 : 2);
}
