import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { resolveCbdir } from '../../../src/node/cbdir.js';

let cwd: string;
beforeEach(() => {
  cwd = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-cbdir-'));
});
afterEach(() => rmSync(cwd, { recursive: true }));

function directory(name: string): string {
  const dir = path.join(cwd, name);
  mkdirSync(dir);
  return dir;
}

describe('the node directory', () => {
  it('is --cbdir before everything else, relative to the working directory', () => {
    const named = directory('named');
    const fromEnv = directory('env');
    directory('.crossbar');
    expect(resolveCbdir({ option: 'named', env: { CROSSBAR_DIR: fromEnv }, cwd })).toBe(named);
  });

  it('is $CROSSBAR_DIR without the option', () => {
    const fromEnv = directory('env');
    directory('.crossbar');
    expect(resolveCbdir({ env: { CROSSBAR_DIR: fromEnv }, cwd })).toBe(fromEnv);
  });

  it('is ./.crossbar without both, also when $CROSSBAR_DIR is empty', () => {
    const usual = directory('.crossbar');
    expect(resolveCbdir({ env: { CROSSBAR_DIR: '' }, cwd })).toBe(usual);
  });

  it('is the working directory when there is no .crossbar in it', () => {
    expect(resolveCbdir({ env: {}, cwd })).toBe(cwd);
  });

  it('is the directory of a file that is named', () => {
    const named = directory('named');
    writeFileSync(path.join(named, 'config.json'), '{}');
    expect(resolveCbdir({ option: 'named/config.json', env: {}, cwd })).toBe(named);
  });

  it('is never made: a missing one is an error naming `crossbar-ts init`', () => {
    const missing = path.join(cwd, 'typo');
    const expected = `the node directory ${missing} does not exist; \`crossbar-ts init\` makes a new node`;
    expect(() => resolveCbdir({ option: 'typo', env: {}, cwd })).toThrow(expected);
    expect(() => resolveCbdir({ env: { CROSSBAR_DIR: missing }, cwd })).toThrow(expected);
  });
});
