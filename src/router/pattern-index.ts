/**
 * An index of patterns: finds the values whose pattern matches a URI, exactly, by prefix or by wildcard (sections
 * "Pattern-based Subscriptions", "Pattern-based Registrations"). The cost of a look-up depends on the URI and on how many
 * different lengths of prefixes there are, not on the number of patterns. A deleted pattern leaves nothing behind.
 */
import type { Match } from '../wamp/uri.js';

interface TrieNode<T> {
  /** Undefined for the root. */
  readonly parent: TrieNode<T> | undefined;
  /** The component that leads here from `parent`. */
  readonly component: string;
  /** component -> node */
  readonly children: Map<string, TrieNode<T>>;
  /** The node behind an empty component, which stands for any one component. */
  any: TrieNode<T> | undefined;
  value: T | undefined;
}

/** How many patterns there are, by match policy. */
export type CountByMatch = Readonly<Record<Match, number>>;

export class PatternIndex<T> {
  // URI -> value
  readonly #exact = new Map<string, T>();
  // prefix length -> (prefix -> value); no inner map is empty
  readonly #prefixes = new Map<number, Map<string, T>>();
  // the keys of `#prefixes`, longest first
  readonly #prefixLengths: number[] = [];
  // no node but the root is without value and descendants
  readonly #root: TrieNode<T> = emptyNode(undefined, '');
  // pattern -> its node, so that a look-up by pattern does not split it
  readonly #wildcards = new Map<string, TrieNode<T>>();

  /** Sets the value of a pattern, in place of an earlier one. */
  set(match: Match, uri: string, value: T): void {
    if (match === 'exact') this.#exact.set(uri, value);
    else if (match === 'prefix') this.#setPrefix(uri, value);
    else this.#setWildcard(uri, value);
  }

  /** @returns the value of exactly this pattern. */
  get(match: Match, uri: string): T | undefined {
    if (match === 'exact') return this.#exact.get(uri);
    if (match === 'prefix') return this.#prefixes.get(uri.length)?.get(uri);
    return this.#wildcards.get(uri)?.value;
  }

  /** Deletes a pattern; harmless when it is not there. */
  delete(match: Match, uri: string): void {
    if (match === 'exact') this.#exact.delete(uri);
    else if (match === 'prefix') this.#deletePrefix(uri);
    else this.#deleteWildcard(uri);
  }

  /** Whether there is any prefix or wildcard. If not, {@link exact} finds everything. */
  get hasPatterns(): boolean {
    return this.#prefixLengths.length > 0 || this.#wildcards.size > 0;
  }

  /** How many patterns have a value. */
  get sizes(): CountByMatch {
    let prefix = 0;
    for (const sameLength of this.#prefixes.values()) prefix += sameLength.size;
    return { exact: this.#exact.size, prefix, wildcard: this.#wildcards.size };
  }

  exact(uri: string): T | undefined {
    return this.#exact.get(uri);
  }

  /** @returns all values that match: exact, then prefixes with the longest first, then wildcards with literal components first. */
  matching(uri: string): T[] {
    const found: T[] = [];
    const exact = this.#exact.get(uri);
    if (exact !== undefined) found.push(exact);
    this.collectPatterns(uri, found);
    return found;
  }

  /** As {@link matching}, but without the exact value. Adds what matches to `found`. */
  collectPatterns(uri: string, found: T[]): void {
    for (const length of this.#prefixLengths) {
      if (length > uri.length) continue;
      const value = this.#prefixes.get(length)?.get(uri.slice(0, length));
      if (value !== undefined) found.push(value);
    }
    if (this.#wildcards.size > 0) collectWildcards(this.#root, uri.split('.'), 0, found);
  }

  longestPrefix(uri: string): T | undefined {
    for (const length of this.#prefixLengths) {
      if (length > uri.length) continue;
      const found = this.#prefixes.get(length)?.get(uri.slice(0, length));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /**
   * Of the wildcard patterns that match, the one with the longest run of literal components before its first wildcard;
   * with equal first runs the second run decides, and so on. That is: a literal component beats a wildcard at the first
   * place where two patterns differ.
   */
  bestWildcard(uri: string): T | undefined {
    return this.#wildcards.size === 0 ? undefined : findBest(this.#root, uri.split('.'), 0);
  }

  #setPrefix(uri: string, value: T): void {
    let sameLength = this.#prefixes.get(uri.length);
    if (sameLength === undefined) {
      sameLength = new Map<string, T>();
      this.#prefixes.set(uri.length, sameLength);
      const shorter = this.#prefixLengths.findIndex((length) => length < uri.length);
      this.#prefixLengths.splice(shorter === -1 ? this.#prefixLengths.length : shorter, 0, uri.length);
    }
    sameLength.set(uri, value);
  }

  #deletePrefix(uri: string): void {
    const sameLength = this.#prefixes.get(uri.length);
    if (!sameLength?.delete(uri) || sameLength.size > 0) return;
    this.#prefixes.delete(uri.length);
    this.#prefixLengths.splice(this.#prefixLengths.indexOf(uri.length), 1);
  }

  #setWildcard(uri: string, value: T): void {
    let node = this.#wildcards.get(uri);
    if (node === undefined) {
      node = this.#root;
      for (const component of uri.split('.')) node = childOf(node, component);
      this.#wildcards.set(uri, node);
    }
    node.value = value;
  }

  #deleteWildcard(uri: string): void {
    let node = this.#wildcards.get(uri);
    if (node === undefined) return;
    this.#wildcards.delete(uri);
    node.value = undefined;
    while (node.parent !== undefined && isUnused(node)) {
      const { parent, component }: TrieNode<T> = node;
      if (component === '') parent.any = undefined;
      else parent.children.delete(component);
      node = parent;
    }
  }
}

/** @returns whether `uri` is matched by `pattern`, looked at alone. */
export function matches(match: Match, pattern: string, uri: string): boolean {
  return matcherOf(match, pattern)(uri);
}

/** @returns the test of one pattern, for those who have many URIs: it takes none of them apart. */
export function matcherOf(match: Match, pattern: string): (uri: string) => boolean {
  if (match === 'exact') return (uri) => uri === pattern;
  if (match === 'prefix') return (uri) => uri.startsWith(pattern);
  const components = pattern.split('.');
  return (uri) => matchesComponents(components, uri);
}

function matchesComponents(wanted: readonly string[], uri: string): boolean {
  const last = wanted.length - 1;
  let from = 0;
  for (const [i, component] of wanted.entries()) {
    const dot = uri.indexOf('.', from);
    if ((dot === -1) !== (i === last)) return false;
    const to = dot === -1 ? uri.length : dot;
    if (component === '' ? to === from : to - from !== component.length || !uri.startsWith(component, from))
      return false;
    from = to + 1;
  }
  return true;
}

function emptyNode<T>(parent: TrieNode<T> | undefined, component: string): TrieNode<T> {
  return { parent, component, children: new Map(), any: undefined, value: undefined };
}

function isUnused({ value, any, children }: TrieNode<unknown>): boolean {
  return value === undefined && any === undefined && children.size === 0;
}

function childOf<T>(node: TrieNode<T>, component: string): TrieNode<T> {
  if (component === '') return (node.any ??= emptyNode(node, component));
  let child = node.children.get(component);
  if (child === undefined) node.children.set(component, (child = emptyNode(node, component)));
  return child;
}

function findBest<T>(node: TrieNode<T>, components: readonly string[], depth: number): T | undefined {
  const component = components[depth];
  if (component === undefined) return node.value;
  const literal = node.children.get(component);
  const found = literal && findBest(literal, components, depth + 1);
  if (found !== undefined) return found;
  return node.any && findBest(node.any, components, depth + 1);
}

function collectWildcards<T>(node: TrieNode<T>, components: readonly string[], depth: number, found: T[]): void {
  const component = components[depth];
  if (component === undefined) {
    if (node.value !== undefined) found.push(node.value);
    return;
  }
  const literal = node.children.get(component);
  if (literal !== undefined) collectWildcards(literal, components, depth + 1, found);
  if (node.any !== undefined) collectWildcards(node.any, components, depth + 1, found);
}
