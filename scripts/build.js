// Builds dist/ from src/, bundled by esbuild into the entries below and the chunks that they share, with those declarations
// of tsc beside them that can be reached from outside. Also copies the browser client of the demo, so that the node serves it without a CDN.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

import { fewChunks } from './chunks.js';
import { publishDeclarations } from './declarations.js';
import { withoutDescriptions } from './descriptions.js';
import { shortenMaps } from './source-maps.js';
import { useValidator, writeValidator } from './validator.js';

const root = path.dirname(import.meta.dirname);
const require = createRequire(import.meta.url);

/** What is imported, started or run from outside. Everything else becomes part of them, or of `dist/chunks`. */
const ENTRIES = [
  ...['index', 'cli/main', 'client/api'],
  ...[
    'cookie/database-worker',
    'serializer/decoding-worker',
    'remote/module-host',
    'front-program/main',
    'router-program/main',
  ],
];

/** Those of them that are in `exports` of package.json. */
const TYPED_ENTRIES = ['index.d.ts', 'client/api.d.ts'];

const dist = path.join(root, 'dist');
/** All declarations, and what tsc knows of the last build. Not part of the package. */
const types = path.join(dist, '.types');

// A build info that outlived its output would make tsc believe that there is nothing to do.
if (!existsSync(path.join(types, 'index.d.ts'))) rmSync(dist, { recursive: true, force: true });
const [typed] = await Promise.all([declarations(), bundles(), monitorPage()]);
if (typed !== 0) process.exit(typed);
const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
publishDeclarations(types, dist, TYPED_ENTRIES, Object.keys(dependencies));

mkdirSync(path.join(root, 'web/vendor'), { recursive: true });
const autobahn = require.resolve('autobahn-browser/autobahn.min.js');
copyFileSync(autobahn, path.join(root, 'web/vendor/autobahn.min.js'));
// For the package, which would be a sixth larger with the other one: `init` unpacks it.
writeFileSync(path.join(dist, 'autobahn.min.js.gz'), gzipSync(readFileSync(autobahn), { level: 9 }));

/** @returns the exit code of tsc */
async function declarations() {
  const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  const args = [tsc, '-p', path.join(root, 'tsconfig.build.json')];
  const [code] = await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit');
  return code ?? 1;
}

async function bundles() {
  removeScripts();
  await writeValidator(dist);
  /** @satisfies {import('esbuild').BuildOptions} */
  const options = {
    absWorkingDir: root,
    entryPoints: ENTRIES.map((entry) => `src/${entry}.ts`),
    outbase: 'src',
    outdir: 'dist',
    // As deep as everything in src/: what is found by its place relative to the code is found from a chunk too.
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // They are installed beside us, where npm can see and audit them.
    packages: 'external',
    sourcemap: 'linked',
    // A stack needs places and names; whoever wants to read the source has the repository.
    sourcesContent: false,
    // Comments and indentation are a quarter of the code. Lines stay short, so that a place in a stack says something.
    minifyWhitespace: true,
    minifySyntax: true,
    lineLimit: 160,
    // No `keepNames`: it costs a call for every function that is made, also in the middle of routing. Without
    // minifying, names stay as they are (two classes of one name, or one that names itself, excepted).
    plugins: [useValidator, withoutDescriptions],
  };
  await build({ ...options, plugins: [await fewChunks(options), ...options.plugins] });
  shortenMaps(dist);
}

/** The page of the service `monitor`: a file of each kind, so that it needs nothing from elsewhere. */
async function monitorPage() {
  const [from, to] = [path.join(root, 'pages/monitor'), path.join(dist, 'monitor')];
  mkdirSync(to, { recursive: true });
  await build({
    absWorkingDir: root,
    entryPoints: { monitor: path.join(from, 'main.js') },
    outdir: to,
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome105', 'firefox110', 'safari16'],
    legalComments: 'none',
  });
  for (const file of ['index.html', 'icon.svg']) copyFileSync(path.join(from, file), path.join(to, file));
  const licences = ['preact', 'uplot'].map((name) => {
    const folder = path.dirname(require.resolve(`${name}/package.json`));
    return `${name}\n\n${readFileSync(path.join(folder, 'LICENSE'), 'utf8')}`;
  });
  writeFileSync(path.join(to, 'licences.txt'), licences.join('\n\n'));
}

/** Chunks have a new name whenever they change. */
function removeScripts() {
  if (!existsSync(dist)) return;
  for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (/\.js(\.map)?$/.test(file)) rmSync(path.join(dist, file));
  }
}
