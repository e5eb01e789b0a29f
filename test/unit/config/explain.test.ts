/** What `check --explain` says: the rule, its place, and what was nearly one. */
import { describe, expect, it } from 'vitest';

import { checkConfig } from '../../../src/config/check.js';
import { explain } from '../../../src/config/explain/explain.js';
import type { Asked } from '../../../src/config/explain/explain.js';
import { parseJson } from '../../../src/config/source/json.js';
import { parseYaml } from '../../../src/config/source/yaml.js';

const YAML = `version: 2
workers:
  - type: router
    realms:
      - name: realm1
        roles:
          - name: backend
            permissions:
              - uri: com.shop.*
                allow: { register: true, publish: true }
              - { uri: com.*, allow: { call: true, subscribe: true }, disclose: { caller: true } }
              - uri: com.shop.item..sold
                match: wildcard
                allow: { publish: true }
              - { uri: org.news, allow: { subscribe: true } }
              - { uri: org.talk.*, match: exact, allow: { subscribe: true } }
              - { uri: net..created, match: wildcard, allow: { subscribe: true } }
          - { name: admin, permissions: [{ uri: "*", allow: { call: true, register: true } }] }
          - { name: user, authorizer: com.shop.authorize, authorizer-callee-role: backend }
          - { name: open, allow-by-default: true }
          - { name: closed }
      - name: realm2
        options: { enable_meta_api: false, uri_check: strict }
        roles: [{ name: open, allow-by-default: true }, { name: asking, authorizer: com.ask }]
`;

function reasons(names: { realm?: string; role?: string }, asked: Partial<Asked>, text = YAML): string[] | string {
  const isYaml = text.startsWith('version: ');
  const context = { parse: isYaml ? parseYaml : parseJson, cbdir: '/node', env: {} };
  const config = checkConfig(text, isYaml ? 'config.yaml' : 'config.json', context);
  const answers = explain(
    config,
    { realm: 'realm1', ...names },
    { action: 'call', uri: 'com.x', match: 'exact', ...asked },
  );
  if (typeof answers === 'string') return answers;
  return answers.flatMap(({ verdict, reasons: said, error }) => [
    verdict,
    ...said.map(({ place, text: why }) => (place === undefined ? why : `${place.line}:${place.column} ${why}`)),
    ...(error === undefined ? [] : [error.uri.replace('wamp.error.', '')]),
  ]);
}

const SHOP = '9:22 "com.shop.*" (prefix) allows register, publish';
const COM = '11:24 "com.*" (prefix) allows call, subscribe, discloses callers';
const NEWS = '15:24 "org.news" (exact) allows subscribe';

describe('an answer', () => {
  it.each<[string, string, Partial<Asked>, string[]]>([
    ['the longest prefix', 'backend', { action: 'register', uri: 'com.shop.add' }, ['allowed', SHOP]],
    [
      'a less specific rule that would allow it',
      'backend',
      { uri: 'com.shop.add' },
      ['denied', SHOP, `${COM}: it matches, too, but the more specific rule decides`, 'not_authorized'],
    ],
    [
      'a wildcard',
      'backend',
      { action: 'publish', uri: 'com.shop.item.x.sold' },
      ['allowed', '12:22 "com.shop.item..sold" (wildcard) allows publish'],
    ],
    ['a pattern', 'backend', { action: 'subscribe', uri: 'com.chat.', match: 'prefix' }, ['allowed', COM]],
    [
      'a pattern of which a rule forbids a part',
      'backend',
      { action: 'subscribe', uri: 'com.', match: 'prefix' },
      [
        'denied',
        '12:22 "com.shop.item..sold" (wildcard) allows publish: it matches a part of the pattern',
        'not_authorized',
      ],
    ],
    [
      'a pattern that no rule covers',
      'backend',
      { action: 'subscribe', uri: 'org.news', match: 'prefix' },
      ['denied', 'no rule matches the whole pattern', `${NEWS}: it matches a part of the pattern`, 'not_authorized'],
    ],
    ['everything', 'open', {}, ['allowed', '20:45 "allow-by-default" allows everything']],
    ['nothing', 'closed', {}, ['denied', '21:13 no rule matches: the role has none', 'not_authorized']],
    ['the built-in role', 'trusted', {}, ['allowed', 'the role is built into every realm, and may do everything']],
    ['an invalid URI', 'open', { uri: 'com..x' }, ['denied', 'invalid_uri']],
    ['a reserved URI', 'open', { action: 'register', uri: 'wamp.x' }, ['denied', 'invalid_uri']],
    [
      'a procedure of the node',
      'admin',
      { uri: 'crossbar.cookie.list' },
      [
        'denied',
        '18:49 "*" (prefix) allows call, register: a rule for everything is not enough, name crossbar.cookie.',
        'not_authorized',
      ],
    ],
    [
      'a role with an authorizer',
      'user',
      {},
      [
        'unknown',
        '19:39 the authorizer "com.shop.authorize" decides on each request while the node runs, and says what is disclosed and cached',
      ],
    ],
    [
      'what no authorizer can allow',
      'user',
      { uri: 'crossbar.cookie.list' },
      [
        'denied',
        '19:39 the authorizer "com.shop.authorize": an authorizer is not enough, a rule must name crossbar.cookie.',
        'not_authorized',
      ],
    ],
    [
      'what belongs to another role',
      'admin',
      { action: 'register', uri: 'com.shop.authorize' },
      ['denied', 'not_authorized'],
    ],
  ])('names %s', (_what, role, asked, expected) => {
    expect(reasons({ role }, asked)).toEqual(expected);
  });

  it.each<[string, Partial<Asked>, string]>([
    [
      'an exact rule',
      { action: 'subscribe', uri: 'org.news.today' },
      `${NEWS}: nearly, but it is exact; "org.news.*" (prefix) covers what is below`,
    ],
    ['a misspelling', { action: 'subscribe', uri: 'org.nws' }, `${NEWS}: nearly, but a letter differs`],
    ['another case', { action: 'subscribe', uri: 'org.News' }, `${NEWS}: nearly, but upper and lower case differ`],
    ['a misspelt prefix', { action: 'register', uri: 'con.shop.add' }, `${SHOP}: nearly, but a letter differs`],
    [
      'the dot of a prefix',
      { action: 'subscribe', uri: 'com' },
      `${COM}: nearly, but it covers what is below, and not "com" itself`,
    ],
    [
      'an asterisk',
      { action: 'subscribe', uri: 'org.talk.today' },
      '16:24 "org.talk.*" (exact) allows subscribe: nearly, but beside "match": "exact" an asterisk stands for nothing but itself',
    ],
    [
      'the length of a wildcard',
      { action: 'subscribe', uri: 'net.a.b.created' },
      '17:24 "net..created" (wildcard) allows subscribe: nearly, but it has 3 components, and the URI has 4',
    ],
  ])('names the rule that nearly matches: %s', (_what, asked, expected) => {
    expect(reasons({ role: 'backend' }, asked)).toEqual(['denied', 'no rule matches', expected, 'not_authorized']);
  });

  it('names no rule that is far away', () => {
    expect(reasons({ role: 'backend' }, { uri: 'edu.school' })).toEqual([
      'denied',
      'no rule matches',
      'not_authorized',
    ]);
    expect(reasons({ role: 'backend' }, { uri: 'x'.repeat(1000) })).toHaveLength(3);
  });

  it('goes by the options of the realm', () => {
    const meta = reasons({ realm: 'realm2', role: 'open' }, { uri: 'wamp.session.list' });
    expect(meta).toEqual([
      'allowed',
      '24:49 "allow-by-default" allows everything',
      '23:37 the realm has no meta API, so nobody answers',
    ]);
    expect(reasons({ realm: 'realm2', role: 'open' }, { uri: 'com.Upper' })).toEqual(['denied', 'invalid_uri']);
    expect(reasons({ realm: 'realm2', role: 'open' }, { action: 'register', uri: 'com.ask' })).toContain(
      'it decides about others: it belongs to the first role that registers it',
    );
  });

  it('is about the file as it is written, also of version 1 and with keys twice', () => {
    const rules = [
      { uri: 'com.a', call: true },
      { uri: 'com.*.x', publish: true },
      { uri: 'com.*', register: true },
    ];
    const config = {
      workers: [{ type: 'router', realms: [{ name: 'realm1', roles: [{ name: 'user', permissions: rules }] }] }],
    };
    const text = JSON.stringify(config, undefined, 1);
    const line = (uri: string) => text.split('\n').findIndex((each) => each.includes(`"${uri}"`)) + 1;
    expect(reasons({}, { uri: 'com.a' }, text)).toEqual(['allowed', `${line('com.a')}:17 "com.a" (exact) allows call`]);
    expect(reasons({}, { action: 'register', uri: 'com.b' }, text)).toEqual([
      'allowed',
      `${line('com.*')}:17 "com.*" (prefix) allows register`,
    ]);
    expect(reasons({}, { action: 'publish', uri: 'com.b.x' }, text)).toEqual([
      'allowed',
      `${line('com.*.x')}:17 "com..x" (wildcard) allows publish`,
    ]);
  });
});

describe('a question', () => {
  it.each<[string, { realm?: string; role?: string }, string]>([
    [
      'a realm that is not there',
      { realm: 'relam1' },
      'there is no realm "relam1", did you mean "realm1"? (there are: "realm1", "realm2")',
    ],
    [
      'a role that is not there',
      { role: 'bakcend' },
      'there is no role "bakcend", did you mean "backend"? (there are on realm "realm1": "backend", "admin", "user", "open", "closed")',
    ],
    [
      'a role of many',
      {},
      'say which role is meant with --role (there are on realm "realm1": "backend", "admin", "user", "open", "closed")',
    ],
  ])('about %s has no answer', (_what, names, expected) => {
    expect(reasons(names, {})).toBe(expected);
  });

  it('about one of several realms has to name it', () => {
    const config = checkConfig(YAML, 'config.yaml', { parse: parseYaml, cbdir: '/node', env: {} });
    const answers = explain(config, {}, { action: 'call', uri: 'com.x', match: 'exact' });
    expect(answers).toBe('say which realm is meant with --realm (there are: "realm1", "realm2")');
  });

  it('has an answer for each worker with the realm and the role', () => {
    const router = (id: string, name: string, more = {}) => ({
      type: 'router',
      id,
      realms: [{ name: 'realm1', roles: [{ name, 'allow-by-default': true }] }],
      ...more,
    });
    const workers = [
      router('one', 'user'),
      router('two', 'other'),
      router('three', 'user', { options: { disabled: true } }),
    ];
    const config = checkConfig(JSON.stringify({ version: 2, workers }), 'config.json', {
      parse: parseJson,
      cbdir: '/node',
      env: {},
    });
    const answers = explain(config, { role: 'user' }, { action: 'call', uri: 'com.x', match: 'exact' });
    expect(answers).toMatchObject([
      { worker: 'one', verdict: 'allowed' },
      { worker: 'three', verdict: 'allowed', reasons: [{}, { text: 'the worker is switched off' }] },
    ]);
  });

  it('is about nothing where the config has no realm', () => {
    const config = checkConfig(JSON.stringify({ version: 2, workers: [] }), 'config.json', {
      parse: parseJson,
      cbdir: '/node',
      env: {},
    });
    expect(explain(config, {}, { action: 'call', uri: 'com.x', match: 'exact' })).toBe('the config has no realm');
  });
});
