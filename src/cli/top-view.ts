/** What `crossbar-ts top` shows: two looks at a node become lines of text. It knows no terminal. */
import type { MonitorSummary } from '../monitor/monitor.js';
import type { MonitoredCluster } from '../monitor/source.js';
import type { MonitoredSession, MonitorPage } from '../monitor/sessions.js';
import { counted, printable, tableOf } from './table.js';

/** What the node said when it was asked. */
export interface Glance {
  readonly summary: MonitorSummary;
  /** What the sessions are put in order by. */
  readonly sort: string;
  readonly page: MonitorPage<MonitoredSession>;
}

const HEADINGS = [
  ...['REALM', 'SESSION', 'AUTHID', 'ROLE', 'TRANSPORT', 'PEER', 'AGE'],
  ...['IN', 'OUT', 'IN/S', 'OUT/S', 'UNSENT', 'SUBS', 'REGS'],
];

/** From this column on they are numbers. */
const NUMBERS_FROM = 6;

/** Names are as long as clients want. */
const MAX_NAME = 24;

/**
 * @param before the look before this one; without it there are no rates.
 * @param help stands behind the order.
 */
export function topLines({ summary, page, sort }: Glance, before: Glance | undefined, help = ''): readonly string[] {
  const seconds = before === undefined ? 0 : (summary.clock_ms - before.summary.clock_ms) / 1000;
  const earlier = new Map(before?.page.entries.map((entry) => [keyOf(entry), entry]));
  const rows = page.entries.map((entry) =>
    rowOf(entry, { now: summary.now, seconds, before: earlier.get(keyOf(entry)) }),
  );
  const order = `${counted(page.total, 'session')} by ${sort}`;
  return [
    ...headOf(summary, before?.summary, seconds),
    `${order}${help === '' ? '' : `   ${help}`}`,
    '',
    ...table(rows),
  ];
}

function headOf(summary: MonitorSummary, before: MonitorSummary | undefined, seconds: number): readonly string[] {
  const { node, realms, refused, now } = summary;
  const total = totalsOf(summary);
  const past = before && totalsOf(before);
  const cpu = before === undefined ? undefined : perSecond(node.cpu_seconds, before.node.cpu_seconds, seconds);
  const rate = (value: number, earlier: number | undefined): string =>
    earlier === undefined || seconds <= 0 ? '-' : perSecond(value, earlier, seconds).toFixed(0);
  const pending = node.config.pending.length;
  return [
    [
      ...[`crossbar-ts ${node.version}`, printable(node.title), `pid ${node.pid}`],
      ...[`up ${ageText(node.started, now)}`, `memory ${bytesText(node.memory_bytes)}`],
      ...(cpu === undefined ? [] : [`cpu ${(cpu * 100).toFixed(0)} %`]),
      ...(pending === 0
        ? []
        : [`${counted(pending, 'change')} of the config ${pending === 1 ? 'waits' : 'wait'} for a restart`]),
    ].join('   '),
    [
      ...[counted(total.sessions, 'session'), counted(realms.length, 'realm')],
      ...[counted(total.subscriptions, 'subscription'), counted(total.registrations, 'registration')],
      ...[`${total.calls_in_flight} calls in flight`, `${refused} refused logins`],
    ].join('   '),
    [
      `messages in ${rate(total.received, past?.received)}/s, out ${rate(total.sent, past?.sent)}/s`,
      `unsent ${bytesText(total.unsent_bytes)} for ${counted(total.slow, 'session')}`,
    ].join('   '),
    ...(node.cluster === undefined ? [] : [clusterText(node.cluster)]),
    ...processLines(summary, before, seconds),
    ...frontLines(summary, before, seconds),
  ];
}

/** One for each process of a router worker. */
function processLines(
  { processes = [] }: MonitorSummary,
  before: MonitorSummary | undefined,
  seconds: number,
): string[] {
  return processes.map(({ worker, pid, sessions, memory_bytes, cpu_seconds }) => {
    // Another process has begun anew.
    const past = before?.processes?.find((each) => each.pid === pid);
    const cpu = past && perSecond(cpu_seconds, past.cpu_seconds, seconds);
    return [
      ...[`process of ${printable(worker)}`, `pid ${pid}`, counted(sessions, 'session')],
      ...[`memory ${bytesText(memory_bytes)}`, ...(cpu === undefined ? [] : [`cpu ${(cpu * 100).toFixed(0)} %`])],
    ].join('   ');
  });
}

/** One for each front. */
function frontLines({ fronts = [] }: MonitorSummary, before: MonitorSummary | undefined, seconds: number): string[] {
  return fronts.map(({ worker, front, pid, connections, unsent_bytes, memory_bytes, cpu_seconds }) => {
    // Another process has begun anew.
    const past = before?.fronts?.find((each) => each.pid === pid);
    const cpu = past && perSecond(cpu_seconds, past.cpu_seconds, seconds);
    return [
      ...[`front ${front} of ${printable(worker)}`, `pid ${pid}`, counted(connections, 'connection')],
      ...[`unsent ${bytesText(unsent_bytes)}`, `memory ${bytesText(memory_bytes)}`],
      ...(cpu === undefined ? [] : [`cpu ${(cpu * 100).toFixed(0)} %`]),
    ].join('   ');
  });
}

function clusterText({ name, node, state, nodes, fenced, lost, undelivered }: MonitoredCluster): string {
  const now = { member: 'member', joining: 'JOINING', fenced: 'FENCED' }[state];
  const others = nodes.length === 0 ? 'no other node' : `with ${nodes.join(', ')}`;
  return [
    ...[`cluster ${printable(name)} as ${printable(node)}`, now, ...(state === 'member' ? [printable(others)] : [])],
    ...[`messages lost ${counted(lost, 'time')}`, `undelivered ${undelivered}`, `fenced ${counted(fenced, 'time')}`],
  ].join('   ');
}

const COUNTS = [
  ...(['sessions', 'subscriptions', 'registrations', 'calls_in_flight'] as const),
  ...(['received', 'sent', 'unsent_bytes', 'slow'] as const),
];

function totalsOf({ realms }: MonitorSummary): Readonly<Record<(typeof COUNTS)[number], number>> {
  const total = { sessions: 0, subscriptions: 0, registrations: 0, calls_in_flight: 0 };
  const all = { ...total, received: 0, sent: 0, unsent_bytes: 0, slow: 0 };
  for (const realm of realms) for (const name of COUNTS) all[name] += realm[name];
  return all;
}

interface RowLook {
  readonly now: string;
  readonly seconds: number;
  readonly before: MonitoredSession | undefined;
}

function rowOf(entry: MonitoredSession, { now, seconds, before }: RowLook): readonly string[] {
  const { realm, session, authid, authrole, transport, joined, received, sent } = entry;
  const { channel_framing: framing, channel_type: type, peer } = transport;
  const rate = (value: number, earlier: number | undefined): string =>
    earlier === undefined || seconds <= 0 ? '-' : perSecond(value, earlier, seconds).toFixed(0);
  return [
    ...[named(realm), String(session), named(authid), named(authrole)],
    ...[framing === undefined ? named(peer) : type === 'tls' ? `${framing} tls` : framing],
    ...[framing === undefined ? '-' : printable(peer), ageText(joined, now)],
    ...[String(received), String(sent), rate(received, before?.received), rate(sent, before?.sent)],
    ...[bytesText(entry.unsent_bytes ?? 0), String(entry.subscriptions), String(entry.registrations)],
  ];
}

/** Numbers stand on the right. */
function table(rows: readonly (readonly string[])[]): readonly string[] {
  const all = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const aligned = all.map((row) =>
    row.map((text, column) => (column < NUMBERS_FROM ? text : text.padStart(widths[column] ?? 0))),
  );
  return tableOf(aligned).trimEnd().split('\n');
}

/** Ids of sessions are unique in a worker. */
function keyOf({ worker, session }: MonitoredSession): string {
  return `${worker} ${session}`;
}

function perSecond(value: number, before: number, seconds: number): number {
  return seconds <= 0 ? 0 : Math.max(0, value - before) / seconds;
}

function named(text: string): string {
  const shown = printable(text);
  return shown.length <= MAX_NAME ? shown : `${shown.slice(0, MAX_NAME - 1)}…`;
}

/** @returns the largest unit in which there is at least one: `3d`, `17h`, `5m`, `12s`. */
export function ageText(since: string, now: string): string {
  const seconds = Math.max(0, Math.floor((Date.parse(now) - Date.parse(since)) / 1000));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86_400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** @returns bytes in a unit in which they are short: `0`, `512`, `1.5K`, `20M`. */
export function bytesText(bytes: number): string {
  const units = ['', 'K', 'M', 'G', 'T'];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit > 0 && value < 10 ? value.toFixed(1) : value.toFixed(0)}${units[unit] ?? ''}`;
}
