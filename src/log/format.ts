/**
 * The text log format: one short line per record for people at a terminal or reading a journal.
 *
 *     12:34:56 info  session joined  realm=realm1 sessionId=123
 *
 * It stands behind pino as a destination: it gets the JSON lines of `logger.ts` and passes text on. It must not know
 * where the text goes. Values are quoted and escaped where needed, so that no peer can forge a line or reach the
 * terminal with control characters.
 */
export interface TextFormat {
  /** ANSI colour by level. */
  readonly color: boolean;
  /** Begin with the local time; false for syslog and friends, which add their own. */
  readonly time: boolean;
}

type Fields = Readonly<Record<string, unknown>>;

const RESET = '\u001b[0m';
const DIM = '\u001b[2m';
const COLOR_OF_LEVEL: Readonly<Record<string, string>> = {
  fatal: '\u001b[1;31m',
  error: '\u001b[31m',
  warn: '\u001b[33m',
  info: '\u001b[32m',
  debug: '\u001b[36m',
  trace: '\u001b[90m',
};

/** Takes whole lines. */
export interface LineSink {
  /** @param isUrgent whether the line must not wait for others. */
  write(line: string, isUrgent?: boolean): void;
}

/** A pino destination that writes each record as text to `out`. */
export function textDestination(out: LineSink, format: TextFormat): LineSink {
  return { write: (line, isUrgent) => out.write(formatLine(line, format), isUrgent) };
}

/** @returns one JSON log line as text, ending in a newline. */
export function formatLine(line: string, { color, time }: TextFormat): string {
  const record = JSON.parse(line) as Fields;
  const { level, time: at, msg, err, trace, ...fields } = record;
  const parts = [
    ...(time ? [paint(clockTime(at), DIM, color)] : []),
    paint(text(level).padEnd(5), COLOR_OF_LEVEL[text(level)] ?? '', color),
    text(msg),
  ];
  const pairs = [...errorFields(err), ...Object.entries(fields)].map(([key, value]) => `${key}=${formatValue(value)}`);
  const data = pairs.length === 0 ? '' : `  ${paint(pairs.join(' '), DIM, color)}`;
  return `${parts.join(' ')}${data}\n${stackOf(level, err)}${linesOf(trace)}`;
}

function paint(value: string, code: string, color: boolean): string {
  return color && code !== '' ? `${code}${value}${RESET}` : value;
}

function clockTime(at: unknown): string {
  const date = new Date(text(at));
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':');
}

function errorFields(err: unknown): [string, unknown][] {
  if (err === undefined) return [];
  const message = isFields(err) ? err['message'] : err;
  return [['err', message]];
}

/** Only our own bugs carry a stack into the log as `error` or `fatal`. This and a traceback are the cases where a record takes more lines. */
function stackOf(level: unknown, err: unknown): string {
  if ((level !== 'error' && level !== 'fatal') || !isFields(err)) return '';
  const stack = err['stack'];
  if (typeof stack !== 'string') return '';
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames.map((frame) => `    ${escapeControl(frame.trim())}\n`).join('');
}

/** The traceback of a component in another language. Others may have a say in it, so every line is marked. */
function linesOf(trace: unknown): string {
  if (typeof trace !== 'string') return '';
  const lines = trace.trimEnd().split('\n');
  return lines.map((line) => `    | ${escapeControl(line)}\n`).join('');
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null;
}

function formatValue(value: unknown): string {
  if (typeof value === 'string' && /^[\w.:/@%+,~…[\]*?&#$-]+$/.test(value)) return value;
  return escapeControl(JSON.stringify(value));
}

function text(value: unknown): string {
  return escapeControl(typeof value === 'string' ? value : JSON.stringify(value));
}

/** JSON leaves DEL, the C1 controls and the bidi marks as they are; a terminal would obey them. */
function escapeControl(value: string): string {
  return value.replace(
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
