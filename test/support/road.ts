/**
 * A page of docs/ that leads from an empty directory to something that runs: its files and its commands, as they are written
 * there, in a directory of a test. What it installs comes from the npm registry, but this package comes as the tarball that
 * would be published. A registry that cannot be reached is a failure: nobody would know that the page has broken.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { temporaryDirectory } from './daemon.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

/**
 * What the tests install where a page names a package without a version, or with a major one. The only place: a test does not
 * break because somebody publishes something, and whoever raises a version here sees whether the pages still hold.
 */
const PINNED: Readonly<Record<string, string>> = {
  'create-vite': '9.3.0',
  vite: '8.4.0',
  typescript: '7.0.2',
  autobahn: '22.11.1',
  'autobahn-browser': '22.11.1',
  '@types/autobahn': '20.9.4',
  '@types/node': '20.19.43',
  vitest: '4.1.12',
};

/** For npm: the cache first, no advertising, and an answer within seconds where there is no network. */
const NPM = {
  npm_config_prefer_offline: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
  npm_config_save_exact: 'true',
  npm_config_yes: 'true',
  npm_config_fetch_retries: '2',
  npm_config_fetch_retry_mintimeout: '1000',
  npm_config_fetch_retry_maxtimeout: '3000',
};

const UNREACHABLE = /\b(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|E50[0-9])\b/;

/** A block of a page. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** The file that it is, when the line before it ends with its name in backticks and a colon. */
  readonly file: string | undefined;
}

export class Road {
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Where the commands run; `cd` changes it. */
  cwd = temporaryDirectory();

  /** @param name of a file in docs/ @param edit puts what a test may use in the place of ports and directories */
  constructor(name: string, edit: (text: string) => string = (text) => text) {
    this.text = edit(readFileSync(path.join(ROOT, 'docs', name), 'utf8'));
    this.blocks = [...this.text.matchAll(/^(.*)\n*^```(\w+)\n([^]*?)^```/gm)].map(
      ([, before = '', language = '', text = '']) => ({ language, text, file: /`([^`]+)`:$/.exec(before)?.[1] }),
    );
  }

  /** The lines of the block of commands that has `word` in it. */
  commands(word: string): readonly string[] {
    const block = this.blocks.find(({ language, text }) => language === 'sh' && text.includes(word));
    if (block === undefined) throw new Error(`the page has no command with "${word}"`);
    return block.text.trim().split('\n');
  }

  /** All lines of commands that begin so. */
  commandLines(start: string): readonly string[] {
    const lines = this.blocks.filter(({ language }) => language === 'sh').flatMap(({ text }) => text.split('\n'));
    return lines.filter((line) => line.startsWith(start));
  }

  /** What the page says is in a file. */
  file(name: string): string {
    const block = this.blocks.find(({ file }) => file === name);
    if (block === undefined) throw new Error(`the page has no file ${name}`);
    return block.text;
  }

  /** Writes all files of the page. */
  writeFiles(): void {
    for (const { file, text } of this.blocks) if (file !== undefined) this.write(file, text);
  }

  write(file: string, text: string): void {
    mkdirSync(path.dirname(path.join(this.cwd, file)), { recursive: true });
    writeFileSync(path.join(this.cwd, file), text);
  }

  /** The rows of the table whose first column has this head, cell by cell. */
  table(head: string): readonly (readonly string[])[] {
    const table = new RegExp(`^\\| ${head} .*\\n.*\\n((?:\\|.*\\n?)+)`, 'm').exec(this.text)?.[1];
    if (table === undefined) throw new Error(`the page has no table "${head}"`);
    const rows = table.trim().split('\n');
    return rows.map((row) => row.slice(1, -1).split(/(?<!\\)\|/).map((cell) => cell.trim())); // prettier-ignore
  }

  /**
   * Runs commands as the page has them, with the versions that are pinned here and the tarball for this package.
   *
   * @returns what they wrote to standard output.
   * @throws Error with all that a command wrote when it fails; when it is the registry, with a line that says so.
   */
  async run(commands: readonly string[]): Promise<string> {
    let output = '';
    for (const command of commands) {
      const [, directory] = /^cd (\S+)$/.exec(command) ?? [];
      if (directory !== undefined) {
        this.cwd = path.join(this.cwd, directory);
        continue;
      }
      output += await this.#shell(command.startsWith('npm ') ? await pinned(command) : command);
      if (command.startsWith('npm create')) pinTemplate(path.join(this.cwd, command.split(' ')[3] ?? ''));
    }
    return output;
  }

  async #shell(command: string): Promise<string> {
    try {
      // `npm` adds variables for its scripts, which would make another npm work in the directory of this checkout.
      const own = Object.entries(process.env).filter(([name]) => !/^npm_(package|lifecycle|command)/i.test(name));
      const env = { ...Object.fromEntries(own), NO_COLOR: '1', CI: '', NODE_ENV: '', VITEST: '', ...NPM };
      return (await run('bash', ['-euc', command], { cwd: this.cwd, env })).stdout;
    } catch (error) {
      const { stdout, stderr } = error as { readonly stdout: string; readonly stderr: string };
      const told = UNREACHABLE.test(stderr)
        ? `the npm registry cannot be reached, and this test installs from it:\n`
        : '';
      throw new Error(`${told}\`${command}\` failed\n${stdout}${stderr}`, { cause: error });
    }
  }
}

/** `npm install --save-dev vite@8 crossbar-ts` -> `... vite@8.4.0 /tmp/crossbar-ts-0.1.0.tgz` */
async function pinned(command: string): Promise<string> {
  const words = command.split(' ').map(async (word) => {
    if (word === 'crossbar-ts') return packed();
    const name = word.replace(/(?<=.)@\d+$/, '');
    const version = PINNED[command.startsWith('npm create') ? `create-${name}` : name];
    return version === undefined ? word : `${name}@${version}`;
  });
  return (await Promise.all(words)).join(' ');
}

/** A template names ranges; what stands here is installed instead. */
function pinTemplate(directory: string): void {
  const file = path.join(directory, 'package.json');
  const project = JSON.parse(readFileSync(file, 'utf8')) as { devDependencies: Record<string, string> };
  for (const name of Object.keys(project.devDependencies)) {
    const version = PINNED[name];
    if (version === undefined)
      throw new Error(`the template installs ${name}: pin its version in ${import.meta.filename}`);
    project.devDependencies[name] = version;
  }
  writeFileSync(file, JSON.stringify(project, null, 2));
}

let tarball: Promise<string> | undefined;

/** @returns the tarball of this package, packed once for each file of tests. */
async function packed(): Promise<string> {
  tarball ??= (async () => {
    const place = temporaryDirectory();
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', place];
    const [{ filename }] = JSON.parse((await run('npm', args, { cwd: ROOT })).stdout) as [{ filename: string }];
    return path.join(place, filename);
  })();
  return tarball;
}
