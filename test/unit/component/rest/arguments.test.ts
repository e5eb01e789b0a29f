/** What a call says becomes a request to the server of the config, or is refused with a sentence. */
import { describe, expect, it } from 'vitest';

import { requestOf } from '../../../../src/component/rest/arguments.js';

const EXTRA = { baseurl: 'https://api.example.com/v1/?key=1', allow_absolute: false };
const OPEN = { ...EXTRA, allow_absolute: true };

type Kwargs = Readonly<Record<string, unknown>>;

const request = (kwargs: Kwargs, extra = EXTRA) => requestOf([], { method: 'GET', ...kwargs }, extra);
const refusal = (kwargs: Kwargs, extra = EXTRA) => {
  try {
    return request(kwargs, extra).url.href;
  } catch (error) {
    return (error as Error).message;
  }
};

describe('a request', () => {
  it('is made of keywords, or of positions', () => {
    const kwargs = {
      method: 'post',
      url: 'users',
      body: 'ä',
      headers: { Accept: ['text/plain', 'text/html'], 'X-One': 'word' },
      params: { q: 'a b', tag: ['x', 'y'] },
    };
    for (const made of [requestOf([], kwargs, EXTRA), requestOf(Object.values(kwargs), {}, EXTRA)]) {
      expect(made.method).toBe('POST');
      expect(made.url.href).toBe('https://api.example.com/v1/users?q=a+b&tag=x&tag=y');
      expect([...made.headers]).toEqual([
        ['accept', 'text/plain, text/html'],
        ['x-one', 'word'],
      ]);
      expect(Buffer.from(made.body ?? []).toString()).toBe('ä');
    }
  });

  it('goes to the base itself without a url, and has no body by default', () => {
    for (const kwargs of [{}, { url: null, body: null, headers: null, params: null }, { url: '', body: '' }]) {
      const { url, body } = request(kwargs);
      expect([url.href, body]).toEqual(['https://api.example.com/v1/?key=1', undefined]);
    }
  });

  it('takes bytes as its body', () => {
    expect(request({ method: 'PUT', body: new Uint8Array([0, 255]) }).body).toEqual(new Uint8Array([0, 255]));
  });

  it.each(['../admin', '/root', '?x=1', 'https://api.example.com/x', '//api.example.com/x', 'https:x'])(
    'stays at the server with the url %s',
    (url) => expect(request({ url }).url.origin).toBe('https://api.example.com'),
  );

  it.each([
    'http://api.example.com/',
    'https://api.example.com:444/',
    '//evil.example.com/',
    '\\\\evil.example.com/',
    '/\\evil.example.com/',
    'https://api.example.com@evil.example.com/',
    'file:///etc/passwd',
    'data:text/plain,x',
    'javascript:1',
  ])('does not leave the server by the url %s', (url) => {
    expect(refusal({ url })).toBe('The "url" leads to another server.');
  });

  it('goes anywhere by HTTP where the config allows it', () => {
    expect(request({ url: 'http://other.example.com/x' }, OPEN).url.href).toBe('http://other.example.com/x');
    expect(refusal({ url: 'file:///etc/passwd' }, OPEN)).toBe('The "url" is not of HTTP.');
    expect(refusal({ url: 'http://a:b@other.example.com' }, OPEN)).toBe('The "url" has a user or a password.');
  });

  it.each([
    [{ method: null }, 'The "method" must be a string.'],
    [{ method: 7 }, 'The "method" must be a string.'],
    [{ method: 'GET /x HTTP/1.1\r\n' }, 'The "method" is no method of HTTP that can be sent.'],
    [{ method: 'connect' }, 'The "method" is no method of HTTP that can be sent.'],
    [{ method: 'TRACE' }, 'The "method" is no method of HTTP that can be sent.'],
    [{ body: 'x' }, 'A request with the method GET has no "body".'],
    [{ url: 7 }, 'The "url" must be a string.'],
    [{ url: 'http://[' }, 'The "url" is no URL.'],
    [{ url: 'https://joe@api.example.com/' }, 'The "url" has a user or a password.'],
    [{ method: 'POST', body: {} }, 'The "body" must be a string, or bytes.'],
    [{ params: ['a'] }, 'The "params" must be an object.'],
    [{ params: { a: 1 } }, 'The "params" must have strings, or lists of strings.'],
    [{ params: { a: ['b', null] } }, 'The "params" must have strings, or lists of strings.'],
    [{ headers: 'a: b' }, 'The "headers" must be an object.'],
    [{ headers: { a: 1 } }, 'The "headers" must have strings, or lists of strings.'],
    [{ headers: { 'a b': 'c' } }, 'The "headers" have a name or a value that no header can have.'],
    [{ headers: { a: 'b\r\nc: d' } }, 'The "headers" have a name or a value that no header can have.'],
    [{ headers: { a: '☃' } }, 'The "headers" have a name or a value that no header can have.'],
    [{ headers: { Host: 'other.example.com' } }, 'The header "Host" cannot be chosen.'],
    [{ headers: { 'transfer-encoding': 'chunked' } }, 'The header "transfer-encoding" cannot be chosen.'],
    [{ headers: { 'Content-Length': '7' } }, 'The header "Content-Length" cannot be chosen.'],
    [{ data: 'x' }, 'Found "data" among the arguments (allowed: method, url, body, headers, params).'],
  ])('is not made of %j', (kwargs, text) => {
    expect(refusal(kwargs)).toBe(text);
  });

  it('has no sixth argument', () => {
    expect(() => requestOf([1, 2, 3, 4, 5, 6], {}, EXTRA)).toThrow('Found more than 5 among the arguments');
  });

  it('finds no argument in the prototype of the keywords', () => {
    expect(() => requestOf([], {}, EXTRA)).toThrow('The "method" must be a string.');
  });
});
