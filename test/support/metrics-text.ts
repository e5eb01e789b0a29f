/**
 * A parser of the text format of Prometheus and of OpenMetrics, stricter than those of scrapers: metrics and series twice, values that are
 * none, histograms whose ranges do not add up are faults.
 */

/** What was said of a metric. */
export interface ParsedMetric {
  readonly type: string;
  readonly help: string;
  /** name and labels, as `name{a="b"}` -> value */
  readonly series: ReadonlyMap<string, number>;
}

/** What a text says. */
export class MetricsText {
  /** name of the metric -> what was said of it */
  readonly metrics = new Map<
    string,
    { readonly type: string; readonly help: string; readonly series: Map<string, number> }
  >();

  /** @throws Error naming the first line that is wrong. */
  constructor(text: string, format: 'prometheus' | 'openmetrics' = 'prometheus') {
    if (!text.endsWith('\n')) throw new Error('the last line has no end');
    const lines = text.slice(0, -1).split('\n');
    if (format === 'openmetrics' && lines.pop() !== '# EOF') throw new Error('the last line is not # EOF');
    let current = '';
    for (const line of lines) {
      try {
        current = this.#read(line, current, format);
      } catch (cause) {
        throw new Error(`${String(cause)} in: ${line}`, { cause });
      }
    }
    for (const [name, metric] of this.metrics) if (metric.type === 'histogram') checkHistogram(name, metric.series);
  }

  /** @returns the value of a series; 0 where there is none. @param labels in any order */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number {
    let sum = 0;
    for (const { series } of this.metrics.values()) {
      for (const [key, value] of series) {
        const parsed = parseSeries(key);
        if (parsed.name !== name) continue;
        if (Object.entries(labels).every(([label, wanted]) => parsed.labels.get(label) === wanted)) sum += value;
      }
    }
    return sum;
  }

  /** The values of a label of a metric. */
  words(name: string, label: string): string[] {
    const found = new Set<string>();
    for (const { series } of this.metrics.values()) {
      for (const key of series.keys()) {
        const parsed = parseSeries(key);
        if (parsed.name === name) found.add(parsed.labels.get(label) ?? '');
      }
    }
    return [...found];
  }

  #read(line: string, current: string, format: 'prometheus' | 'openmetrics'): string {
    const help = /^# HELP ([a-z][a-z0-9_]*) (\S.*)$/.exec(line);
    if (help !== null) {
      const [, name = '', text = ''] = help;
      if (this.metrics.has(name)) throw new Error('a metric twice');
      this.metrics.set(name, { type: '', help: text, series: new Map() });
      return name;
    }
    const type = /^# TYPE ([a-z][a-z0-9_]*) (counter|gauge|histogram)$/.exec(line);
    const metric = this.metrics.get(current);
    if (metric === undefined) throw new Error('a series without its metric');
    if (type !== null) {
      if (type[1] !== current || metric.type !== '') throw new Error('TYPE of another metric');
      if (format === 'openmetrics' && type[2] === 'counter' && current.endsWith('_total'))
        throw new Error('_total in TYPE');
      this.metrics.set(current, { ...metric, type: type[2] ?? '' });
      return current;
    }
    const [, key = '', text = ''] = /^(\S+?(?:\{.*\})?) (\S+)$/.exec(line) ?? [];
    const { name } = parseSeries(key);
    if (!isOf(name, current, metric.type, format)) throw new Error('a series of another metric');
    if (metric.series.has(key)) throw new Error('a series twice');
    metric.series.set(key, parseNumber(text));
    return current;
  }
}

function isOf(name: string, metric: string, type: string, format: 'prometheus' | 'openmetrics'): boolean {
  if (type === 'histogram') return ['_bucket', '_sum', '_count'].some((ending) => name === metric + ending);
  if (type === 'counter')
    return name === (format === 'openmetrics' ? `${metric}_total` : metric) && name.endsWith('_total');
  return type === 'gauge' && name === metric;
}

function parseNumber(text: string): number {
  if (text === '+Inf') return Infinity;
  if (!/^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(text)) throw new Error('no number');
  return Number(text);
}

/** @param key such as `name{a="b",c="d"}` */
export function parseSeries(key: string): { readonly name: string; readonly labels: ReadonlyMap<string, string> } {
  const [, name = '', inner] = /^([a-z][a-z0-9_]*)(?:\{(.+)\})?$/.exec(key) ?? [];
  if (name === '') throw new Error('no name of a series');
  const labels = new Map<string, string>();
  let rest = inner ?? '';
  while (rest !== '') {
    const [all, label = '', value = ''] = /^([a-z][a-z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=.)|$)/.exec(rest) ?? [];
    if (all === undefined || labels.has(label)) throw new Error('wrong labels');
    labels.set(
      label,
      value.replace(/\\([\\"n])/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped)),
    );
    rest = rest.slice(all.length);
  }
  return { name, labels };
}

function checkHistogram(metric: string, series: ReadonlyMap<string, number>): void {
  const buckets = new Map<string, number[]>();
  for (const [key, value] of series) {
    const { name, labels } = parseSeries(key);
    if (name !== `${metric}_bucket`) continue;
    const others = [...labels].filter(([label]) => label !== 'le').map(([label, each]) => `${label}="${each}"`);
    const group = others.length === 0 ? '' : `{${others.join(',')}}`;
    buckets.set(group, [...(buckets.get(group) ?? []), value]);
  }
  for (const [group, counts] of buckets) {
    if (counts.some((count, at) => count < (counts[at - 1] ?? 0))) throw new Error(`${metric}: ranges that fall`);
    if (series.get(`${metric}_count${group}`) !== counts.at(-1)) throw new Error(`${metric}: ${group} does not add up`);
  }
}
