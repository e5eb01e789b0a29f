/**
 * How a failed command speaks: what the user can mend is told in lines without a stack, a bug of ours with it.
 */
import { ConfigError } from '../config/error.js';
import { NodeError } from '../node/error.js';

/** @returns the text for standard error, ending in a newline. */
export function describeFailure(error: unknown): string {
  if (error instanceof ConfigError && error.code === 'ERR_CONFIG_INVALID') return `${error.message}\n`;
  if (error instanceof ConfigError || error instanceof NodeError) return `crossbar-ts: ${error.message}\n`;
  return `crossbar-ts: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
}
