/** What the commands of the bench do alike with their flags: `--help`, and a wrong call, which ends with exit code 2. */

/**
 * @typedef {Readonly<Record<string, string | false | undefined>>} Defaults by flag: a text; undefined for one that may be left out; false
 *   for one that takes no text
 */

/**
 * @template {Defaults} D
 * @typedef {{ readonly [K in keyof D]: D[K] extends string ? string : D[K] extends false ? boolean : string | undefined }} Given
 */

// Here, and not above a function, which would take the template of the type for its own.
import { parseArgs } from 'node:util';

/**
 * @template {Defaults} D
 * @template T
 * @param {{ name: string, usage: string, defaults: D }} command
 * @param {(given: Given<D>) => T} read what the flags say
 * @returns {T | undefined} undefined: there is nothing to do; the usage, or why it was a wrong call, is told
 */
export function readFlags({ name, usage, defaults }, read) {
  try {
    const given = parseArgs({ options: optionsOf({ ...defaults, help: false }) }).values;
    if (given['help'] !== true) return read(/** @type {Given<D>} */ (given));
    process.stdout.write(`${usage}\n`);
    return undefined;
  } catch (error) {
    refuse(name, `${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
}

/**
 * @param {Defaults} defaults
 * @returns {NonNullable<import('node:util').ParseArgsConfig['options']>}
 */
function optionsOf(defaults) {
  const entries = Object.entries(defaults).map(([flag, value]) => [
    flag,
    { type: value === false ? 'boolean' : 'string', ...(value !== undefined && { default: value }) },
  ]);
  return Object.fromEntries(entries);
}

/**
 * @template {{ readonly name: string }} T
 * @param {string | undefined} only names, with commas between them
 * @param {readonly T[]} all
 * @returns {readonly T[]} those that are named, in that order; all where nobody is
 * @throws {Error} for a name that nobody has
 */
export function named(only, all) {
  if (only === undefined) return all;
  return only.split(',').map((name) => {
    const found = all.find((one) => one.name === name);
    if (found === undefined) throw new Error(`there is no "${name}"`);
    return found;
  });
}

/**
 * The command ends with exit code 2.
 *
 * @param {string} name of the command
 * @param {string} reason
 */
export function refuse(name, reason) {
  process.stderr.write(`${name}: ${reason}\n`);
  process.exitCode = 2;
}

/**
 * @param {string} flag
 * @param {string} text
 * @param {{ least?: number, most?: number }} range
 * @throws {Error} when it is no whole number in the range
 */
export function wholeNumber(flag, text, { least = 1, most = Infinity }) {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= most) return number;
  const range = most === Infinity ? `from ${least}` : `from ${least} to ${most}`;
  throw new Error(`${flag} is a whole number ${range}, not "${text}"`);
}
