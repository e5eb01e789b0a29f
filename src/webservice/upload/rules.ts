/**
 * What is checked of an `upload` service beyond what the schema can say: its directories must not be the node's own, and nobody
 * else's; and an upload must be possible at all.
 */
import { relative, resolve, sep } from 'node:path';
import type { Place, RuleContext, Rules } from '../../schema/rules.js';

export const checkUpload: Rules = (service, context) => {
  for (const key of ['directory', 'temp_directory']) checkDirectory(service.get(key), context);
  checkNeighbours(service, context);
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
  const other = uploadsOf(context).find(
    (each) => each.path.join('/') < service.path.join('/') && unfinishedOf(each, context) === own,
  );
  if (own === undefined || other === undefined) return;
  const place = service.get('temp_directory').missing ? service.get('directory') : service.get('temp_directory');
  context.report(
    place.path,
    `found ${JSON.stringify(place.text())}, where /${other.path.join('/')} keeps its unfinished uploads (allowed: a "temp_directory" for each)`,
  );
}

function unfinishedOf(service: Place, { cbdir, realPath }: RuleContext): string | undefined {
  const [directory, own] = [service.get('directory').text(), service.get('temp_directory').text()];
  const written = own ?? (directory === undefined ? undefined : `${directory}/.unfinished`);
  return written === undefined ? undefined : realPath(resolve(cbdir, written));
}

/** @returns all services of this type in the config. */
function uploadsOf({ workers }: RuleContext): Place[] {
  const found: Place[] = [];
  const visit = (place: Place): void => {
    for (const service of place.get('paths').entries()) {
      if (service.get('type').value === 'upload') found.push(service);
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
  const room = service.at('options', 'max_unfinished_size');
  const size = largest.number() ?? 10 * 1024 * 1024;
  if (size === 0) warn(largest.path, 'found 0, by which no file is taken');
  if ((room.number() ?? Infinity) < size) {
    report(
      room.path,
      `found ${String(room.number())}, where no file of the "max_file_size" fits (allowed: as much at least)`,
    );
  }
}

function isAtOrBelow(file: string, directory: string): boolean {
  const way = relative(directory, file);
  return way === '' || (way !== '..' && !way.startsWith(`..${sep}`) && !way.startsWith(sep));
}
