/** What people install: the files of the package, its types, and that it runs with nothing but its dependencies. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

import { nodeDirectory, temporaryDirectory } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const { version, peerDependencies } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  version: string;
  peerDependencies: Readonly<Record<string, string>>;
};

/** A fifth of it are the documents, a tenth the schema of the config. */
const MAX_UNPACKED_BYTES = 4_200_000;

/** Every file of the package is one of these. */
const EXPECTED: readonly RegExp[] = [
  /^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
  /^bin\/crossbar-ts\.js$/,
  /^dist\/(index|cli\/main|client\/api|cookie\/database-worker|serializer\/decoding-worker|remote\/module-host|front-program\/main|router-program\/main|config\/validator|chunks\/[\w-]+)\.js$/,
  /^dist\/(index|cli\/main|client\/api|cookie\/database-worker|serializer\/decoding-worker|remote\/module-host|front-program\/main|router-program\/main|chunks\/[\w-]+)\.js\.map$/,
  /^dist\/(index|([a-z]+\/)+[\w-]+)\.d\.ts$/,
  /^dist\/autobahn\.min\.js\.gz$/,
  /^python\/([a-z_]+\/)?\w+\.py$/,
  /^config\/[\w.-]+\.(json|yaml|js|py|md)$/,
  /^\.crossbar\/config\.json$/,
  /^web\/([\w-]+\/)*[\w.-]+\.(html|css|js|svg)$/,
  /^templates\/(gitignore|[a-z]+\/(template\.json|\.crossbar\/config\.json|web\/[\w.-]+\.html))$/,
  /^docs\/[\w-]+\.md$/,
  /^contrib\/(crossbar-ts\.service|README\.md|grafana\/crossbar-ts\.json|prometheus\/alerts(\.test)?\.yml)$/,
  /^dist\/monitor\/(index\.html|monitor\.(js|css)|icon\.svg|licences\.txt)$/,
  /^examples\/[a-z-]+\/((public\/)?[\w-]+\.(js|json|html|md)|\.crossbar\/[a-z]+\.json)$/,
];

interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** A project that has installed the package, and nothing else. */
const place = temporaryDirectory();
const installed = path.join(place, 'node_modules/crossbar-ts');
let packed: Packed;

beforeAll(() => {
  const npm = (cwd: string, ...args: string[]): string =>
    execFileSync('npm', [...args, '--prefer-offline', '--ignore-scripts'], { cwd, encoding: 'utf8', stdio: 'pipe' });
  [packed] = JSON.parse(npm(ROOT, 'pack', '--json', '--pack-destination', place)) as [Packed];
  writeFileSync(path.join(place, 'package.json'), '{ "private": true, "type": "module" }');
  npm(place, 'install', '--no-audit', '--no-fund', path.join(place, packed.filename));
});

describe('the package', () => {
  it('has the files that belong to it, and no others', () => {
    const files = packed.files.map((file) => file.path);
    expect(files.filter((file) => !EXPECTED.some((pattern) => pattern.test(file)))).toEqual([]);
    for (const pattern of EXPECTED) expect(files.some((file) => pattern.test(file))).toBe(true);
  });

  it(`is not larger than ${MAX_UNPACKED_BYTES} bytes`, () => {
    expect(packed.unpackedSize).toBeLessThan(MAX_UNPACKED_BYTES);
  });

  it('has no code where it could not be found by its place: the entry at the top only passes names on', () => {
    const entry = readFileSync(path.join(installed, 'dist/index.js'), 'utf8');
    expect(
      entry.replaceAll(/(import|export)\s*\{[^}]*\}(\s*from\s*"[^"]+")?;|import\s*"[^"]+";|\/\/#.*/g, '').trim(),
    ).toBe('');
  });

  it('declares what can be reached from its entries, and no more', async () => {
    const { reachableDeclarations } = (await import(
      pathToFileURL(path.join(ROOT, 'scripts/declarations.js')).href
    )) as { reachableDeclarations: (directory: string, entries: readonly string[]) => { files: string[] } };
    const { exports } = JSON.parse(readFileSync(path.join(installed, 'package.json'), 'utf8')) as {
      exports: Readonly<Record<string, { readonly types?: string }>>;
    };
    const entries = Object.values(exports).flatMap(({ types }) =>
      types === undefined ? [] : [types.slice('./dist/'.length)],
    );
    expect(entries).toHaveLength(2);
    const dist = path.join(installed, 'dist');
    const declared = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.d.ts'));
    expect(declared.sort()).toEqual(reachableDeclarations(dist, entries).files);
  });

  it('brings nothing native with it', () => {
    const files = readdirSync(path.join(place, 'node_modules'), { recursive: true, encoding: 'utf8' });
    expect(files).toContain('crossbar-ts/dist/index.js');
    expect(files.filter((file) => file.endsWith('.node') || path.basename(file) === 'binding.gyp')).toEqual([]);
    expect(files.filter((file) => /^(lmdb|@lmdb)(\/|$)/.test(file))).toEqual([]);
  });
});

describe('its types', () => {
  const PROGRAM = `
    import { CallError, ConfigError, CookieStoreError, NodeError, startNode, silentLogger } from 'crossbar-ts';
    import type { ClientSession, ConfigProblem, Logger, Node, NodeErrorCode, NodeSummary } from 'crossbar-ts';
    import { Result } from 'crossbar-ts/component';
    import type { ComponentFunction } from 'crossbar-ts/component';

    export async function main(): Promise<number> {
      const log: Logger = silentLogger();
      await using node: Node = await startNode({ config: { version: 2 }, log });
      const summary: NodeSummary = node.summary;
      const session: ClientSession = await node.connect('realm1', { role: 'anonymous', authid: 'joe' });
      await session.register('com.example.add', ([a, b]) => Number(a) + Number(b));
      const sum: unknown = await session.call('com.example.add', [1, 2]);
      await session.close();
      // @ts-expect-error there is no such member: these are no types of \`any\`
      summary.nothing;
      // @ts-expect-error the role is missing
      await node.connect('realm1', {});
      return Number(sum) + summary.listening.length;
    }

    export function explain(error: unknown): readonly ConfigProblem[] | NodeErrorCode | string {
      if (error instanceof ConfigError) return error.problems;
      if (error instanceof CookieStoreError) return error.code satisfies 'ERR_COOKIE_STORE';
      return error instanceof NodeError ? error.code : String(error instanceof CallError && error.error);
    }

    export const component: ComponentFunction = (session, { log }) => {
      log.info({ id: session.id }, 'here');
      return session.register('com.example.two', () => new Result([1, 2]));
    };
  `;

  it.each([true, false])('check under strict, with skipLibCheck %s', (skipLibCheck) => {
    for (const name of ['@types/node', 'undici-types']) {
      cpSync(path.join(ROOT, 'node_modules', name), path.join(place, 'node_modules', name), { recursive: true });
    }
    writeFileSync(path.join(place, 'program.ts'), PROGRAM);
    const page = readFileSync(path.join(installed, 'docs/embedding.md'), 'utf8');
    writeFileSync(path.join(place, 'page.ts'), /^```ts\n([^]*?)^```/m.exec(page)?.[1] ?? 'the page has no program');
    const compilerOptions = {
      ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true, skipLibCheck },
      ...{ target: 'es2023', module: 'nodenext', types: ['node'] },
    };
    writeFileSync(
      path.join(place, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['program.ts', 'page.ts'] }),
    );
    const tsc = path.join(ROOT, 'node_modules/typescript/bin/tsc');
    const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', place], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  });
});

describe('where it is installed', () => {
  const command = path.join(place, 'node_modules/.bin/crossbar-ts');

  it('a node starts in another program, from a config that is an object', () => {
    const program = `
      import { startNode } from 'crossbar-ts';
      const node = await startNode({ config: ${JSON.stringify(nodeConfig())} });
      const session = await node.connect('realm1', { role: 'anonymous' });
      await session.register('com.example.add', ([a, b]) => a + b);
      console.log(await session.call('com.example.add', [2, 3]), node.summary.listening.length);
      await node.stop();
    `;
    const before = readdirSync(place).sort();
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
      cwd: place,
      encoding: 'utf8',
    });
    expect([stdout, stderr]).toEqual(['5 1\n', '']);
    expect(readdirSync(place).sort()).toEqual(before);
  });

  it('the command says its version, starts a node, and ends it on a signal', async () => {
    expect(execFileSync(command, ['version'], { encoding: 'utf8' })).toMatch(`crossbar-ts ${version} (Node.js `);
    const child = spawn(command, ['start', '--cbdir', nodeDirectory(nodeConfig()), '--logformat', 'json']);
    const exited = once(child, 'exit');
    let output = '';
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    child.stdout.on('data', (data: Buffer) => {
      const wasUp = output.includes('"node started"');
      output += data.toString();
      if (!wasUp && output.includes('"node started"')) child.kill('SIGTERM');
    });
    const [code] = (await exited) as [number | null];
    expect([code, output]).toEqual([0, expect.stringContaining('"node stopped"')]);
  });

  it('a store that needs lmdb says which version to install', () => {
    const cookie = { store: { type: 'database', path: 'cookies' } };
    const cbdir = nodeDirectory(nodeConfig({ websocket: { cookie } }));
    const { status, stderr } = spawnSync(command, ['start', '--cbdir', cbdir], { encoding: 'utf8' });
    expect(status).toBe(1);
    expect(stderr).toContain(`needs the npm package "lmdb": npm install lmdb@${peerDependencies['lmdb']}`);
    expect(existsSync(path.join(cbdir, 'node.pid'))).toBe(false);
  });

  it.each(['minimal', 'demo', 'login'])('init makes a node from the template %s that has what it needs', (template) => {
    const directory = temporaryDirectory();
    execFileSync(command, ['init', '--template', template], { cwd: directory, encoding: 'utf8', stdio: 'pipe' });
    const { stdout, stderr } = spawnSync(command, ['check'], { cwd: directory, encoding: 'utf8' });
    expect([stdout, stderr]).toEqual([expect.stringMatching(/^OK: /), '']);
    for (const file of ['.crossbar/.gitignore', 'web/index.html']) {
      expect(statSync(path.join(directory, file)).isFile()).toBe(true);
    }
  });
});
