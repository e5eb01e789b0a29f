import { describe, expect, it } from 'vitest';

import { printable, tableOf } from '../../../src/cli/table.js';

describe('a table', () => {
  it('has columns as wide as their widest text, and nothing behind the last one', () => {
    const rows = [
      ['REALM', 'ID', 'WORKER'],
      ['r', '12345', 'w'],
      ['realm10', '', '-'],
    ];
    expect(tableOf(rows)).toBe('REALM    ID     WORKER\nr        12345  w\nrealm10         -\n');
    expect(tableOf([])).toBe('');
  });

  it('shows names that would move the cursor or turn the text around as what they are', () => {
    expect(printable('joe\u001b[2J\n\u202e')).toBe('joe\\u{1b}[2J\\u{a}\\u{202e}');
    expect(printable('Jürgen 中')).toBe('Jürgen 中');
  });
});
