/**
 * `crossbar-ts init`: a working node with a page, from a template of this package. What is there already stays as it is. What was chosen
 * wrongly is found before anything is written.
 */
import path from 'node:path';

import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';

import { checkConfig } from '../../config/check.js';
import { ConfigError } from '../../config/error.js';
import { parserFor } from '../../config/source/formats.js';
import { PACKAGE_ROOT } from '../../node/package.js';
import { askTemplate, unknownTemplate } from './ask.js';
import type { Choices, NewUser } from './fill.js';
import { planOf, write } from './plan.js';
import type { Plan, Written } from './plan.js';
import { DEFAULT_TEMPLATE, readTemplate, templateNames } from './template.js';
import type { Template } from './template.js';

export interface InitOptions extends Choices {
  readonly appdir: string;
  readonly template?: string;
}

/** Makes the node and says what to do next. */
export async function init(options: InitOptions, command: Command): Promise<void> {
  const { appdir, realm } = options;
  const template = options.template ?? (await chosenTemplate());
  if (template === undefined) return command.error('error: no template was chosen, so nothing was written');
  const plan = await planOf(readTemplate(PACKAGE_ROOT, template), options);
  const wrong = realm === undefined ? undefined : await realmProblem(plan);
  if (wrong !== undefined) {
    return command.error(`error: option '--realm <name>' argument '${realm ?? ''}' is invalid. ${wrong}`);
  }
  const result = write(plan, path.resolve(appdir));
  const lines = [
    ...result.written.map((file) => `wrote    ${path.join(appdir, file)}`),
    ...result.skipped.map((file) => `skipped  ${path.join(appdir, file)} (exists)`),
    '',
    ...(result.hasConfig ? plan.users.map(login) : withoutEffect(options)),
    ...nextSteps(options, result),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}

/** The value of `--template`. @throws InvalidArgumentError */
export function templateName(word: string): string {
  const names = templateNames(PACKAGE_ROOT);
  if (names.includes(word)) return word;
  throw new InvalidArgumentError(unknownTemplate(word, names));
}

/** The value of `--port`. @throws InvalidArgumentError */
export function portNumber(word: string): number {
  const port = /^\d{1,5}$/.test(word) ? Number(word) : 0;
  if (port >= 1 && port <= 65_535) return port;
  throw new InvalidArgumentError(
    'It is a number from 1 to 65535. (0 would be any free port: nobody would find the node.)',
  );
}

/** @returns the lines of the help that tell the templates apart. */
export function templateHelp(): string {
  const templates = allTemplates();
  const width = Math.max(...templates.map(({ name }) => name.length));
  return ['', 'Templates:', ...templates.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)].join('\n');
}

function allTemplates(): Template[] {
  return templateNames(PACKAGE_ROOT).map((name) => readTemplate(PACKAGE_ROOT, name));
}

async function chosenTemplate(): Promise<string | undefined> {
  const { stdin, stdout } = process;
  if (!stdin.isTTY || !stdout.isTTY) return DEFAULT_TEMPLATE;
  return askTemplate(allTemplates(), { input: stdin, output: stdout });
}

/** @returns what the check of configs says of the name of the realm; undefined when nothing. */
async function realmProblem({ config, users: [user] }: Plan): Promise<string | undefined> {
  const context = { parse: await parserFor('config.json'), cbdir: '.crossbar', env: {} };
  try {
    checkConfig(config, 'config.json', { ...context, secretFiles: () => ({ secret: user?.key ?? '' }) });
    return undefined;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const problem = error.problems.find(({ pointer }) => /\/realms\/\d+\/name$/.test(pointer));
    if (problem === undefined) throw error;
    return problem.text.replace(/^found/, 'Found');
  }
}

function login({ name, password }: NewUser): string {
  return `Log in as ${name} with the password ${password} (written nowhere else: the node has a key made from it).\n`;
}

function withoutEffect({ port, realm }: Choices): string[] {
  const given = [...(port === undefined ? [] : ['--port']), ...(realm === undefined ? [] : ['--realm'])];
  return given.map((option) => `${option} has no effect on a config that exists.`);
}

function nextSteps({ appdir, port = 8080 }: InitOptions, { hasConfig }: Written): string[] {
  const cbdir = quoted(path.join(appdir, '.crossbar'));
  // Whoever came by npx, or by a script of their package, has no such command in their shell.
  const command = (process.env['npm_command'] ?? '') === '' ? 'crossbar-ts' : 'npx crossbar-ts';
  const address = [
    `  open http://127.0.0.1:${port}/`,
    'Other machines cannot reach it, nor can the host of a container: "interface" in the config is 127.0.0.1.',
  ];
  return [
    'Next:',
    `  ${command} check --cbdir ${cbdir}`,
    `  ${command} start --cbdir ${cbdir}`,
    ...(hasConfig ? address : ['  open the address that it shows']),
  ];
}

function quoted(file: string): string {
  return /^[\w./@+-]+$/.test(file) ? file : `'${file.replaceAll("'", "'\\''")}'`;
}
