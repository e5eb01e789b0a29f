/** A config of version 1 as text of version 2: exact texts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { loadUpgrade } from '../../../../src/config/version1/load-upgrade.js';
import { node } from '../configs.js';

let cbdir: string;
beforeEach(() => {
  cbdir = mkdtempSync(join(tmpdir(), 'crossbar-ts-upgrade-'));
});
afterEach(() => rmSync(cbdir, { recursive: true, force: true }));

async function upgraded(name: string, text: string): Promise<string | undefined> {
  writeFileSync(join(cbdir, name), text);
  return (await loadUpgrade({ cbdir, env: {} })).after;
}

const TRANSPORT = '{"type": "websocket", "endpoint": {"type": "tcp", "port": 8080}}';

/** The YAML of a node whose only role has these entries, each line of them as it is. */
const yaml = (entries: string, more = '') => `# The node of the shop.
# (two lines)
controller:
  id: shop # its name
${more}workers:
  - type: router
    realms:
      - name: realm1
        roles:
          - name: anonymous
            permissions:
${entries}
    transports:
      - type: websocket
        endpoint: { type: tcp, port: 8080 }
`;

const entriesOf = (text: string | undefined) =>
  text?.slice(text.indexOf('permissions:\n') + 'permissions:\n'.length, text.indexOf('\n    transports:'));

describe('JSON', () => {
  it('is written with four spaces and `version` on top; keys keep their order, numbers their digits', async () => {
    const text = `{"$schema": "x", "workers": [{"transports": [${TRANSPORT}], "type": "router", "realms": [{"name": "realm1",
      "roles": [{"name": "10", "permissions": []}, {"name": "9"}, {"name": "a", "permissions": [{"uri": "*", "call": true}]}]}],
      "components": [{"type": "module", "module": "./a.js", "realm": "realm1", "role": "a", "extra": {"b": 12345678901234567890, "2": 1.50, "1": "ü\\u0000"}}]}],
      "version": 1}`;
    expect(await upgraded('config.json', text)).toBe(`{
    "version": 2,
    "$schema": "x",
    "workers": [
        {
            "transports": [
                {
                    "type": "websocket",
                    "endpoint": {
                        "type": "tcp",
                        "port": 8080
                    }
                }
            ],
            "type": "router",
            "realms": [
                {
                    "name": "realm1",
                    "roles": [
                        {
                            "name": "10",
                            "permissions": []
                        },
                        {
                            "name": "9"
                        },
                        {
                            "name": "a",
                            "permissions": [
                                {
                                    "uri": "",
                                    "match": "prefix",
                                    "allow": {
                                        "call": true,
                                        "register": false,
                                        "publish": false,
                                        "subscribe": false
                                    },
                                    "disclose": {
                                        "caller": false,
                                        "publisher": false
                                    },
                                    "cache": true
                                }
                            ]
                        }
                    ]
                }
            ],
            "components": [
                {
                    "type": "module",
                    "module": "./a.js",
                    "realm": "realm1",
                    "role": "a",
                    "extra": {
                        "b": 12345678901234567890,
                        "2": 1.50,
                        "1": "ü\\u0000"
                    }
                }
            ]
        }
    ]
}
`);
  });

  it('of version 2 and later is left alone, whatever else is in it', async () => {
    for (const version of [2, 3]) {
      expect(await upgraded('config.json', JSON.stringify({ version, nonsense: true }))).toBeUndefined();
    }
  });

  it('that is upgraded is of version 2', async () => {
    const once = await upgraded('config.json', JSON.stringify({ ...node(), version: 1 }));
    expect(await upgraded('config.json', once ?? '')).toBeUndefined();
  });

  it.each([
    ['{"workers": [', /the file ends/],
    ['', /the file is empty/],
    ['\ufeff{}', /byte order mark/],
    [JSON.stringify({ ...node(), version: '1' }), /\/version: found "1"/],
    [JSON.stringify({ ...node(), version: 1, nonsense: true }), /\/nonsense: unknown key/],
    ['{"processes": []}', /\/processes: found "processes" of Crossbar.io 0.8/],
  ])('%j is refused', async (text, message) => {
    await expect(upgraded('config.json', text)).rejects.toMatchObject({ code: 'ERR_CONFIG_INVALID', message });
  });

  it('is told its warnings, but not that it was upgraded in memory', async () => {
    const { workers } = node({
      worker: {
        realms: [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: [{ uri: 'com.a', note: 1 }] }] }],
      },
    });
    writeFileSync(join(cbdir, 'config.json'), JSON.stringify({ workers }));
    const { warnings } = await loadUpgrade({ cbdir, env: {} });
    expect(warnings.map(({ text }) => text)).toEqual(['has no effect: version 1 has no such key here']);
  });
});

describe('YAML', () => {
  it('keeps its comments and its own way of writing', async () => {
    const entries = `              # what pages may do
              - uri: "com.shop.*" # all of the shop
                # calls only
                call: true # yes
                note: x # dropped
              - { uri: com.*.b, subscribe: true, disclose: { publisher: true } }
              # new already
              - uri: com.new.*
                allow: { call: true } # kept`;
    const text = await upgraded('config.yaml', yaml(entries));
    expect(text).toBe(`# The node of the shop.
# (two lines)
version: 2
controller:
  id: shop # its name
workers:
  - type: router
    realms:
      - name: realm1
        roles:
          - name: anonymous
            permissions:
              # what pages may do
              - uri: "com.shop." # all of the shop
                match: prefix
                allow:
                  # calls only
                  call: true # yes
                  register: false
                  publish: false
                  subscribe: false
                disclose:
                  caller: false
                  publisher: false
                cache: true
                # dropped
              - { uri: com..b, match: wildcard, allow: { call: false, register: false, publish: false, subscribe: true }, disclose: { caller: false, publisher: true }, cache: true }
              # new already
              - uri: com.new.*
                allow: { call: true } # kept
    transports:
      - type: websocket
        endpoint: { type: tcp, port: 8080 }
`);
  });

  it('has `version` moved to the top, with its comment', async () => {
    const text = await upgraded('config.yaml', yaml('              []', 'version: 1 # old\n'));
    expect(text).toMatch(/^# The node of the shop.\n# \(two lines\)\nversion: 2 # old\ncontroller:/);
  });

  it('keeps anchors: what aliases share is upgraded once', async () => {
    const entries = `              - &rule
                uri: &all com.*
                call: &yes true
              - *rule
              - uri: *all
                register: *yes`;
    const text = entriesOf(await upgraded('config.yaml', yaml(entries)));
    expect(text).toBe(`              - &rule
                uri: &all com.
                match: prefix
                allow:
                  call: &yes true
                  register: false
                  publish: false
                  subscribe: false
                disclose:
                  caller: false
                  publisher: false
                cache: true
              - *rule
              - uri: com.
                match: prefix
                allow:
                  call: false
                  register: *yes
                  publish: false
                  subscribe: false
                disclose:
                  caller: false
                  publisher: false
                cache: true`);
  });

  it.each([
    ['an alias that would come before its anchor', '              - { uri: a, publish: &yes true, call: *yes }'],
    [
      'an anchor that would be gone',
      '              - { uri: a, other: &yes true }\n              - { uri: b, call: *yes }',
    ],
    [
      'a URI that means something else elsewhere',
      '              - { uri: &x com.*, call: true }\n              - { uri: *x, allow: {} }',
    ],
  ])('with %s is refused, because it would say something else', async (_, entries) => {
    await expect(upgraded('config.yaml', yaml(entries))).rejects.toMatchObject({
      code: 'ERR_CONFIG_INVALID',
      message:
        'config.yaml cannot be written as version 2 with the same meaning: write its rules without anchors and aliases first',
    });
  });
});
