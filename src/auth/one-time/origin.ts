/** Origins of pages, as a ticket is bound to one. Pure. */

const ORIGIN = /^([a-z][a-z0-9+.-]*:\/\/)([^/\\?#@\s:]+|\[[0-9a-f:.]+\])(:\d{1,5})?\/?$/i;
/** What browsers leave out. */
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'http://': ':80', 'https://': ':443' };
const MAX_CHARACTERS = 300;

/** @returns an origin as browsers write it: `https://example.com`; undefined for text that is none, and for `null`. */
export function originOf(text: string): string | undefined {
  if (text.length > MAX_CHARACTERS) return undefined;
  const [, scheme = '', host = '', port = ''] = ORIGIN.exec(text.toLowerCase()) ?? [];
  if (host === '') return undefined;
  return `${scheme}${host}${port === DEFAULT_PORTS[scheme] ? '' : port}`;
}
