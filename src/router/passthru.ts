/**
 * Payload passthru mode (section "Payload Passthru Mode") and its older form, autobahn's opaque payloads. Attributes in the
 * options say how to read the payload. The router copies them to the receiver and does not interpret them.
 */
import { ProtocolViolation } from '../wamp/error.js';
import { PASSTHRU_ATTRIBUTES } from '../wamp/parse.js';
import type { Dict } from '../wamp/payload.js';

/** The feature that sender and receiver announce before they use `ppt_scheme`. */
export const PASSTHRU_FEATURE = 'payload_passthru_mode';

/** @returns whether a message says that its payload is in payload passthru mode. */
export function isPassthru(options: Dict): boolean {
  return options.ppt_scheme !== undefined;
}

/**
 * @returns the attributes to copy into the details of the message that goes out, or undefined when there are none.
 * @throws ProtocolViolation when one of them is not a string.
 */
export function passthrough(options: Dict): Dict | undefined {
  if (options.ppt_scheme === undefined && options.enc_algo === undefined) return undefined;
  const copied: Record<string, unknown> = {};
  for (const name of PASSTHRU_ATTRIBUTES) {
    const value = options[name];
    if (value === undefined) continue;
    if (typeof value !== 'string') throw new ProtocolViolation(`${name} must be a string`);
    copied[name] = value;
  }
  return copied;
}
