/**
 * The page that lists a directory. File names are other people's text: they are escaped where they are shown and
 * encoded where they are linked.
 */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { escapeHtml } from '../../http/answer.js';
import { isPublicName } from './file-lookup.js';

/** What is said about one file. */
export interface ListingEntry {
  readonly name: string;
  readonly isDirectory: boolean;
}

/**
 * @param shows whether an entry would be served
 * @returns what may be shown of a directory: directories first, then by name
 */
export async function readListing(
  directory: string,
  shows: (file: string) => Promise<boolean>,
): Promise<ListingEntry[]> {
  const entries = (await readdir(directory, { withFileTypes: true })).filter((entry) => isPublicName(entry.name));
  const shown = await Promise.all(entries.map((entry) => shows(path.join(directory, entry.name))));
  return entries
    .filter((_entry, index) => shown[index])
    .map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
    .sort((a, b) => Number(b.isDirectory) - Number(a.isDirectory) || a.name.localeCompare(b.name));
}

/**
 * @param title the path of the directory, as the visitor knows it
 * @param hasParent whether to link the directory above
 */
export function listingPage(title: string, entries: readonly ListingEntry[], hasParent: boolean): string {
  const links = entries.map(({ name, isDirectory }) => {
    const slash = isDirectory ? '/' : '';
    // `./` keeps a name with a colon from being read as a URL scheme.
    return link(`./${encodeURIComponent(name)}${slash}`, `${name}${slash}`);
  });
  if (hasParent) links.unshift(link('../', '..'));
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>body { font: 1rem/1.6 system-ui, sans-serif; margin: 2rem } ul { list-style: none; padding: 0 }</style>
<h1>${escapeHtml(title)}</h1>
<ul>
${links.join('\n')}
</ul>
</html>
`;
}

function link(href: string, text: string): string {
  return `  <li><a href="${escapeHtml(href)}">${escapeHtml(text)}</a></li>`;
}
