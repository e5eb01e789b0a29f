import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { derivedKey } from '../../../../src/auth/wampcra/derived-key.js';
import type { Choices } from '../../../../src/cli/init/fill.js';
import { planOf, write } from '../../../../src/cli/init/plan.js';
import type { Plan } from '../../../../src/cli/init/plan.js';
import { readTemplate, templateNames } from '../../../../src/cli/init/template.js';

const CONFIG = '.crossbar/config.json';

let from: string;
let to: string;
beforeEach(() => {
  from = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-package-'));
  to = path.join(mkdtempSync(path.join(tmpdir(), 'crossbar-ts-app-')), 'new');
  put(from, 'templates/gitignore', '*');
  put(from, `templates/minimal/${CONFIG}`, '{ "name": "realm1", "port": 8080 }');
  put(from, 'templates/minimal/web/index.html', "<script>join('realm1', 'realm10')</script>");
  put(
    from,
    'templates/minimal/template.json',
    '{ "summary": "small", "copies": { "web/c.min.js": "web/vendor/c.js" } }',
  );
  put(
    from,
    'templates/copy/template.json',
    `{ "summary": "large", "copies": { "web": "web", "${CONFIG}": "${CONFIG}" } }`,
  );
  put(from, CONFIG, 'the config');
  put(from, '.crossbar/cookies.dat', 'cookies of whoever ran the demo');
  put(from, 'web/index.html', 'the page');
  put(from, 'web/vendor/c.js', "the client of 'realm1'");
});
afterEach(() => {
  rmSync(from, { recursive: true });
  rmSync(path.dirname(to), { recursive: true });
});

function put(root: string, file: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

function read(file: string): string {
  return readFileSync(path.join(to, file), 'utf8');
}

function plan(template = 'minimal', choices: Choices = {}): Promise<Plan> {
  return planOf(readTemplate(from, template), choices);
}

describe('a template', () => {
  it('is a folder; the default is the first one', () => {
    put(from, 'templates/another/template.json', '{ "summary": "new" }');
    expect(templateNames(from)).toEqual(['minimal', 'another', 'copy']);
    expect(readTemplate(from, 'another')).toMatchObject({ summary: 'new' });
  });

  it('is copied, with what it takes from elsewhere', async () => {
    expect(write(await plan(), to)).toEqual({
      written: [CONFIG, '.crossbar/.gitignore', 'web/c.min.js', 'web/index.html'],
      skipped: [],
      hasConfig: true,
    });
    expect(read('web/index.html')).toBe("<script>join('realm1', 'realm10')</script>");
    expect(read('web/c.min.js')).toBe("the client of 'realm1'");
  });

  it('takes nothing that a running node left', async () => {
    const { written } = write(await plan('copy'), to);
    expect(written).toEqual([CONFIG, '.crossbar/.gitignore', 'web/index.html', 'web/vendor/c.js']);
    expect(read(CONFIG)).toBe('the config');
  });

  it('gets port and realm, and nothing else is changed', async () => {
    write(await plan('minimal', { port: 81, realm: 'a.b' }), to);
    expect(read(CONFIG)).toBe('{ "name": "a.b", "port": 81 }');
    expect(read('web/index.html')).toBe("<script>join('a.b', 'realm10')</script>");
    expect(read('web/c.min.js')).toBe("the client of 'realm1'");
  });

  it('never overwrites, and completes what is there', async () => {
    put(to, CONFIG, 'my config');
    expect(write(await plan(), to)).toEqual({
      written: ['.crossbar/.gitignore', 'web/c.min.js', 'web/index.html'],
      skipped: [CONFIG],
      hasConfig: false,
    });
    expect(read(CONFIG)).toBe('my config');
  });

  it('adds no second config beside one in YAML', async () => {
    put(to, '.crossbar/config.yaml', 'my config');
    expect(write(await plan(), to).skipped).toEqual(['.crossbar/config.yaml']);
    expect(existsSync(path.join(to, CONFIG))).toBe(false);
  });

  it('says what is in the way', async () => {
    put(to, 'web', 'a file where the directory should be');
    const planned = await plan();
    expect(() => write(planned, to)).toThrow(`${path.join(to, 'web/c.min.js')} cannot be written: `);
  });

  it('is not half a page: without the built client it is an error', () => {
    rmSync(path.join(from, 'web/vendor'), { recursive: true });
    expect(() => readTemplate(from, 'minimal')).toThrow(/^the package is not built .*web\/vendor\/c\.js is missing$/);
  });
});

describe('a template with a user', () => {
  const KEY = '.crossbar/secrets/alice.key';
  beforeEach(() => put(from, `templates/minimal/${CONFIG}`, '{ "alice": { "salt": "{{salt of alice}}" } }'));

  it('gets a password of its own each time, and a key beside the config that only the owner may read', async () => {
    const [first, second] = [await plan(), await plan()];
    expect(first.users[0]?.password).toMatch(/^([a-z2-9]{4}-){3}[a-z2-9]{4}$/);
    expect(first.users[0]?.password).not.toBe(second.users[0]?.password);
    write(first, to);
    const { password = '' } = first.users[0] ?? {};
    const { salt } = (JSON.parse(read(CONFIG)) as { alice: { salt: string } }).alice;
    expect(read(KEY)).toBe(`${await derivedKey(password, { salt, iterations: 10_000 })}\n`);
    expect(statSync(path.join(to, KEY)).mode & 0o777).toBe(0o600);
    expect(read(CONFIG)).not.toContain(password);
  });

  it('gets no key beside a config that exists, and none twice', async () => {
    write(await plan(), to);
    const key = read(KEY);
    expect(write(await plan(), to)).toMatchObject({ written: [], hasConfig: false });
    expect(read(KEY)).toBe(key);
    rmSync(path.join(to, CONFIG));
    const planned = await plan();
    expect(() => write(planned, to)).toThrow(`${path.join(to, KEY)} is there, but no config`);
    expect(existsSync(path.join(to, CONFIG))).toBe(false);
  });
});
