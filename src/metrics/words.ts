/** Counts by word, where the words are not all known beforehand. What does not fit is counted as `other`, so that nobody can make more. */

/** So many words are counted each for itself. */
const MAX_WORDS = 64;

/** Counts one more of a word. */
export function countWord(counts: Map<string, number>, word: string): void {
  const key = counts.has(word) || counts.size < MAX_WORDS ? word : 'other';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
