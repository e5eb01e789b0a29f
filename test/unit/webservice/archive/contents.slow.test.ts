/** What is found in an archive, and what is refused: by archives of Python, of Info-ZIP, and of nobody. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { unpack } from '../../../../src/webservice/archive/content.js';
import { ZipFile } from '../../../../src/webservice/archive/zip-file.js';
import { itNeeds } from '../../../support/needs.js';
import { zipOf } from '../../../support/zips.js';
import type { ZipEntryParts, ZipParts } from '../../../support/zips.js';

/** Debian's. */
const PYTHON = '/usr/bin/python3';
const HAS_ZIP = spawnSync('zip', ['-v']).status === 0;
const HAS_PYTHON = spawnSync(PYTHON, ['-c', 'import zipfile']).status === 0;

let top: string;
let count = 0;

beforeAll(() => {
  top = mkdtempSync(path.join(tmpdir(), 'crossbar-ts-archive-'));
});
afterAll(() => rmSync(top, { recursive: true, force: true }));

function fileWith(bytes: Uint8Array): string {
  const file = path.join(top, `${String((count += 1))}.zip`);
  writeFileSync(file, bytes);
  return file;
}

/** @returns everything that an archive serves, unpacked. */
async function served(file: string): Promise<Readonly<Record<string, string>>> {
  const zip = await ZipFile.open(file);
  try {
    const texts: Record<string, string> = {};
    for (const [name, entry] of zip.contents.entries) {
      texts[name] = (await unpack(entry, await zip.packed(entry))).toString();
    }
    return texts;
  } finally {
    await zip.close();
  }
}

const servedOf = (entries: readonly ZipEntryParts[], parts?: ZipParts): ReturnType<typeof served> =>
  served(fileWith(zipOf(entries, parts)));

/** @returns why an archive is not opened. */
async function refusalOf(bytes: Uint8Array): Promise<string> {
  try {
    await (await ZipFile.open(fileWith(bytes))).close();
    return 'opened';
  } catch (error) {
    return (error as Error).message;
  }
}

const PAGE = { name: 'index.html', content: '<h1>home</h1>' };
const LONG = 'some text that repeats itself. '.repeat(10_000);

describe('an archive', () => {
  it('has entries that are stored or deflated, empty, nested and long', async () => {
    const entries = [
      PAGE,
      { name: 'stored.txt', content: 'as it is', method: 0 },
      { name: 'a/b/c.txt', content: LONG },
      { name: 'empty.txt', content: '' },
      { name: 'empty-stored.txt', content: '', method: 0 },
      { name: 'größe/☃.txt', content: 'snow', localExtra: 40 },
      { name: 'a/', content: '', method: 0 },
    ];
    expect(await servedOf(entries)).toEqual({
      'index.html': '<h1>home</h1>',
      'stored.txt': 'as it is',
      'a/b/c.txt': LONG,
      'empty.txt': '',
      'empty-stored.txt': '',
      'größe/☃.txt': 'snow',
    });
    expect(await servedOf([])).toEqual({});
  });

  it.each(['a comment', 'PK\u0005\u0006', `PK\u0005\u0006${'\0'.repeat(18)}`, 'x'.repeat(65_535)])(
    'may have a comment, whatever is in it: %j',
    async (comment) => {
      expect(await servedOf([PAGE], { comment })).toEqual({ 'index.html': PAGE.content });
    },
  );

  it('may have 65,534 entries, and others have their turn while they are read', async () => {
    const file = fileWith(zipOf(Array.from({ length: 65_534 }, (_, index) => ({ name: String(index), method: 0 }))));
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    const zip = await ZipFile.open(file);
    clearImmediate(next);
    // Every 300 entries, when the directory is read and when it is looked through.
    expect(turns).toBeGreaterThanOrEqual(2 * Math.floor(65_534 / 300));
    expect([zip.contents.entries.size, zip.contents.entries.get('65533')?.size]).toEqual([65_534, 0]);
    await zip.close();
  });

  itNeeds('python3', HAS_PYTHON)('is read as Python wrote it', async () => {
    const file = path.join(top, 'python.zip');
    const program = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    z.writestr(zipfile.ZipInfo('stored.txt'), 'as it is')
    z.writestr('deep/er/größe.txt', 'x' * 100000, zipfile.ZIP_DEFLATED)
    z.writestr('twice.txt', 'first')
    z.writestr('twice.txt', 'second')
    z.comment = b'a comment'
class NoSeek:
    def __init__(self, f): self.f = f
    def write(self, b): return self.f.write(b)
    def flush(self): self.f.flush()
with open(sys.argv[2], 'wb') as f, zipfile.ZipFile(NoSeek(f), 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('streamed.txt', 'with a data descriptor')
`;
    const streamed = path.join(top, 'streamed.zip');
    execFileSync(PYTHON, ['-W', 'ignore', '-c', program, file, streamed]);
    expect(await served(file)).toEqual({
      'stored.txt': 'as it is',
      'deep/er/größe.txt': 'x'.repeat(100_000),
      'twice.txt': 'second',
    });
    expect(await served(streamed)).toEqual({ 'streamed.txt': 'with a data descriptor' });
  });

  itNeeds('zip', HAS_ZIP)('is read as zip wrote it, to a file, to a pipe, and from one', async () => {
    const directory = path.join(top, 'pages');
    mkdirSync(path.join(directory, 'sub'), { recursive: true });
    for (const name of ['a.txt', 'sub/größe.txt']) writeFileSync(path.join(directory, name), LONG);
    const expected = { 'a.txt': LONG, 'sub/größe.txt': LONG };
    execFileSync('zip', ['-q', '-r', '../plain.zip', '.'], { cwd: directory });
    expect(await served(path.join(top, 'plain.zip'))).toEqual(expected);
    expect(await served(fileWith(execFileSync('zip', ['-q', '-r', '-', '.'], { cwd: directory })))).toEqual(expected);
    const piped = execFileSync('zip', ['-q', '-', '-'], { input: LONG });
    expect(await served(fileWith(piped))).toEqual({ '-': LONG });
  });
});

describe('entries that are not served', () => {
  it.each([
    '../up.txt',
    'a/../../up.txt',
    '/etc/passwd',
    'C:/windows.ini',
    'a\\b.txt',
    '..\\up.txt',
    './here.txt',
    'a//b.txt',
    'a/./b.txt',
    '.env',
    '.git/config',
    'a/.hidden/x',
    'line\nbreak',
    'nul\0',
    '',
    Buffer.from([0x66, 0xff, 0xfe]),
  ])('have names that lead elsewhere, are hidden or cannot be read: %j', async (name) => {
    const zip = await ZipFile.open(fileWith(zipOf([{ name, content: 'hostile' }, PAGE])));
    expect([...zip.contents.entries.keys()]).toEqual(['index.html']);
    expect(zip.contents.ignored).toBe(1);
    await zip.close();
  });

  it('are the earlier ones of a name', async () => {
    const zip = await ZipFile.open(
      fileWith(
        zipOf([
          { name: 'a', content: '1' },
          { name: 'a', content: '2' },
        ]),
      ),
    );
    expect(zip.contents.repeated).toBe(1);
    await zip.close();
  });

  it('are not those of `.well-known`', async () => {
    expect(await servedOf([{ name: '.well-known/security.txt', content: 'Contact' }])).toEqual({
      '.well-known/security.txt': 'Contact',
    });
  });
});

describe('what is refused', () => {
  const whole = zipOf([PAGE, { name: 'a.txt', content: LONG }]);

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', Buffer.alloc(0), /^it is no ZIP file, or its end is missing$/],
    ['something else', Buffer.from(LONG), /no ZIP file/],
    ['a half', whole.subarray(0, -100), /no ZIP file/],
    ['one without its first bytes', whole.subarray(100), /directory is not where its end says/],
    ['one with bytes before', Buffer.concat([Buffer.from('#!/bin/sh\n'), whole]), /directory is not where/],
    ['one with bytes behind', Buffer.concat([whole, Buffer.from('x')]), /no ZIP file/],
    ['a directory that is shorter than it says', zipOf([PAGE], { count: 2 }), /directory is damaged/],
    ['ZIP64', zipOf([PAGE], { count: 0xffff }), /ZIP64, which is not supported/],
    ['ZIP64 by its place', zipOf([PAGE], { start: 0xffffffff }), /ZIP64/],
    ['an entry in ZIP64', zipOf([{ ...PAGE, size: 0xffffffff }]), /entry "index.html" is in the format ZIP64/],
    ['an encrypted entry', zipOf([{ ...PAGE, flags: 0x801 }]), /entry "index.html" is encrypted/],
    [
      'another method',
      zipOf([{ ...PAGE, method: 12 }]),
      /is packed by method 12 \(allowed: 0, stored, and 8, deflated\)/,
    ],
    ['a stored entry of two lengths', zipOf([{ ...PAGE, method: 0, size: 3 }]), /has two lengths/],
    ['an entry over another', zipOf([PAGE, { name: 'b', content: 'x', offset: 0 }]), /overlaps another one/],
    ['an entry over the directory', zipOf([{ ...PAGE, compressedSize: 5000 }]), /overlaps another one/],
    ['an entry behind the end', zipOf([{ ...PAGE, offset: 5000 }]), /overlaps another one/],
    [
      'what unpacks far too much',
      zipOf([{ name: 'b', content: Buffer.alloc(20_000_000) }]),
      /more than 200 times its size/,
    ],
    [
      'too much in all',
      zipOf(Array.from({ length: 5 }, (_, n) => ({ name: `../${String(n)}`, content: 'x', size: 1_000_000_000 }))),
      /larger than 4 GiB when it is unpacked/,
    ],
  ])('%s', async (_what, bytes, reason) => {
    expect(await refusalOf(bytes)).toMatch(reason);
  });

  it('is whatever is cut off or changed anywhere, without harm', async () => {
    const small = zipOf([PAGE, { name: 'a.txt', content: 'abc', method: 0 }], { comment: 'c' });
    const outcome = async (bytes: Buffer): Promise<string> => {
      try {
        await served(fileWith(bytes));
        return 'served';
      } catch (error) {
        return `${(error as Error).name} ${String((error as { code?: unknown }).code)}`;
      }
    };
    const outcomes = new Set<string>();
    for (let at = 0; at < small.length; at++) {
      outcomes.add(await outcome(small.subarray(0, at)));
      const changed = Buffer.from(small);
      changed.writeUInt8((changed.readUInt8(at) ^ 0xff) & 0xff, at);
      outcomes.add(await outcome(changed));
    }
    for (const one of outcomes) expect(one).toMatch(/^(served|ArchiveError ERR_ARCHIVE|Error Z_(BUF|DATA)_ERROR)$/);
  });
});

describe('what is not what the directory says', () => {
  it.each<[string, ZipEntryParts]>([
    ['another checksum', { ...PAGE, crc: 1 }],
    ['another checksum of what is stored', { ...PAGE, method: 0, crc: 1 }],
    ['more than it says', { ...PAGE, size: 3 }],
    ['less than it says', { ...PAGE, size: 300 }],
    ['a bomb that says it is small', { name: 'index.html', content: Buffer.alloc(5_000_000), size: 100 }],
    ['half of its bytes', { name: 'index.html', content: LONG, compressedSize: 100 }],
    ['a local header that leads too far', { ...PAGE, localExtra: 200, compressedSize: 100 }],
  ])('is not sent: %s', async (_what, entry) => {
    await expect(servedOf([entry])).rejects.toThrow();
  });
});
