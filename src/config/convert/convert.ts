/** A config in the other format: JSON as YAML, or YAML as JSON. It writes nothing itself. */
import { checkConfig } from '../check.js';
import { ConfigError } from '../error.js';
import type { ConfigProblem } from '../error.js';
import { filesOfConfig, readConfig } from '../load.js';
import type { LoadOptions } from '../load.js';
import { parserFor } from '../source/formats.js';
import { plainValue } from '../source/source.js';
import type { SourceNode } from '../source/source.js';
import { LineIndex } from '../source/text.js';

/** A config file, and what it is in the other format. */
export interface Conversion {
  /** The file, absolute. */
  readonly file: string;
  /** Beside it, with the ending of the other format; absolute. */
  readonly converted: string;
  /** The text in the other format: the same values, with keys in the same order. */
  readonly text: string;
  /** Whether there are comments, which JSON does not know. */
  readonly losesComments: boolean;
  /** About other files. */
  readonly warnings: readonly ConfigProblem[];
}

/**
 * Finds the config, as `loadConfig` does, checks it, and converts it.
 *
 * @throws ConfigError when there is no file, anything in it is wrong, or the other format does not give the same values again
 */
export async function convertConfig(options: LoadOptions): Promise<Conversion> {
  const { file, name, text, parse, warnings } = await readConfig(options);
  checkConfig(text, name, { ...options, ...filesOfConfig, parse });
  const value = meaningOf(parse(text).root);
  const isJson = /\.json$/i.test(name);
  const { Lexer, stringify } = await import('yaml');
  const after = isJson ? stringify(value, { lineWidth: 0 }) : `${JSON.stringify(value, null, 2)}\n`;
  const converted = file.replace(/\.[^.]+$/, isJson ? '.yaml' : '.json');
  const again = meaningOf((await parserFor(converted))(after).root);
  if (JSON.stringify(again) !== JSON.stringify(value)) {
    throw new ConfigError('ERR_CONFIG_INVALID', `${name} cannot be written in the other format with the same values`);
  }
  const losesComments = !isJson && Array.from(new Lexer().lex(text)).some((lexeme) => lexeme.startsWith('#'));
  return { file, converted, text: after, losesComments, warnings };
}

function meaningOf(root: SourceNode | undefined): unknown {
  return root === undefined ? undefined : plainValue(root, new LineIndex('')).value;
}
