/**
 * In which form a file is sent. A build may leave compressed copies beside a file: `app.js.br`, `app.js.gz`. A client that takes
 * their coding gets one of them under the name of the file. Nothing is compressed here, and nothing is remembered: what is there is
 * looked at each time.
 */
import { open, stat } from 'node:fs/promises';
import { qualityOf } from '../../http/quality.js';
import { notFoundOr } from './file-lookup.js';

/** A content coding (RFC 9110) and what the name of a copy ends with. */
export interface Coding {
  readonly name: 'br' | 'gzip';
  readonly extension: '.br' | '.gz';
}

/** The best first. */
const CODINGS: readonly Coding[] = [
  { name: 'br', extension: '.br' },
  { name: 'gzip', extension: '.gz' },
];

/** What is sent for a file. */
export interface Representation {
  /** The file itself, or its copy. */
  readonly file: string;
  /** Of a copy. */
  readonly coding?: Coding;
  /** Whether another client may get another one. */
  readonly varies: boolean;
}

export interface RepresentationTools {
  /** Whether a file may be served: a copy may be a link, and lead elsewhere. */
  readonly shows: (file: string) => Promise<boolean>;
  /** A copy is older than its file, so that it is of something else. */
  readonly onStale: (copy: string) => void;
}

/** @param acceptEncoding the header of the request */
export async function representationOf(
  file: string,
  acceptEncoding: string | undefined,
  { shows, onStale }: RepresentationTools,
): Promise<Representation> {
  const times = await Promise.all(CODINGS.map(({ extension }) => timeOf(file + extension)));
  if (times.every((time) => time === undefined)) return { file, varies: false };
  const ownTime = await timeOf(file);
  // It went away just now.
  if (ownTime === undefined) return { file, varies: false };
  const there: Coding[] = [];
  for (const [index, coding] of CODINGS.entries()) {
    const [copy, time] = [file + coding.extension, times[index]];
    if (time === undefined || !(await shows(copy))) continue;
    if (time < ownTime) onStale(copy);
    else there.push(coding);
  }
  return chosenRepresentation(file, acceptEncoding, there);
}

/** The node may not be allowed to read a copy that somebody else made: then there is none. */
async function chosenRepresentation(
  file: string,
  acceptEncoding: string | undefined,
  there: readonly Coding[],
): Promise<Representation> {
  const varies = there.length > 0;
  const coding = chosenOf(acceptEncoding, there);
  if (coding === undefined) return { file, varies };
  const copy = file + coding.extension;
  if (await isReadable(copy)) return { file: copy, coding, varies };
  const others = there.filter((other) => other !== coding);
  return chosenRepresentation(file, acceptEncoding, others);
}

/**
 * @returns the coding that the client likes best; undefined for none, also where it refuses that: it gets what there is.
 */
function chosenOf(acceptEncoding: string | undefined, there: readonly Coding[]): Coding | undefined {
  const others = qualityOf(acceptEncoding, '*');
  // Who does not name it takes it as a last resort.
  let best = { coding: undefined as Coding | undefined, quality: qualityOf(acceptEncoding, 'identity') ?? 0 };
  for (const coding of there) {
    const named = qualityOf(acceptEncoding, coding.name);
    const quality = named ?? (coding.name === 'gzip' ? qualityOf(acceptEncoding, 'x-gzip') : undefined) ?? others ?? 0;
    const isBetter = best.coding === undefined ? quality >= best.quality : quality > best.quality;
    if (quality > 0 && isBetter) best = { coding, quality };
  }
  return best.coding;
}

/** When a file was changed, in seconds: tools that give a copy the time of its file drop what is behind them. */
async function timeOf(file: string): Promise<number | undefined> {
  try {
    const found = await stat(file);
    return found.isFile() ? Math.floor(found.mtimeMs / 1000) : undefined;
  } catch (error) {
    notFoundOr(error);
    return undefined;
  }
}

async function isReadable(file: string): Promise<boolean> {
  try {
    await (await open(file)).close();
    return true;
  } catch (error) {
    notFoundOr(error);
    return false;
  }
}
