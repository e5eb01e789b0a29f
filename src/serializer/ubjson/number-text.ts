/** Numbers in digits, as JSON writes them. */

const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const EXPONENT = 0x65;
/** The bit in which an upper-case letter differs. */
const LOWER_CASE = 0x20;

/** @returns whether these bytes are a number of JSON. By hand, because there may be a million of them. */
export function isNumberText(bytes: Buffer, start: number, end: number): boolean {
  let at = bytes[start] === MINUS ? start + 1 : start;
  const whole = at;
  at = behindDigits(bytes, at, end);
  if (at === whole || (bytes[whole] === ZERO && at > whole + 1)) return false;
  if (at < end && bytes[at] === POINT) {
    const fraction = at + 1;
    at = behindDigits(bytes, fraction, end);
    if (at === fraction) return false;
  }
  if (at < end && ((bytes[at] as number) | LOWER_CASE) === EXPONENT) {
    at++;
    if (at < end && (bytes[at] === PLUS || bytes[at] === MINUS)) at++;
    const exponent = at;
    at = behindDigits(bytes, exponent, end);
    if (at === exponent) return false;
  }
  return at === end;
}

function behindDigits(bytes: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at++;
  return at;
}
