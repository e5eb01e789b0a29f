// Builds dist/ from src/ and copies the browser client of the demo, so that the node serves it without a CDN.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const require = createRequire(import.meta.url);

// A build info that outlived its output would make tsc believe that there is nothing to do.
if (!existsSync(path.join(root, 'dist/cli/main.js'))) rmSync(path.join(root, 'dist'), { recursive: true, force: true });
const tsc = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin/tsc');
const built = spawnSync(process.execPath, [tsc, '-p', path.join(root, 'tsconfig.build.json')], { stdio: 'inherit' });
if (built.status !== 0) process.exit(built.status ?? 1);

mkdirSync(path.join(root, 'web/vendor'), { recursive: true });
copyFileSync(require.resolve('autobahn-browser/autobahn.min.js'), path.join(root, 'web/vendor/autobahn.min.js'));
