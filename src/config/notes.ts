/**
 * Takes out of a config what Crossbar.io accepts and what has no effect here, with a note that says why: keywords `noEffect`,
 * `unknownKeys` and `adapt`. It comes before the schema check. So the default applies, and all later steps, and all code that
 * reads the config, see only what counts.
 */
import type { ConfigSchema } from '../schema/dialect.js';
import type { Adapted, Report } from '../schema/rules.js';
import type { Cursor } from './cursor.js';
import { foundWords, insteadOf, quote } from './schema-words.js';
import { nearest } from './suggest.js';
import { freeSchema, variantOf } from './walk.js';
import type { SchemaTree } from './walk.js';

/** Changes the config at `place` and below. The config may be wrong anywhere: what is wrong is left to the schema check. */
export function takeNotes(place: Cursor, { root, definitions }: SchemaTree, note: Report): void {
  const visit = (at: Cursor, schema: ConfigSchema): void => {
    const variant = variantOf(schema, at);
    if (variant !== undefined) visit(at, variant);
    const renamed = variantOf(schema, at);
    if (renamed !== undefined && renamed !== variant) visit(at, renamed);
    if (isMisnamed(at, schema)) return;
    if (typeof schema.noEffect === 'string' && at.isObject) return empty(at, schema, schema.noEffect);
    const free = freeSchema(schema, definitions);
    let moved = false;
    for (const { path } of at.entries()) {
      const key = path.at(-1) ?? '';
      const inner = propertyOf(schema, key) ?? free;
      if (inner === undefined) dropUnknown(at, key, schema);
      else moved = visitMember(at, key, inner) || moved;
    }
    // What has been put elsewhere may have come to a place that was visited before.
    if (moved) visit(at, schema);
    const { items } = schema;
    if (items !== undefined) for (const item of at.items()) visit(item, items);
  };

  /** @returns whether the value was put elsewhere. */
  const visitMember = (holder: Cursor, key: string, schema: ConfigSchema): boolean => {
    const { path, value } = holder.get(key);
    const adapted = withoutEffect(value, path, schema) ?? schema.adapt?.(value, holder);
    if (adapted !== undefined) {
      if (adapted.note !== undefined) note(path, adapted.note);
      if (adapted.value === undefined || adapted.at !== undefined) holder.remove(key);
      if (adapted.value !== undefined) put(holder, adapted.at ?? [key], adapted.value);
    }
    visit(holder.get(key), schema);
    return adapted?.at !== undefined;
  };

  /** Takes out of an object without effect what only matters to those who have one. */
  const empty = (object: Cursor, schema: ConfigSchema, why: string): void => {
    note(object.path, `${quote(object.get('type').text() ?? '')} has no effect: ${why}`);
    for (const { path } of object.entries()) {
      const key = path.at(-1) ?? '';
      if (propertyOf(schema, key) === undefined) object.remove(key);
    }
  };

  const dropUnknown = (holder: Cursor, key: string, schema: ConfigSchema): void => {
    const text = noteOfKey(key, schema);
    if (text === undefined) return;
    note([...holder.path, key], text);
    holder.remove(key);
  };

  visit(place, root);
}

/** @returns whether `type` is not the word of this schema. Where it is the default, it may be left out. */
function isMisnamed(place: Cursor, schema: ConfigSchema): boolean {
  const word = propertyOf(schema, 'type');
  const type = place.get('type');
  return word?.const !== undefined && type.value !== word.const && !(type.missing && word.default !== undefined);
}

function propertyOf({ properties = {} }: ConfigSchema, key: string): ConfigSchema | undefined {
  return Object.hasOwn(properties, key) ? properties[key] : undefined;
}

/** Puts a value below an object. */
function put(object: Cursor, [key = '', ...below]: readonly string[], value: unknown): void {
  if (below.length === 0) return object.set(key, value);
  if (object.get(key).missing) object.set(key, {});
  put(object.get(key), below, value);
}

/** A value that only its type tells from the one that counts. Values of other types are left to the schema check. */
function withoutEffect(
  value: unknown,
  path: readonly string[],
  { const: only, noEffect }: ConfigSchema,
): Adapted | undefined {
  if (typeof noEffect !== 'string' || value === only || typeof value !== typeof only) return undefined;
  return { value: undefined, note: `found ${foundWords(value, path)}, which has no effect: ${noEffect}` };
}

/** @returns the note of a key that no property has; undefined when the schema check refuses it. */
function noteOfKey(key: string, schema: ConfigSchema): string | undefined {
  const { properties, noEffect = {}, unknownKeys } = schema;
  if (typeof noEffect === 'object' && Object.hasOwn(noEffect, key)) {
    return `${quote(key)} has no effect: ${noEffect[key] ?? ''}`;
  }
  if (unknownKeys === undefined || insteadOf(key, schema) !== undefined) return undefined;
  const keys = Object.keys(properties ?? {});
  if (nearest(key, keys) !== undefined) return undefined;
  return `unknown key ${quote(key)} has no effect (known: ${keys.join(', ')})`;
}
