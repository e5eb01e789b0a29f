/** From results to text: medians, spreads, ratios, and a table that can be pasted into a Markdown page. */

/**
 * @typedef {import('./load/measure.js').Stretch} Stretch
 * @typedef {Omit<Stretch, 'cpuMicrosPerUnit' | 'tickMicrosPerUnit'> & Partial<Stretch> & {
 *   kibPerSession?: number, rssBeforeBytes?: number, rssAfterBytes?: number,
 *   loopDelayMs?: import('./probe.js').LoopDelay | undefined,
 *   latencyMs?: { p50: number, p99: number, max: number },
 *   violations: { total: number, counts: Record<string, number>, examples: string[] }
 * }} Result what load.js prints, and what the probe saw
 *
 * @typedef {object} Row
 * @property {import('./scenarios.js').Scenario} scenario
 * @property {string} server
 * @property {boolean} isForeign another router
 * @property {number} scale the server's units in one unit of the router
 * @property {(Result | undefined)[]} runs undefined where a run has failed
 * @property {string | undefined} failure why another router was not measured to the end
 */

const GENERATOR_LIMIT = 0.95;
const MAX_REASON_CHARACTERS = 60;
const HEAD = [
  'scenario',
  'server',
  'CPU µs per unit',
  'per second',
  'RSS MiB',
  'loop p99 ms',
  'busy: server, generator',
  'x bare ws',
  'x other',
];
/** Columns of bench/history.md; other scenarios are newer than it. */
const HISTORY = [
  ...['rpc', 'rpc-1k', 'pubsub1', 'pubsub100', 'pubsub100-1k', 'pubsub100-single', 'pubsub100-single-1k'],
  ...['connect', 'connect-memory', 'connect-file', 'idle'],
];

/**
 * @param {readonly Row[]} rows
 * @returns {string}
 */
export function renderTable(rows) {
  const cells = rows.map((row) => cellsOf(row, rows));
  const notes = cells.some((line) => line[6]?.endsWith('*'))
    ? ['* the generator was the limit: trust the CPU time, not the throughput']
    : [];
  for (const { scenario, server, failure } of rows) {
    if (failure !== undefined) notes.push(`${server} cannot do "${scenario.title}": ${failure}`);
  }
  return markdownTable(HEAD, cells) + notes.map((note) => `\n${note}\n`).join('');
}

/**
 * @param {readonly string[]} head
 * @param {readonly (readonly string[])[]} cells
 * @returns {string} lines of Markdown
 */
export function markdownTable(head, cells) {
  const all = [head, ...cells];
  const widths = head.map((_, column) => Math.max(...all.map((line) => line[column]?.length ?? 0)));
  const render = (/** @type {readonly string[]} */ line) =>
    `| ${widths.map((width, column) => (line[column] ?? '').padEnd(width)).join(' | ')} |\n`;
  const rule = `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |\n`;
  return [render(head), rule, ...cells.map(render)].join('');
}

/**
 * The same as one line of bench/history.md; empty cells for what was not measured.
 *
 * @param {readonly Row[]} rows
 * @param {string} server
 */
export function historyCells(rows, server) {
  return HISTORY.map((name) => {
    const row = rows.find((candidate) => candidate.server === server && candidate.scenario.name === name);
    return row === undefined ? '' : `${fixed(median(valuesOf(row)))} (${fixed(ratioToBaseline(row, rows), 2)})`;
  });
}

/**
 * @param {Row} row
 * @param {readonly Row[]} rows
 */
function cellsOf(row, rows) {
  const runs = row.runs.filter((run) => run !== undefined);
  const values = valuesOf(row);
  const { title, unit } = row.scenario;
  if (row.failure !== undefined) return [title, row.server, `no: ${row.failure.slice(0, MAX_REASON_CHARACTERS)}`];
  if (values.length === 0) return [title, row.server, 'failed'];
  const spread = `${fixed(median(values))} (${fixed(Math.min(...values))}-${fixed(Math.max(...values))})`;
  const generator = median(runs.map((run) => run.generatorCpuShare));
  return [
    title,
    row.server,
    isIdle(row) ? `${spread} KiB` : `${spread} / ${unit}`,
    Math.round(median(runs.map((run) => run.perSecond)) / row.scale).toLocaleString('en'),
    memory(runs),
    fixed(median(runs.flatMap(({ loopDelayMs }) => loopDelayMs?.p99 ?? []))),
    `${fixed(median(runs.map((run) => run.cpuShare)), 2)}, ${fixed(generator, 2)}${generator > GENERATOR_LIMIT ? ' *' : ''}`,
    isBaseline(row) ? '' : fixed(ratioToBaseline(row, rows), 2),
    ratioToOther(row, rows),
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

/** @param {Row} row */
function isBaseline({ scenario, server }) {
  return server === scenario.baseline.name;
}

/**
 * @param {Row} row
 * @param {readonly Row[]} rows
 */
function ratioToBaseline(row, rows) {
  return ratio(
    row,
    rows.find((other) => other.scenario.baseline === row.scenario.baseline && isBaseline(other)),
  );
}

/**
 * @param {Row} row
 * @param {readonly Row[]} rows
 * @returns {string} to the scenario that this one differs from by one thing, on the same server; empty without one
 */
function ratioToOther(row, rows) {
  const { against } = row.scenario;
  const other = rows.find(({ scenario, server }) => scenario.name === against && server === row.server);
  return other === undefined || isBaseline(row) ? '' : `${fixed(ratio(row, other), 2)} x ${other.scenario.name}`;
}

/**
 * The median of the ratios within each run: what the machine did meanwhile hits both sides of such a ratio.
 *
 * @param {Row} row
 * @param {Row | undefined} base
 */
function ratio(row, base) {
  if (base === undefined) return NaN;
  const ratios = row.runs.map((run, index) => valueOf(run, row.scale) / valueOf(base.runs[index], base.scale));
  return median(ratios.filter(Number.isFinite));
}

/** @param {readonly Result[]} runs */
function memory(runs) {
  const mib = (/** @type {number} */ bytes) => fixed(bytes / 1_048_576, 0);
  const end = mib(median(runs.map((run) => run.rssBytes)));
  const before = runs.flatMap((run) => run.rssBeforeBytes ?? []);
  return before.length === 0 ? end : `${mib(median(before))} -> ${end}`;
}

/** @param {readonly number[]} values */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/**
 * @param {number} value
 * @param {number} [digits] default: three significant digits, as far as a table needs them
 */
export function fixed(value, digits = Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0) {
  return Number.isFinite(value) ? value.toFixed(digits) : 'n/a';
}
