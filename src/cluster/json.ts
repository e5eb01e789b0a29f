/** Small values between nodes are JSON. What another program wrote under our names is not trusted to be any. */
import { isDict } from '../wamp/payload.js';
import type { Dict } from '../wamp/payload.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeJson(value: Dict): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** @returns the dictionary; an empty one when it is none. */
export function decodeJson(bytes: Uint8Array): Dict {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return isDict(value) ? value : {};
  } catch {
    return {};
  }
}
