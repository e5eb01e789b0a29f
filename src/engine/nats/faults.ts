/** What NATS says when something went wrong, in the words of an engine. */
import { messageOf } from '../../system/error.js';
import { EngineError } from '../engine.js';

/** JetStream: "wrong last sequence". */
const WRONG_LAST_SEQUENCE = 10_071;

/** Answers of JetStream that say that it works, and refuses: all others may be over in a moment, as when its leader is elected. */
const REFUSALS: readonly number[] = [
  10_002, // the account has no room for it
  10_023, // not enough storage
  10_047, // the streams of the account take too much storage
  10_052, // the configuration of a stream is wrong
  10_058, // the stream is there, with another configuration
  10_074, // more replicas than servers
];

/** @returns an EngineError, whatever was thrown. */
export function engineErrorOf(error: unknown): EngineError {
  if (error instanceof EngineError) return error;
  const text = messageOf(error);
  const code = numberIn(error, 'code');
  if (code === WRONG_LAST_SEQUENCE) return new EngineError('conflict', text, { cause: error });
  const isRefused = (code !== undefined && REFUSALS.includes(code)) || nameOf(error) === 'PermissionViolationError';
  return new EngineError(isRefused ? 'refused' : 'unavailable', `NATS: ${text}`, { cause: error });
}

function nameOf(error: unknown): string | undefined {
  return error instanceof Error ? error.name : undefined;
}

function numberIn(error: unknown, key: string): number | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const value: unknown = Reflect.get(error, key);
  return typeof value === 'number' ? value : undefined;
}
