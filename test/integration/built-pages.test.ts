/** docs/built-pages.md, walked: its config, its program and its commands as they are written there. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'vitest';
import { runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import { itNeeds } from '../support/needs.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const page = readFileSync(path.join(ROOT, 'docs/built-pages.md'), 'utf8');
const run = promisify(execFile);

/** The code blocks of one language, in order. */
function blocks(language: string): readonly string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'gm'))].map(([, text = '']) => text);
}

itNeeds('curl', spawnSync('curl', ['--version']).status === 0)(
  'the walk of docs/built-pages.md leads where it says',
  async () => {
    const cwd = temporaryDirectory();
    const put = (file: string, text: string): void => {
      mkdirSync(path.dirname(path.join(cwd, file)), { recursive: true });
      writeFileSync(path.join(cwd, file), text);
    };
    // As if the package were installed here.
    mkdirSync(path.join(cwd, 'node_modules/.bin'), { recursive: true });
    symlinkSync(path.join(ROOT, 'bin/crossbar-ts.js'), path.join(cwd, 'node_modules/.bin/crossbar-ts'));
    put('package.json', '{ "type": "module" }');
    put('dist/index.html', '<!doctype html><script type="module" src="/assets/index-BxY2a9Qz.js"></script>');
    put('dist/assets/index-BxY2a9Qz.js', 'document.title = "built";');
    const [config = '', assets = ''] = blocks('json');
    const [program = ''] = blocks('js');
    const [compress = '', start = '', ...asks] = blocks('sh');
    expect(page).toContain('`compress.js`:');
    put('compress.js', program);
    // Port 8080 may be in use where the tests run.
    put('.crossbar/config.json', config.replace('"port": 8080', '"port": "$PORT"'));
    const withAssets = JSON.parse(config) as { workers: { transports: { paths: object }[] }[] };
    Object.assign(withAssets.workers[0]?.transports[0]?.paths ?? {}, JSON.parse(assets));
    put('other/config.json', JSON.stringify(withAssets));

    await run('bash', ['-euc', compress], { cwd });
    expect(start).toBe('npx crossbar-ts start\n');
    for (const cbdir of ['.crossbar', 'other']) {
      const checked = await runCli(['check', '--cbdir', path.join(cwd, cbdir)], { env: { PORT: '8080' } });
      expect([checked.code, checked.stderr]).toEqual([0, '']);
    }
    const daemon = await startDaemon({ cbdir: path.join(cwd, '.crossbar') });
    const answers = blocks('text');
    expect(asks).toHaveLength(answers.length);
    for (const [index, ask] of asks.entries()) {
      const { stdout } = await run('bash', ['-euc', ask.replaceAll(':8080', `:${daemon.port}`)], { cwd });
      const lines = stdout.trim().split('\r\n');
      expect(lines).toEqual(expect.arrayContaining((answers[index] ?? '').trim().split('\n')));
    }
    await daemon.dispose();
  },
);
