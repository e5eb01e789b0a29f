/** What Crossbar.io accepts and does not mean what it seems to: accepted here, too, with exactly these warnings and notes. */
import { describe, expect, it } from 'vitest';

import { check, node, problemsOf } from './configs.js';
import { routerOf } from '../../support/checked.js';

/** @returns the warnings about a config, as `pointer: text`. */
function warningsOf(config: object, env: Record<string, string> = {}): string[] {
  return check(config, env).warnings.map(({ pointer, text }) => `${pointer}: ${text}`);
}

/** @returns the notes about a config, as `pointer: text`. */
function notesOf(config: object): string[] {
  return check(config).notes.map(({ pointer, text }) => `${pointer}: ${text}`);
}

const PATHS = '/workers/0/transports/0/paths';

describe('a static service', () => {
  const files = (options: object) => node({ web: { paths: { '/': { type: 'static', directory: 'web', options } } } });

  it('may have a cache_timeout below 0', () => {
    expect(notesOf(files({ cache_timeout: -1 }))).toEqual([
      `${PATHS}/~1/options/cache_timeout: found -1, which means the same as 0`,
    ]);
  });

  it('may have media types for extensions without a dot', () => {
    expect(notesOf(files({ mime_types: { md: 'text/markdown', '.md': 'text/markdown' } }))).toEqual([
      `${PATHS}/~1/options/mime_types/md: "md" has no effect, because a file extension begins with a dot; did you mean ".md"?`,
    ]);
  });

  it.each(['index.html', 'app/index.html', 'a/b/.../c.html'])('may have the default_file %s', (default_file) => {
    expect(problemsOf(files({ default_file }))).toEqual([]);
  });

  it.each([
    ['start.html', 0],
    ['...', 0],
    ['a/b', 1],
    ['..', 1],
    ['a\\b', 1],
    ['', 1],
  ])('has the name of a file as its index: %j', (index, problems) => {
    expect(problemsOf(files({ index }))).toHaveLength(problems);
  });

  it.each(['..', '.', '../index.html', 'a/../../b', 'a/./b', '/etc/passwd', 'a//b', 'a/', 'a\\b', ''])(
    'has its default_file in the directory, not at %j',
    (default_file) => {
      expect(problemsOf(files({ default_file }))).toHaveLength(1);
    },
  );

  it('is not one of the private files of the node', () => {
    const endpoint = { type: 'tcp', port: 8080, tls: { key: '../key.pem', certificate: '../cert.pem' } };
    const paths = { '/': { type: 'static', directory: '../key.pem' } };
    expect(problemsOf(node({ web: { endpoint, paths } }))).toEqual([
      `${PATHS}/~1/directory: found "../key.pem", where "../key.pem" is (allowed: a directory without files of the node)`,
    ]);
  });
});

describe('a redirect', () => {
  const to = (url: string) => node({ web: { paths: { '/': { type: 'redirect', url } } } });

  it.each([
    ['https://example.com/ä?ö=ü#ß', 'https://example.com/%C3%A4?%C3%B6=%C3%BC#%C3%9F'],
    ['/😀', '/%F0%9F%98%80'],
    ['https://example.com/%20', 'https://example.com/%20'],
  ])('may lead to %s, in ASCII', (url, ascii) => {
    expect(check(to(url)).config).toHaveProperty(['workers', 0, 'transports', 0, 'paths', '/', 'url'], ascii);
    expect(notesOf(to(url))).toHaveLength(url === ascii ? 0 : 1);
  });

  it.each(['/ä b', '/ä\u0085', '/ä\ud800', '/ä\n', 'javascript:ä'])('does not lead to %j', (url) => {
    expect(problemsOf(to(url))).toHaveLength(1);
  });
});

describe('a realm', () => {
  it.each(['com.example', 'My realm', '1', 'ü'])('may have the id %j', (id) => {
    const config = node({ worker: { realms: [{ name: 'realm1', id, roles: [{ name: 'anonymous' }] }] } });
    expect(routerOf(check(config).config)?.realms[0]?.id).toBe(id);
    expect(notesOf(config)).toEqual([]);
  });
});

describe('a role', () => {
  const ROLE = '/workers/0/realms/0/roles/0';
  const withRole = (role: object) =>
    node({ worker: { realms: [{ name: 'realm1', roles: [{ name: 'anonymous', ...role }] }] } });
  const rulesIn = (permissions: readonly object[]) =>
    routerOf(check(withRole({ permissions })).config)?.realms[0]?.roles[0]?.permissions;

  it.each([
    ['permissions', []],
    ['permissions', [{ uri: 'a' }]],
    ['authorizer', 'com.app.authorize'],
  ])('may have allow-by-default beside %s, which decide alone', (key, value) => {
    const config = withRole({ [key]: value, 'allow-by-default': true });
    expect(notesOf(config)).toContain(
      `${ROLE}/allow-by-default: found true beside "${key}", which decides alone: it has no effect`,
    );
    expect(routerOf(check(config).config)?.realms[0]?.roles[0]?.['allow-by-default']).toBe(false);
  });

  it('may have asterisks where no match is', () => {
    expect(rulesIn([{ uri: 'com.*.created' }, { uri: 'com.*.a.*' }, { uri: 'com.*' }, { uri: 'com.a' }])).toMatchObject(
      [
        { uri: 'com..created', match: 'wildcard' },
        { uri: 'com..a.', match: 'wildcard' },
        { uri: 'com.', match: 'prefix' },
        { uri: 'com.a', match: 'exact' },
      ],
    );
    expect(warningsOf(withRole({ permissions: [{ uri: 'com.*.created' }] }))).toEqual([]);
  });

  it.each([
    [
      { uri: 'com.*', match: 'wildcard' },
      '/match: found "wildcard" beside "com.*", where "*" stands for itself; did you mean "prefix"?',
    ],
    [
      { uri: 'com.*', match: 'exact' },
      '/match: found "exact" beside "com.*", where "*" stands for itself; did you mean "prefix"?',
    ],
    [
      { uri: 'com.*.a', match: 'wildcard' },
      '/match: found "wildcard" beside "com.*.a", where "*" stands for itself; leave "match" out to make a wildcard of it',
    ],
    [
      { uri: 'com.us*.a' },
      '/uri: "com.us*.a" is the wildcard "com.us.a": "*" stands for a whole component, not for a part of one',
    ],
  ])('is warned of asterisks that do not mean what they seem to: %j', (rule, text) => {
    expect(warningsOf(withRole({ permissions: [rule] }))).toEqual([`${ROLE}/permissions/0${text}`]);
    expect(rulesIn([rule])).toMatchObject(['match' in rule ? rule : { match: 'wildcard' }]);
  });
});

describe('the role "trusted", which no realm of the config has', () => {
  const WS = `${PATHS}/ws/auth`;
  const BUILT_IN = 'the role "trusted" is built into every realm, and may do everything there';
  const CURE = '(a role of this name in the realm would have rules)';

  it('may be given to principals and components, each with a loud warning', () => {
    const principals = { joe: { ticket: 'secret', role: 'trusted' } };
    const components = [{ type: 'module', module: './x.mjs', realm: 'realm1', role: 'trusted' }];
    const config = node({ websocket: { auth: { ticket: { type: 'static', principals } } }, worker: { components } });
    const who = `${BUILT_IN}: give it to programs of yours only ${CURE}`;
    expect(warningsOf(config).sort()).toEqual([
      `/workers/0/components/0/role: ${who}`,
      `${WS}/ticket/principals/joe/role: ${who}`,
    ]);
  });

  it('may be given to everybody, with a louder one', () => {
    const config = node({ websocket: { auth: { anonymous: { type: 'static', role: 'trusted' } } } });
    expect(warningsOf(config)).toEqual([
      `${WS}/anonymous/role: ${BUILT_IN}: EVERYBODY who connects here gets it ${CURE}`,
    ]);
  });
});
