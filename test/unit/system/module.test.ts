import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadFunction } from '../../../src/system/module.js';
import { temporaryDirectory } from '../../support/daemon.js';

let cbdir: string;
beforeAll(() => {
  cbdir = path.join(temporaryDirectory(), '.crossbar');
  const write = (file: string, text: string) => {
    mkdirSync(path.dirname(path.join(cbdir, file)), { recursive: true });
    writeFileSync(path.join(cbdir, file), text);
  };
  write('hello.mjs', 'export default () => "hello"; export const other = () => "other"; export const number = 1;');
  write('common.cjs', 'exports.start = () => "common";');
  write('throws.mjs', 'throw new Error("no database");');
  write('imports.mjs', 'import "./not-there.mjs";');
  const pkg = (name: string, exported: unknown) => {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, type: 'module', exports: exported }));
    for (const file of ['main', 'sub'])
      write(`node_modules/${name}/${file}.js`, `export default () => "${name}/${file}";`);
  };
  pkg('plain', './main.js');
  pkg('import-only', { types: './main.d.ts', import: './main.js' });
  pkg('@scope/paths', { '.': { import: './main.js' }, './sub': { node: { import: './sub.js' } } });
});

const load = async (module: string, name = 'default') => (await loadFunction(cbdir, module, name))();

describe('a module of the node directory', () => {
  it.each([
    ['./hello.mjs', 'default', 'hello'],
    ['./hello.mjs', 'other', 'other'],
    ['../.crossbar/hello.mjs', 'default', 'hello'],
    ['./common.cjs', 'start', 'common'],
    ['plain', 'default', 'plain/main'],
    ['import-only', 'default', 'import-only/main'],
    ['@scope/paths', 'default', '@scope/paths/main'],
    ['@scope/paths/sub', 'default', '@scope/paths/sub'],
  ])('%s has %s', async (module, name, expected) => {
    expect(await load(module, name)).toBe(expected);
  });

  it('may be an absolute path', async () => {
    expect(await load(path.join(cbdir, 'hello.mjs'))).toBe('hello');
  });

  it.each([
    ['./not-there.mjs', 'default', 'module "./not-there.mjs" cannot be imported: '],
    ['./imports.mjs', 'default', 'not-there.mjs'],
    ['./throws.mjs', 'default', 'module "./throws.mjs" cannot be imported: no database'],
    ['hello.mjs', 'default', 'a file is written as "./hello.mjs"'],
    ['import-only/sub', 'default', 'there is no package "import-only/sub"'],
    ['./hello.mjs', 'start', 'exports no "start" (functions that it exports: default, other)'],
    ['./hello.mjs', 'number', 'exports "number", but it is no function (functions that it exports: default, other)'],
    ['./hello.mjs', 'toString', 'exports no "toString"'],
  ])('%s has no %s, and the error says so', async (module, name, text) => {
    const error = await load(module, name).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'ERR_MODULE', message: expect.stringContaining(text) as string });
  });
});
