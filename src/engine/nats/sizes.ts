/** How large messages are. */

/** `max_payload` of a server that is not told otherwise, in bytes. */
export const DEFAULT_MAX_PAYLOAD = 1_048_576;

/** Left of what the server takes for the header of an envelope and of NATS, in bytes. */
export const HEADER_BYTES = 4096;
