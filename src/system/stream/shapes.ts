/** Reads what the records of a stream between two processes of the node carry as JSON: both are of one build, and neither trusts the other. */
import { BadRecord } from './record-reader.js';

/** Whether a field is as it has to be. */
export type Check = (value: unknown) => boolean;
/** What is expected of each field. */
export type Shape<T> = { readonly [K in keyof Required<T>]: Check };

/** A string. */
export const isText: Check = (value) => typeof value === 'string';
/** A number. */
export const isNumber: Check = (value) => typeof value === 'number';
/** True or false. */
export const isFlag: Check = (value) => typeof value === 'boolean';
/** It, or nothing. */
export const maybe =
  (check: Check): Check =>
  (value) =>
    value === undefined || check(value);
/** An object that is no list. */
export const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** An object whose members are all so. */
export const eachIs =
  (check: Check): Check =>
  (value) =>
    isObject(value) && Object.values(value).every(check);
/** A key of an object. */
export const oneOf =
  (words: object): Check =>
  (value) =>
    typeof value === 'string' && Object.hasOwn(words, value);
/** A list of strings. */
export const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);

/** @returns whether a value is an object with such fields. */
export function fits<T extends object>(value: unknown, shape: Shape<T>): value is T {
  return (
    isObject(value) &&
    Object.entries<Check>(shape).every(([key, check]) => check((value as Record<string, unknown>)[key]))
  );
}

/** @returns what reads a record. It throws {@link BadRecord} where something else is in it. */
export function reader<T extends object>(name: string, shape: Shape<T>): (content: Buffer) => T {
  return (content) => {
    const value = jsonIn(content);
    if (!fits(value, shape)) throw new BadRecord(`a record is no ${name}`);
    return value;
  };
}

/** @returns the value in a record. @throws BadRecord */
export function jsonIn(content: Buffer): unknown {
  try {
    return JSON.parse(content.toString());
  } catch (cause) {
    throw new BadRecord('a record is not JSON', { cause });
  }
}
