/**
 * `crossbar-ts check --explain`: may this role do that, and which rule says so? The exit code is the answer:
 *
 *     0  allowed
 *     1  denied
 *     2  no answer: an authorizer decides, or something is wrong with the question or the config
 */
import type { Command } from 'commander';

import { explain as explained } from '../config/explain/explain.js';
import type { Answer, Asked, Reason } from '../config/explain/explain.js';
import { loadConfig } from '../config/load.js';
import { resolveCbdir } from '../node/cbdir.js';
import { describeFailure } from './report.js';

export interface ExplainOptions {
  readonly cbdir?: string;
  readonly config?: string;
  readonly strict?: boolean;
  readonly realm?: string;
  readonly role?: string;
  readonly match?: Asked['match'];
}

/** The options that are about a question. */
export const EXPLAIN_ONLY = ['realm', 'role', 'match'] as const satisfies readonly (keyof ExplainOptions)[];

/** A question as it was typed. */
export interface TypedQuestion extends ExplainOptions {
  readonly action: string | undefined;
  readonly uri: string | undefined;
}

const NO_ANSWER = 2;
const CODES: Record<Answer['verdict'], number> = { allowed: 0, denied: 1, unknown: NO_ANSWER };

/** Prints the answer, and sets the exit code. */
export async function explain(question: TypedQuestion, command: Command): Promise<void> {
  const asked = askedIn(question, command);
  try {
    const { cbdir: option, config, strict, realm, role } = question;
    const cbdir = resolveCbdir({ option, env: process.env, cwd: process.cwd() });
    const loaded = await loadConfig({ cbdir, env: process.env, strict, ...(config === undefined ? {} : { config }) });
    const answers = explained(loaded, { realm, role }, asked);
    if (typeof answers === 'string') return command.error(`error: ${answers}`, { exitCode: NO_ANSWER });
    process.stdout.write(answers.map((answer) => textOf(answer, asked, answers.length > 1)).join(''));
    process.exitCode = codeOf(answers);
  } catch (error) {
    process.stderr.write(describeFailure(error));
    process.exitCode = NO_ANSWER;
  }
}

/** Ends the program where there is no question. */
function askedIn({ action, uri, match = 'exact' }: TypedQuestion, command: Command): Asked {
  const wrong = (text: string): never => command.error(`error: ${text}`, { exitCode: NO_ANSWER });
  if (!isAction(action) || uri === undefined) return wrong('say what is asked: an action, and a URI behind it');
  if (match !== 'exact' && (action === 'call' || action === 'publish')) {
    return wrong(`--match is for patterns, which one can register and subscribe to, but not ${action}`);
  }
  return { action, uri, match };
}

/** Denied by one worker is not allowed. */
function codeOf(answers: readonly Answer[]): number {
  const verdicts = answers.map(({ verdict }) => verdict);
  return CODES[
    verdicts.find((verdict) => verdict === 'denied') ?? verdicts.find((verdict) => verdict === 'unknown') ?? 'allowed'
  ];
}

function isAction(word: string | undefined): word is Asked['action'] {
  return word !== undefined && Object.hasOwn(DOING, word);
}

const DOING: Record<Asked['action'], string> = {
  call: 'call',
  register: 'register',
  publish: 'publish to',
  subscribe: 'subscribe to',
};

function textOf(
  { verdict, realm, role, worker, reasons, error }: Answer,
  { action, uri, match }: Asked,
  isOneOfMany: boolean,
): string {
  const may = { allowed: 'may', denied: 'may not', unknown: 'may or may not' }[verdict];
  const what = match === 'exact' ? `"${uri}"` : `the pattern "${uri}" (${match})`;
  const where = isOneOfMany ? ` of worker "${worker}"` : '';
  const heard = error === undefined ? [] : [`the client gets ${error.uri}: ${error.text}`];
  const lines = [...reasons.map(reasonText), ...heard].map((line) => `  ${line}\n`);
  return `${verdict}: role "${role}" on realm "${realm}"${where} ${may} ${DOING[action]} ${what}\n${lines.join('')}`;
}

function reasonText({ text, place }: Reason): string {
  return place === undefined ? text : `${place.file}:${place.line}:${place.column}: ${text}`;
}
