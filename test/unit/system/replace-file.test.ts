/** A file is replaced as a whole, and the old one is kept. The command line tests the rest with real processes. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemFiles } from '../../../src/system/files.js';
import type { FileSystem } from '../../../src/system/files.js';
import { replaceFile } from '../../../src/system/replace-file.js';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'crossbar-ts-replace-'));
  file = join(directory, 'a.json');
  writeFileSync(file, 'old');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const replace = (before = 'old', fs?: FileSystem) =>
  replaceFile({ file, before: Buffer.from(before), after: 'new', suffix: '.v1' }, fs);
const content = () =>
  Object.fromEntries(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'utf8')]));

/** @returns an error of the system. */
const refusal = (code: string) => Object.assign(new Error(`${code}: of a test`), { code });
const failing = (call: 'link' | 'rename', code: string): FileSystem => ({
  ...systemFiles,
  [call]: () => Promise.reject(refusal(code)),
});

describe('a file that is replaced', () => {
  it('has the new text, and the old one has another name', async () => {
    expect(await replace()).toBe(`${file}.v1`);
    expect(content()).toEqual({ 'a.json': 'new', 'a.json.v1': 'old' });
  });

  it('is copied where there are no second names', async () => {
    chmodSync(file, 0o604);
    await replace('old', failing('link', 'EPERM'));
    expect(content()).toEqual({ 'a.json': 'new', 'a.json.v1': 'old' });
    expect(statSync(`${file}.v1`).mode & 0o777).toBe(0o604);
  });

  it('may have been kept before', async () => {
    writeFileSync(`${file}.v1`, 'old');
    await replace();
    expect(content()).toEqual({ 'a.json': 'new', 'a.json.v1': 'old' });
  });
});

describe('a file that is not replaced', () => {
  it('was changed at the same time', async () => {
    await expect(replace('older')).rejects.toThrow('it was changed at the same time');
    expect(content()).toEqual({ 'a.json': 'old' });
  });

  it('would overwrite one that was kept before', async () => {
    writeFileSync(`${file}.v1`, 'older');
    await expect(replace()).rejects.toThrow(`${file}.v1 is there already, with something else in it`);
    expect(content()).toEqual({ 'a.json': 'old', 'a.json.v1': 'older' });
  });

  it('would have the name of a directory', async () => {
    mkdirSync(`${file}.v1`);
    await expect(replace()).rejects.toMatchObject({ code: 'EISDIR' });
    expect(readdirSync(directory).sort()).toEqual(['a.json', 'a.json.v1']);
  });

  it.each([
    ['link', 'ENOSPC', { 'a.json': 'old' }],
    ['rename', 'EIO', { 'a.json': 'old', 'a.json.v1': 'old' }],
  ] as const)('met an error of the system in %s', async (call, code, left) => {
    await expect(replace('old', failing(call, code))).rejects.toMatchObject({ code });
    expect(content()).toEqual(left);
  });
});
