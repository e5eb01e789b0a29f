/** The log of a program of the node that logs as the node does: each of its lines is a record of the node's log. */
import type { Logger } from '../../log/logger.js';

const LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** Writes a line of such a program. @param facts what tells it from lines of the node itself. */
export function passLine(log: Logger, line: string, facts: Readonly<Record<string, unknown>>): void {
  const { level, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const known = LEVELS.find((each) => each === level) ?? 'error';
  // The node writes the time itself.
  log[known]({ ...fields, time: undefined, ...facts }, typeof msg === 'string' ? msg : '');
}
