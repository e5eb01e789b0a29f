/**
 * Walks a config along its schema, and collects the values whose schema has a keyword of our own. So `config/` and `node/` find
 * files, secrets, realms, cookies and places where clients connect, and know no kind of transport, service or method by name.
 *
 * The config may be wrong anywhere. A variant is chosen by its `type`; an object whose `type` is wrong is left out.
 */
import type { ConfigSchema } from '../schema/dialect.js';
import type { Cursor } from './cursor.js';

/** A schema with the schemas that it refers to by name. */
export interface SchemaTree {
  readonly root: ConfigSchema;
  readonly definitions: Readonly<Record<string, ConfigSchema>>;
}

/** A value whose schema has a keyword of our own. */
export interface MarkedPlace {
  readonly place: Cursor;
  readonly schema: ConfigSchema;
  /** The object or list that it stands in. */
  readonly holder: Cursor;
  /** The schema of `holder`. */
  readonly around: ConfigSchema | undefined;
  /** The sections (`inherited`) in force here, by their keys: those of the object itself, else the nearest above. */
  readonly inForce: ReadonlyMap<string, Cursor>;
  /** The place of `clients` that it belongs to, itself included. */
  readonly entrance: Cursor | undefined;
}

type Scope = Omit<MarkedPlace, 'place' | 'schema'>;

/** @returns the marked values, from the outside in. In an object the inherited sections come first, then the other keys. */
export function markedPlaces(place: Cursor, { root, definitions }: SchemaTree): MarkedPlace[] {
  const found: MarkedPlace[] = [];
  const visit = (at: Cursor, schema: ConfigSchema, outer: Scope): void => {
    const { leads, marked } = planOf(schema);
    if (!leads || at.missing || isMisnamed(at, schema)) return;
    const { holder, around } = outer;
    const inForce = handedDown(at, schema, outer.inForce);
    const entrance = schema.clients === undefined ? outer.entrance : at;
    if (marked) found.push({ place: at, schema, holder, around, inForce, entrance });
    const variant = variantOf(schema, at);
    if (variant !== undefined) visit(at, variant, { holder, around, inForce, entrance });
    const scope = { holder: at, around: schema, inForce, entrance };
    for (const [child, inner, handed] of childrenOf(at, schema, definitions, inForce)) {
      visit(child, inner, { ...scope, inForce: handed });
    }
  };
  visit(place, root, { holder: place, around: undefined, inForce: new Map(), entrance: undefined });
  return found;
}

/** @returns the variant that `type` names; undefined for a schema without variants, or a word that none has. */
export function variantOf(schema: ConfigSchema, place: Cursor): ConfigSchema | undefined {
  if (schema.oneOf === undefined) return undefined;
  const word = place.get('type').value;
  return schema.oneOf.find(({ properties }) => properties?.['type']?.const === word);
}

/** @returns whether `type` is not the word of this schema. */
function isMisnamed(place: Cursor, { properties }: ConfigSchema): boolean {
  const word = properties?.['type']?.const;
  return word !== undefined && place.get('type').value !== word;
}

type Sections = MarkedPlace['inForce'];

/** @returns the sections in force below an object: its own, and those from above that it does not replace. */
function handedDown(place: Cursor, schema: ConfigSchema, above: Sections): Sections {
  const own = planOf(schema).inherited.filter((key) => !place.get(key).missing);
  return own.length === 0 ? above : new Map([...above, ...own.map((key) => [key, place.get(key)] as const)]);
}

type Child = readonly [place: Cursor, schema: ConfigSchema, inForce: Sections];

function childrenOf(
  place: Cursor,
  schema: ConfigSchema,
  definitions: SchemaTree['definitions'],
  inForce: Sections,
): Child[] {
  const { properties = {}, items } = schema;
  const children = planOf(schema).keys.map(([key, inner]): Child => {
    const beside = inner.below === undefined ? undefined : properties[inner.below];
    if (beside === undefined) return [place.get(key), inner, inForce];
    return [place.get(key), inner, handedDown(place.get(inner.below ?? ''), beside, inForce)];
  });
  const free = freeSchema(schema, definitions);
  if (free !== undefined) {
    const others = place.entries().filter(({ path }) => !Object.hasOwn(properties, path.at(-1) ?? ''));
    children.push(...others.map((child): Child => [child, free, inForce]));
  }
  if (items !== undefined) children.push(...place.items().map((child): Child => [child, items, inForce]));
  return children;
}

/** @returns the schema of the values whose keys are free; undefined when there are none. */
export function freeSchema(
  { additionalProperties: values }: ConfigSchema,
  definitions: SchemaTree['definitions'],
): ConfigSchema | undefined {
  if (values === undefined || values === false) return undefined;
  return '$ref' in values ? definitions[values.$ref.replace('#/definitions/', '')] : values;
}

/** What the walk does with the values of a schema. */
interface Plan {
  readonly marked: boolean;
  /** There is a mark in it or below it. Most of a config has none, and is skipped. */
  readonly leads: boolean;
  /** The keys that lead to marks: inherited sections first, keys with `below` last. */
  readonly keys: readonly (readonly [key: string, schema: ConfigSchema])[];
  /** The keys of its inherited sections. */
  readonly inherited: readonly string[];
}

const plans = new WeakMap<ConfigSchema, Plan>();

function planOf(schema: ConfigSchema): Plan {
  const known = plans.get(schema);
  if (known !== undefined) return known;
  const plan = makePlan(schema);
  plans.set(schema, plan);
  return plan;
}

const MARKS = [
  'is',
  'private',
  'identity',
  'inherited',
  'borrows',
  'clients',
  'letsIn',
  'front',
  'rules',
  'looks',
] as const;

function makePlan(schema: ConfigSchema): Plan {
  const { properties = {}, additionalProperties: free = false, items, oneOf = [] } = schema;
  const marked = MARKS.some((keyword) => schema[keyword] !== undefined);
  const keys = Object.entries(properties)
    .filter(([, inner]) => planOf(inner).leads)
    .toSorted(([, a], [, b]) => rankOf(a) - rankOf(b));
  // A schema that is referred to by name contains itself, and has marks.
  const isFree = free !== false && ('$ref' in free || planOf(free).leads);
  const others = [...oneOf, ...(items === undefined ? [] : [items])];
  const leads = marked || isFree || keys.length > 0 || others.some((inner) => planOf(inner).leads);
  const inherited = keys.filter(([, inner]) => inner.inherited === true).map(([key]) => key);
  return { marked, leads, keys, inherited };
}

function rankOf({ inherited, below }: ConfigSchema): number {
  if (inherited === true) return 0;
  return below === undefined ? 1 : 2;
}
