/** Paths that do not exist, and may be pages of an application that reads the path itself. Pure. */
import { qualityOf } from '../../http/quality.js';
import type { WebRequest } from '../../http/service.js';

/** A file extension has a letter in it: `/rooms/v1.2` has none. */
const EXTENSION = /\.(?=[\da-z]*[a-z])[\da-z]{1,16}$/i;

/**
 * Whether a path that does not exist may be one of an application. A script, style or image that is gone is none: browsers
 * would complain of a page that is no script. Who names nothing takes anything.
 */
export function mayBePage({ req: { headers }, rest }: WebRequest): boolean {
  if (EXTENSION.test(rest)) return false;
  const { accept } = headers;
  if (accept === undefined) return true;
  const all = qualityOf(accept, 'text/*') ?? qualityOf(accept, '*/*') ?? 0;
  return (qualityOf(accept, 'text/html') ?? all) > 0 || (qualityOf(accept, 'application/xhtml+xml') ?? 0) > 0;
}
