// `npm test` after the build: all tests, those in a real browser included if there is one. Without a browser they are
// left out, loudly, and on a CI machine (CI=true) leaving them out is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const root = path.dirname(import.meta.dirname);
const browserTests = path.join(root, 'test/browser');
// Where Debian's package puts it; test/support/browser.ts says the same, and takes the headless shell for most tests if it is there.
const chromium = '/usr/bin/chromium';
const onCi = !['', '0', 'false'].includes(process.env.CI ?? '');

const hasChromium = existsSync(chromium);
const vitest = path.join(path.dirname(createRequire(import.meta.url).resolve('vitest/package.json')), 'vitest.mjs');
const leaveOut = hasChromium ? [] : ['--project', '!browser'];
const ran = spawnSync(process.execPath, [vitest, 'run', ...leaveOut, ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
if (ran.error) console.error(`vitest could not be run: ${ran.error.message}`);
const code = ran.status ?? 1;

if (hasChromium) {
  process.exitCode = code;
} else {
  const files = existsSync(browserTests) ? readdirSync(browserTests).filter((name) => name.endsWith('.test.ts')) : [];
  const lines = files.flatMap((name) => [`  test/browser/${name}`, ...titles(name).map((title) => `    - ${title}`)]);
  console.error(`
${'='.repeat(80)}
NOT TESTED IN A BROWSER: there is no ${chromium}.
These tests were left out:
${lines.join('\n')}
To run them: apt-get install chromium
${onCi ? 'CI is set, so this is a FAILURE.' : 'On a CI machine (CI=true) this is a failure.'}
${'='.repeat(80)}`);
  process.exitCode = onCi && code === 0 ? 1 : code;
}

/**
 * The names of the tests in a file.
 * @param {string} name
 */
function titles(name) {
  const text = readFileSync(path.join(browserTests, name), 'utf8');
  return [...text.matchAll(/\b(?:it|test)(?:\.\w+(?:\([^)]*\))?)?\(\s*(['"`])(.+?)\1/g)].map((match) => match[2]);
}
