/** Asks at a terminal which template `init` shall take. */
import type { Readable, Writable } from 'node:stream';

import { nearest } from '../../config/suggest.js';
import type { Template } from './template.js';

/** Where people sit. */
export interface Terminal {
  readonly input: Readable;
  readonly output: Writable;
}

/** @returns the name of the chosen template, the first one on Enter; undefined when they left (Ctrl-C, Ctrl-D). */
export async function askTemplate(
  templates: readonly Pick<Template, 'name' | 'summary'>[],
  { input, output }: Terminal,
): Promise<string | undefined> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input, output });
  // Some versions of Node.js reject a question that nobody will answer, others leave it open.
  const left = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)));
  try {
    const names = templates.map(({ name }) => name);
    const width = Math.max(...names.map(({ length }) => length));
    const rows = templates.map(({ name, summary }, index) => `  ${index + 1}  ${name.padEnd(width)}  ${summary}\n`);
    output.write(`Which template?\n${rows.join('')}`);
    for (;;) {
      const question = lines.question(`A number or a name (Enter: ${names[0] ?? ''}): `);
      const answer = await Promise.race([question.catch(() => undefined), left]);
      if (answer === undefined) {
        output.write('\n');
        return undefined;
      }
      const chosen = chosenBy(answer.trim(), names);
      if (chosen !== undefined) return chosen;
      output.write(`${unknownTemplate(answer.trim(), names)}\n`);
    }
  } finally {
    lines.close();
  }
}

function chosenBy(answer: string, names: readonly string[]): string | undefined {
  if (answer === '') return names[0];
  return names.find((name, index) => answer === name || answer === String(index + 1));
}

/** @returns what to say of a template that there is not. */
export function unknownTemplate(word: string, names: readonly string[]): string {
  const meant = nearest(word, names);
  const hint = meant === undefined ? '' : `, did you mean ${meant}?`;
  return `There is no template ${JSON.stringify(word)}${hint} (There are: ${names.join(', ')}.)`;
}
