import { readFileSync } from 'node:fs';
import path from 'node:path';

import { describe, expect, it } from 'vitest';

import { deletedLine, liveLine, parseLine } from '../../../../src/cookie/file/line.js';
import { pythonJson } from '../../../../src/cookie/file/python-json.js';
import { cookieId, cookieRecord, JOE, MODIFIED } from '../../../support/cookie-store.js';

const fixtures = path.join(import.meta.dirname, '../../../fixtures/cookies');
const ID = 'NcusES/a1si68vzsFDuPCkqs';

function fixtureLines(name: string): string[] {
  return readFileSync(path.join(fixtures, name), 'utf8').trimEnd().split('\n');
}

describe('lines that Crossbar.io wrote', () => {
  const [created = '', modified = '', deleted = ''] = fixtureLines('crossbar-logout.dat');

  it('are read', () => {
    expect(parseLine(created)).toEqual({ cbtid: ID, record: cookieRecord(ID) });
    const authextra = {
      x_cb_node: 'vm-31908',
      x_cb_worker: 'worker1',
      x_cb_peer: 'tcp4:127.0.0.1:38700',
      x_cb_pid: 31917,
    };
    const auth = { ...JOE, authextra };
    expect(parseLine(modified)).toEqual({ cbtid: ID, record: cookieRecord(ID, { modified: MODIFIED, auth }) });
    expect(parseLine(deleted)).toEqual({ cbtid: ID, record: undefined });
  });

  it('are written again byte for byte', () => {
    for (const line of [created, modified]) {
      const record = parseLine(line)?.record;
      expect(record && liveLine(record)).toBe(`${line}\n`);
    }
    const record = parseLine(modified)?.record;
    expect(record && deletedLine(record, '2026-11-20T22:25:03.745Z')).toBe(`${deleted}\n`);
  });

  it('of a purged file lack status, modified and deleted', () => {
    const [withLogin = '', without = ''] = fixtureLines('crossbar-purged.dat');
    expect(parseLine(withLogin)?.record).toMatchObject({ modified: null, auth: { authid: 'joe', authextra: null } });
    expect(parseLine(without)?.record).toEqual(cookieRecord('NEWbbbbbbbbbbbbbbbbbbbbb'));
  });

  it('before 22.4 call the id "id"; without authrealm the cookie is kept and the login is not', () => {
    const [whole = '', partial = ''] = fixtureLines('crossbar-before-2022.dat');
    expect(parseLine(whole)).toMatchObject({ cbtid: 'OLDaaaaaaaaaaaaaaaaaaaaa', record: { auth: { authid: 'joe' } } });
    expect(parseLine(partial)).toMatchObject({ cbtid: 'OLDbbbbbbbbbbbbbbbbbbbbb', record: { auth: null } });
  });
});

describe('lines of ours', () => {
  it('have what a login was made with behind all that Crossbar.io looks at, and only where it is known', () => {
    const record = cookieRecord(cookieId(1), { modified: MODIFIED, auth: { ...JOE, credential: 'c0de' } });
    const line = liveLine(record);
    expect(line).toMatch(/"authextra": \{.*\}, "credential": "c0de"\}\n$/);
    expect(parseLine(line.trimEnd())?.record).toEqual(record);
    expect(parseLine(line.trimEnd(), true)?.record).toEqual(record);
    expect(liveLine(cookieRecord(cookieId(1), { auth: JOE }))).not.toContain('credential');
    // A line of the wrong type is damaged, and lets nobody in.
    expect(parseLine(line.trimEnd().replace('"c0de"', '7'))).toBeUndefined();
  });

  it('have all keys in the order of Crossbar.io, with and without login', () => {
    const keys = 'cbtid status created modified deleted max_age authid authrole authmethod authrealm authextra'.split(
      ' ',
    );
    const record = cookieRecord(cookieId(1), { modified: MODIFIED, auth: JOE });
    for (const line of [liveLine(cookieRecord(ID)), liveLine(record), deletedLine(record, MODIFIED)]) {
      expect(Object.keys(JSON.parse(line) as object)).toEqual(keys);
      expect(line.indexOf('\n')).toBe(line.length - 1);
    }
  });

  it('say created, modified or deleted', () => {
    const status = (line: string): unknown => (JSON.parse(line) as Record<string, unknown>)['status'];
    expect(status(liveLine(cookieRecord(ID)))).toBe('created');
    expect(status(liveLine(cookieRecord(ID, { auth: JOE })))).toBe('modified');
    expect(status(liveLine(cookieRecord(ID, { modified: MODIFIED })))).toBe('modified');
    expect(status(deletedLine(cookieRecord(ID), MODIFIED))).toBe('deleted');
  });

  it.each([
    ['spaces inside nested data', { a: [1, { b: [] }], c: {} }, '{"a": [1, {"b": []}], "c": {}}'],
    ['escapes of everything beyond ASCII', { ä: 'Zoë €' }, String.raw`{"\u00e4": "Zo\u00eb \u20ac"}`],
    ['surrogate pairs, lower case', '😀', String.raw`"\ud83d\ude00"`],
    ['short escapes and control characters', '"\\/\b\f\n\r\t\u0000\u007f', `"\\"\\\\/\\b\\f\\n\\r\\t\\u0000\u007f"`],
    ['a lone surrogate', '\ud800', String.raw`"\ud800"`],
    ['numbers and words', [0, -1.5, 1e21, true, false, null], '[0, -1.5, 1e+21, true, false, null]'],
  ])('use what json.dumps of Python uses: %s', (_what, value, text) => {
    expect(pythonJson(value)).toBe(text);
    expect(JSON.parse(text)).toEqual(value);
  });
});

describe('a damaged line', () => {
  const good = { cbtid: ID, created: MODIFIED, max_age: 60 };
  it.each([
    ['is empty', ''],
    ['is cut', liveLine(cookieRecord(ID)).slice(0, 40)],
    ['is no object', '[]'],
    ['is null', 'null'],
    ['is NUL bytes', '\0\0\0'],
    ['has NUL bytes in a text', JSON.stringify(good).replace('Nc', '\0\0')],
    ['lacks the id', JSON.stringify({ ...good, cbtid: undefined })],
    ['has an empty id', JSON.stringify({ ...good, cbtid: '' })],
    ['has a number as id', JSON.stringify({ ...good, cbtid: 5 })],
    ['lacks created', JSON.stringify({ ...good, created: undefined })],
    ['has a time that is none', JSON.stringify({ ...good, created: '2026-13-45T22:25:02.621Z' })],
    ['has a local time', JSON.stringify({ ...good, created: '2026-11-20T22:25:02' })],
    ['has a number as time', JSON.stringify({ ...good, created: 1763677502 })],
    ['has a modified that is no time', JSON.stringify({ ...good, modified: 'yesterday' })],
    ['lacks max_age', JSON.stringify({ ...good, max_age: undefined })],
    ['has a text as max_age', JSON.stringify({ ...good, max_age: '60' })],
    ['has a negative max_age', JSON.stringify({ ...good, max_age: -1 })],
    ['has an unknown status', JSON.stringify({ ...good, status: 'crfated' })],
    ['has a number as authid', JSON.stringify({ ...good, ...JOE, authid: 7 })],
    ['has a list as authextra', JSON.stringify({ ...good, ...JOE, authextra: [] })],
  ])('%s', (_what, line) => {
    expect(parseLine(line)).toBeUndefined();
  });

  it('is believed when it says deleted and its id can be read', () => {
    const tombstone = { cbtid: ID, record: undefined };
    expect(parseLine(JSON.stringify({ cbtid: ID, status: 'deleted' }))).toEqual(tombstone);
    expect(parseLine(JSON.stringify({ ...good, deleted: '2026-99-99' }))).toEqual(tombstone);
    expect(parseLine(JSON.stringify({ ...good, deleted: true }))).toEqual(tombstone);
  });
});
