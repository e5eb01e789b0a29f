/** Arithmetic on octets. */

/** @returns `a` XOR `b`, as long as `a`; what `b` lacks counts as zeros. */
export function exclusiveOr(a: Uint8Array, b: Uint8Array): Buffer {
  return Buffer.from(a.map((octet, i) => octet ^ (b[i] ?? 0)));
}
