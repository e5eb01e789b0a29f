/**
 * The checks of single fields of a client's message: each throws a ProtocolViolation that names the place, what must stand there
 * and what kind of value was found (section "Protocol Violations"). Contents of the message stay out of the text.
 */
import { ProtocolViolation } from './error.js';
import { isId } from './id.js';
import { isDict } from './payload.js';
import type { Dict } from './payload.js';

/** Of a name, in characters: as long as a URI may be. */
const MAX_NAME = 1024;
/** How many authentication methods may be offered. */
const MAX_METHODS = 64;

export function expectLength(name: string, length: number, least: number, most: number): void {
  if (length < least || length > most) {
    throw new ProtocolViolation(
      `${name} has ${length} elements, expected ${least === most ? least : `${least} to ${most}`}`,
    );
  }
}

/** @returns an id. @throws ProtocolViolation */
export function id(where: string, value: unknown): number {
  if (!isId(value)) throw new ProtocolViolation(`${where} must be an integer in 1..2^53, got ${kindOf(value)}`);
  return value;
}

/** @returns a text. @throws ProtocolViolation */
export function string(where: string, value: unknown): string {
  if (typeof value !== 'string') throw new ProtocolViolation(`${where} must be a string, got ${kindOf(value)}`);
  return value;
}

/**
 * Names are compared, prepared and logged before anybody has been let in: Unicode normalization takes time that grows with
 * the square of their length.
 */
export function short(where: string, name: string): string {
  if (name.length > MAX_NAME) throw new ProtocolViolation(`${where} must have at most ${MAX_NAME} characters`);
  return name;
}

/** @returns a dictionary. @throws ProtocolViolation */
export function dict(where: string, value: unknown): Dict {
  if (!isDict(value)) throw new ProtocolViolation(`${where} must be a dictionary, got ${kindOf(value)}`);
  return value;
}

export function optional(where: string, value: unknown, check: (value: unknown) => boolean, expected: string): void {
  if (value !== undefined && !check(value)) {
    throw new ProtocolViolation(`${where} must be ${expected}, got ${kindOf(value)}`);
  }
}

export const isBoolean = (value: unknown): boolean => typeof value === 'boolean';
export const isString = (value: unknown): boolean => typeof value === 'string';
export const isStringList = (value: unknown): boolean => Array.isArray(value) && value.every(isString);
export const isShortList = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.length <= MAX_METHODS &&
  value.every((name) => typeof name === 'string' && name.length <= MAX_NAME);
export const isIdList = (value: unknown): boolean => Array.isArray(value) && value.every(isId);
export const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
export const isMatch = (value: unknown): boolean => value === 'exact' || value === 'prefix' || value === 'wildcard';
export const isCancelMode = (value: unknown): boolean => value === 'skip' || value === 'kill' || value === 'killnowait';
const POLICIES: readonly unknown[] = ['single', 'first', 'last', 'roundrobin', 'random'];
export const isInvocationPolicy = (value: unknown): boolean => POLICIES.includes(value);

/** Names a value's kind for an error text; contents stay out of it but for short scalars. */
export function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'string') return 'a string';
  if (typeof value === 'bigint') return 'a number beyond 2^53';
  if (value instanceof Uint8Array) return 'a byte string';
  if (value === undefined) return 'nothing';
  return typeof value === 'number' || typeof value === 'boolean' || value === null ? String(value) : 'a dictionary';
}
