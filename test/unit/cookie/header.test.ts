import { describe, expect, it } from 'vitest';

import { cookieValues, setCookie } from '../../../src/cookie/header.js';
import type { CookieConfig } from '../../../src/cookie/schema.js';

const KNOWN = 'NcusES/a1si68vzsFDuPCkq+';
const OTHER = 'AAAAAAAAAAAAAAAAAAAAAAAA';

describe('cookieValues', () => {
  const cases: [string, string[], string[]][] = [
    ['no cookie', [], []],
    ['the cookie alone', [`cbtid=${KNOWN}`], [KNOWN]],
    ['wrong length', [`cbtid=${KNOWN}A`, `cbtid=${KNOWN.slice(1)}`], []],
    ['4,096 characters', [`cbtid=${'A'.repeat(4096)}`], []],
    ['garbage', [';;==', '\u0001\u0002', 'cbtid', 'cbtid=', '=', 'cbtid==;cbtid'], []],
    ['neighbours', [`a=1; cbtid=${KNOWN}; sid="x y"; b=2`], [KNOWN]],
    ['the name twice: both, in order', [`cbtid=${OTHER}; cbtid=${KNOWN}`], [OTHER, KNOWN]],
    ['the name twice, the other way round', [`cbtid=${KNOWN}; cbtid=${OTHER}`], [KNOWN, OTHER]],
    ['the same twice', [`cbtid=${KNOWN}; cbtid=${KNOWN}`], [KNOWN]],
    ['a bad value first', [`cbtid=nothing; cbtid=${KNOWN}`], [KNOWN]],
    ['two header lines', ['a=1', `cbtid=${KNOWN}`], [KNOWN]],
    ['quotes', [`cbtid="${KNOWN}"`], [KNOWN]],
    ['half a quote', [`cbtid="${KNOWN}`], []],
    ['a bad name before', [`bad name=1; cbtid=${KNOWN}`], [KNOWN]],
    ['JSON before', [`j={"a":1}; cbtid=${KNOWN}`], [KNOWN]],
    ['JSON with a comma before', [`j={"a":1,"b":[2]}; cbtid=${KNOWN}`], [KNOWN]],
    ['JSON behind', [`cbtid=${KNOWN}; j={"a":1}`], [KNOWN]],
    ['JSON, then a longer name, then the cookie', [`j={"a":1}; mycbtid=${OTHER}; cbtid=${KNOWN}`], [KNOWN]],
    ['a name that contains ours', [`mycbtid=${OTHER}; cbtid2=${OTHER}`], []],
    ['another case', [`CBTID=${KNOWN}; Cbtid=${KNOWN}`], []],
    ['percent escapes', [`cbtid=${KNOWN.replace('+', '%2B')}`, `cbtid=${'%41'.repeat(8)}`], []],
    ['URL-safe base64', [`cbtid=${OTHER.replace('AA', '-_')}`], []],
    ['padding', [`cbtid=${OTHER.slice(1)}=`], []],
    ['characters beyond ASCII', [`cbtid=${OTHER.slice(1)}ä`], []],
    ['lines joined by comma', [`cbtid=${KNOWN}, a=1`], []],
    ['no space, much space', [`a=1;cbtid=${KNOWN}`, `\t cbtid = ${OTHER} \t`], [KNOWN, OTHER]],
    ['names of Object', [`__proto__=${OTHER}; constructor=${OTHER}; cbtid=${KNOWN}`], [KNOWN]],
  ];
  it.each(cases)('%s', (_what, lines, expected) => {
    expect(cookieValues(lines, 'cbtid', 24)).toEqual(expected);
  });

  it('looks at 16 values at most', () => {
    const values = Array.from({ length: 500 }, (_, n) => String(n).padStart(24, 'A'));
    const header = values.map((value) => `cbtid=${value}`).join('; ');
    expect(cookieValues([header], 'cbtid', 24)).toEqual(values.slice(0, 16));
  });

  it('uses the name and length of the config', () => {
    expect(cookieValues([`cbtid=${KNOWN}; sid=abc/12`], 'sid', 6)).toEqual(['abc/12']);
  });
});

describe('setCookie', () => {
  const config: CookieConfig = {
    name: 'cbtid',
    length: 24,
    max_age: 86400,
    same_site: 'Lax',
    path: '/',
    store: { type: 'memory' },
  };
  const cases: [string, Partial<CookieConfig>, boolean, string][] = [
    ['by default', {}, false, 'Max-Age=86400; Path=/; HttpOnly; SameSite=Lax'],
    ['over TLS', {}, true, 'Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=Lax'],
    ['secure behind a proxy', { secure: true }, false, 'Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=Lax'],
    ['secure switched off over TLS', { secure: false }, true, 'Max-Age=86400; Path=/; HttpOnly; SameSite=Lax'],
    ['http_only off', { http_only: false }, false, 'Max-Age=86400; Path=/; SameSite=Lax'],
    ['http_strict off', { http_strict: false }, false, 'Max-Age=86400; Path=/; SameSite=Lax'],
    ['http_strict on', { http_strict: true }, false, 'Max-Age=86400; Path=/; HttpOnly; SameSite=Lax'],
    ['strict', { same_site: 'Strict' }, false, 'Max-Age=86400; Path=/; HttpOnly; SameSite=Strict'],
    ['none', { same_site: 'None', secure: true }, false, 'Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=None'],
    [
      'path and domain',
      { path: '/app', domain: 'example.com', max_age: 60 },
      false,
      'Max-Age=60; Domain=example.com; Path=/app; HttpOnly; SameSite=Lax',
    ],
  ];
  it.each(cases)('%s', (_what, change, isTls, attributes) => {
    expect(setCookie(KNOWN, { ...config, ...change }, isTls)).toBe(`cbtid=${KNOWN}; ${attributes}`);
  });

  it('takes the name of the config', () => {
    expect(setCookie('abc/+2', { ...config, name: 'sid' }, false)).toMatch(/^sid=abc\/\+2; /);
  });
});
