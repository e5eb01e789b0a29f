// SHA-256 in a page of code. The browser's own (crypto.subtle) exists on https and on localhost only, and this demo is
// also opened by a phone over plain http. Fast enough for short strings; not meant for anything else.

const PRIMES = Array.from({ length: 312 }, (_, n) => n).filter((n) => n > 1 && isPrime(n));
const ROUND_CONSTANTS = PRIMES.map((prime) => fractionBits(Math.cbrt(prime)));
const INITIAL_HASH = PRIMES.slice(0, 8).map((prime) => fractionBits(Math.sqrt(prime)));

/** @returns the SHA-256 of the text's UTF-8 bytes as 64 lower-case hex digits. */
export function sha256Hex(text) {
  const words = paddedWords(new TextEncoder().encode(text));
  let hash = INITIAL_HASH;
  for (let start = 0; start < words.length; start += 16) hash = compress(hash, words.slice(start, start + 16));
  return hash.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

function isPrime(n) {
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}

function fractionBits(x) {
  return ((x - Math.floor(x)) * 2 ** 32) | 0;
}

/** The message, a 1 bit, zeros, and its length in bits: a whole number of 16-word blocks. */
function paddedWords(bytes) {
  const words = new Array(((bytes.length + 8) >> 6) * 16 + 16).fill(0);
  bytes.forEach((byte, i) => (words[i >> 2] |= byte << (24 - (i % 4) * 8)));
  words[bytes.length >> 2] |= 0x80 << (24 - (bytes.length % 4) * 8);
  words[words.length - 1] = bytes.length * 8;
  return words;
}

function rotate(word, bits) {
  return (word >>> bits) | (word << (32 - bits));
}

function compress(hash, block) {
  const schedule = block;
  for (let i = 16; i < 64; i++) {
    const early = schedule[i - 15];
    const late = schedule[i - 2];
    const s0 = rotate(early, 7) ^ rotate(early, 18) ^ (early >>> 3);
    const s1 = rotate(late, 17) ^ rotate(late, 19) ^ (late >>> 10);
    schedule[i] = (schedule[i - 16] + s0 + schedule[i - 7] + s1) | 0;
  }
  let [a, b, c, d, e, f, g, h] = hash;
  for (let i = 0; i < 64; i++) {
    const s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
    const choice = (e & f) ^ (~e & g);
    const t1 = (h + s1 + choice + ROUND_CONSTANTS[i] + schedule[i]) | 0;
    const s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
    const majority = (a & b) ^ (a & c) ^ (b & c);
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + s0 + majority) | 0];
  }
  return [a, b, c, d, e, f, g, h].map((word, i) => (word + hash[i]) | 0);
}
