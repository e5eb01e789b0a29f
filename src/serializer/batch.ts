/**
 * Batches (section "Batched WebSocket Transport"): how several messages lie in one WebSocket message. They are split
 * while they are worked off, so that a client gains nothing by sending a million empty ones.
 */
import { ProtocolViolation } from '../wamp/error.js';

/** Behind each message of a JSON batch. It cannot stand inside: JSON has no bare control characters in strings. */
export const RECORD_SEPARATOR = '\x1e';
/** What autobahn-python sends instead: it reads the `\30` of the specification as octal. */
const OCTAL_30 = 0x18;
const RECORD_SEPARATOR_BYTE = 0x1e;

/** @throws ProtocolViolation for an empty batch and for one that does not end with a separator. */
export function* separated(batch: Buffer): Generator<Buffer, void> {
  if (batch.length === 0) throw new ProtocolViolation('a batch must hold a message');
  for (let start = 0; start < batch.length;) {
    let end = start;
    while (batch[end] !== RECORD_SEPARATOR_BYTE && batch[end] !== OCTAL_30) {
      if (end++ >= batch.length) throw new ProtocolViolation('a message of the batch does not end with 1e');
    }
    yield batch.subarray(start, end);
    start = end + 1;
  }
}

/** Each message behind its length in four bytes. @throws ProtocolViolation for an empty or truncated batch. */
export function* lengthPrefixed(batch: Buffer): Generator<Buffer, void> {
  if (batch.length === 0) throw new ProtocolViolation('a batch must hold a message');
  for (let at = 0; at < batch.length;) {
    const start = at + 4;
    const length = start > batch.length ? Infinity : batch.readUInt32BE(at);
    if (length > batch.length - start) throw new ProtocolViolation('a message of the batch ends too early');
    at = start + length;
    yield batch.subarray(start, at);
  }
}
