/** Names of uploaded files: whatever a client calls a file, it ends up in one directory, seen and under a name that fits. */
import { describe, expect, it } from 'vitest';

import { fileNameOf, isOfType, numberedName } from '../../../../src/webservice/upload/names.js';

describe('the name of a file', () => {
  it.each([
    ['report.pdf', 'report.pdf'],
    ['Größe 日本.txt', 'Größe 日本.txt'],
    ['a b (1).csv', 'a b (1).csv'],
    ['../../etc/passwd', 'passwd'],
    ['/etc/passwd', 'passwd'],
    ['a b/../ü.csv', 'ü.csv'],
    ['C:\\Windows\\system32\\evil.dll', 'evil.dll'],
    ['\\\\server\\share\\x', 'x'],
    ['..\\..\\x', 'x'],
    ['.htaccess', 'htaccess'],
    ['...hidden', 'hidden'],
    [' . .x', 'x'],
    ['a\0.txt', 'a.txt'],
    ['a\r\nSet-Cookie: x.txt', 'aSet-Cookie: x.txt'],
    ['txt.\u202eexe', 'txt.exe'],
    ['\u200e\u2066.profile', 'profile'],
    ['u\u0308.txt', 'ü.txt'],
    ['name.txt  ', 'name.txt'],
    ['__proto__', '__proto__'],
    ['%2e%2e%2fx', '%2e%2e%2fx'],
  ])('%j becomes %j', (given, name) => {
    expect(fileNameOf(given)).toBe(name);
  });

  it.each(['', '.', '..', '/', '../', 'a/', 'a\\', '\0', '\u202e.', ' ', '...'])('%j is none', (given) => {
    expect(fileNameOf(given)).toBeUndefined();
  });

  it.each([
    ['a'.repeat(300), 'a'.repeat(255)],
    [`${'a'.repeat(300)}.pdf`, `${'a'.repeat(251)}.pdf`],
    [`${'ü'.repeat(300)}.pdf`, `${'ü'.repeat(125)}.pdf`],
    [`${'😀'.repeat(100)}.pdf`, `${'😀'.repeat(62)}.pdf`],
    [`a.${'b'.repeat(300)}`, `a.${'b'.repeat(253)}`],
  ])('of too many octets is cut, and keeps its extension', (given, name) => {
    expect(fileNameOf(given)).toBe(name);
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
  });

  // In steps that grow with the square of the length, these would take minutes.
  it.each([
    `${'\u0315'.repeat(500_000)}${'\u0300'.repeat(500_000)}.pdf`,
    `${'a'.repeat(1_000_000)}/${'\u0315'.repeat(100_000)}${'\u0300'.repeat(100_000)}.pdf`,
  ])('of marks in the wrong order is not looked at for long, and keeps its extension', (given) => {
    expect(fileNameOf(given)).toMatch(/^[\u0315\u0300]+\.pdf$/);
  });

  it('never leads out of a directory, whatever the client says', () => {
    const bits = ['.', '..', '/', '\\', '\0', 'a', ' ', 'ü', '\u202e', '\n', 'C:', '😀', '.pdf'];
    const faults: object[] = [];
    for (let seed = 1; seed < 20_000; seed += 1) {
      let rest = seed * 2_654_435_761;
      let given = '';
      for (; rest > 0; rest = Math.floor(rest / bits.length)) given += bits[rest % bits.length] ?? '';
      const name = fileNameOf(given) ?? 'none';
      const isHarmless = /^[^./\\\p{Cc}\s][^/\\\p{Cc}]*$/u.test(name) && Buffer.byteLength(name) <= 255;
      if (!isHarmless) faults.push({ given, name });
    }
    expect(faults).toEqual([]);
  });
});

describe('another file of a name', () => {
  it.each([
    ['a.pdf', 1, 'a (1).pdf'],
    ['a', 12, 'a (12)'],
    ['a.tar.gz', 1, 'a.tar (1).gz'],
    [`${'a'.repeat(251)}.pdf`, 1, `${'a'.repeat(247)} (1).pdf`],
  ])('%s, %i: %s', (name, number, expected) => {
    expect(numberedName(name, number)).toBe(expected);
  });
});

describe('types of files', () => {
  it.each([
    ['a.pdf', ['.pdf'], true],
    ['A.PDF', ['.pdf'], true],
    ['a.tar.gz', ['.tar.gz'], true],
    ['a.pdf.exe', ['.pdf'], false],
    ['apdf', ['.pdf'], false],
    ['.pdf', ['.pdf'], false],
    ['a.pdf', [], false],
  ])('%s of %j: %s', (name, types, expected) => {
    expect(isOfType(name, types)).toBe(expected);
  });
});
