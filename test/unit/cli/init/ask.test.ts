import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';

import { askTemplate } from '../../../../src/cli/init/ask.js';

const TEMPLATES = [
  { name: 'minimal', summary: 'a small one' },
  { name: 'demo', summary: 'a large one' },
];

/** Answers each question with the next line; without one the input ends. */
async function ask(...answers: string[]): Promise<{ chosen: string | undefined; told: string }> {
  const [input, output] = [new PassThrough(), new PassThrough()];
  let told = '';
  output.on('data', (data: Buffer) => {
    told += data.toString();
    if (!data.toString().endsWith(': ')) return;
    const answer = answers.shift();
    if (answer === undefined) input.end();
    else input.write(`${answer}\n`);
  });
  const chosen = await askTemplate(TEMPLATES, { input, output });
  return { chosen, told };
}

describe('the question for the template', () => {
  it.each([
    ['', 'minimal'],
    ['1', 'minimal'],
    [' 2 ', 'demo'],
    ['demo', 'demo'],
  ])('%j is %s', async (answer, name) => {
    expect((await ask(answer)).chosen).toBe(name);
  });

  it('tells what there is', async () => {
    const { told } = await ask('');
    expect(told).toContain('  1  minimal  a small one\n  2  demo     a large one\n');
    expect(told).toMatch(/\(Enter: minimal\): $/);
  });

  it('is asked again after an answer that is none', async () => {
    const { chosen, told } = await ask('3', 'dmeo', '2');
    expect(chosen).toBe('demo');
    expect(told).toContain('There is no template "3" (There are: minimal, demo.)\n');
    expect(told).toContain('There is no template "dmeo", did you mean demo? (There are: minimal, demo.)\n');
  });

  it('has no answer when the input ends', async () => {
    expect((await ask()).chosen).toBeUndefined();
  });
});
