/** What is checked of the service `archive` beyond what the schema can say. */
import type { Rules } from '../../schema/rules.js';

/** Rule of the section: where the file comes from, and how it is known. */
export const checkArchive: Rules = (service, { report, warn, note }) => {
  const [origin, download, hashes] = [service.get('origin'), service.get('download'), service.get('hashes')];
  if (download.value === true) {
    if (origin.missing) report(download.path, 'found true without an "origin" (allowed: true beside one)');
    else if (hashes.items().length === 0) {
      if (/^http:/i.test(origin.text() ?? '')) {
        report(
          origin.path,
          'found a URL of http without "hashes", so that anybody on the way could replace the file (allowed: https, or http with "hashes")',
        );
      } else warn(service.path, 'no "hashes" say which file may come from the origin');
    }
  } else if (!origin.missing) note(origin.path, 'has no effect without "download": true');
  if (isWithPassword(origin.text()))
    report(origin.path, 'found a URL with a user and password, which is not supported (allowed: a URL without)');
};

function isWithPassword(url: string | undefined): boolean {
  return url !== undefined && URL.canParse(url) && new URL(url).username !== '';
}
