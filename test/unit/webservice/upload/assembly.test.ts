/** From pieces to a file: what it is called, what it takes the place of, and what a crash leaves. */
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';

import { Turns } from '../../../../src/system/turns.js';
import { Assembly } from '../../../../src/webservice/upload/assembly.js';
import type { AssemblyDeps } from '../../../../src/webservice/upload/assembly.js';
import { machineFiles } from '../../../../src/webservice/upload/files.js';
import type { UploadFiles } from '../../../../src/webservice/upload/files.js';
import { temporaryDirectory } from '../../../support/daemon.js';

const KEY = 'ab'.repeat(32);
const HIDDEN = `.${KEY}.upload`;

let place: string;
let directory: string;
beforeEach(() => {
  place = temporaryDirectory();
  directory = path.join(place, 'uploaded');
});

function create(
  parts: Partial<Omit<AssemblyDeps, 'files'>> & { readonly files?: Partial<UploadFiles> } = {},
): Assembly {
  const deps = { directory, privatePaths: [], mode: 0o640, overwrite: false, disk: new Turns(2), ...parts };
  return new Assembly({ ...deps, files: { ...machineFiles, ...parts.files } });
}

async function assemble(assembly: Assembly, name = 'a.txt', texts = ['one ', 'two'], total?: number): Promise<string> {
  const pieces = texts.map((text, index) => {
    const file = path.join(place, String(index + 1));
    writeFileSync(file, text);
    return file;
  });
  const parts = { key: KEY, name, pieces, total: total ?? texts.join('').length };
  return assembly.assemble(parts, () => Promise.resolve());
}

const read = (name: string): string => readFileSync(path.join(directory, name), 'utf8');
const fails = (code: string) => (): Promise<never> => Promise.reject(Object.assign(new Error(code), { code }));

describe('a file', () => {
  it('is its pieces, in order, with its permissions', async () => {
    const assembly = create();
    expect(await assembly.start()).toEqual([]);
    expect(await assemble(assembly)).toBe('a.txt');
    expect(read('a.txt')).toBe('one two');
    expect(statSync(path.join(directory, 'a.txt')).mode & 0o777).toBe(0o640);
    expect(readdirSync(directory)).toEqual(['a.txt']);
  });

  it('may be larger than what is copied at once', async () => {
    const assembly = create();
    await assembly.start();
    const large = 'x'.repeat(600_000);
    await assemble(assembly, 'large', [large, 'y', large]);
    expect(read('large')).toBe(`${large}y${large}`);
  });

  it('has its name only when it is whole', async () => {
    const assembly = create({
      files: {
        link: async (from, to) => {
          expect(readFileSync(from, 'utf8')).toBe('one two');
          expect(existsSync(to)).toBe(false);
          await machineFiles.link(from, to);
        },
      },
    });
    await assembly.start();
    await assemble(assembly);
    expect.assertions(2);
  });

  it('never takes the place of another one', async () => {
    const assembly = create();
    await assembly.start();
    writeFileSync(path.join(directory, 'a.txt'), 'first');
    mkdirSync(path.join(directory, 'a (1).txt'));
    symlinkSync('/nowhere', path.join(directory, 'a (2).txt'));
    expect(await assemble(assembly)).toBe('a (3).txt');
    expect(read('a.txt')).toBe('first');
    expect(read('a (3).txt')).toBe('one two');
  });

  it('takes the place of another one where the config says so, but of nothing else', async () => {
    const assembly = create({ overwrite: true, privatePaths: [path.join(directory, 'key')] });
    await assembly.start();
    writeFileSync(path.join(place, 'target'), 'target');
    writeFileSync(path.join(directory, 'key'), 'private');
    writeFileSync(path.join(directory, 'a.txt'), 'first');
    symlinkSync(path.join(place, 'target'), path.join(directory, 'link'));
    mkdirSync(path.join(directory, 'dir'));
    expect(await assemble(assembly)).toBe('a.txt');
    expect(await assemble(assembly, 'link')).toBe('link');
    expect(await assemble(assembly, 'dir')).toBe('dir (1)');
    expect(await assemble(assembly, 'key')).toBe('key (1)');
    expect([read('a.txt'), read('link'), read('key')]).toEqual(['one two', 'one two', 'private']);
    expect(readFileSync(path.join(place, 'target'), 'utf8')).toBe('target');
  });

  it('of a name that a hundred others have gets random digits', async () => {
    const assembly = create();
    await assembly.start();
    for (let number = 0; number <= 100; number += 1) {
      writeFileSync(path.join(directory, number === 0 ? 'image.jpg' : `image (${String(number)}).jpg`), 'other');
    }
    const given = await assemble(assembly, 'image.jpg');
    expect(given).toMatch(/^image \([0-9a-f]{12}\)\.jpg$/);
    expect(read(given)).toBe('one two');
  });

  it('gets its place also where files have no second names', async () => {
    const assembly = create({ files: { link: fails('EPERM') } });
    await assembly.start();
    writeFileSync(path.join(directory, 'a.txt'), 'first');
    expect(await assemble(assembly)).toBe('a (1).txt');
    expect(readdirSync(directory).sort()).toEqual(['a (1).txt', 'a.txt']);
    expect(read('a (1).txt')).toBe('one two');
  });

  it('of too many of its name is refused', async () => {
    const assembly = create({ files: { link: fails('EEXIST') } });
    await assembly.start();
    await expect(assemble(assembly)).rejects.toMatchObject({ refusal: { status: 400 } });
    expect(readdirSync(directory)).toEqual([]);
  });

  it.each([
    ['a disk that is full', { append: fails('ENOSPC') }, undefined],
    ['a disk that loses something', {}, 8],
    ['a file that cannot be synced', { sync: fails('EIO') }, undefined],
    ['a directory that takes no names', { link: fails('EACCES') }, undefined],
  ])('leaves nothing after %s', async (_what, files, total) => {
    const assembly = create({ files });
    await assembly.start();
    await expect(assemble(assembly, 'a.txt', ['one ', 'two'], total)).rejects.toThrow();
    expect(readdirSync(directory)).toEqual([]);
    expect(existsSync(path.join(place, '1'))).toBe(true);
  });

  it('is given up when the node stops', async () => {
    const assembly = create();
    await assembly.start();
    assembly.stop();
    await expect(assemble(assembly)).rejects.toMatchObject({ refusal: { status: 503 } });
    expect(readdirSync(directory)).toEqual([]);
  });
});

describe('after a crash', () => {
  it('half a file is removed, and one that had its name is known', async () => {
    mkdirSync(directory);
    const other = `.${'cd'.repeat(32)}.upload`;
    writeFileSync(path.join(directory, HIDDEN), 'whole');
    linkSync(path.join(directory, HIDDEN), path.join(directory, 'a.txt'));
    writeFileSync(path.join(directory, other), 'half');
    writeFileSync(path.join(directory, '.profile'), 'of somebody else');
    const assembly = create();
    expect(await assembly.start()).toEqual([KEY]);
    expect(readdirSync(directory).sort()).toEqual([HIDDEN, '.profile', 'a.txt'].sort());
    await assembly.forget(KEY);
    expect(readdirSync(directory).sort()).toEqual(['.profile', 'a.txt']);
    expect(read('a.txt')).toBe('whole');
  });
});
