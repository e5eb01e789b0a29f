import { describe, expect, it } from 'vitest';

import { collect, labelText } from '../../../src/metrics/collect.js';
import { Histogram } from '../../../src/metrics/histogram.js';
import { BREATH, sample } from '../../../src/metrics/metric.js';
import type { Metric, SampleSource } from '../../../src/metrics/metric.js';
import { writtenText } from '../../../src/metrics/text.js';
import type { TextFormat } from '../../../src/metrics/text.js';
import { MetricsText, parseSeries } from '../../support/metrics-text.js';

const COUNTER: Metric = { name: 'things_total', type: 'counter', help: 'Things.', labels: ['realm', 'kind'] };
const GAUGE: Metric = { name: 'room', type: 'gauge', help: 'A "room" with a \\ and\na line.', labels: [] };
const HISTOGRAM: Metric = { name: 'time_seconds', type: 'histogram', help: 'Time.', labels: ['realm'] };
const ALL = [COUNTER, GAUGE, HISTOGRAM];

const atOnce = (): Promise<void> => Promise.resolve();

async function textOf(source: SampleSource, format: TextFormat = 'prometheus'): Promise<string> {
  const collected = await collect([source], atOnce);
  return Buffer.concat(await writtenText(ALL, collected, format, atOnce)).toString();
}

function* everything() {
  const histogram = new Histogram([0.5, 1]);
  for (const value of [0.1, 0.7, 9]) histogram.observe(value);
  yield sample(COUNTER, 3, 'realm1', 'a');
  yield sample(COUNTER, 4, '', 'b');
  yield sample(GAUGE, 1.5);
  yield sample(HISTOGRAM, histogram, 'realm1');
}

describe('the text', () => {
  it('is that of Prometheus', async () => {
    expect(await textOf(everything)).toBe(`# HELP things_total Things.
# TYPE things_total counter
things_total{realm="realm1",kind="a"} 3
things_total{kind="b"} 4
# HELP room A "room" with a \\\\ and\\na line.
# TYPE room gauge
room 1.5
# HELP time_seconds Time.
# TYPE time_seconds histogram
time_seconds_bucket{realm="realm1",le="0.5"} 1
time_seconds_bucket{realm="realm1",le="1.0"} 2
time_seconds_bucket{realm="realm1",le="+Inf"} 3
time_seconds_sum{realm="realm1"} 9.8
time_seconds_count{realm="realm1"} 3
`);
  });

  it('is that of OpenMetrics', async () => {
    const text = await textOf(everything, 'openmetrics');
    expect(text).toContain('# TYPE things counter\nthings_total{realm="realm1",kind="a"} 3\n');
    expect(text).toContain('# HELP room A \\"room\\" with a \\\\ and\\na line.\n');
    expect(text.endsWith('\n# EOF\n')).toBe(true);
    expect(new MetricsText(text, 'openmetrics').value('things_total', { kind: 'b' })).toBe(4);
  });

  it('adds up what has the same labels', async () => {
    const twice: SampleSource = function* () {
      yield* everything();
      yield* everything();
    };
    const text = new MetricsText(await textOf(twice));
    expect(text.value('things_total', { kind: 'a' })).toBe(6);
    expect(text.value('time_seconds_count')).toBe(6);
    expect(text.value('time_seconds_sum')).toBeCloseTo(19.6);
  });

  it.each(['a"b', 'a\\b', 'a\nb', '\\n', '"', '\\', 'ä☃', 'a,b="c"'])('brings the label %j back', async (label) => {
    const text = await textOf(() => [sample(COUNTER, 1, label, 'x')]);
    expect(new MetricsText(text).words('things_total', 'realm')).toEqual([label]);
    const key = `things_total{${labelText(COUNTER, [label, 'x'])}}`;
    expect(parseSeries(key).labels.get('realm')).toBe(label);
  });

  it('can be infinite, as the limit of open files', async () => {
    expect(await textOf(() => [sample(GAUGE, Infinity)])).toContain('\nroom +Inf\n');
  });

  it('leaves out metrics without a value', async () => {
    expect(await textOf(() => [])).toBe('');
    expect(await textOf(() => [], 'openmetrics')).toBe('# EOF\n');
  });
});

describe('a scrape of many series', () => {
  it('looks at 250 of them in a turn of the event loop, and writes no more', async () => {
    let looked = 0;
    const inTurns: number[] = [];
    const turn = (): Promise<void> => Promise.resolve(void inTurns.push(looked));
    const source: SampleSource = function* () {
      for (let i = 0; i < 10_000; i++) {
        looked += 1;
        yield sample(COUNTER, i, 'realm1', `kind${i}`);
      }
    };
    const collected = await collect([source], turn);
    expect(inTurns).toEqual(Array.from({ length: 40 }, (_, turn) => (turn + 1) * 250));
    const turns = { count: 0 };
    const pieces = await writtenText(ALL, collected, 'prometheus', () => Promise.resolve(void (turns.count += 1)));
    expect(turns.count).toBe(40);
    expect(Math.max(...pieces.map((piece) => piece.toString().split('\n').length))).toBeLessThanOrEqual(253);
    expect(new MetricsText(Buffer.concat(pieces).toString()).metrics.get('things_total')?.series.size).toBe(10_000);
  });

  it('counts each line of a histogram, and takes a breath where a source asks for it', async () => {
    let turns = 0;
    const turn = (): Promise<void> => Promise.resolve(void (turns += 1));
    const histograms: SampleSource = function* () {
      for (let i = 0; i < 100; i++) yield sample(HISTOGRAM, new Histogram(), `realm${i}`);
    };
    await collect([histograms], turn);
    expect(turns).toBe(6);
    await collect([() => [BREATH, BREATH]], turn);
    expect(turns).toBe(8);
  });
});
