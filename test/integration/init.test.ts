/** `crossbar-ts init`: what it writes, says and refuses, and what of it git keeps. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';

import { templateNames } from '../../src/cli/init/template.js';
import { runCli, startDaemon, temporaryDirectory } from '../support/daemon.js';
import type { CliResult, Daemon } from '../support/daemon.js';
import { itNeeds } from '../support/needs.js';
import { WampClient } from '../support/wamp-client.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BIN = path.join(ROOT, 'bin/crossbar-ts.js');
const CONFIG = '.crossbar/config.json';

const daemons: Daemon[] = [];
afterEach(async () => {
  for (const daemon of daemons.splice(0)) await daemon.dispose();
});

/** @param npmCommand how npm was called, as it tells its programs */
function init(cwd: string, args: readonly string[], npmCommand = ''): Promise<CliResult> {
  return runCli(['init', ...args], { cwd, env: { npm_command: npmCommand } });
}

/** Starts the node in a directory, on a port of its own: that of the config may be in use where the tests run. */
async function started(appdir: string, port = 8080): Promise<Daemon> {
  const config = path.join(appdir, CONFIG);
  writeFileSync(config, readFileSync(config, 'utf8').replace(`"port": ${port}`, '"port": "$PORT"'));
  const daemon = await startDaemon({ cbdir: path.join(appdir, '.crossbar') });
  daemons.push(daemon);
  return daemon;
}

function filesOf(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
    .sort();
}

describe('init', () => {
  it.each(templateNames(path.join(import.meta.dirname, '../..')))(
    '--template %s makes a node in an empty directory that is right, starts and serves its page',
    async (template) => {
      const appdir = temporaryDirectory();
      const args = ['--template', template, '--port', '8123', '--realm', 'my.realm'];
      const { code, stdout, stderr } = await init(appdir, args);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toContain('wrote    .crossbar/config.json\n');
      expect(await runCli(['check', '--strict'], { cwd: appdir })).toMatchObject({ code: 0, stderr: '' });

      const daemon = await started(appdir, 8123);
      expect(daemon.listening()).toHaveLength(1);
      expect(daemon.logs.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([]);
      const page = await fetch(daemon.url('/'));
      expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
      const scripts = [...(await page.text()).matchAll(/<script[^>]* src="([^"]+)"/g)].map((match) => match[1]!);
      expect(scripts.join()).toContain('autobahn.min.js');
      for (const script of scripts) expect((await fetch(new URL(script, daemon.url('/')))).status).toBe(200);
      await (await WampClient.join(daemon.url('/ws', 'ws'), 'my.realm')).leave();
      const texts = filesOf(appdir).filter((file) => !file.includes('.min.') && !file.includes('cookies.dat'));
      for (const file of texts) expect(readFileSync(path.join(appdir, file), 'utf8')).not.toMatch(/realm1|\{\{/);
    },
  );

  it('takes the smallest template without a terminal, and says which commands come next', async () => {
    const appdir = temporaryDirectory();
    const { stdout } = await init(appdir, []);
    expect(filesOf(appdir)).toEqual([...['.crossbar/.gitignore', CONFIG, 'web/autobahn.min.js', 'web/index.html']]);
    expect(stdout).toContain(`
Next:
  crossbar-ts check --cbdir .crossbar
  crossbar-ts start --cbdir .crossbar
  open http://127.0.0.1:8080/
`);
    for (const npmCommand of ['exec', 'run-script']) {
      const byNpm = await init(temporaryDirectory(), ['--port', '81'], npmCommand);
      expect(byNpm.stdout).toContain('  npx crossbar-ts start --cbdir .crossbar\n  open http://127.0.0.1:81/\n');
    }
  });

  it('a second time writes nothing and says so', async () => {
    const appdir = path.join(temporaryDirectory(), 'my app');
    await init(ROOT, ['--template', 'login', '--appdir', appdir]);
    const config = path.join(appdir, CONFIG);
    writeFileSync(config, '{"mine": true}');
    const { code, stdout } = await init(ROOT, ['--template', 'login', '--port', '81', '--appdir', appdir]);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/wrote|password|127\.0\.0\.1/);
    expect(stdout).toContain(`skipped  ${config} (exists)\n`);
    expect(stdout).toContain('--port has no effect on a config that exists.\n');
    expect(stdout).toContain(`crossbar-ts start --cbdir '${path.join(appdir, '.crossbar')}'\n`);
    expect(readFileSync(config, 'utf8')).toBe('{"mine": true}');
  });

  it('prints the password of the new user and keeps only a key', async () => {
    const appdir = temporaryDirectory();
    const { stdout } = await init(appdir, ['--template', 'login']);
    const [, password = ''] = /^Log in as alice with the password (\S+) /m.exec(stdout) ?? [];
    expect(password).toMatch(/^[a-z2-9-]{19}$/);
    for (const file of filesOf(appdir)) expect(readFileSync(path.join(appdir, file), 'utf8')).not.toContain(password);
  });

  it.each([
    [['--template', 'dmeo'], 'There is no template "dmeo", did you mean demo? (There are: minimal, demo, login.)'],
    [['--port', '0'], 'It is a number from 1 to 65535.'],
    [['--port', '65536'], 'It is a number from 1 to 65535.'],
    [['--port', '80x'], 'It is a number from 1 to 65535.'],
    [['--realm', 'my realm'], 'Found "my realm" (allowed: 2 to 255 of A-Z'],
    [['--realm', "';alert(1)//"], 'Found "\';alert(1)//" (allowed: '],
    [['--realm', ''], 'Found "" (allowed: '],
    [['--realm', 'my realm', '--template', 'login'], 'Found "my realm" (allowed: 2 to 255 of A-Z'],
  ])('%j is refused before anything is written', async (args, text) => {
    const appdir = temporaryDirectory();
    const { code, stdout, stderr } = await init(appdir, args);
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^error: option '--\w+ <\w+>' argument '.*' is invalid\. .*\n$/);
    expect(stderr).toContain(text);
    expect(filesOf(appdir)).toEqual([]);
  });

  it('has help that tells the templates apart', async () => {
    const { stdout } = await runCli(['init', '--help']);
    expect(stdout).toMatch(
      /^Templates:\n {2}minimal {2}one page .*\n {2}demo {5}presence, .*\n {2}login {4}one page /m,
    );
  });
});

describe('init at a terminal', () => {
  const itAtTerminal = itNeeds('/usr/bin/script (bsdutils)', existsSync('/usr/bin/script'));

  /** Answers the question. @returns what the terminal shows, and the exit code */
  async function answer(appdir: string, keys: string): Promise<{ text: string; code: number }> {
    const command = `exec ${process.execPath} ${BIN} init --appdir ${appdir}`;
    const terminal = spawn('/usr/bin/script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
    let [text, asked] = ['', false];
    terminal.stdout.on('data', (data: Buffer) => {
      text += data.toString().replaceAll('\r', '');
      if (asked || !text.includes('(Enter: minimal): ')) return;
      asked = true;
      terminal.stdin.write(keys);
    });
    const [code] = (await once(terminal, 'close')) as [number];
    return { text, code };
  }

  itAtTerminal.each([
    ['Enter', '\r', undefined],
    ['a number', '3\r', '.crossbar/secrets/alice.key'],
    ['a name', 'demo\r', 'web/room.js'],
  ])('asks for the template: %s', async (_name, keys, file) => {
    const appdir = temporaryDirectory();
    const { text, code } = await answer(appdir, keys);
    expect([text, code]).toEqual([expect.stringContaining('wrote '), 0]);
    const more = filesOf(appdir).filter((name) => ['.crossbar/secrets/alice.key', 'web/room.js'].includes(name));
    expect(more).toEqual(file === undefined ? [] : [file]);
  });

  itAtTerminal.each([
    ['Ctrl-C', '\u0003'],
    ['Ctrl-D', '\u0004'],
  ])('%s ends it with a clear line, and nothing is written', async (_name, keys) => {
    const appdir = temporaryDirectory();
    const { text, code } = await answer(appdir, keys);
    expect([text, code]).toEqual([
      expect.stringMatching(/\nerror: no template was chosen, so nothing was written\n$/),
      1,
    ]);
    expect(filesOf(appdir)).toEqual([]);
  });
});

describe('the users of the demo', () => {
  it('are named once by check and start where other machines can connect, without their secrets', async () => {
    const appdir = temporaryDirectory();
    await init(appdir, ['--template', 'demo']);
    const config = path.join(appdir, CONFIG);
    writeFileSync(config, readFileSync(config, 'utf8').replace('"interface": "127.0.0.1"', '"interface": "0.0.0.0"'));
    const text =
      /^warning: config\.json:\d+:\d+: \/workers\/0\/transports\/0\/paths\/ws\/auth\/wampcra\/users: alice and bob .*\n$/;
    const { code, stderr } = await runCli(['check'], { cwd: appdir });
    expect([code, stderr]).toEqual([0, expect.stringMatching(text)]);
    const daemon = await started(appdir);
    const warnings = daemon.logs.filter(({ level }) => level === 'warn');
    expect(warnings).toMatchObject([
      { msg: 'config warning', problem: expect.stringMatching(/^alice and bob /) as string },
    ]);
    expect(daemon.output + stderr).not.toMatch(/wuo4v5|NoulnaL|wonderland|yes-we-can/);
  });
});

describe('what init wrote, in git', () => {
  itNeeds('git', spawnSync('git', ['--version']).status === 0)(
    'is config and code, whatever the node has left beside it',
    async () => {
      const appdir = temporaryDirectory();
      const git = (...args: string[]): string =>
        execFileSync('git', args, {
          cwd: appdir,
          encoding: 'utf8',
          env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null' },
        });
      git('init', '--quiet');
      await init(appdir, ['--template', 'login']);
      const daemon = await started(appdir);
      await (await WampClient.join(daemon.url('/ws', 'ws'))).leave();
      const cbdir = path.join(appdir, '.crossbar');
      mkdirSync(path.join(cbdir, 'cookies'));
      mkdirSync(path.join(cbdir, 'parts'));
      const others = ['cookies/data.mdb', 'server.key', 'server.pem', 'config.json.v1', 'parts/x.pyc'];
      for (const name of [...others, 'parts/worker.js', 'parts/jobs.py', 'more.yaml'])
        writeFileSync(path.join(cbdir, name), 'x');
      git('add', '--all');
      await daemon.kill();
      git('add', '--all');
      expect(filesOf(cbdir)).toEqual(expect.arrayContaining(['cookies.dat', 'cookies.dat.lock', 'node.pid']));
      expect(git('ls-files').trim().split('\n')).toEqual([
        ...['.gitignore', 'config.json', 'more.yaml', 'parts/jobs.py', 'parts/worker.js'].map(
          (name) => `.crossbar/${name}`,
        ),
        ...['web/autobahn.min.js', 'web/index.html'],
      ]);
    },
  );
});

describe('the page of a template', () => {
  const page = (template: string): string =>
    readFileSync(path.join(ROOT, `templates/${template}/web/index.html`), 'utf8');
  const blockOf = (document: string): string =>
    /^```html\n([^]*?)^```/m.exec(readFileSync(path.join(ROOT, document), 'utf8'))?.[1] ?? 'no page';

  it('minimal has the script of README.md', () => {
    const script = /<script>\n[^]*<\/script>\n/.exec(blockOf('README.md'))?.[0] ?? 'no script';
    expect(page('minimal').replace(/^ {2}/gm, '')).toContain(script);
  });

  it('login is that of docs/cookie-login.md', () => {
    expect(page('login')).toBe(blockOf('docs/cookie-login.md'));
  });
});
