/**
 * Walks a config along its schema, and stops wherever a keyword of ours says more of a value than what may stand there. So
 * `config/` and `node/` find files, secrets, realms, cookies and places where clients connect, and know no kind of transport,
 * service or method by name.
 *
 * A variant is chosen by its `type`, as the checker does; of an object whose `type` is wrong nothing is found. The config may
 * be wrong anywhere.
 */
import type { ConfigSchema } from '../schema/dialect.js';
import type { Cursor } from './cursor.js';

/** A schema with the schemas that it refers to by name. */
export interface SchemaTree {
  readonly root: ConfigSchema;
  readonly definitions: Readonly<Record<string, ConfigSchema>>;
}

/** A value of which the schema says more than what may stand there. */
export interface MarkedPlace {
  readonly place: Cursor;
  readonly schema: ConfigSchema;
  /** The object or list that it stands in. */
  readonly holder: Cursor;
  /** The schema of `holder`. */
  readonly around: ConfigSchema | undefined;
  /** The sections (`inherited`) that hold here, by their keys: those of the object itself, else the nearest above. */
  readonly inForce: ReadonlyMap<string, Cursor>;
  /** The place of `clients` that it belongs to, itself included. */
  readonly entrance: Cursor | undefined;
}

type Scope = Omit<MarkedPlace, 'place' | 'schema'>;

/** @returns what is marked, from the outside in; in an object first what it hands down, then the other keys of the schema. */
export function markedPlaces(place: Cursor, { root, definitions }: SchemaTree): MarkedPlace[] {
  const found: MarkedPlace[] = [];
  const visit = (at: Cursor, schema: ConfigSchema, outer: Scope): void => {
    if (at.missing || isMisnamed(at, schema) || !leadsToMarks(schema)) return;
    const scope = { ...outer, ...scopeOf(at, schema, outer) };
    if (isMarked(schema)) found.push({ place: at, schema, ...scope });
    const variant = variantOf(schema, at);
    if (variant !== undefined) visit(at, variant, scope);
    for (const [child, inner, inForce] of childrenOf(at, schema, scope, definitions)) {
      visit(child, inner, { ...scope, holder: at, around: schema, inForce });
    }
  };
  visit(place, root, { holder: place, around: undefined, inForce: new Map(), entrance: undefined });
  return found;
}

/** @returns the variant that `type` names; undefined for a schema without variants, or a word that none has. */
export function variantOf(schema: ConfigSchema, place: Cursor): ConfigSchema | undefined {
  const word = place.get('type').value;
  return schema.oneOf?.find(({ properties }) => properties?.['type']?.const === word);
}

/** @returns whether `type` is the word of something else, or of nothing. */
function isMisnamed(place: Cursor, { properties }: ConfigSchema): boolean {
  const word = properties?.['type']?.const;
  return word !== undefined && place.get('type').value !== word;
}

function scopeOf(place: Cursor, schema: ConfigSchema, { inForce }: Scope): Partial<Scope> {
  return {
    inForce: handedDown(place, schema, inForce),
    ...(schema.clients !== undefined && { entrance: place }),
  };
}

/** What holds below an object: its own sections, and for the others what holds above. */
function handedDown(
  place: Cursor,
  schema: ConfigSchema | undefined,
  above: ReadonlyMap<string, Cursor>,
): ReadonlyMap<string, Cursor> {
  const own = Object.entries(schema?.properties ?? {})
    .filter(([key, { inherited }]) => inherited === true && !place.get(key).missing)
    .map(([key]) => [key, place.get(key)] as const);
  return own.length === 0 ? above : new Map([...above, ...own]);
}

type Child = readonly [place: Cursor, schema: ConfigSchema, inForce: ReadonlyMap<string, Cursor>];

function childrenOf(
  place: Cursor,
  schema: ConfigSchema,
  { inForce }: Scope,
  definitions: SchemaTree['definitions'],
): Child[] {
  const { properties = {}, items } = schema;
  const named = Object.entries(properties)
    .toSorted(([, a], [, b]) => rankOf(a) - rankOf(b))
    .map(([key, inner]): Child => {
      const { below } = inner;
      if (below === undefined) return [place.get(key), inner, inForce];
      return [place.get(key), inner, handedDown(place.get(below), properties[below], inForce)];
    });
  const free = freeSchema(schema, definitions);
  const others = free === undefined ? [] : place.entries().filter(({ path }) => !((path.at(-1) ?? '') in properties));
  return [
    ...named,
    ...others.flatMap((child): Child[] => (free === undefined ? [] : [[child, free, inForce]])),
    ...(items === undefined ? [] : place.items().map((child): Child => [child, items, inForce])),
  ];
}

/** What is handed down comes first, what depends on a neighbour last. */
function rankOf({ inherited, below }: ConfigSchema): number {
  if (inherited === true) return 0;
  return below === undefined ? 1 : 2;
}

/** @returns the schema of the values whose keys are free; undefined when there are none. */
export function freeSchema(
  { additionalProperties: values }: ConfigSchema,
  definitions: SchemaTree['definitions'],
): ConfigSchema | undefined {
  if (values === undefined || values === false) return undefined;
  return '$ref' in values ? definitions[values.$ref.replace('#/definitions/', '')] : values;
}

const MARKS = ['is', 'private', 'identity', 'inherited', 'clients', 'letsIn', 'rules'] as const;

function isMarked(schema: ConfigSchema): boolean {
  return MARKS.some((keyword) => schema[keyword] !== undefined);
}

/** schema -> whether there is a mark in it, or below it */
const leading = new WeakMap<ConfigSchema, boolean>();

/** Most of a config has no marks, and is passed by. */
function leadsToMarks(schema: ConfigSchema): boolean {
  const known = leading.get(schema);
  if (known !== undefined) return known;
  const { properties = {}, additionalProperties = false, items, oneOf = [] } = schema;
  const inner = [...Object.values(properties), ...oneOf, ...(items === undefined ? [] : [items])];
  // What is referred to by name contains itself, and has marks.
  const isFree =
    additionalProperties !== false && ('$ref' in additionalProperties || leadsToMarks(additionalProperties));
  const leads = isMarked(schema) || isFree || inner.some(leadsToMarks);
  leading.set(schema, leads);
  return leads;
}
