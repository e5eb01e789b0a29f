/**
 * What is new in a config, and what of it a running node can take over. It walks two checked configs along the schema, whose keyword
 * `reload` says for every key how a change is applied. So neither this file nor `node/` knows a key by name. Pure.
 *
 *     the config that runs, the new one -> the one to run: new, except where that takes a restart
 *                                          the changes in it, and those that wait for a restart
 *
 * What is the same in both is the same object in the result: parts of the node see at a glance what does not concern them.
 */
import type { ConfigSchema, ReloadWord } from '../../schema/dialect.js';
import { pointerOf } from '../source/source.js';
import type { Path } from '../source/source.js';
import type { NodeConfig } from '../schema.js';
import { freeSchema } from '../walk.js';
import type { SchemaTree } from '../walk.js';

/** One value that is not as it was. */
export interface Change {
  /** The JSON Pointer: in the new config, or in the one that runs where the value is gone. */
  readonly pointer: string;
  /** When it takes effect. */
  readonly how: ReloadWord;
}

/** Two configs, compared. */
export interface Comparison {
  /** What the node is to run with now. */
  readonly config: NodeConfig;
  /** What is different in it, in the order of the config. */
  readonly changes: readonly Change[];
  /** What of the new config is not in it, because it takes a restart. */
  readonly pending: readonly Change[];
}

/**
 * Compares a checked config with the one that runs.
 *
 * @param tree the schema of both.
 * @param takesDemanded whether what changes `on demand` is taken.
 */
export function compareConfigs(
  running: NodeConfig,
  next: NodeConfig,
  { root, definitions }: SchemaTree,
  takesDemanded = false,
): Comparison {
  const changes: Change[] = [];
  const pending: Change[] = [];
  const differ = (path: Path, how: ReloadWord): boolean => {
    const list = isForRestart(how) || (how === 'on demand' && !takesDemanded) ? pending : changes;
    list.push({ pointer: pointerOf(path), how });
    return list === changes;
  };
  const config = merged(running, next, { schema: root, how: 'restart', path: [] }, { differ, definitions });
  return { config: config as NodeConfig, changes, pending };
}

interface Place {
  readonly schema: ConfigSchema | undefined;
  /** The nearest word above, which holds where a schema has none. */
  readonly how: ReloadWord;
  readonly path: Path;
}

interface Walk {
  readonly definitions: SchemaTree['definitions'];
  /** Notes a change. @returns whether the new value is taken. */
  differ(path: Path, how: ReloadWord): boolean;
}

type Values = Readonly<Record<string, unknown>>;

/** @returns the new value as far as it is taken; the very same as the old one where nothing is new. */
function merged(old: unknown, next: unknown, { schema, how: above, path }: Place, walk: Walk): unknown {
  if (isSame(old, next)) return old;
  const how = wordFor(schema, above);
  const variant = variantOf(schema, old, next);
  const place = { schema: variant, how: variant === schema ? how : wordFor(variant, how), path };
  if (variant !== undefined && isObject(old) && isObject(next)) return mergedObject(old, next, place, walk);
  if (variant !== undefined && isList(old) && isList(next)) {
    const key = nameKeyOf(old, next);
    if (key !== undefined) return mergedList(old, next, key, place, walk);
  }
  return walk.differ(path, wordForAll(schema, place.how, old, next)) ? next : old;
}

function mergedObject(old: Values, next: Values, place: Place, walk: Walk): Values {
  const result: Record<string, unknown> = {};
  // The keys of the new one first: in `paths`, for example, their order is that of the start.
  for (const key of new Set([...Object.keys(next), ...Object.keys(old)])) {
    const schema = place.schema?.properties?.[key] ?? (place.schema && freeSchema(place.schema, walk.definitions));
    const inner = { schema, how: place.how, path: [...place.path, key] };
    const value =
      key in old && key in next ? merged(old[key], next[key], inner, walk) : comes(old, next, key, inner, walk);
    if (value !== undefined) result[key] = value;
  }
  return Object.freeze(result);
}

/** A key that is in one of the two only. */
function comes(old: Values, next: Values, key: string, { schema, how, path }: Place, walk: Walk): unknown {
  if (isSame(old[key], next[key])) return old[key];
  return walk.differ(path, wordFor(schema, how)) ? next[key] : old[key];
}

/** Items that have names are compared by them; those that wait for a restart stay, or stay away. */
function mergedList(old: readonly Values[], next: readonly Values[], key: string, place: Place, walk: Walk): unknown {
  const partners = partnersOf(old, next, key);
  const staying = new Set(partners.values());
  const result: unknown[] = [];
  for (const [index, item] of next.entries()) {
    const path = [...place.path, String(index)];
    const known = partners.get(item);
    const inner = { schema: place.schema?.items, how: place.how, path };
    if (known !== undefined) result.push(merged(known, item, inner, walk));
    else if (walk.differ(path, wordForAll(inner.schema, place.how, item))) result.push(item);
  }
  for (const [index, item] of old.entries()) {
    if (staying.has(item)) continue;
    if (!walk.differ([...place.path, String(index)], wordForAll(place.schema?.items, place.how, item)))
      result.push(item);
  }
  const isUnchanged = result.length === old.length && result.every((item, index) => item === old[index]);
  return isUnchanged ? old : Object.freeze(result);
}

/**
 * Which of the old items each new one is. An `id` may be a mere number in the order of the file: where an item is the same but for that, it
 * is that item, whatever it is called now.
 * @returns new item -> old item, each at most once.
 */
function partnersOf(old: readonly Values[], next: readonly Values[], key: string): ReadonlyMap<Values, Values> {
  const byName = new Map(old.map((item) => [item[key], item]));
  const partners = new Map<Values, Values>();
  const free = new Set(old);
  const join = (item: Values, partner: Values | undefined): void => {
    if (partner === undefined || partners.has(item) || !free.delete(partner)) return;
    partners.set(item, partner);
  };
  const isSameBeside = (one: Values, other: Values): boolean =>
    isSame({ ...one, [key]: null }, { ...other, [key]: null });
  const joinSame = (item: Values): void => {
    const named = byName.get(item[key]);
    if (named !== undefined && isSameBeside(named, item)) join(item, named);
  };
  if (key === 'id') {
    next.forEach(joinSame);
    for (const item of next)
      join(item, partners.has(item) ? undefined : [...free].find((other) => isSameBeside(other, item)));
  }
  for (const item of next) join(item, byName.get(item[key]));
  return partners;
}

function wordFor(schema: ConfigSchema | undefined, above: ReloadWord): ReloadWord {
  return above === 'restart of all' ? above : (schema?.reload ?? above);
}

/** The word for things as a whole: some variants of what can change on demand take a restart. */
function wordForAll(schema: ConfigSchema | undefined, above: ReloadWord, ...values: readonly unknown[]): ReloadWord {
  if (above !== 'on demand' || schema?.oneOf === undefined) return above;
  return values.map((value) => wordFor(variantOf(schema, value, value), above)).find(isForRestart) ?? above;
}

/** @returns whether a change has no effect before the next start. */
export function isForRestart(how: ReloadWord): boolean {
  return how === 'restart' || how === 'restart of all';
}

/** @returns undefined where the two are of different variants: then the value as a whole is new. */
function variantOf(schema: ConfigSchema | undefined, old: unknown, next: unknown): ConfigSchema | undefined {
  if (schema?.oneOf === undefined) return schema;
  if (!isObject(old) || !isObject(next) || old['type'] !== next['type']) return undefined;
  return schema.oneOf.find(({ properties }) => properties?.['type']?.const === next['type']);
}

/** By which key all items of both lists are told apart: `name` before `id`, which may be a mere number in the order of the file. */
function nameKeyOf(old: readonly unknown[], next: readonly unknown[]): string | undefined {
  return ['name', 'id'].find((key) => [old, next].every((list) => isNamed(list, key)));
}

function isNamed(list: readonly unknown[], key: string): boolean {
  const names = list.map((item) => (isObject(item) ? item[key] : undefined));
  return names.every((name) => typeof name === 'string') && new Set(names).size === names.length;
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isList(value: unknown): value is readonly Values[] {
  return Array.isArray(value);
}

/** Whether two values of a config, which are as plain as JSON, say the same. */
export function isSame(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (isList(one) && isList(other)) {
    return one.length === other.length && one.every((item, index) => isSame(item, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  // The order of keys is that of the services, which start one after the other, and nothing else.
  return keys.length === Object.keys(other).length && keys.every((key) => key in other && isSame(one[key], other[key]));
}
