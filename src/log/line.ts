/**
 * Lines that are written for every connection, at a fraction of their usual price: the names of their fields are known beforehand, and
 * their values are short texts and numbers. What comes out is the same to the byte as what pino writes.
 *
 * There is no second way to escape a text: where one needs it, pino writes the line. It does so, too, with the logger of a program
 * that embeds a node, which may be set up in any way, and where a field has the name of a secret.
 */
import type { Logger } from 'pino';
import { isSecretName } from './redact.js';

/** What a field may hold; one that is undefined is left out. */
export type LineValue = string | number | undefined;

/** Levels of such lines. */
export type LineLevel = 'info' | 'debug';

/** Writes a line of a logger. @param rest the members behind those that the logger has from its making, each with a comma before it. */
export type WriteLine = (log: Logger, level: LineLevel, rest: string) => void;

const WRITE_LINE = Symbol('write line');

/** Lets lines be written to a logger and its children without pino. */
export function letWriteLines(log: Logger, write: WriteLine): void {
  // pino makes children by the prototype of their parent.
  Object.assign(log, { [WRITE_LINE]: write });
}

/** All but what JSON escapes, and the halves of characters: those are paired, or they are not. */
const PLAIN = /^[ !#-[\]-\ud7ff\ue000-\uffff]*$/;

/** Lines of one kind, in whatever logger. */
export class LineKind<Names extends readonly string[]> {
  readonly #level: LineLevel;
  readonly #message: string;
  readonly #names: Names;
  /** Each with the comma before it and the colon behind it. */
  readonly #keys: readonly string[];
  readonly #end: string;
  readonly #hasSecrets: boolean;

  /**
   * @param names of the fields, in their order in the line.
   * @param message a constant, lower-case phrase.
   */
  constructor(level: LineLevel, names: Names, message: string) {
    this.#level = level;
    this.#message = message;
    this.#names = names;
    this.#keys = names.map((name) => `,${JSON.stringify(name)}:`);
    this.#end = `,"msg":${JSON.stringify(message)}`;
    this.#hasSecrets = names.some(isSecretName);
  }

  /** Whether a logger writes such lines at present: if not, there is no need to look for the values. */
  isWrittenBy(log: Logger): boolean {
    return log.isLevelEnabled(this.#level);
  }

  /** @param values of the fields, in the order of their names. */
  write(log: Logger, values: { readonly [Index in keyof Names]: LineValue }): void {
    const writeLine = (log as { readonly [WRITE_LINE]?: WriteLine })[WRITE_LINE];
    const fields = writeLine === undefined || this.#hasSecrets ? undefined : this.#fieldsOf(values);
    if (writeLine === undefined || fields === undefined) this.#writeInGeneral(log, values);
    else if (this.isWrittenBy(log)) writeLine(log, this.#level, fields + this.#end);
  }

  /** @returns undefined where a text is not plain. */
  #fieldsOf(values: readonly LineValue[]): string | undefined {
    let fields = '';
    for (let index = 0; index < values.length; index++) {
      const value = values[index];
      if (value === undefined) continue;
      const key = this.#keys[index] ?? '';
      if (typeof value === 'number') fields += `${key}${Number.isFinite(value) ? value : 'null'}`;
      else if (PLAIN.test(value)) fields += `${key}"${value}"`;
      else return undefined;
    }
    return fields;
  }

  #writeInGeneral(log: Logger, values: readonly LineValue[]): void {
    const fields = Object.fromEntries(this.#names.map((name, index) => [name, values[index]]));
    log[this.#level](fields, this.#message);
  }
}
