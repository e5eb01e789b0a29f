/**
 * What is checked of an `upload` service beyond what the schema can say: its directories must not be the node's own, and nobody
 * else's; what strangers put there must neither run nor become a page by accident; and an upload must be possible at all.
 */
import { relative, resolve, sep } from 'node:path';
import { isShown } from '../static/rules.js';
import type { Place, RuleContext, Rules } from '../../schema/rules.js';

export const checkUpload: Rules = (service, context) => {
  for (const key of ['directory', 'temp_directory']) checkDirectory(service.get(key), context);
  checkNeighbours(service, context);
  checkReaders(service, context);
  checkSizes(service, context);
  const role = service.at('options', 'require_role');
  if (!role.missing && context.inForce('cookie').missing) {
    context.report(
      role.path,
      'found without a "cookie" section for this path, which has the logins (allowed: one, here or at the transport)',
    );
  }
};

function checkDirectory(place: Place, { cbdir, realPath, privateFiles, report }: RuleContext): void {
  const text = place.text();
  if (text === undefined || text === '') return;
  const found = JSON.stringify(text);
  const directory = realPath(resolve(cbdir, text));
  if (directory === realPath(cbdir)) {
    report(place.path, `found ${found}, which is the node directory (allowed: a directory of its own)`);
    return;
  }
  for (const file of privateFiles()) {
    if (!isAtOrBelow(realPath(resolve(cbdir, file)), directory)) continue;
    report(
      place.path,
      `found ${found}, where ${JSON.stringify(file)} is (allowed: a directory without files of the node)`,
    );
  }
}

/** What is left of an earlier run is cleaned up at the start: that must not be the work of somebody else. */
function checkNeighbours(service: Place, context: RuleContext): void {
  const own = unfinishedOf(service, context);
  const other = servicesOf('upload', context).find(
    (each) => each.path.join('/') < service.path.join('/') && unfinishedOf(each, context) === own,
  );
  if (own === undefined || other === undefined) return;
  const place = service.get('temp_directory').missing ? service.get('directory') : service.get('temp_directory');
  context.report(
    place.path,
    `found ${JSON.stringify(place.text())}, where ${pointerOf(other)} keeps its unfinished uploads (allowed: a "temp_directory" for each)`,
  );
}

function unfinishedOf(service: Place, { cbdir, realPath }: RuleContext): string | undefined {
  const [directory, own] = [service.get('directory').text(), service.get('temp_directory').text()];
  const written = own ?? (directory === undefined ? undefined : `${directory}/.unfinished`);
  return written === undefined ? undefined : realPath(resolve(cbdir, written));
}

/** By what browsers run in the name of the site that serves it, and what leads to such files. */
const ACTIVE = /\.(?:[sx]?html?|xht|xml|xslt?|svgz?|m?js|mht|mhtml)$/i;

/** Who reads the directories: a `cgi` service runs what is in them, a `static` one makes pages of it. */
function checkReaders(service: Place, context: RuleContext): void {
  const { cbdir, realPath, report, warn } = context;
  const real = (place: Place): string => realPath(resolve(cbdir, place.text() ?? ''));
  const types = service.at('options', 'file_types');
  const isHarmless = !types.missing && !types.items().some((type) => ACTIVE.test(type.text() ?? ''));
  for (const place of ['directory', 'temp_directory'].map((key) => service.get(key))) {
    if (place.text() === undefined || place.text() === '') continue;
    const [directory, found] = [real(place), `found ${JSON.stringify(place.text())}`];
    for (const cgi of readersOf('cgi', context)) {
      if (!isShown(directory, real(cgi.get('directory')))) continue;
      report(place.path, `${found}, where ${pointerOf(cgi)} runs scripts (allowed: a directory of its own)`);
    }
    for (const pages of readersOf('static', context)) {
      if (isHarmless || !isShown(directory, real(pages.get('directory')))) continue;
      warn(
        place.path,
        `${found}, which ${pointerOf(pages)} serves: whoever uploads a page makes it one of this site; name "file_types" without pages and scripts, or serve the files from another origin`,
      );
    }
  }
}

/** @returns where a place is, as a JSON Pointer (RFC 6901). */
function pointerOf({ path }: Place): string {
  return path.map((key) => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/** @returns the services of a type that have a directory. */
function readersOf(type: 'cgi' | 'static', context: RuleContext): Place[] {
  return servicesOf(type, context).filter((each) => (each.get('directory').text() ?? '') !== '');
}

/** @returns all services of a type in the config. */
function servicesOf(type: string, { workers }: RuleContext): Place[] {
  const found: Place[] = [];
  const visit = (place: Place): void => {
    for (const service of place.get('paths').entries()) {
      if (service.get('type').value === type) found.push(service);
      visit(service);
    }
  };
  for (const worker of workers) {
    for (const transport of worker.get('transports').items()) {
      visit(transport);
      visit(transport.get('web'));
    }
  }
  return found;
}

function checkSizes(service: Place, { report, warn }: RuleContext): void {
  const largest = service.at('options', 'max_file_size');
  const size = largest.number() ?? 10 * 1024 * 1024;
  if (size === 0) warn(largest.path, 'found 0, by which no file is taken');
  for (const room of ['max_unfinished_size', 'max_unfinished_size_per_address']) {
    const bytes = service.at('options', room);
    if ((bytes.number() ?? Infinity) >= size) continue;
    report(
      bytes.path,
      `found ${String(bytes.number())}, where no file of the "max_file_size" fits (allowed: as much at least)`,
    );
  }
}

function isAtOrBelow(file: string, directory: string): boolean {
  const way = relative(directory, file);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !way.startsWith(sep));
}
