/** A log in a file: nothing is lost when it is set aside or renamed, and a file that fails ends nothing. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LogFile } from '../../../src/cli/log-file.js';
import { logFileOf } from '../../../src/cli/log-options.js';

let directory: string;
let opened: LogFile[];
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-log-'));
  opened = [];
});
afterEach(() => {
  for (const file of opened) file.destroy();
  rmSync(directory, { recursive: true, force: true });
});

function logFile(options: { name?: string; maxBytes?: number; keep?: number } = {}) {
  const { name = 'node.log', maxBytes, keep = 3 } = options;
  const failures: unknown[] = [];
  const faults: string[] = [];
  const failed = (what: string, error: unknown): void => void (failures.push(error), faults.push(what));
  const file = path.resolve(directory, name);
  const log = new LogFile({ file, maxBytes, keep, failed });
  opened.push(log);
  return { log, failures, faults, file };
}
const textOf = (name: string): string => readFileSync(path.join(directory, name), 'utf8');

it('appends to what is there, in a directory that it makes, and not for everybody', () => {
  const { log, file } = logFile({ name: 'logs/today/node.log' });
  log.write('one\n');
  log.destroy();
  logFile({ name: 'logs/today/node.log' }).log.write('two\n');
  expect(textOf('logs/today/node.log')).toBe('one\ntwo\n');
  expect([statSync(file).mode & 0o007, statSync(path.dirname(file)).mode & 0o007]).toEqual([0, 0]);
});

it('sets a file aside before it becomes larger than allowed, and keeps so many', () => {
  const { log } = logFile({ maxBytes: 10, keep: 2 });
  for (const line of ['aaaa\n', 'bbbb\n', 'cccc\n', 'dddd\n', 'eeee\n', 'ffff\n', 'gggg\n']) log.write(line);
  expect(readdirSync(directory).sort()).toEqual(['node.log', 'node.log.1', 'node.log.2']);
  expect(['node.log', 'node.log.1', 'node.log.2'].map(textOf)).toEqual(['gggg\n', 'eeee\nffff\n', 'cccc\ndddd\n']);
});

it('a line that is longer than allowed is written whole', () => {
  const { log } = logFile({ maxBytes: 10, keep: 1 });
  for (const line of [`${'a'.repeat(30)}\n`, 'b\n']) log.write(line);
  expect([textOf('node.log.1'), textOf('node.log')]).toEqual([`${'a'.repeat(30)}\n`, 'b\n']);
});

it('counts what was in the file before', () => {
  writeFileSync(path.join(directory, 'node.log'), 'x'.repeat(10));
  const { log } = logFile({ maxBytes: 10, keep: 1 });
  log.write('b\n');
  expect([textOf('node.log.1'), textOf('node.log')]).toEqual(['x'.repeat(10), 'b\n']);
});

it('after a rename lines go on in the old file until it is reopened, and then in a new one', () => {
  const { log, file, failures } = logFile();
  log.write('one\n');
  renameSync(file, `${file}.old`);
  log.write('two\n');
  log.reopen();
  log.write('three\n');
  expect([textOf('node.log.old'), textOf('node.log'), failures]).toEqual(['one\ntwo\n', 'three\n', []]);
});

it('where no new file can be opened it stays with the old one, and says so once', () => {
  const { log, file, failures } = logFile({ name: 'logs/node.log' });
  renameSync(path.dirname(file), path.join(directory, 'moved'));
  log.reopen();
  log.reopen();
  log.write('one\n');
  expect([textOf('moved/node.log'), failures]).toEqual(['one\n', [expect.objectContaining({ code: 'ENOENT' })]]);
  expect(existsSync(path.dirname(file))).toBe(false);
});

it('a full disk ends nothing, and is said once', async () => {
  const { log, failures } = logFile({ name: '/dev/full' });
  const errors: unknown[] = [];
  log.on('error', (error) => errors.push(error));
  for (let i = 0; i < 3; i++) log.write('lost\n');
  await new Promise((resolve) => log.end(resolve));
  expect([errors, failures]).toEqual([[], [expect.objectContaining({ code: 'ENOSPC' })]]);
});

it('that it cannot be set aside is said once, although lines are written, and again after it could be', () => {
  const { log, failures, faults, file } = logFile({ maxBytes: 10, keep: 1 });
  mkdirSync(path.join(`${file}.1`, 'full'), { recursive: true });
  for (let i = 0; i < 5; i++) log.write('aaaaaa\n');
  expect([textOf('node.log'), failures.length]).toEqual(['aaaaaa\n'.repeat(5), 1]);
  rmSync(`${file}.1`, { recursive: true });
  log.write('bbbbbb\n');
  expect([textOf('node.log'), failures.length]).toEqual(['bbbbbb\n', 1]);
  rmSync(`${file}.1`);
  mkdirSync(path.join(`${file}.1`, 'full'), { recursive: true });
  for (let i = 0; i < 3; i++) log.write('cccccc\n');
  expect([textOf('node.log'), failures.length]).toEqual(['bbbbbb\ncccccc\ncccccc\ncccccc\n', 2]);
  expect(faults).toEqual(['set aside', 'set aside']);
});

it('throws when it cannot be opened at all', () => {
  writeFileSync(path.join(directory, 'file'), '');
  expect(() => logFile({ name: 'file/node.log' })).toThrow(/ENOTDIR|EEXIST/);
});

it('standard error says that lines are lost only where they are', () => {
  const said: string[] = [];
  const stderr = vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  try {
    mkdirSync(path.join(directory, 'node.log.1', 'full'), { recursive: true });
    const log = logFileOf({ logtofile: true, logmaxsize: 10, logkeep: 1 }, directory);
    if (log === undefined) throw new Error('there is no log');
    opened.push(log);
    for (let i = 0; i < 3; i++) log.write('aaaaaa\n');
    expect(textOf('node.log')).toBe('aaaaaa\n'.repeat(3));
  } finally {
    stderr.mockRestore();
  }
  expect(said).toEqual([
    expect.stringMatching(/node\.log cannot be set aside or opened anew, it goes on in the file that it has: .*EISDIR/),
  ]);
});
