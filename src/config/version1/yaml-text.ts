/**
 * A YAML file of version 1 as text of version 2: the document is edited, so that its comments stay. It follows `upgrade.ts`; who
 * writes the text compares the two. The parser of YAML is large: this file is loaded when it is needed.
 */
import { isAlias, isMap, isScalar, isSeq, parseDocument, Scalar, YAMLMap } from 'yaml';
import type { Document, Node, Pair } from 'yaml';

import { ACTIONS, ENTRY_KEYS, LISTS } from './upgrade.js';
import { upgradeUri } from './uri.js';
import type { UpgradedUri } from './uri.js';

/** @throws Error of the library when the document cannot be written, such as for an alias whose anchor is gone. */
export function yamlText(original: string): string {
  const document = parseDocument(original, { prettyErrors: false, uniqueKeys: false, version: '1.2' });
  const root: unknown = document.contents;
  if (isMap(root)) {
    new Editor(document).edit(root);
    putVersion(document, root);
  }
  return document.toString({ lineWidth: 0 });
}

function putVersion(document: Document, root: YAMLMap): void {
  const [written = document.createPair('version', 2)] = pairsOf(root, 'version');
  setValue(written, 2);
  const first = root.items[0]?.key;
  if (isScalar(first) && root.items[0] !== written && typeof first.commentBefore === 'string') {
    // What stands above the first key is mostly about the whole file.
    root.commentBefore = first.commentBefore;
    first.commentBefore = null;
  }
  root.items = [written, ...root.items.filter((pair) => pair !== written)];
}

class Editor {
  readonly #document: Document;
  /** What was edited already: aliases lead to it again. */
  readonly #edited = new Set<unknown>();
  /** The URI of a rule -> what it becomes, from before it was changed. */
  readonly #uris = new Map<Scalar, UpgradedUri>();

  constructor(document: Document) {
    this.#document = document;
  }

  edit(root: YAMLMap): void {
    this.#lists(root, 0);
  }

  #lists(holder: YAMLMap, level: number): void {
    for (const pair of pairsOf(holder, LISTS[level] ?? '')) {
      const list = this.#target(pair.value);
      if (!isSeq(list) || this.#isEdited(list)) continue;
      for (const item of list.items) this.#item(this.#target(item), level);
    }
  }

  #item(item: unknown, level: number): void {
    if (!isMap(item) || this.#isEdited(item)) return;
    if (level < LISTS.length - 1) this.#lists(item, level + 1);
    else if (pairsOf(item, 'allow').length === 0) this.#entry(item);
  }

  #entry(entry: YAMLMap): void {
    const { match } = this.#uri(entry);
    const allow = new YAMLMap();
    allow.items = ACTIONS.flatMap((action) => pairsOr(entry, action, () => this.#pair(action, false)));
    const disclose = pairsOr(entry, 'disclose', () => this.#pair('disclose', new YAMLMap()));
    for (const { value } of disclose) this.#complete(this.#target(value));
    const [matches = this.#pair('match', match)] = pairsOf(entry, 'match');
    const [cache = this.#pair('cache', true)] = pairsOf(entry, 'cache');
    setValue(matches, match);
    setValue(cache, true);
    keepComments(
      entry,
      entry.items.filter((pair) => !ENTRY_KEYS.some((key) => key === keyOf(pair))),
    );
    entry.items = [...pairsOf(entry, 'uri'), matches, this.#pair('allow', allow), ...disclose, cache];
  }

  #uri(entry: YAMLMap): UpgradedUri {
    let last = upgradeUri('');
    for (const pair of pairsOf(entry, 'uri')) {
      const scalar = this.#target(pair.value);
      if (!isScalar(scalar) || typeof scalar.value !== 'string') continue;
      last = this.#uris.get(scalar) ?? upgradeUri(scalar.value);
      this.#uris.set(scalar, last);
      // What an alias leads to may be something else than a URI elsewhere.
      if (isAlias(pair.value)) pair.value = new Scalar(last.uri);
      else scalar.value = last.uri;
    }
    return last;
  }

  #complete(disclose: unknown): void {
    if (!isMap(disclose)) return;
    const flags = ['caller', 'publisher'];
    const others = disclose.items.filter((pair) => !flags.includes(keyOf(pair)));
    disclose.items = [...flags.flatMap((flag) => pairsOr(disclose, flag, () => this.#pair(flag, false))), ...others];
  }

  #pair(key: string, value: unknown): Pair {
    return this.#document.createPair(key, value);
  }

  #target(node: unknown): unknown {
    return isAlias(node) ? node.resolve(this.#document) : node;
  }

  #isEdited(node: Node): boolean {
    if (this.#edited.has(node)) return true;
    this.#edited.add(node);
    return false;
  }
}

function keyOf({ key }: Pair): string {
  return isScalar(key) ? String(key.value) : '';
}

function pairsOf(map: YAMLMap, key: string): Pair[] {
  return map.items.filter((pair) => keyOf(pair) === key);
}

function pairsOr(map: YAMLMap, key: string, otherwise: () => Pair): Pair[] {
  const pairs = pairsOf(map, key);
  return pairs.length > 0 ? pairs : [otherwise()];
}

/** Puts a value in, beside the comment of the old one. */
function setValue(pair: Pair, value: string | number | boolean): void {
  if (isScalar(pair.value) && pair.value.value === value) return;
  const scalar = new Scalar(value);
  if (isScalar(pair.value)) scalar.comment = pair.value.comment ?? null;
  pair.value = scalar;
}

/** The comments of keys that are dropped go to the end of the entry. */
function keepComments(entry: YAMLMap, dropped: readonly Pair[]): void {
  const comments = dropped.flatMap(({ key, value }) =>
    [key, value].flatMap((node) => (isScalar(node) ? [node.commentBefore, node.comment] : [])),
  );
  const kept = [entry.comment, ...comments].filter((comment) => typeof comment === 'string');
  if (kept.length > 0) entry.comment = kept.join('\n');
}
