/** Dockerfile and .dockerignore, as far as they can be looked at without a daemon: what the image runs, and what gets into it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { describe, expect, it } from 'vitest';
import { nodeDirectory, runCli, temporaryDirectory } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** Instruction and argument of each line, comments left out. */
const lines = read('Dockerfile')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line): [string, string] => [line.split(' ', 1).join(''), line.slice(line.indexOf(' ') + 1)]);
const stages = lines.filter(([word]) => word === 'FROM').map(([, image]) => image);
const last = lines.slice(lines.findLastIndex(([word]) => word === 'FROM'));
const given = (word: string): string => last.find(([one]) => one === word)?.[1] ?? '';
const words = (text: string): string[] => JSON.parse(text) as string[];

describe('the image', () => {
  it('has instructions that there are', () => {
    const known = ['FROM', 'WORKDIR', 'COPY', 'RUN', 'ENV', 'USER', 'VOLUME', 'EXPOSE', 'STOPSIGNAL', 'HEALTHCHECK'];
    for (const [word] of lines) expect([...known, 'ENTRYPOINT', 'CMD']).toContain(word);
    expect(stages).toEqual(['node:22-slim AS build', 'node:22-slim']);
  });

  it('runs as a user that is not root, by number, who owns what it writes to', () => {
    const [user = ''] = given('USER').split(':');
    expect(Number(user)).toBeGreaterThan(0);
    const [, owned = ''] = new RegExp(`chown ${given('USER')} (.*)$`).exec(given('RUN')) ?? [];
    const env = given('ENV')
      .split(' ')
      .map((pair) => pair.split('='));
    const places = env.filter(([name]) => name?.startsWith('CROSSBAR_')).map(([, place]) => place);
    expect(places).toHaveLength(3);
    expect(owned.split(' ')).toEqual(expect.arrayContaining(places));
    expect(places).toContain('/node/.crossbar');
  });

  it('starts a node with a root that it does not write to, is well, and ends by its signal', async () => {
    const top = temporaryDirectory();
    const cookie = { store: { type: 'file', filename: 'cookies.dat' } };
    const cbdir = nodeDirectory(nodeConfig({ websocket: { cookie } }));
    const place = (text: string): string => (text === '/node/.crossbar' ? cbdir : path.join(top, text));
    const pairs = given('ENV')
      .split(' ')
      .map((pair) => pair.split('=') as [string, string]);
    const env = Object.fromEntries(pairs.map(([name, value]) => [name, value.startsWith('/') ? place(value) : value]));
    const [program, ...args] = [...words(given('ENTRYPOINT')), ...words(given('CMD'))];
    const bin = JSON.parse(read('package.json')) as { bin: Record<string, string> };
    const file = path.join(ROOT, bin.bin[program ?? ''] ?? '');
    const child = spawn(process.execPath, [file, ...args], {
      cwd: top,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for await (const line of createInterface({ input: child.stdout })) if (line.includes('"node started"')) break;
    child.stdout.resume();
    const [, check = '[]'] = /CMD (\[.*\])$/.exec(given('HEALTHCHECK')) ?? [];
    const [checker, ...asks] = words(check);
    expect(checker).toBe(program);
    expect((await runCli(asks, { env, cwd: top })).code).toBe(0);
    expect(existsSync(path.join(top, 'state/cookies.dat'))).toBe(true);
    const ended = once(child, 'exit');
    child.kill(given('STOPSIGNAL') as NodeJS.Signals);
    expect(await ended).toEqual([0, null]);
    expect((await runCli(asks, { env, cwd: top })).code).toBe(69);
  });
});

describe('what the build gets', () => {
  const rules = read('.dockerignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => ({ isTaken: line.startsWith('!'), pattern: asPattern(line.replace(/^!/, '')) }));

  /** The last rule that fits decides; a rule is also for all that is below. */
  function isLeftOut(file: string): boolean {
    const rule = rules.findLast(({ pattern }) => pattern.test(file));
    return rule !== undefined && !rule.isTaken;
  }

  function asPattern(line: string): RegExp {
    const text = line
      .replaceAll('.', '\\.')
      .replaceAll(/\*\*\/|\*/g, (stars) => (stars === '*' ? '[^/]*' : '(?:.*/)?'));
    return new RegExp(`^${text}(?:/|$)`);
  }

  it('is all that the package is made of', () => {
    const { files } = JSON.parse(read('package.json')) as { files: readonly string[] };
    const needed = files.filter((file) => !file.startsWith('!') && file !== 'dist');
    for (const file of [...needed, 'package.json', 'package-lock.json', 'src/index.ts', 'scripts/build.js']) {
      expect([file, isLeftOut(file)]).toEqual([file, false]);
    }
    for (const file of ['tsconfig.json', 'tsconfig.build.json', 'LICENSE', 'README.md']) {
      expect([file, isLeftOut(file)]).toEqual([file, false]);
    }
  });

  it('is nothing secret, and nothing of a node that runs here', () => {
    for (const file of [
      ...['.git/config', 'node_modules/ws/index.js', 'dist/index.js', 'test/browser/x.ts', '.env', 'web/.env.local'],
      ...['.crossbar/cookies.dat', '.crossbar/cookies.dat.lock', '.crossbar/node.pid', '.crossbar/node.sock'],
      ...[
        '.crossbar/key.priv',
        'config/server.key',
        'config/server.pem',
        'examples/a/node.log',
        '.crossbar/node.log.1',
      ],
    ]) {
      expect([file, isLeftOut(file)]).toEqual([file, true]);
    }
  });
});
