#!/usr/bin/env node
// The command `crossbar-ts`: everything is in src/cli, built into dist/.
import { existsSync } from 'node:fs';

// First of all: without a listener Node.js answers this signal by opening its debugger, and with it the whole process, to
// everybody on this machine. `--inspect` still does that for who wants it.
process.on('SIGUSR1', () => undefined);

const main = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(main)) {
  const { run } = await import(main.href);
  await run(process.argv.slice(2));
} else {
  process.stderr.write('crossbar-ts: dist/ is missing; run `npm run build` in the project directory first\n');
  process.exitCode = 1;
}
