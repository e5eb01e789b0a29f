/**
 * Looks at what a checked config names: files, directories, modules, stores. For `check`, so that it sees what a start would see.
 * Nothing is written, locked, opened for others or run.
 */
import type { Environment } from '../config/environment.js';
import type { ConfigProblem } from '../config/error.js';
import type { Look } from '../schema/look.js';
import { LOOKS } from '../worker/looks.js';
import { SHIPPED } from '../worker/registry.js';
import type { Families } from '../worker/registry.js';
import { isDisabled } from '../worker/worker.js';
import type { NodeSource } from './directory.js';
import { privatePathsOf } from './private-paths.js';

export interface LookOptions {
  /** Where relative paths of the config start, absolute. */
  readonly cbdir: string;
  /** By default what we ship. */
  readonly families?: Families;
  /** In which programs are found; by default that of the process. */
  readonly env?: Environment;
  /** Milliseconds since 1970; `Date.now` by default. */
  readonly clock?: () => number;
}

/** What was seen, in the order of the file. */
export interface Seen {
  /** What keeps the node from starting. */
  readonly problems: readonly ConfigProblem[];
  /** What the node starts with all the same. */
  readonly warnings: readonly ConfigProblem[];
}

/** Workers that are switched off are passed over, as the start does. */
export async function look(
  loaded: NodeSource,
  { cbdir, families = SHIPPED, env = process.env, clock = Date.now }: LookOptions,
): Promise<Seen> {
  const problems: ConfigProblem[] = [];
  const warnings: ConfigProblem[] = [];
  const tools = { cbdir, env, clock, privatePaths: privatePathsOf(loaded, cbdir, families) };
  for (const { look: word, value, worker, problem } of loaded.sights) {
    const config = loaded.config.workers[worker];
    if (config === undefined || isDisabled(config)) continue;
    // The schema that names the look is the one that the value was checked by.
    const lookAt = LOOKS[word] as Look<unknown>;
    await lookAt(value, {
      ...tools,
      report: (below, text) => void problems.push(problem(below, text)),
      warn: (below, text) => void warnings.push(problem(below, text)),
    });
  }
  return { problems: inOrder(problems), warnings: inOrder(warnings) };
}

function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column);
}
