import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { copyDefaultNode } from '../../../src/cli/init.js';

let from: string;
let to: string;
beforeEach(() => {
  from = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-package-'));
  to = path.join(mkdtempSync(path.join(tmpdir(), 'crossbar-ts-app-')), 'new');
  write(from, '.crossbar/config.json', 'the config');
  write(from, '.crossbar/cookies.dat', 'cookies of whoever ran the demo');
  write(from, 'web/index.html', 'the page');
  write(from, 'web/vendor/client.js', 'the client');
});
afterEach(() => {
  rmSync(from, { recursive: true });
  rmSync(path.dirname(to), { recursive: true });
});

function write(root: string, file: string, text: string): void {
  mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  writeFileSync(path.join(root, file), text);
}

function read(root: string, file: string): string {
  return readFileSync(path.join(root, file), 'utf8');
}

describe('the default node', () => {
  it('is copied: config and page, and nothing that a running node left', () => {
    expect(copyDefaultNode(from, to)).toEqual({
      written: ['.crossbar/config.json', 'web/index.html', 'web/vendor/client.js'],
      skipped: [],
    });
    expect(read(to, 'web/vendor/client.js')).toBe('the client');
  });

  it('never overwrites, and completes what is there', () => {
    write(to, '.crossbar/config.json', 'my config');
    expect(copyDefaultNode(from, to)).toEqual({
      written: ['web/index.html', 'web/vendor/client.js'],
      skipped: ['.crossbar/config.json'],
    });
    expect(read(to, '.crossbar/config.json')).toBe('my config');
  });

  it('says what is in the way', () => {
    write(to, 'web', 'a file where the directory should be');
    expect(() => copyDefaultNode(from, to)).toThrow(`${path.join(to, 'web/index.html')} cannot be written: `);
  });

  it('is not half a page: without the built client it is an error', () => {
    rmSync(path.join(from, 'web/vendor'), { recursive: true });
    expect(() => copyDefaultNode(from, to)).toThrow('the demo page is not built');
  });
});
