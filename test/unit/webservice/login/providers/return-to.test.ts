import { describe, expect, it } from 'vitest';

import { returnTo, withLoginError } from '../../../../../src/webservice/login/providers/return-to.js';

const SITE = 'https://example.com';
const to = (asked: string | null): string => returnTo(asked, SITE, '/home');

describe('where a login leads', () => {
  it.each([
    ['/page', '/page'],
    ['page', '/page'],
    ['/page?a=1&b=%2F#part', '/page?a=1&b=%2F#part'],
    ['https://example.com/page', '/page'],
    ['https://example.com:443/page', '/page'],
    ['/ümläut', '/%C3%BCml%C3%A4ut'],
    ['?q', '/?q'],
    ['', '/'],
  ])('%j: a page of the site', (asked, expected) => {
    expect(to(asked)).toBe(`${SITE}${expected}`);
  });

  it.each([
    ['/.//evil.example', '/evil.example'],
    ['/x/..//evil.example', '/evil.example'],
    ['/%2e/%2e//evil.example', '/evil.example'],
    ['/.///evil.example', '/evil.example'],
    ['/./\\evil.example', '/evil.example'],
    ['/%2f/evil.example', '/%2f/evil.example'],
    ['https:evil.example', '/evil.example'],
    ['https://example.com\\@evil.example', '/@evil.example'],
  ])('%j: stays on the site, with one slash in front', (asked, expected) => {
    expect(to(asked)).toBe(`${SITE}${expected}`);
  });

  it.each([
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '/\t/evil.example',
    '\n//evil.example',
    ' //evil.example',
    'https://evil.example/',
    'http://example.com/',
    'https://example.com:8443/',
    'https://example.com.evil.example/',
    'https://example.com@evil.example/',
    'https://joe:secret@example.com/',
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    'blob:https://example.com/1',
    'http://[',
    `/${'x'.repeat(2048)}`,
    `/${'ü'.repeat(500)}`,
  ])('%j: leads elsewhere, so it is the page of the config', (asked) => {
    expect(to(asked)).toBe(`${SITE}/home`);
  });

  it('is the page of the config where nothing is asked', () => {
    expect(to(null)).toBe(`${SITE}/home`);
    expect(returnTo(null, SITE, '//evil.example')).toBe(`${SITE}/`);
  });
});

describe('why a login came to nothing', () => {
  it('is a word of a fixed list', () => {
    expect(withLoginError(`${SITE}/page?a=1#x`, 'access_denied')).toBe(`${SITE}/page?a=1&login_error=access_denied#x`);
    expect(withLoginError(`${SITE}/page?login_error=old`, 'login_required')).toBe(
      `${SITE}/page?login_error=login_required`,
    );
    expect(withLoginError(`${SITE}/`, '"><script>')).toBe(`${SITE}/?login_error=login_failed`);
  });
});
