/** From results to text: medians, spreads, ratios, and a table that can be pasted into a Markdown page. */

/**
 * @typedef {import('./load/measure.js').Stretch} Stretch
 * @typedef {Omit<Stretch, 'cpuMicrosPerUnit' | 'tickMicrosPerUnit'> & Partial<Stretch> & {
 *   kibPerSession?: number, rssEmptyBytes?: number, rssAfterBytes?: number,
 *   latencyMs?: { p50: number, p99: number, max: number },
 *   violations: { total: number, counts: Record<string, number>, examples: string[] }
 * }} Result what load.js prints
 *
 * @typedef {object} Row
 * @property {import('./scenarios.js').Scenario} scenario
 * @property {string} server
 * @property {number} scale the server's units in one unit of the router
 * @property {(Result | undefined)[]} runs undefined where a run has failed
 */

const GENERATOR_LIMIT = 0.95;
const HEAD = ['scenario', 'server', 'CPU µs per unit', 'per second', 'RSS MiB', 'busy: server, generator', 'x bare ws'];

/**
 * @param {readonly Row[]} rows
 * @returns {string}
 */
export function renderTable(rows) {
  const cells = rows.map((row) => cellsOf(row, rows));
  const all = [HEAD, ...cells];
  const widths = HEAD.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  const render = (/** @type {string[]} */ line) =>
    `| ${line.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`;
  const lines = [render(HEAD), rule, ...cells.map(render)];
  if (cells.some((line) => line[5]?.endsWith('*'))) {
    lines.push('', '* the generator was the limit: trust the CPU time, not the throughput');
  }
  return `${lines.join('\n')}\n`;
}

/**
 * The same as one line of bench/history.md, in the order of the scenarios.
 *
 * @param {readonly Row[]} rows
 * @param {string} server
 */
export function historyCells(rows, server) {
  return rows
    .filter((row) => row.server === server)
    .map((row) => `${fixed(median(valuesOf(row)))} (${fixed(ratio(row, rows), 2)})`);
}

/**
 * @param {Row} row
 * @param {readonly Row[]} rows
 */
function cellsOf(row, rows) {
  const runs = row.runs.filter((run) => run !== undefined);
  const values = valuesOf(row);
  const title = `${row.scenario.title}`;
  if (values.length === 0) return [title, row.server, 'failed', '', '', '', ''];
  const spread = `${fixed(median(values))} (${fixed(Math.min(...values))}-${fixed(Math.max(...values))})`;
  const generator = median(runs.map((run) => run.generatorCpuShare));
  return [
    title,
    row.server,
    isIdle(row) ? `${spread} KiB` : `${spread} / ${row.scenario.unit}`,
    Math.round(median(runs.map((run) => run.perSecond)) / row.scale).toLocaleString('en'),
    memory(runs),
    `${fixed(median(runs.map((run) => run.cpuShare)), 2)}, ${fixed(generator, 2)}${generator > GENERATOR_LIMIT ? ' *' : ''}`,
    row.server.startsWith('ws, ') ? '' : fixed(ratio(row, rows), 2),
  ];
}

/**
 * CPU microseconds per unit of the router; KiB per session for the scenario that measures memory.
 *
 * @param {Result | undefined} run
 * @param {number} scale
 */
function valueOf(run, scale) {
  return run?.kibPerSession ?? (run?.cpuMicrosPerUnit ?? NaN) * scale;
}

/** @param {Row} row */
function valuesOf({ runs, scale }) {
  return runs.map((run) => valueOf(run, scale)).filter(Number.isFinite);
}

/** @param {Row} row */
function isIdle({ runs }) {
  return runs.some((run) => run?.kibPerSession !== undefined);
}

/**
 * The median of the ratios within each run: what the machine did meanwhile hits both sides of such a ratio.
 *
 * @param {Row} row
 * @param {readonly Row[]} rows
 */
function ratio(row, rows) {
  const base = rows.find(
    (other) => other.scenario.baseline === row.scenario.baseline && other.server.startsWith('ws, '),
  );
  if (base === undefined) return NaN;
  const ratios = row.runs.map((run, index) => valueOf(run, row.scale) / valueOf(base.runs[index], base.scale));
  return median(ratios.filter(Number.isFinite));
}

/** @param {readonly Result[]} runs */
function memory(runs) {
  const mib = (/** @type {number} */ bytes) => fixed(bytes / 1_048_576, 0);
  const end = mib(median(runs.map((run) => run.rssBytes)));
  const empty = runs.flatMap((run) => run.rssEmptyBytes ?? []);
  return empty.length === 0 ? end : `${mib(median(empty))} -> ${end}`;
}

/** @param {readonly number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/**
 * @param {number} value
 * @param {number} [digits] default: three significant digits, as far as a table needs them
 */
function fixed(value, digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0) {
  return Number.isFinite(value) ? value.toFixed(digits) : 'n/a';
}
