/**
 * `npm run bench -- --scenario fronts`: the same load against one process and against the same node with fronts, with its router in a process of
 * its own, and with both, in turns: what a call, an event and a connection cost each of the processes, and what a front takes in memory.
 */
import { writeFileSync } from 'node:fs';
import { accountOf, memoryOf, startFronted } from './front-nodes.js';
import { generate } from './generator.js';
import { named, readFlags, refuse, wholeNumber } from './flags.js';
import { machine } from './machine.js';
import { loadAverage, platformProblem } from './proc.js';
import { buildProblem } from './servers.js';
import { fixed, markdownTable, median } from './table.js';

const NAME = 'fronts';

/**
 * @typedef {object} Kind
 * @property {string} name for `--only`
 * @property {string} title
 * @property {readonly string[]} load flags for load.js
 * @property {number} [bar] the most that the router may spend behind fronts, as a part of what it spends alone
 * @property {boolean} [isTime] what is told is how long one takes, one at a time
 *
 * @typedef {{ name: string, fronts: number, isApart: boolean }} Layout `isApart`: the router has a process of its own
 *
 * @typedef {object} Run
 * @property {import('./front-nodes.js').Account} micros for one unit
 * @property {number} perSecond
 * @property {number} generatorShare
 * @property {{ p50: number, p99: number } | undefined} latencyMs
 * @property {readonly import('./front-nodes.js').Memory[]} idle of each front, or of the one process, before the load
 * @property {readonly import('./front-nodes.js').Memory[]} loaded and at its end
 *
 * @typedef {{ kind: Kind, layout: Layout, runs: (Run | undefined)[] }} Row
 * @typedef {{ kinds: readonly Kind[], layouts: readonly Layout[], seconds: number, warmup: number, turns: number, json: string | undefined }} Options
 */

const events = (/** @type {number} */ subscribers, /** @type {number} */ window) => [
  ...['--kind', 'publish', '--subscribers', String(subscribers), '--window', String(window), '--payload', '20'],
];

/** @type {readonly Kind[]} */
const KINDS = [
  { name: 'call', title: 'call, 20 B', load: ['--kind', 'rpc', '--window', '64', '--payload', '20'], bar: 0.6 },
  { name: 'event100', title: 'event to 100, 8 under way', load: events(100, 8), bar: 0.4 },
  { name: 'event1000', title: 'event to 1,000, 4 under way', load: events(1000, 4), bar: 0.1 },
  { name: 'connect', title: 'connect, HELLO, WELCOME', load: ['--kind', 'connect', '--concurrency', '16'] },
  {
    name: 'time',
    title: 'call, one at a time',
    load: ['--kind', 'rpc', '--window', '1', '--payload', '20'],
    isTime: true,
  },
];

/** @type {readonly Layout[]} */
const LAYOUTS = [
  { name: 'one process', fronts: 0, isApart: false },
  { name: '1 front', fronts: 1, isApart: false },
  { name: '2 fronts', fronts: 2, isApart: false },
  { name: 'router process', fronts: 0, isApart: true },
  { name: '1 front, router process', fronts: 1, isApart: true },
];

const USAGE = `usage: npm run bench -- --scenario ${NAME} [flags]
  --only a,b    only these loads, of: ${KINDS.map(({ name }) => name).join(', ')}
  --seconds N   measured time of one run (4)
  --warmup N    time before it (2)
  --turns N     runs of everything, in turns (3)
  --json FILE   writes every single result too
  --quick       one short run: shows that everything works, the figures mean nothing`;

const HEAD = [
  ...[
    'load',
    'layout',
    'router µs',
    'its main thread',
    'fronts µs',
    'parent µs',
    'node µs',
    'per second',
    'p50 ms',
    'p99 ms',
  ],
  ...['router x alone', 'all x alone'],
];

await main();

async function main() {
  const options = readOptions();
  if (options === undefined) return;
  const obstacle = platformProblem() ?? buildProblem();
  if (obstacle !== undefined) return refuse(NAME, obstacle);
  process.stdout.write(`${machine().join('\n')}\n\n`);
  const rows = options.kinds.flatMap((kind) => options.layouts.map((layout) => newRow(kind, layout)));
  const problems = await measureAll(rows, options);
  const { seconds, turns } = options;
  process.stdout.write(`processor time for one, median (lowest-highest) of ${turns} runs of ${seconds} s\n\n`);
  process.stdout.write(
    markdownTable(
      HEAD,
      rows.map((row) => cellsOf(row, rows)),
    ),
  );
  process.stdout.write(`\n${memoryTable(rows)}\n${barLines(rows).join('\n')}\n`);
  process.stdout.write(`\nload average at the end: ${loadAverage()}\n`);
  for (const line of problems) process.stdout.write(`\nPROBLEM ${line}\n`);
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(report(rows, problems, options))}\n`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

/** @returns {Options | undefined} */
function readOptions() {
  const least = /** @type {const} */ ({ scenario: NAME, only: undefined, json: undefined, quick: false });
  const defaults = /** @type {const} */ ({ ...least, seconds: undefined, warmup: undefined, turns: undefined });
  return readFlags({ name: NAME, usage: USAGE, defaults }, ({ scenario, only, json, quick, ...given }) => {
    if (scenario !== NAME) throw new Error(`the scenario ${NAME} is measured alone`);
    return {
      ...{ kinds: named(only, KINDS), json, layouts: LAYOUTS },
      seconds: positive('--seconds', given.seconds ?? (quick ? '0.3' : '4')),
      warmup: positive('--warmup', given.warmup ?? (quick ? '0.1' : '2')),
      turns: wholeNumber('--turns', given.turns ?? (quick ? '1' : '3'), { most: 100 }),
    };
  });
}

/** @param {string} flag @param {string} text */
function positive(flag, text) {
  const value = Number(text);
  if (value > 0 && value < Infinity) return value;
  throw new Error(`${flag} is a number above 0, not "${text}"`);
}

/** @param {Kind} kind @param {Layout} layout @returns {Row} */
function newRow(kind, layout) {
  return { kind, layout, runs: [] };
}

/**
 * Each turn begins with another layout, so that a machine that grows busy hits all of them.
 *
 * @param {readonly Row[]} rows
 * @param {Options} options
 */
async function measureAll(rows, options) {
  const problems = /** @type {string[]} */ ([]);
  for (const kind of options.kinds) {
    const own = rows.filter((row) => row.kind === kind);
    for (let turn = 0; turn < options.turns; turn += 1) {
      const first = turn % own.length;
      for (const row of [...own.slice(first), ...own.slice(0, first)]) {
        const name = `${kind.name}, ${row.layout.name}, turn ${turn + 1}`;
        process.stderr.write(`${name}\n`);
        const { run, found } = await measure(row, options);
        row.runs[turn] = run;
        problems.push(...found.map((problem) => `${name}: ${problem}`));
      }
    }
  }
  return problems;
}

/**
 * @param {Row} row
 * @param {Options} options
 * @returns {Promise<{ run: Run | undefined, found: string[] }>}
 */
async function measure({ kind, layout }, { seconds, warmup }) {
  const node = await startFronted(layout.fronts, layout.isApart);
  const measured = node.fronts.length > 0 ? node.fronts : [node.apart ?? node.server.pid];
  const memory = () => measured.map(memoryOf);
  const accounts = /** @type {import('./front-nodes.js').Account[]} */ ([]);
  const idle = memory();
  let loaded = idle;
  let outcome;
  let ended;
  try {
    const load = { flags: kind.load, seconds, warmup, connections: 0 };
    outcome = await generate(node.server, load, (phase) => {
      if (phase !== 'pause') accounts.push(accountOf(node));
      if (phase === 'measured') loaded = memory();
      return undefined;
    });
  } finally {
    ended = await node.server.stop();
  }
  const { result, problem } = outcome;
  const found = [problem ?? [], ended ?? []].flat();
  const [before, after] = accounts;
  if (result === undefined || before === undefined || after === undefined) return { run: undefined, found };
  const { units, perSecond, generatorCpuShare: generatorShare, latencyMs } = result;
  return { run: { micros: each(before, after, units), perSecond, generatorShare, latencyMs, idle, loaded }, found };
}

/**
 * @param {import('./front-nodes.js').Account} before
 * @param {import('./front-nodes.js').Account} after
 * @param {number} units
 */
function each(before, after, units) {
  const of = (/** @type {keyof import('./front-nodes.js').Account} */ part) => (after[part] - before[part]) / units;
  return { main: of('main'), router: of('router'), node: of('node'), parent: of('parent'), fronts: of('fronts') };
}

/** @param {Row} row @param {readonly Row[]} rows */
function cellsOf(row, rows) {
  const { kind, layout, runs } = row;
  const of = (/** @type {(run: Run) => number | undefined} */ value) =>
    runs.flatMap((run) => (run && value(run)) ?? []);
  const isAlone = layout.fronts === 0 && !layout.isApart;
  const { isTime = false } = kind;
  return [
    kind.title,
    layout.name,
    spread(of(({ micros }) => micros.router)),
    fixed(median(of(({ micros }) => micros.main))),
    layout.fronts === 0 ? '' : spread(of(({ micros }) => micros.fronts)),
    layout.fronts === 0 ? '' : fixed(median(of(({ micros }) => micros.parent))),
    layout.isApart ? fixed(median(of(({ micros }) => micros.node))) : '',
    `${Math.round(median(of(({ perSecond }) => perSecond))).toLocaleString('en')}${isGeneratorLimit(row) ? ' *' : ''}`,
    isTime ? fixed(median(of(({ latencyMs }) => latencyMs?.p50)), 3) : '',
    isTime ? fixed(median(of(({ latencyMs }) => latencyMs?.p99)), 3) : '',
    isAlone
      ? ''
      : fixed(
          ratio(row, rows, ({ router }) => router),
          2,
        ),
    isAlone
      ? ''
      : fixed(
          ratio(row, rows, ({ router, fronts, parent, node }) => router + fronts + parent + node),
          2,
        ),
  ];
}

/** @param {Row} row */
function isGeneratorLimit({ runs }) {
  return median(runs.flatMap((run) => run?.generatorShare ?? [])) > 0.95;
}

/** @param {readonly number[]} values */
function spread(values) {
  return `${fixed(median(values))} (${fixed(Math.min(...values))}-${fixed(Math.max(...values))})`;
}

/**
 * The median of the ratios within each turn.
 *
 * @param {Row} row
 * @param {readonly Row[]} rows
 * @param {(micros: import('./front-nodes.js').Account) => number} value
 */
function ratio({ kind, runs }, rows, value) {
  const alone = rows.find(({ kind: other, layout }) => other === kind && layout.fronts === 0 && !layout.isApart);
  const ratios = runs.flatMap((run, turn) => {
    const base = alone?.runs[turn];
    return run === undefined || base === undefined ? [] : [value(run.micros) / value(base.micros)];
  });
  return median(ratios);
}

/** @param {readonly Row[]} rows */
function memoryTable(rows) {
  const mib = (/** @type {number[]} */ bytes) => fixed(median(bytes) / 2 ** 20, 0);
  const cells = rows.map(({ kind, layout, runs }) => {
    const [idle, loaded] = /** @type {const} */ (['idle', 'loaded']).map((when) =>
      runs.flatMap((run) => run?.[when] ?? []),
    );
    const both = [idle, loaded].flatMap((figures = []) => [
      mib(figures.map(({ rssBytes }) => rssBytes)),
      mib(figures.map(({ pssBytes }) => pssBytes)),
    ]);
    return [kind.title, layout.fronts === 0 ? layout.name : `each of ${layout.name}`, ...both];
  });
  return markdownTable(['load', 'MiB of', 'RSS before', 'PSS before', 'RSS at the end', 'PSS at the end'], cells);
}

/** @param {readonly Row[]} rows */
function barLines(rows) {
  return rows.flatMap((row) => {
    const { bar, title } = row.kind;
    if (bar === undefined || row.layout.fronts === 0) return [];
    const found = ratio(row, rows, ({ router }) => router);
    return [
      `${found <= bar ? 'kept' : 'MISSED'}: ${title}, ${row.layout.name}: router ${fixed(found, 2)} x alone, bar ${bar} x`,
    ];
  });
}

/**
 * @param {readonly Row[]} rows
 * @param {readonly string[]} problems
 * @param {Options} options
 */
function report(rows, problems, { seconds, warmup, turns }) {
  return {
    measuredAt: new Date().toISOString(),
    machine: machine(),
    options: { seconds, warmup, turns },
    rows: rows.map(({ kind, layout: { name, ...layout }, runs }) => ({
      load: kind.name,
      layout: name,
      ...layout,
      runs,
    })),
    problems,
  };
}
