import { describe, expect, it } from 'vitest';
import { misfitOf } from '../../../../src/transport/websocket/cookie-fit.js';

const PLAIN = 'cbtid=x; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax';
const SECURE = 'cbtid=x; Max-Age=86400; Path=/; Secure; HttpOnly; SameSite=Lax';

describe('a cookie and the page that it is for', () => {
  it.each([
    ['Secure and http', SECURE, 'http://a.example:8080', 'a.example:8080', /drop/],
    ['not Secure and https', PLAIN, 'https://a.example', 'a.example', /http/],
    ['Secure and https', SECURE, 'https://a.example', 'a.example', undefined],
    ['not Secure and http', PLAIN, 'http://a.example', 'a.example', undefined],
    ['Secure and http on this machine', SECURE, 'http://localhost:8080', 'localhost:8080', undefined],
    ['Secure and http on this machine, by number', SECURE, 'http://127.0.0.1', '127.0.0.1', undefined],
    ['another name of this machine', PLAIN, 'http://localhost:5173', '127.0.0.1:8080', /another name.*drop/],
    ['another name of this machine, turned round', PLAIN, 'http://127.0.0.1', '[::1]:8080', /another name/],
    ['another name, for every site', SECURE.replace('Lax', 'None'), 'http://localhost', '127.0.0.1', undefined],
    ['another name and another scheme', PLAIN, 'https://localhost:5173', '127.0.0.1', /another name/],
    ['a page of another host', SECURE, 'http://b.example', 'a.example', undefined],
    ['no page', SECURE, undefined, 'a.example', undefined],
    ['no origin', SECURE, 'null', 'a.example', undefined],
  ])('%s', (_what, cookie, origin, host, expected) => {
    const misfit = misfitOf(cookie, { origin, host });
    if (expected === undefined) expect(misfit).toBeUndefined();
    else expect(misfit?.reason).toMatch(expected);
  });
});
