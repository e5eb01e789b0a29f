/** What the `Content-Type` of a request says of its body. Pure. */

/** A header, taken apart. */
interface ContentType {
  /** In lower case. */
  readonly mediaType: string;
  /** name -> value, both in lower case */
  readonly parameters: ReadonlyMap<string, string>;
}

const JSON_TYPE = 'application/json';
const UTF8 = new Set(['utf-8', 'utf8']);

/**
 * @param mustBeJson a body of another type is refused; without a type it is taken, because many clients send none.
 * @returns what is wrong with it, for the client; undefined when nothing is.
 */
export function faultOfType(header: string | undefined, mustBeJson: boolean): string | undefined {
  if (header === undefined) return undefined;
  const type = contentTypeOf(header);
  if (type === undefined) return 'the Content-Type cannot be read, or has a parameter twice';
  if (mustBeJson && type.mediaType !== JSON_TYPE) return `the Content-Type must be ${JSON_TYPE}`;
  const charset = type.parameters.get('charset');
  return charset === undefined || UTF8.has(charset) ? undefined : 'the charset of the body must be utf-8';
}

/**
 * A name, and a value with quotes or without (RFC 9110, section 5.6.6), or none. Blanks are behind a value only where there is one: else
 * those before it could be taken for those behind it, and 16 KB of them would be tried in all ways, for a second.
 */
const PARAMETER = /^\s*([^\s=;"]+)\s*=\s*(?:(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))\s*)?(?:;|$)/;

function contentTypeOf(header: string): ContentType | undefined {
  const [mediaType = ''] = header.split(';', 1);
  const parameters = new Map<string, string>();
  let rest = header.slice(mediaType.length + 1);
  while (rest.trim() !== '') {
    const found = PARAMETER.exec(rest);
    const name = found?.[1]?.toLowerCase();
    if (found === null || name === undefined || parameters.has(name)) return undefined;
    parameters.set(name, (found[2]?.replace(/\\(.)/g, '$1') ?? found[3] ?? '').toLowerCase());
    rest = rest.slice(found[0].length);
  }
  return { mediaType: mediaType.trim().toLowerCase(), parameters };
}
