/**
 * The formats of config files, by the ending of the file name. A parser is loaded when a file needs it: the one of YAML is
 * nearly as large as this program.
 */
import { ConfigError } from '../error.js';
import type { ParsedSource } from './source.js';

/** @param text - neither empty nor with a byte order mark */
export type Parser = (text: string) => ParsedSource;

/** @throws (rejects) ConfigError when no format has such a name */
export async function parserFor(fileName: string): Promise<Parser> {
  if (/\.json$/i.test(fileName)) return (await import('./json.js')).parseJson;
  if (/\.ya?ml$/i.test(fileName)) return (await import('./yaml.js')).parseYaml;
  throw new ConfigError('ERR_CONFIG_INVALID', `${fileName}: the name of a config file ends in .json, .yaml or .yml`);
}
