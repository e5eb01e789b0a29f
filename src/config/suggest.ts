/**
 * "Did you mean": the nearest of the allowed words, by the number of slips between them.
 */

/** @returns the candidate that `word` is most likely a misspelling of, if any is near enough. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  // A word that long is no misspelling of ours; and the table below stays small.
  if (word.length > 64) return undefined;
  let best: string | undefined;
  let bestSlips = limit + 1;
  for (const candidate of candidates) {
    const slips = slipsBetween(simplified(word), simplified(candidate));
    if (slips < bestSlips) {
      best = candidate;
      bestSlips = slips;
    }
  }
  return best;
}

/** Case and the choice of `-` or `_` are no slips at all. */
function simplified(word: string): string {
  return word.toLowerCase().replaceAll('-', '_');
}

/**
 * The distance of Damerau and Levenshtein (optimal string alignment): letters added, dropped, replaced, or two
 * neighbours swapped.
 */
export function slipsBetween(a: string, b: string): number {
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      const edit = Math.min(at(previous, j) + 1, at(row, j - 1) + 1, at(previous, j - 1) + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row.push(swapped ? Math.min(edit, at(beforePrevious, j - 2) + 1) : edit);
    }
    beforePrevious = previous;
    previous = row;
  }
  return at(previous, b.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
