/** The parts of a guest that need no process. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { guestEnvironment } from '../../../../src/worker/guest/environment.js';
import { findExecutable } from '../../../../src/system/executable.js';
import { isLeftOut } from '../../../../src/worker/guest/file-watch.js';
import { temporaryDirectory } from '../../../support/daemon.js';

const OWN = { PATH: '/bin', HOME: '/root', TOKEN: 'secret' };

describe('the environment of a guest', () => {
  it.each([
    ['all of the node', { inherit: true, vars: {} }, { ...OWN, PYTHONUNBUFFERED: '1' }],
    ['nothing', { inherit: false, vars: {} }, { PYTHONUNBUFFERED: '1' }],
    [
      'what is named, if it is there',
      { inherit: ['HOME', 'NONE'], vars: {} },
      { HOME: '/root', PYTHONUNBUFFERED: '1' },
    ],
    [
      'its own variables, before all others',
      { inherit: ['HOME'], vars: { HOME: '/tmp', PYTHONUNBUFFERED: '' } },
      { HOME: '/tmp', PYTHONUNBUFFERED: '' },
    ],
  ])('has %s', (_, env, expected) => {
    expect(guestEnvironment(env, OWN)).toEqual(expected);
  });
});

describe('the executable of a guest', () => {
  const root = temporaryDirectory();
  const place = (name: string, mode: number): string => {
    const file = path.join(root, name);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '#!/bin/sh\n');
    chmodSync(file, mode);
    return file;
  };
  const [own, common] = [place('work/tool', 0o755), place('bin/common', 0o755)];
  const both = [place('work/both', 0o755), place('bin/both', 0o755)];
  place('work/data', 0o644);
  const data = place('bin/data', 0o755);
  mkdirSync(path.join(root, 'work/folder'));
  const successor = place('bin/python3', 0o755);
  const places = { workdir: path.join(root, 'work'), path: path.join(root, 'bin') };

  it.each([
    ['tool', own],
    ['./tool', own],
    ['../bin/common', common],
    ['common', common],
    ['both', both[0]],
    ['data', data],
    [common, common],
  ])('%s', async (name, file) => {
    expect(await findExecutable(name, places)).toEqual({ file });
  });

  it('is python3 where there is no python', async () => {
    expect(await findExecutable('python', places)).toEqual({ file: successor, insteadOf: 'python' });
  });

  it.each(['nothing', 'folder', './common'])('%s is not there', async (name) => {
    await expect(findExecutable(name, places)).rejects.toThrow(
      `there is no program "${name}", neither in ${places.workdir} nor in the PATH (${places.path})`,
    );
  });
});

it.each([
  ['main.js', false],
  ['lib/main.js', false],
  ['.main.js.swp', true],
  ['.git/index', true],
  ['lib/node_modules/a/index.js', true],
])('a change of %s is left out: %s', (name, leftOut) => {
  expect(isLeftOut(name)).toBe(leftOut);
});
