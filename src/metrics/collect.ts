/**
 * Gathers the samples of a scrape. Sources are pulled from in turns of the event loop, because a node with thousands of series would hold it
 * for long otherwise. Samples with the same labels, of two workers that have a realm of the same name, are added up.
 */
import { added, copied } from './histogram.js';
import type { HistogramState } from './histogram.js';
import { BREATH } from './metric.js';
import type { Metric, Sample, SampleSource } from './metric.js';

/** So many series are looked at, or written, in one turn of the event loop. */
export const SERIES_A_TURN = 250;

/** metric -> labels as they are written -> value */
export type Collected = ReadonlyMap<Metric, ReadonlyMap<string, number | HistogramState>>;

/** Waits until the event loop has been round. */
export type Turn = () => Promise<unknown>;

/** Counts series, and waits after each {@link SERIES_A_TURN}. */
export class Pace {
  readonly #turn: Turn;
  #series = 0;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** So many more were done. @returns what to wait for; undefined while there is nothing to wait for. */
  did(series: number): Promise<unknown> | undefined {
    this.#series += series;
    if (this.#series < SERIES_A_TURN) return undefined;
    this.#series = 0;
    return this.#turn();
  }
}

/** @returns the lines that a value takes. */
export function seriesOf(value: number | HistogramState): number {
  return typeof value === 'number' ? 1 : value.counts.length + 2;
}

type Step = IteratorResult<Sample | typeof BREATH, undefined>;

/** @returns what all sources have, one after the other. */
export async function collect(sources: Iterable<SampleSource>, turn: Turn): Promise<Collected> {
  const found = new Map<Metric, Map<string, number | HistogramState>>();
  await eachSample(sources, turn, (item) => keep(found, item));
  return found;
}

/** Goes through the samples of all sources, one after the other. */
export async function eachSample(
  sources: Iterable<SampleSource>,
  turn: Turn,
  see: (item: Sample) => void,
): Promise<void> {
  const pace = new Pace(turn);
  for (const source of sources) {
    const items = source();
    const next = Symbol.iterator in items ? items[Symbol.iterator]() : items[Symbol.asyncIterator]();
    for (;;) {
      const step: Step | Promise<Step> = next.next();
      const { done, value: item } = step instanceof Promise ? await step : step;
      if (done === true) break;
      if (item !== BREATH) see(item);
      const wait = pace.did(item === BREATH ? SERIES_A_TURN : seriesOf(item.value));
      if (wait !== undefined) await wait;
    }
  }
}

function keep(found: Map<Metric, Map<string, number | HistogramState>>, { metric, labels, value }: Sample): void {
  let values = found.get(metric);
  if (values === undefined) found.set(metric, (values = new Map<string, number | HistogramState>()));
  const text = labelText(metric, labels);
  const known = values.get(text);
  if (known === undefined) values.set(text, typeof value === 'number' ? value : copied(value));
  else if (typeof known === 'number' && typeof value === 'number') values.set(text, together(metric, known, value));
  else if (typeof known === 'object' && typeof value === 'object') values.set(text, added(known, value));
}

function together({ together: how }: Metric, a: number, b: number): number {
  if (how === 'least') return Math.min(a, b);
  return how === 'most' ? Math.max(a, b) : a + b;
}

/** @returns the labels as they are written, without braces: `realm="realm1",role="user"`. Empty values are left out. */
export function labelText({ labels: names }: Pick<Metric, 'labels'>, values: readonly string[]): string {
  let text = '';
  for (const [at, name] of names.entries()) {
    const value = values[at] ?? '';
    if (value !== '') text += `${text === '' ? '' : ','}${name}="${escaped(value)}"`;
  }
  return text;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };

function escaped(value: string): string {
  return value.replace(/[\\"\n]/g, (character) => ESCAPES[character] ?? character);
}
