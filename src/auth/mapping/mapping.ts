/** From the JSON of a user to a principal. Pure. */
import { isDict } from '../../wamp/payload.js';
import type { Dict } from '../../wamp/payload.js';
import type { MappingConfig, RoleMap } from './schema.js';

/** Who a user is here. */
export interface MappedUser {
  readonly authid: string;
  readonly authrole: string;
  /** Undefined: the realm that the client asks for. */
  readonly realm: string | undefined;
  /** Undefined when nothing of it is there. */
  readonly authextra: Dict | undefined;
}

/** An `authid` is written to the log, and sent with many messages. */
const MAX_AUTHID_CHARACTERS = 1024;

/**
 * @param user plain JSON, of a size that somebody has checked.
 * @returns undefined when the JSON names nobody, or not with what the config requires.
 */
export function mapUser(user: unknown, config: MappingConfig): MappedUser | undefined {
  const { authid: path, authid_prefix = '', role, extra, realm, require = {} } = config;
  const isAsRequired = Object.entries(require).every(([where, value]) => valueAt(user, where) === value);
  const name = nameOf(valueAt(user, path));
  const authrole = typeof role === 'string' ? role : mappedRole(user, role);
  if (!isAsRequired || name === undefined || authrole === undefined) return undefined;
  return { authid: `${authid_prefix}${name}`, authrole, realm, authextra: extraOf(user, extra) };
}

/**
 * @param path keys with dots between them. A key that has dots itself, such as the URL that names a claim, counts as a whole.
 * @returns undefined when there is nothing. Only own properties count.
 */
export function valueAt(value: unknown, path: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Object.hasOwn(value, path)) return (value as Dict)[path];
  const dot = path.indexOf('.');
  return dot === -1 ? undefined : valueAt(ownValue(value, path.slice(0, dot)), path.slice(dot + 1));
}

function ownValue(value: object, key: string): unknown {
  return Object.hasOwn(value, key) ? (value as Dict)[key] : undefined;
}

function nameOf(value: unknown): string | undefined {
  // A larger number was rounded when the JSON was read: somebody else may have the same one then.
  const name = Number.isSafeInteger(value) ? String(value) : value;
  return typeof name === 'string' && name !== '' && name.length <= MAX_AUTHID_CHARACTERS ? name : undefined;
}

function mappedRole(user: unknown, { path, map, default: otherwise }: RoleMap): string | undefined {
  const value = valueAt(user, path);
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = new Set(values.filter((each) => typeof each !== 'object' && each !== undefined).map(String));
  // In the order of the config: the first one counts.
  const found = Object.entries(map).find(([text]) => texts.has(text));
  return found?.[1] ?? otherwise;
}

function extraOf(user: unknown, paths: MappingConfig['extra']): Dict | undefined {
  const found = Object.entries(paths)
    .map(([name, path]) => [name, valueAt(user, path)] as const)
    .filter(([, value]) => value !== undefined);
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** @returns whether two mappings of a user are the same one: who is logged in has not changed. */
export function isSameUser(one: MappedUser, other: MappedUser): boolean {
  return one.authid === other.authid && one.authrole === other.authrole && one.realm === other.realm;
}

/** @returns the JSON of a text; undefined for text that is none, or no object. */
export function parseUser(text: string): Dict | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isDict(value) ? value : undefined;
  } catch {
    // It is somebody else's text, and names nobody.
    return undefined;
  }
}
