/** What stands in a message before its payload: type, ids, options and URIs. It is built in any case, so it has a limit. */
import { ProtocolViolation } from '../wamp/error.js';

/**
 * In bytes, or in characters of a text: ten thousand session ids, and room for more. Who is behind a message must not make all
 * others wait while its options are built.
 */
export const MAX_ENVELOPE_BYTES = 262_144;

/** What is thrown for a message that is larger than that without its payload. */
export function envelopeTooLarge(): ProtocolViolation {
  return new ProtocolViolation(`a message may have at most ${MAX_ENVELOPE_BYTES} bytes before its payload`);
}
