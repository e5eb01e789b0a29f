/** Who wants which subjects: the table by which a server of the memory engine passes messages on. */

/** Counted, because several subscriptions may have the same pattern. */
export class Interest<T> {
  // subject without wildcards -> who wants it, and how often
  readonly #exact = new Map<string, Map<T, number>>();
  // pattern with wildcards -> who wants it, and how often
  readonly #patterns = new Map<string, { readonly tokens: readonly string[]; readonly who: Map<T, number> }>();

  add(pattern: string, who: T): void {
    const counts = this.#countsOf(pattern) ?? this.#make(pattern);
    counts.set(who, (counts.get(who) ?? 0) + 1);
  }

  delete(pattern: string, who: T): void {
    const counts = this.#countsOf(pattern);
    const count = counts?.get(who);
    if (counts === undefined || count === undefined) return;
    if (count > 1) counts.set(who, count - 1);
    else counts.delete(who);
    if (counts.size > 0) return;
    this.#exact.delete(pattern);
    this.#patterns.delete(pattern);
  }

  /** Removes one that is gone. */
  forget(who: T): void {
    for (const [pattern, counts] of [...this.#exact])
      if (counts.delete(who) && counts.size === 0) this.#exact.delete(pattern);
    for (const [pattern, { who: counts }] of [...this.#patterns]) {
      if (counts.delete(who) && counts.size === 0) this.#patterns.delete(pattern);
    }
  }

  /** @returns all that want a subject, each once for each pattern of theirs. */
  of(subject: string): T[] {
    const found = [...(this.#exact.get(subject)?.keys() ?? [])];
    if (this.#patterns.size === 0) return found;
    const tokens = subject.split('.');
    for (const { tokens: pattern, who } of this.#patterns.values()) {
      if (matches(pattern, tokens)) found.push(...who.keys());
    }
    return found;
  }

  #countsOf(pattern: string): Map<T, number> | undefined {
    return this.#exact.get(pattern) ?? this.#patterns.get(pattern)?.who;
  }

  #make(pattern: string): Map<T, number> {
    const counts = new Map<T, number>();
    const tokens = pattern.split('.');
    if (tokens.includes('*') || tokens.at(-1) === '>') this.#patterns.set(pattern, { tokens, who: counts });
    else this.#exact.set(pattern, counts);
    return counts;
  }
}

function matches(pattern: readonly string[], subject: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === '>';
  if (isOpen ? subject.length < pattern.length : subject.length !== pattern.length) return false;
  return pattern.every(
    (token, index) => token === '*' || token === subject[index] || (isOpen && index === pattern.length - 1),
  );
}
