import { describe, expect, it } from 'vitest';

import { presentedIds, setCookie } from '../../../src/cookie/header.js';
import type { CookieConfig } from '../../../src/cookie/schema.js';
import { sign } from '../../../src/cookie/signature.js';
import { cookieConfig } from '../../support/web.js';

const KNOWN = 'NcusES/a1si68vzsFDuPCkq+';
const OTHER = 'AAAAAAAAAAAAAAAAAAAAAAAA';

/** The ids alone. */
function ids(lines: readonly string[], shape: Partial<CookieConfig> = {}): string[] {
  return presentedIds(lines, cookieConfig(shape)).map(({ cbtid }) => cbtid);
}

describe('presentedIds', () => {
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
    expect(ids(lines)).toEqual(expected);
  });

  it('are not hidden by fifty of the same form that somebody planted before', () => {
    const planted = Array.from({ length: 50 }, (_, n) => `cbtid=${String(n).padStart(24, 'B')}`);
    expect(ids([[...planted, `cbtid=${KNOWN}`].join('; ')])).toContain(KNOWN);
  });

  it('knows names with the prefixes that browsers guard', () => {
    expect(ids([`cbtid=${OTHER}; __Host-id=${KNOWN}`], { name: '__Host-id' })).toEqual([KNOWN]);
  });

  it('looks at 64 values at most', () => {
    const values = Array.from({ length: 500 }, (_, n) => String(n).padStart(24, 'A'));
    const header = values.map((value) => `cbtid=${value}`).join('; ');
    expect(ids([header])).toEqual(values.slice(0, 64));
  });

  it('uses the name and length of the config', () => {
    expect(ids([`cbtid=${KNOWN}; sid=abc/12`], { name: 'sid', length: 6 })).toEqual(['abc/12']);
  });
});

describe('presentedIds of signed cookies', () => {
  const secrets = ['the secret of today', 'the secret of yesterday'];
  const signed = (secret: string, id = KNOWN): string => `cbtid=${sign(id, secret)}`;

  it('takes what one of the secrets signed, and tells which need another signature', () => {
    const [today = '', yesterday = ''] = secrets;
    const found = presentedIds([signed(today), signed(yesterday, OTHER)], cookieConfig({ secrets }));
    expect(found).toEqual([
      { cbtid: KNOWN, isOutdated: false },
      { cbtid: OTHER, isOutdated: true },
    ]);
  });

  it('are not hidden by any number of others that nobody signed, or somebody else', () => {
    const planted = Array.from({ length: 200 }, (_, n) => [
      `cbtid=${String(n).padStart(24, 'B')}`,
      signed('the secret of nobody', String(n).padStart(24, 'B')),
    ]);
    const header = [...planted.flat(), signed('the secret of today')].join('; ');
    expect(ids([header], { secrets })).toEqual([KNOWN]);
  });

  it.each([
    ['unsigned', `cbtid=${KNOWN}`],
    ['signed by somebody else', signed('the secret of nobody')],
    ['cut', signed('the secret of today').slice(0, -1)],
    ['of another length', signed('the secret of today', 'short')],
    ['without a signature', `cbtid=s%3A${KNOWN}.`],
    ['badly encoded', `${signed('the secret of today')}%E0%A4%A`],
  ])('leaves out what is %s', (_what, line) => {
    expect(ids([line], { secrets })).toEqual([]);
  });

  it('leaves out signed values where nothing is signed', () => {
    expect(ids([signed('the secret of today')])).toEqual([]);
  });

  it('are written with the first secret', () => {
    const line = setCookie(KNOWN, cookieConfig({ secrets }), { secureConnection: false, maxAge: 60 });
    expect(line).toBe(`${signed('the secret of today')}; Max-Age=60; Path=/; HttpOnly; SameSite=Lax`);
  });
});

describe('setCookie', () => {
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
    const config = cookieConfig(change);
    const options = { secureConnection: isTls, maxAge: config.max_age };
    expect(setCookie(KNOWN, config, options)).toBe(`cbtid=${KNOWN}; ${attributes}`);
  });

  it('takes the name of the config', () => {
    const options = { secureConnection: false, maxAge: 1 };
    expect(setCookie('abc/+2', cookieConfig({ name: 'sid' }), options)).toMatch(/^sid=abc\/\+2; Max-Age=1; /);
  });
});
