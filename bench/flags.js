/** What the commands of the bench do alike with their flags: `--help`, and a wrong call, which ends with exit code 2. */

/**
 * @template T
 * @param {{ name: string, usage: string }} command
 * @param {() => T | undefined} read the flags; undefined where help was asked for
 * @returns {T | undefined} undefined: there is nothing to do; the usage, or why it was a wrong call, is told
 */
export function readFlags({ name, usage }, read) {
  try {
    const flags = read();
    if (flags === undefined) process.stdout.write(`${usage}\n`);
    return flags;
  } catch (error) {
    refuse(name, `${error instanceof Error ? error.message : String(error)}\n${usage}`);
    return undefined;
  }
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
