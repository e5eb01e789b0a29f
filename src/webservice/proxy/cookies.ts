/**
 * Cookies on their way through a proxy. Those by which this node recognises browsers are passwords, and none of the backend's
 * business; those of the backend have to fit the path under which browsers see it. Pure.
 */
import type { Places } from './places.js';

/** @returns a `Cookie` header without the cookies of these names; undefined when nothing is left. */
export function withoutCookies(header: string, names: ReadonlySet<string>): string | undefined {
  if (![...names].some((name) => header.includes(name))) return header;
  const left = header.split(';').filter((pair) => !names.has(nameOf(pair)));
  return left.length === 0 ? undefined : left.join(';').trimStart();
}

/** @returns the name of the cookie that a `Set-Cookie` header sets. */
export function nameOf(text: string): string {
  return text.split(';', 1).join('').split('=', 1).join('').trim();
}

/** @returns a `Set-Cookie` header of the backend, as it has to be for browsers that see the backend under our path. */
export function adaptedSetCookie(header: string, places: Places): string {
  const [pair = '', ...attributes] = header.split(';');
  // Browsers take it with these attributes only.
  if (nameOf(pair).startsWith('__Host-')) return header;
  const adapted = attributes.flatMap((attribute): string[] => {
    const at = attribute.indexOf('=');
    const [name, value] = at === -1 ? [attribute, ''] : [attribute.slice(0, at), attribute.slice(at + 1)];
    const key = name.trim().toLowerCase();
    if (key === 'domain' && places.isBackendHost(value.trim().replace(/^\./, ''))) return [];
    if (key === 'path' && value.trim().startsWith('/')) return [` Path=${places.cookiePath(value.trim())}`];
    return [attribute];
  });
  return [pair, ...adapted].join(';');
}
