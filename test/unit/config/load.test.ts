/** Which file is read, and what happens when there is none or it cannot be read. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';

import { loadConfig } from '../../../src/config/load.js';
import { node } from './configs.js';

let cbdir: string;
beforeEach(() => {
  cbdir = mkdtempSync(join(tmpdir(), 'crossbar-ts-config-'));
});
afterEach(() => rmSync(cbdir, { recursive: true, force: true }));

const load = (config?: string) => loadConfig({ cbdir, env: {}, ...(config === undefined ? {} : { config }) });
const write = (name: string, text: string) => writeFileSync(join(cbdir, name), text);

describe('the file that is read', () => {
  it('is config.json when that is all there is', async () => {
    write('config.json', JSON.stringify(node()));
    expect(await load()).toMatchObject({ file: join(cbdir, 'config.json'), warnings: [] });
  });

  it('is config.yaml when both are there, and that is worth a warning', async () => {
    write('config.json', 'not even JSON');
    write('config.yaml', stringify(node()));
    const { file, warnings } = await load();
    expect(file).toBe(join(cbdir, 'config.yaml'));
    expect(warnings).toEqual([
      {
        file: 'config.json',
        line: 1,
        column: 1,
        pointer: '(root)',
        text: 'is not read, because config.yaml is there too',
      },
    ]);
  });

  it('is the named one, from the node directory or with an absolute path', async () => {
    write('other.yml', stringify(node()));
    expect(await load('other.yml')).toMatchObject({ file: join(cbdir, 'other.yml') });
    expect(await load(join(cbdir, 'other.yml'))).toMatchObject({ file: join(cbdir, 'other.yml') });
  });

  it('gives relative paths in it a start in the node directory, wherever it lies', async () => {
    mkdirSync(join(cbdir, 'sub'));
    write('sub/node.json', JSON.stringify(node({ web: { paths: { '/': { type: 'static', directory: 'web' } } } })));
    const { config } = await load('sub/node.json');
    expect(config).toHaveProperty(['workers', 0, 'transports', 0, 'paths', '/', 'directory'], join(cbdir, 'web'));
  });
});

describe('no file', () => {
  it('in the directory: the message names crossbar-ts init', async () => {
    await expect(load()).rejects.toMatchObject({
      name: 'ConfigError',
      code: 'ERR_CONFIG_MISSING',
      message: `there is no config.json or config.yaml in ${cbdir}; "crossbar-ts init" makes a node with one`,
      problems: [],
    });
  });

  it('of the given name', async () => {
    await expect(load('nowhere.json')).rejects.toMatchObject({ code: 'ERR_CONFIG_MISSING', message: /nowhere\.json/ });
  });
});

describe('a file that cannot be used', () => {
  it('because it is a directory', async () => {
    mkdirSync(join(cbdir, 'config.json'));
    await expect(load()).rejects.toMatchObject({ code: 'ERR_CONFIG_MISSING', message: /cannot be read: EISDIR/ });
  });

  it('because it is too large', async () => {
    write('config.json', ' '.repeat(4 * 1024 * 1024 + 1));
    await expect(load()).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message: 'config.json:1:1: (root): the file is too large (allowed: 4194304 bytes)',
    });
  });

  it('because of several things, all told in the order of the file', async () => {
    const text = JSON.stringify({ ...node({ websocket: { cookie: { length: 5 } } }), a: 1 }, null, 1);
    write('config.json', text);
    const before = text.slice(0, text.indexOf('"length": 5') + '"length": '.length).split('\n');
    await expect(load()).rejects.toMatchObject({
      problems: [
        { file: 'config.json', line: before.length, column: (before.at(-1)?.length ?? 0) + 1 },
        { pointer: '/a', column: 2 },
      ],
    });
  });
});
