/**
 * The errors of a config. Every problem is one line of the same form, so that editors and people find the place:
 * `config.json:12:9: /workers/0/id: found "1" (allowed: ...)`.
 */

export type ConfigErrorCode =
  /** There is no config file, or it cannot be read. */
  | 'ERR_CONFIG_MISSING'
  /** The file is there and something in it is wrong. */
  | 'ERR_CONFIG_INVALID';

/** One thing that is wrong, or worth a warning. */
export interface ConfigProblem {
  /** The name of the file, without its directory; `config` for a config that is an object. */
  readonly file: string;
  /** Counted from 1; 0 where there is no file. */
  readonly line: number;
  /** Counted from 1, in UTF-16 code units as editors do; 0 where there is no file. */
  readonly column: number;
  /** JSON pointer (RFC 6901) of the place; `(root)` is the whole document. */
  readonly pointer: string;
  /** What was found and what is allowed. Never carries a secret. */
  readonly text: string;
}

/** The config cannot be used. `message` has one line per problem, in the order of the file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code: ConfigErrorCode;
  readonly problems: readonly ConfigProblem[];

  constructor(code: ConfigErrorCode, message: string, problems: readonly ConfigProblem[] = [], options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.problems = problems;
  }
}

/** @returns the one-line form of a problem. */
export function formatProblem({ file, line, column, pointer, text }: ConfigProblem): string {
  const place = line === 0 ? file : `${file}:${line}:${column}`;
  return `${place}: ${pointer}: ${text}`;
}

/** @returns one error with all problems. */
export function invalidConfig(problems: readonly ConfigProblem[]): ConfigError {
  return new ConfigError('ERR_CONFIG_INVALID', problems.map(formatProblem).join('\n'), problems);
}
