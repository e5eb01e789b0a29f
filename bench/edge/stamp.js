/**
 * The payload of an event whose way is followed: publisher, number, time. It has a fixed size and stands at the end of the
 * message, so a receiver reads it without parsing: 100 subscribers in one process see every event.
 */

const PUBLISHER_DIGITS = 3;
const NUMBER_DIGITS = 9;
/** Microseconds since 1970. */
const TIME_DIGITS = 17;
const DIGITS = PUBLISHER_DIGITS + NUMBER_DIGITS + TIME_DIGITS;
/** `"]]` */
const END = 3;
const ZERO = 0x30;

/** @param {{ publisher: number, number: number, at: number }} of `at` in milliseconds since 1970 */
export function stamp({ publisher, number, at }) {
  return (
    String(publisher).padStart(PUBLISHER_DIGITS, '0') +
    String(number).padStart(NUMBER_DIGITS, '0') +
    String(Math.round(at * 1000)).padStart(TIME_DIGITS, '0')
  );
}

/**
 * @param {Buffer} bytes
 * @param {number} end where the message ends
 * @returns {{ publisher: number, number: number }} NaN where there are no digits
 */
export function readStamp(bytes, end) {
  const start = end - END - DIGITS;
  return {
    publisher: digits(bytes, start, PUBLISHER_DIGITS),
    number: digits(bytes, start + PUBLISHER_DIGITS, NUMBER_DIGITS),
  };
}

/**
 * @param {Buffer} bytes
 * @param {number} end
 * @returns {number} in milliseconds since 1970
 */
export function stampedAt(bytes, end) {
  return digits(bytes, end - END - TIME_DIGITS, TIME_DIGITS) / 1000;
}

/**
 * @param {Buffer} bytes
 * @param {number} start
 * @param {number} count
 */
function digits(bytes, start, count) {
  let value = 0;
  for (let at = start; at < start + count; at++) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value;
}
