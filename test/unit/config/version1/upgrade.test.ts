/** Version 1 of the format, read as version 2: each rule with its exact result. */
import { describe, expect, it } from 'vitest';

import { checkConfig } from '../../../../src/config/check.js';
import { pointerOf } from '../../../../src/config/source/source.js';
import type { SourceNode } from '../../../../src/config/source/source.js';
import { upgradeSource } from '../../../../src/config/version1/upgrade.js';
import { upgradeUri } from '../../../../src/config/version1/uri.js';
import { check, node, parserOf, problemsOf, problemsOfText } from '../configs.js';

const UPGRADED =
  'is of version 1, and was upgraded in memory only; "crossbar-ts upgrade" writes it as version 2 and keeps the old file';
const ENTRY = '/workers/0/realms/0/roles/0/permissions/0';

const NOTHING = { call: false, register: false, publish: false, subscribe: false };
const HIDDEN = { caller: false, publisher: false };

/** A node of version 1 with these entries for its only role. */
function old(...permissions: unknown[]) {
  const { workers } = node({ worker: { realms: [{ name: 'realm1', roles: [{ name: 'anonymous', permissions }] }] } });
  return { workers };
}

/** @returns what becomes of an entry before anything is checked, as JSON says it: with the order of its keys. */
function upgraded(entry: object): string {
  const { root } = upgradeSource(parserOf('config.json')(JSON.stringify(old(entry))));
  return JSON.stringify(valueAt(root, ['workers', '0', 'realms', '0', 'roles', '0', 'permissions', '0']));
}

function valueAt(node: SourceNode | undefined, path: readonly string[]): unknown {
  const [segment, ...rest] = path;
  if (node?.kind === 'object') {
    if (segment !== undefined) return valueAt(node.members.find(({ key }) => key === segment)?.value, rest);
    return Object.fromEntries(node.members.map(({ key, value }) => [key, valueAt(value, [])]));
  }
  if (node?.kind === 'array') {
    return segment === undefined
      ? node.items.map((item) => valueAt(item, []))
      : valueAt(node.items[Number(segment)], rest);
  }
  return node?.value;
}

const told = (value: unknown) => check(value).warnings.map(({ pointer, text }) => `${pointer}: ${text}`);

describe('the URI of an entry', () => {
  it.each([
    ['com.example.add', 'com.example.add', 'exact'],
    ['', '', 'exact'],
    ['com..add', 'com..add', 'exact'],
    ['*', '', 'prefix'],
    ['com.*', 'com.', 'prefix'],
    ['com.example*', 'com.example', 'prefix'],
    ['com.*.b', 'com..b', 'wildcard'],
    ['com.*.b.*', 'com..b.', 'wildcard'],
    ['*.b', '.b', 'wildcard'],
    ['com.**', 'com.', 'wildcard'],
    ['com.o*r.b', 'com.or.b', 'wildcard'],
  ])('%j becomes %j, %s', (written, uri, match) => {
    expect(upgradeUri(written)).toEqual({ uri, match });
  });
});

describe('an entry', () => {
  it('has its flags in `allow`; those that are not there are false', () => {
    expect(upgraded({ uri: 'com.*', publish: true, call: true })).toBe(
      JSON.stringify({
        uri: 'com.',
        match: 'prefix',
        allow: { call: true, register: false, publish: true, subscribe: false },
        disclose: HIDDEN,
        cache: true,
      }),
    );
  });

  it('with nothing but a URI allows nothing', () => {
    const expected = { uri: 'com.a', match: 'exact', allow: NOTHING, disclose: HIDDEN, cache: true };
    expect(upgraded({ uri: 'com.a' })).toBe(JSON.stringify(expected));
  });

  it('keeps `disclose`', () => {
    const expected = {
      uri: '',
      match: 'prefix',
      allow: NOTHING,
      disclose: { caller: true, publisher: false },
      cache: true,
    };
    expect(upgraded({ uri: '*', disclose: { caller: true } })).toBe(JSON.stringify(expected));
    expect(upgraded({ uri: '*', cache: false, disclose: { publisher: true, caller: true } })).toBe(
      JSON.stringify({ ...expected, disclose: { caller: true, publisher: true } }),
    );
  });

  it.each([
    { uri: 'com.*', allow: { call: true } },
    { uri: 'com.*.b', match: 'wildcard', allow: {}, cache: false },
    { allow: null },
  ])('that has `allow` is kept as it is: %j', (entry) => {
    expect(upgraded(entry)).toBe(JSON.stringify(entry));
  });

  it('loses a `match` that says something else, and the file is told so', () => {
    expect(told(old({ uri: 'com.a', match: 'prefix', call: true }))).toEqual([
      `(root): ${UPGRADED}`,
      `${ENTRY}/match: has no effect in version 1, where "*" in "uri" says how it is compared: "exact" here`,
    ]);
    expect(told(old({ uri: 'com.a.*', match: 'prefix', call: true }))).toEqual([`(root): ${UPGRADED}`]);
  });

  it('loses a key that means nothing, and the file is told so', () => {
    expect(told(old({ uri: 'com.a', comment: 'for the page' }))).toEqual([
      `(root): ${UPGRADED}`,
      `${ENTRY}/comment: has no effect: version 1 has no such key here`,
    ]);
  });

  it('with a key that is nearly one of its own is refused', () => {
    expect(problemsOf(old({ uri: 'com.a', subcribe: true }))).toEqual([
      `${ENTRY}/subcribe: unknown key "subcribe", did you mean "subscribe"?`,
    ]);
  });
});

describe('a config of version 1', () => {
  it('is one without `version` and one that says 1', () => {
    for (const version of [{}, { version: 1 }]) {
      const { config, warnings } = check({ ...version, ...old({ uri: 'com.*', call: true }) });
      expect(config.version).toBe(2);
      expect(config.workers[0]).toMatchObject({
        id: 'worker001',
        realms: [{ roles: [{ permissions: [{ uri: 'com.', match: 'prefix', allow: { ...NOTHING, call: true } }] }] }],
      });
      expect(warnings).toEqual([{ file: 'config.json', line: 1, column: 1, pointer: '(root)', text: UPGRADED }]);
    }
  });

  it.each([0, 3, '1', null, true])('is not one that says %j', (version) => {
    expect(problemsOf({ version, ...old({ uri: 'com.*' }) })).toContainEqual(
      expect.stringMatching(/^\/version: found /),
    );
  });

  it('that says 1 twice is told so', () => {
    const text = JSON.stringify({ version: 1, ...old({ uri: 'com.*' }) }).replace('{', '{"version":1,');
    expect(problemsOfText(text, 'config.json')).toEqual([]);
    expect(problemsOfText(text, 'config.json', {}, true)).toEqual([
      expect.stringMatching(/^\/version: key "version" is there twice/),
    ]);
  });

  it('keeps roles without `permissions`, and roles with an authorizer', () => {
    const roles = [
      { name: 'closed' },
      { name: 'anonymous', 'allow-by-default': true },
      { name: 'a', authorizer: 'com.a' },
    ];
    const { workers } = node({ worker: { realms: [{ name: 'realm1', roles }] } });
    expect(check({ workers }).config.workers[0]).toMatchObject({ realms: [{ roles }] });
  });

  it('is nothing that a config of version 2 can be: entries without `allow` get none of their flags', () => {
    const value = { version: 2, ...old({ uri: 'com.a', call: true }) };
    expect(problemsOf(value)).toEqual([
      `${ENTRY}/call: unknown key "call" (allowed: uri, match, allow, disclose, cache)`,
    ]);
  });

  it('of Crossbar.io 0.8 is refused with what to do, and with nothing else', () => {
    expect(problemsOf({ version: 1, processes: [{ type: 'worker' }], nonsense: 1 })).toEqual([
      expect.stringMatching(/^\/processes: found "processes" of Crossbar.io 0.8.*"workers".*docs\/migration.md/),
    ]);
  });

  it('that is no object is refused as ever', () => {
    expect(problemsOf([])).toEqual(['(root): found an empty list (allowed: an object)']);
  });
});

describe('entries that are shared by aliases', () => {
  const yaml = `
workers:
  - type: router
    realms:
      - name: realm1
        roles:
          - name: anonymous
            permissions: &rules
              - &rule
                uri: com.*
                call: true
                remark: twice
          - name: other
            permissions: *rules
          - name: third
            permissions: [*rule, *rule]
    transports:
      - type: web
        endpoint: { type: tcp, port: 8080 }
        paths: { ws: { type: websocket } }
`;

  it('are upgraded and told about once', () => {
    const context = { parse: parserOf('config.yaml'), cbdir: '/node', env: {} };
    const { config, warnings } = checkConfig(yaml, 'config.yaml', context);
    const rule = { uri: 'com.', match: 'prefix', allow: { ...NOTHING, call: true } };
    expect(config.workers[0]).toMatchObject({
      realms: [{ roles: [{ permissions: [rule] }, { permissions: [rule] }, { permissions: [rule, rule] }] }],
    });
    expect(warnings.map(({ line, pointer }) => `${line} ${pointer}`)).toEqual(['2 (root)', `12 ${ENTRY}/remark`]);
  });

  it('cost no more than they take in the file, however many they expand to', () => {
    const list = (name: string, items: string) => `${name}: &${name}\n${items}`;
    const many = (alias: string) => Array.from({ length: 500 }, () => `  - *${alias}\n`).join('');
    const text = [
      list('rules', `  - &rule { uri: com.*, call: true }\n${many('rule')}`),
      list('roles', `  - &role { name: a, permissions: *rules }\n${many('role')}`),
      list('realms', `  - &realm { name: realm1, roles: *roles }\n${many('realm')}`),
      list('workers', `  - &worker { type: router, realms: *realms }\n${many('worker')}`),
    ].join('');
    const { root, old: isOld } = upgradeSource(parserOf('config.yaml')(text));
    expect(isOld).toBe(true);
    expect(valueAt(root, ['workers', '500', 'realms', '500', 'roles', '500', 'permissions', '500'])).toMatchObject({
      uri: 'com.',
      allow: { call: true },
    });
  });
});

it('only actions of upgraded entries are told in other places than they have now', () => {
  const { asWritten } = upgradeSource(
    parserOf('config.json')(JSON.stringify(old({ uri: 'a' }, { uri: 'b', allow: {} }))),
  );
  const told = (...path: string[]) => asWritten({ offset: 0, pointer: pointerOf(path), text: '' }).pointer;
  const entry = ENTRY.split('/').slice(1);
  expect(told(...entry, 'allow', 'call')).toBe(`${ENTRY}/call`);
  expect(told(...entry, 'uri')).toBe(`${ENTRY}/uri`);
  expect(told(...entry.with(-1, '1'), 'allow', 'call')).toBe(`${ENTRY.slice(0, -1)}1/allow/call`);
  expect(told('workers', '0', 'allow', 'call')).toBe('/workers/0/allow/call');
  expect(asWritten({ offset: 0, pointer: '(root)', text: '' }).pointer).toBe('(root)');
});
