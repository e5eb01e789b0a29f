/** The log of a host: records become messages to the node, which writes them to its log. */
import { LOG_LEVELS } from '../log/level.js';
import { createLogger } from '../log/logger.js';
import type { Logger } from '../log/logger.js';

const LEVELS: Readonly<Record<string, string>> = { fatal: 'error', error: 'error', warn: 'warn', info: 'info' };

/**
 * @param level of the log of the node: a word of pino's.
 * @param send takes a message of the control channel.
 */
export function hostLog(level: string, send: (message: object) => void): Logger {
  const known = LOG_LEVELS.find((word) => word === level) ?? 'none';
  return createLogger({ level: known, destination: { write: (line) => send(messageOfRecord(line)) } });
}

function messageOfRecord(line: string): object {
  const { level, msg, component, err, ...others } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  // The node writes the time itself.
  const fields = Object.fromEntries(Object.entries(others).filter(([name]) => name !== 'time'));
  const problem = typeof err === 'object' && err !== null && 'message' in err ? `: ${String(err.message)}` : '';
  const trace = typeof err === 'object' && err !== null && 'stack' in err ? String(err.stack) : undefined;
  const rest = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`;
  return {
    ...{ type: 'log', level: LEVELS[String(level)] ?? 'debug' },
    text: `${typeof msg === 'string' ? msg : ''}${problem}${rest}`,
    ...(typeof component === 'string' && { component }),
    ...(trace !== undefined && { trace }),
  };
}
