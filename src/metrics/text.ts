/**
 * Writes what was collected as text: the format 0.0.4 of Prometheus, or OpenMetrics 1.0. It writes in pieces, with a turn of the event loop
 * between two of them.
 */
import { Pace, seriesOf } from './collect.js';
import type { Collected, Turn } from './collect.js';
import type { HistogramState } from './histogram.js';
import type { Metric } from './metric.js';

/** The two formats. */
export type TextFormat = 'prometheus' | 'openmetrics';

/** The media type of each format. */
export const MEDIA_TYPES: Readonly<Record<TextFormat, string>> = {
  prometheus: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** @returns the text in pieces, in UTF-8. @param metrics those to write, in order; one without a value is left out */
export async function writtenText(
  metrics: readonly Metric[],
  collected: Collected,
  format: TextFormat,
  turn: Turn,
): Promise<Buffer[]> {
  const pace = new Pace(turn);
  const pieces: Buffer[] = [];
  let piece = '';
  for (const metric of metrics) {
    const values = collected.get(metric);
    if (values === undefined) continue;
    piece += head(metric, format);
    for (const [labels, value] of values) {
      piece +=
        typeof value === 'number' ? line(metric.name, labels, value) : histogramLines(metric.name, labels, value);
      const wait = pace.did(seriesOf(value));
      if (wait === undefined) continue;
      pieces.push(Buffer.from(piece));
      piece = '';
      await wait;
    }
  }
  if (format === 'openmetrics') piece += '# EOF\n';
  pieces.push(Buffer.from(piece));
  return pieces;
}

function head({ name, type, help }: Metric, format: TextFormat): string {
  // OpenMetrics names a counter without the ending of its samples.
  const family = format === 'openmetrics' && type === 'counter' ? name.replace(/_total$/, '') : name;
  const text = help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
  return `# HELP ${family} ${format === 'openmetrics' ? text.replaceAll('"', '\\"') : text}\n# TYPE ${family} ${type}\n`;
}

function line(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${numberText(value)}\n` : `${name}{${labels}} ${numberText(value)}\n`;
}

function histogramLines(name: string, labels: string, { bounds, counts, sum }: HistogramState): string {
  const before = labels === '' ? '' : `${labels},`;
  let text = '';
  let total = 0;
  for (const [at, count] of counts.entries()) {
    total += count;
    const bound = bounds[at];
    text += `${name}_bucket{${before}le="${bound === undefined ? '+Inf' : boundText(bound)}"} ${total}\n`;
  }
  return `${text}${line(`${name}_sum`, labels, sum)}${line(`${name}_count`, labels, total)}`;
}

/** The same in both formats, so that a series stays the same: OpenMetrics wants a point. */
function boundText(bound: number): string {
  return Number.isInteger(bound) ? `${bound}.0` : String(bound);
}

function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  return value === -Infinity ? '-Inf' : String(value);
}
