/** Reads a config file to be written as version 2. It writes nothing itself. */
import { checkConfig } from '../check.js';
import { ConfigError } from '../error.js';
import type { ConfigProblem } from '../error.js';
import { filesOfConfig, readConfig } from '../load.js';
import type { LoadOptions, ReadConfig } from '../load.js';
import { plainValue } from '../source/source.js';
import type { SourceNode } from '../source/source.js';
import { LineIndex } from '../source/text.js';
import { jsonText } from './json-text.js';
import { UPGRADED, upgradeSource } from './upgrade.js';
import type { UpgradedSource } from './upgrade.js';

/** A config file, and what it becomes. */
export interface ConfigUpgrade {
  /** The file, absolute. */
  readonly file: string;
  /** Its content. */
  readonly before: Uint8Array;
  /** Its text as version 2; undefined when it is of a later version than 1 already. */
  readonly after: string | undefined;
  readonly warnings: readonly ConfigProblem[];
}

/**
 * Finds the config, as `loadConfig` does, checks it, and upgrades it.
 *
 * @throws ConfigError when there is no file, anything in it is wrong, or it cannot be written as version 2 with the same meaning
 */
export async function loadUpgrade(options: LoadOptions): Promise<ConfigUpgrade> {
  const read = await readConfig(options);
  const { file, bytes: before, name, text } = read;
  const source = upgradeSource(read.parse(text));
  if (isLater(source)) return { file, before, after: undefined, warnings: [] };

  const context = { ...options, ...filesOfConfig, parse: read.parse };
  const { warnings } = checkConfig(text, name, context);
  const after = await textOf(source.root, read);
  const again = upgradeSource(read.parse(after));
  if (again.old || meaningOf(again.root) !== meaningOf(source.root)) throw unwritable(name);
  checkConfig(after, name, context);
  return {
    file,
    before,
    after,
    warnings: [...read.warnings, ...warnings.filter((warning) => warning.text !== UPGRADED)],
  };
}

function isLater({ root, old }: UpgradedSource): boolean {
  if (old || root?.kind !== 'object') return false;
  const version = root.members.findLast(({ key }) => key === 'version')?.value;
  return version?.kind === 'scalar' && typeof version.value === 'number' && version.value >= 2;
}

async function textOf(root: SourceNode | undefined, { name, text }: ReadConfig): Promise<string> {
  if (root === undefined) throw unwritable(name);
  if (/\.json$/i.test(name)) return jsonText(root, text);
  const { yamlText } = await import('./yaml-text.js');
  try {
    return yamlText(text);
  } catch (cause) {
    throw unwritable(name, cause);
  }
}

function meaningOf(root: SourceNode | undefined): string | undefined {
  return root === undefined ? undefined : JSON.stringify(plainValue(root, new LineIndex('')).value);
}

/** Anchors and aliases can join what version 2 keeps apart. */
function unwritable(name: string, cause?: unknown): ConfigError {
  const text = `${name} cannot be written as version 2 with the same meaning: write its rules without anchors and aliases first`;
  return new ConfigError('ERR_CONFIG_INVALID', text, [], { cause });
}
