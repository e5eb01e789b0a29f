/** The road of docs/clients.md from an empty directory: what npm packs, installed beside the clients, with the page's config and programs. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { temporaryDirectory } from '../support/daemon.js';
import type { LogRecord } from '../support/daemon.js';
import { itNeeds } from '../support/needs.js';
import { hasAutobahn, PYTHON } from '../support/python.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const page = readFileSync(path.join(ROOT, 'docs/clients.md'), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text);

/** A project with the package and the clients that the page names. */
function project(): string {
  const place = temporaryDirectory();
  const npm = (cwd: string, ...args: readonly string[]): string =>
    execFileSync('npm', [...args, '--prefer-offline', '--ignore-scripts'], { cwd, encoding: 'utf8', stdio: 'pipe' });
  const [packed] = JSON.parse(npm(ROOT, 'pack', '--json', '--pack-destination', place)) as [{ filename: string }];
  writeFileSync(path.join(place, 'package.json'), '{ "private": true }');
  const clients = [...page.matchAll(/^`npm install ([a-z ]+)`/gm)].flatMap(([, names = '']) => names.split(' '));
  expect(clients).toEqual(['autobahn', 'wampy', 'ws']);
  npm(place, 'install', '--no-audit', '--no-fund', `./${packed.filename}`, ...clients);
  return place;
}

itNeeds('python3-autobahn', hasAutobahn)('from an empty directory to services in Node.js and Python', async () => {
  const place = project();
  mkdirSync(path.join(place, '.crossbar'));
  const config = (blocks('yaml')[0] ?? '').replaceAll(/port: 808\d/g, 'port: 0');
  writeFileSync(path.join(place, '.crossbar/config.yaml'), config);
  const [js = '', wampy = ''] = blocks('js');
  const files = { 'autobahn.mjs': js, 'wampy.mjs': wampy, 'asyncio_service.py': blocks('python')[0] ?? '' };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(place, name), text);

  const env = { ...process.env, SHOP_TICKET: 'a ticket of this road' };
  const command = ['node_modules/crossbar-ts/bin/crossbar-ts.js', 'start', '--cbdir', '.crossbar'];
  const node = spawn(process.execPath, command, { cwd: place, env, stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(node, 'exit');
  const services: ReturnType<typeof spawn>[] = [];
  const joined: unknown[] = [];
  let url = '';
  for await (const line of linesOf(node.stdout)) {
    const record = JSON.parse(line) as LogRecord;
    if (record.msg === 'transport started' && record['type'] === 'web') {
      url = `${String(record['url']).replace('http', 'ws')}ws`;
    }
    if (record.msg === 'node started') {
      for (const name of Object.keys(files)) {
        const program = name.endsWith('.py') ? PYTHON : process.execPath;
        services.push(spawn(program, [name], { cwd: place, env: { ...env, WAMP_URL: url }, stdio: 'ignore' }));
      }
    }
    if (record.msg === 'session joined' && joined.push(record['authid']) === services.length) break;
  }
  expect(joined).toEqual(['shop', 'shop', 'shop']);
  for (const service of services) service.kill('SIGKILL');
  node.kill('SIGTERM');
  expect(await ended).toEqual([0, null]);
});

async function* linesOf(output: NodeJS.ReadableStream): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of output) {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}
