/**
 * The log of `start`: from the words of the options to a logger that writes to standard output.
 */
import { textDestination } from '../log/format.js';
import { createLogger, levelOf } from '../log/logger.js';
import type { LogLevel } from '../log/level.js';
import type { Logger } from '../log/logger.js';
import { formatSummary } from '../node/summary.js';
import type { NodeSummary } from '../node/summary.js';
import type { Output } from './output.js';

/** `standard` and `syslogd` are Crossbar.io's words: text, and text without time and colour. */
export const LOG_FORMATS = ['text', 'json', 'none', 'standard', 'syslogd'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export const COLOR_CHOICES = ['true', 'false', 'auto'] as const;
export type ColorChoice = (typeof COLOR_CHOICES)[number];

export interface LogOptions {
  /** Without it: what the config says, else info. */
  readonly loglevel?: LogLevel;
  /** Without it: text at a terminal, else json. */
  readonly logformat?: LogFormat;
  readonly color: ColorChoice;
}

/** Those with which a summary is shown. */
const TALKATIVE: ReadonlySet<string> = new Set(['info', 'debug', 'trace']);

/** What must not be lost when the process dies right behind it. */
const URGENT: ReadonlySet<string> = new Set(['warn', 'error', 'fatal']);

/** What `start` writes to its standard output. */
export interface Reporter {
  readonly log: Logger;
  /** Whether the config may set the level of it. */
  readonly isLevelOpen: boolean;
  /** Tells what now runs, unless the log has told it already. */
  started(summary: NodeSummary): void;
}

/**
 * Sets the log up. At a terminal the summary takes the place of the records of the start, which say the same at greater
 * length; with `debug` all of them are written.
 *
 * @param noColor - whether the environment asks for no colour (`NO_COLOR`).
 */
export function createReporter({ loglevel, logformat, color }: LogOptions, output: Output, noColor: boolean): Reporter {
  const format = logformat ?? (output.terminal ? 'text' : 'json');
  const isText = format === 'text' || format === 'standard' || format === 'syslogd';
  const colored = color === 'true' || (color === 'auto' && output.terminal && !noColor);
  const destination = isText
    ? textDestination(output, { time: format !== 'syslogd', color: colored && format !== 'syslogd' })
    : output;

  let isStarting = isText && output.terminal;
  const log = createLogger({
    level: format === 'none' ? 'none' : (loglevel ?? 'info'),
    destination: {
      write: (line) => {
        const level = levelOf(line);
        if (!isStarting || level !== 'info' || log.level !== 'info') destination.write(line, URGENT.has(level));
      },
    },
  });
  output.onCaughtUp((lines) => log.warn({ lines }, 'log lines lost: nobody read them'));
  return {
    log,
    isLevelOpen: loglevel === undefined && format !== 'none',
    started: (summary) => {
      isStarting = false;
      if (isText && output.terminal && TALKATIVE.has(log.level)) output.write(`${formatSummary(summary)}\n`);
    },
  };
}
