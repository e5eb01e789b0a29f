/**
 * Tests that need something of the machine. Where it is missing they are skipped; on a CI machine (`CI=true`) that is a
 * failure, because nobody would look at a skipped test there.
 */
import { describe, it } from 'vitest';

const onCi = !['', '0', 'false'].includes(process.env['CI'] ?? '');

/** @returns `it`, or what takes its place without `what`. */
export function itNeeds(what: string, isThere: boolean): typeof it {
  return isThere ? it : refusing(what, it);
}

/** @returns `describe`, or what takes its place without `what`. */
export function describeNeeds(what: string, isThere: boolean): typeof describe {
  return isThere ? describe : refusing(what, describe);
}

function refusing<T extends typeof it | typeof describe>(what: string, suite: T): T {
  if (onCi) throw new Error(`this machine lacks ${what}, and on a CI machine tests are not skipped`);
  return suite.skip as T;
}
