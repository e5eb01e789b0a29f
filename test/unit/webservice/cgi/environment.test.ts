/** What a script learns of the request, and what not. */
import { expect, it } from 'vitest';

import { scriptEnvironment } from '../../../../src/webservice/cgi/environment.js';
import { openExchange } from '../../../support/exchange.js';

const SCRIPT = { file: '/srv/cgi/a.py', name: '/a.py', pathInfo: '/x y', pathTranslated: '/srv/cgi/x y' };
const OWN = { PATH: '/bin', LANG: 'C.UTF-8', SECRET: 'hunter2' };

function environment(
  headers: Readonly<Record<string, string>>,
  more: { authid?: string; isHeld?: boolean; own?: Record<string, string> } = {},
) {
  const { request } = openExchange({ mount: '/cgi', rest: '/a.py/x%20y', query: '?q=%20', headers });
  const cookie = { cbtid: 'c', authid: more.authid, isHeld: more.isHeld ?? true };
  const asked = { ...request, client: { remoteAddress: '::ffff:10.0.0.1' }, cookie };
  const parts = {
    own: more.own ?? OWN,
    vars: { DB: 'shop', QUERY_STRING: 'no' },
    cookieNames: new Set(['cbtid', 'other']),
  };
  return scriptEnvironment(asked, SCRIPT, parts, 7);
}

it('has the variables of RFC 3875, those of the config, and of the node only two', () => {
  expect(environment({ Host: 'www.example.com:8443', 'Content-Type': 'text/plain' }, { authid: 'joe' })).toEqual({
    ...{ PATH: '/bin', LANG: 'C.UTF-8', DB: 'shop', GATEWAY_INTERFACE: 'CGI/1.1', SERVER_PROTOCOL: 'HTTP/1.1' },
    ...{ SERVER_SOFTWARE: 'crossbar-ts', SERVER_NAME: 'www.example.com', SERVER_PORT: '80', REQUEST_METHOD: 'GET' },
    ...{ REQUEST_URI: '/cgi/a.py/x%20y?q=%20', SCRIPT_NAME: '/cgi/a.py', SCRIPT_FILENAME: '/srv/cgi/a.py' },
    ...{ PATH_INFO: '/x y', PATH_TRANSLATED: '/srv/cgi/x y', QUERY_STRING: 'q=%20', REMOTE_ADDR: '10.0.0.1' },
    ...{ CONTENT_TYPE: 'text/plain', CONTENT_LENGTH: '7', AUTH_TYPE: 'Cookie', REMOTE_USER: 'joe' },
    HTTP_HOST: 'www.example.com:8443',
  });
});

it('has the headers, but for those that are secrets, lies, or ambiguous', () => {
  const variables = environment({
    ...{ 'X-One': '1', Proxy: 'http://evil', Authorization: 'Basic x', X_Two: '2', "x-'three": '3' },
    Cookie: 'cbtid=secret; theme=dark; other = x;  cbtid2=y; cbtid="again"',
  });
  const headers = Object.keys(variables).filter((name) => name.startsWith('HTTP_'));
  expect(headers).toEqual(['HTTP_X_ONE', 'HTTP_COOKIE']);
  expect(variables['HTTP_COOKIE']).toBe('theme=dark; cbtid2=y');
  expect(environment({ Cookie: 'cbtid=secret' })).not.toHaveProperty('HTTP_COOKIE');
});

it('has no user whom nobody vouches for', () => {
  for (const more of [{}, { authid: 'joe', isHeld: false }, { authid: 'j\0e' }]) {
    expect(environment({}, more)).not.toHaveProperty('REMOTE_USER');
  }
});

it.each([
  ['[::1]:80', '[::1]'],
  ['evil"; rm -rf /', 'localhost'],
  ['', 'localhost'],
])('has a host that looks like one: %j', (Host, name) => {
  expect(environment({ Host })['SERVER_NAME']).toBe(name);
});

it('has a PATH also where the node has none', () => {
  expect(environment({}, { own: {} })).toMatchObject({ PATH: '/usr/local/bin:/usr/bin:/bin' });
});
