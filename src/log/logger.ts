/**
 * The one pino set-up of the program. Everything else receives a `Logger` and takes children of it
 * (`log.child({ realm })`); nobody else imports pino at run time.
 *
 * Data goes into fields, the message is a constant lower-case phrase. Cookie values are passwords: log
 * {@link shortId} of them, never the whole. What `redact.ts` censors is a net under that rule, not the rule.
 */
import { pino } from 'pino';
import { pinoLevel } from './level.js';
import { letWriteLines } from './line.js';
import { censored } from './redact.js';
import type { DestinationStream, Logger } from 'pino';
import type { LogLevel } from './level.js';

export type { Logger } from 'pino';

const LEVEL_AT = '{"level":"'.length;

export interface LoggerOptions {
  /** Crossbar.io's names; `none` logs nothing. */
  readonly level: LogLevel;
  /** Where the JSON lines go. */
  readonly destination: DestinationStream;
}

/** @returns the root logger of a node; it writes one JSON object per line to `destination`. */
export function createLogger({ level, destination }: LoggerOptions): Logger {
  const log = pino(
    {
      level: pinoLevel(level),
      base: null,
      timestamp: timeMember,
      formatters: { level: (label) => ({ level: label }), log: censored },
      // For what children are given; everything else has gone through the net.
      redact: [
        'cbtid',
        'cookie',
        'headers.cookie',
        'headers["set-cookie"]',
        'secret',
        'ticket',
        'token',
        'access_token',
      ],
    },
    destination,
  );
  letWriteLines(log, (child, level, rest) => {
    destination.write(`{"level":"${level}"${timeMember()}${bindingsOf(child)}${rest}}\n`);
  });
  return log;
}

/** @returns the members of each line of a logger, with a comma before each; pino keeps them as text. */
function bindingsOf(log: Logger): string {
  return (log as unknown as Readonly<Record<symbol, string>>)[pino.symbols.chindingsSym] ?? '';
}

/** @returns the level of a line of such a logger, which begins with it. */
export function levelOf(line: string): string {
  return line.slice(LEVEL_AT, line.indexOf('"', LEVEL_AT));
}

let timeMs = 0;
let timeText = '';

/** @returns the member of a line that tells the time. A busy node writes many lines in a millisecond. */
function timeMember(): string {
  const now = Date.now();
  if (now !== timeMs) {
    timeMs = now;
    timeText = `,"time":"${new Date(now).toISOString()}"`;
  }
  return timeText;
}

let silent: Logger | undefined;

/** A logger that keeps quiet: for tests and for embedding without logs. One is enough: it has nothing to keep. */
export function silentLogger(): Logger {
  silent ??= pino({ level: 'silent' });
  return silent;
}

/** What a client chose may be as long as a message. */
const MAX_SHOWN = 200;

/** @returns a text of a client as it may be logged: not longer than a line can bear. */
export function shown(text: string): string {
  return text.length <= MAX_SHOWN ? text : `${text.slice(0, MAX_SHOWN)}…`;
}

/** The part of a secret id that may be written to a log: enough to tell two apart, and never more than a quarter of it. */
export function shortId(id: string): string {
  return `${id.slice(0, Math.min(6, id.length >> 2))}…`;
}
