/** The name of one life of a node, as keys, subjects and messages have it. */
import { tokenOf } from './subjects.js';

/** One life of a node. */
export interface NodeRef {
  readonly name: string;
  /** Later lives have larger ones: milliseconds since 1970 at their beginning, or a little more. */
  readonly epoch: number;
}

/** @returns two tokens, which no other life of any node has. */
export function keyOf({ name, epoch }: NodeRef): string {
  return `${tokenOf(name)}.${epoch}`;
}

/** @returns the life that two tokens stand for; undefined for any other text. */
export function nodeOf(key: string): NodeRef | undefined {
  const [token, number, ...more] = key.split('.');
  const epoch = Number(number);
  if (token === undefined || more.length > 0 || !Number.isSafeInteger(epoch) || epoch <= 0) return undefined;
  const name = textOf(token);
  return name === undefined ? undefined : { name, epoch };
}

/** @returns whether two are the same life. */
export function isSame(a: NodeRef, b: NodeRef): boolean {
  return a.epoch === b.epoch && a.name === b.name;
}

/** The way back from {@link tokenOf}. */
function textOf(token: string): string | undefined {
  if (token === '=') return '';
  try {
    const text = decodeURIComponent(token.replace(/=([0-9a-f]{2})/g, '%$1'));
    return tokenOf(text) === token ? text : undefined;
  } catch {
    return undefined;
  }
}
