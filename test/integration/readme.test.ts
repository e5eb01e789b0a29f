/** What README.md tells a newcomer to do, done. (`npm ci`, `npm start` and `npm test` are run by CI itself.) */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { startNode } from '../../src/node/start.js';
import { runCli, startDaemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';

const root = path.resolve(import.meta.dirname, '../..');
const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
const scratch = mkdtempSync(path.join(tmpdir(), 'readme-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** The code blocks of one language, in order. */
function blocks(language: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text);
}

/** Writes a node directory as the README describes it; port 8080 may be in use where the tests run. */
function nodeDirectory(config: string): string {
  const cbdir = mkdtempSync(path.join(scratch, 'node-'));
  writeFileSync(path.join(cbdir, 'config.json'), config.replace('"port": 8080', '"port": 0'));
  mkdirSync(path.join(cbdir, '../web'), { recursive: true });
  return cbdir;
}

/** Files that a page links to. */
function linksOf(page: string): string[] {
  const targets = [...page.matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
  return targets.filter((target) => !target.includes('://'));
}

const wholeConfig = blocks('json').find((text) => text.includes('"version"')) ?? '';

describe('docs/authentication.md', () => {
  it('has a command that makes what SCRAM needs', async () => {
    const text = readFileSync(path.join(root, 'docs/authentication.md'), 'utf8');
    const command = /^```sh\n(node -e [^]*?)^```/m.exec(text)?.[1] ?? '';
    const joe: unknown = JSON.parse(execFileSync('bash', ['-euc', command], { encoding: 'utf8' }));
    const auth = { scram: { type: 'static', principals: { joe } } };
    const config = nodeConfig({ websocket: { auth, options: { allowed_origins: ['self'] } } });
    const { code, stderr } = await runCli(['check', '--cbdir', nodeDirectory(JSON.stringify(config))]);
    expect([code, stderr]).toEqual([0, '']);
  });
});

describe('README.md', () => {
  it('leads with the commands that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: object };
    expect(blocks('sh')[0]).toMatch(/^npm ci && npm start .*\nnpm ci && npm test .*\n$/);
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'test', 'bench', 'generate']));
  });

  it('has commands that make a node and start it', async () => {
    const commands = (blocks('sh')[1] ?? '').split('\n').filter((line) => line !== '');
    expect(commands).toHaveLength(3);
    const [install = [], ...others] = commands.map((line) => line.split('#')[0]?.trim().split(/\s+/) ?? []);
    // A package is installed and tried in pack.test.ts.
    expect(install).toEqual(['npm', 'install', 'crossbar-ts']);
    const [init = [], start = []] = others.map((words) => words.slice(2));
    expect((await runCli(init, { cwd: scratch })).code).toBe(0);
    expect(start.slice(0, 2)).toEqual(['start', '--cbdir']);
    const cbdir = path.join(scratch, start[2] ?? '');
    const config = path.join(cbdir, 'config.json');
    writeFileSync(config, readFileSync(config, 'utf8').replace('"port": 8080', '"port": 0'));
    const daemon = await startDaemon({ cbdir });
    expect((await fetch(daemon.url('/'))).status).toBe(200);
    await daemon.stop();
  });

  it('shows the message that a slip in its own config gives', async () => {
    const cbdir = nodeDirectory(wholeConfig.replace('"cookie": {', '"cookie": { "max_agee": 1,'));
    const { code, stderr } = await runCli(['check', '--cbdir', cbdir]);
    expect(code).toBe(1);
    const shown = blocks('text')[0] ?? 'nothing is shown';
    const place = /^config\.json:\d+:\d+: /;
    expect(stderr.replace(place, '')).toContain(shown.trim().replace(place, ''));
  });

  it('has a config and a program that work', async () => {
    const cbdir = nodeDirectory(wholeConfig);
    expect(blocks('js')[0]).toContain("await startNode({ cbdir: '.crossbar' })");
    const node = await startNode({ cbdir });
    expect(node.summary.listening).toHaveLength(1);
    await node.stop();
  });

  it('shows the config that init writes', () => {
    expect(wholeConfig).toBe(readFileSync(path.join(root, 'templates/minimal/.crossbar/config.json'), 'utf8'));
  });

  it('names files that are there, and every document', () => {
    const links = linksOf(readme);
    for (const link of links) expect(existsSync(path.join(root, link)), link).toBe(true);
    expect(links).toEqual(expect.arrayContaining(readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`)));
  });
});

describe('config/README.md', () => {
  it('names every sample', () => {
    const samples = readdirSync(path.join(root, 'config')).filter((name) => name !== 'README.md');
    const links = linksOf(readFileSync(path.join(root, 'config/README.md'), 'utf8'));
    expect(links).toEqual(expect.arrayContaining(samples));
    for (const link of links) expect(existsSync(path.join(root, 'config', link)), link).toBe(true);
  });
});
