/** Every number at and beyond both of its ends, and every pattern. Beyond them is an error, or accepted with a note. */
import { describe, expect, it } from 'vitest';

import { check, node, strictProblemsOf as problemsOf } from './configs.js';
import { routerOf } from '../../support/checked.js';

const cookie = (key: string) => (value: unknown) => node({ websocket: { cookie: { [key]: value } } });
const option = (key: string) => (value: unknown) => node({ websocket: { options: { [key]: value } } });
const deflate = (key: string) => (value: unknown) =>
  node({ websocket: { options: { compression: { deflate: { [key]: value } } } } });
const endpoint = (key: string) => (value: unknown) =>
  node({ web: { endpoint: { type: 'tcp', port: 8080, [key]: value } } });
const web = (key: string) => (value: unknown) => node({ web: { options: { [key]: value } } });
const files = (key: string) => (value: unknown) =>
  node({ web: { paths: { a: { type: 'static', directory: 'x', options: { [key]: value } } } } });

type Place = (value: unknown) => unknown;

const ranges: readonly (readonly [string, Place, number, number])[] = [
  ['cookie.length', cookie('length'), 6, 64],
  ['cookie.max_age', cookie('max_age'), 1, 311_040_000],
  ['endpoint.port', endpoint('port'), 0, 65_535],
  ['endpoint.backlog', endpoint('backlog'), 1, 65_535],
  ['options.auto_ping_size', option('auto_ping_size'), 12, 125],
  ['options.max_message_size', option('max_message_size'), 1, 67_108_864],
  ['options.max_unsent_bytes', option('max_unsent_bytes'), 65_536, 1_073_741_824],
  ['options.max_connections', option('max_connections'), 0, 2_147_483_647],
  ['options.max_unauthenticated', option('max_unauthenticated'), 0, 2_147_483_647],
  ['options.max_unauthenticated_per_address', option('max_unauthenticated_per_address'), 0, 2_147_483_647],
  ['deflate.max_window_bits', deflate('max_window_bits'), 9, 15],
  ['deflate.memory_level', deflate('memory_level'), 1, 9],
  ['web.hsts_max_age', web('hsts_max_age'), 0, 2_147_483_647],
  ['web.client_timeout', web('client_timeout'), 1, 86_400],
];

describe('ranges', () => {
  it.each(ranges)('%s has its ends', (_name, place, lowest, highest) => {
    expect(problemsOf(place(lowest))).toEqual([]);
    expect(problemsOf(place(highest))).toEqual([]);
    for (const wrong of [lowest - 1, highest + 1, lowest + 0.5, String(lowest), true, [lowest]]) {
      expect(problemsOf(place(wrong)), String(wrong)).toHaveLength(1);
    }
  });

  it.each([
    'open_handshake_timeout',
    'close_handshake_timeout',
    'hello_timeout',
    'auto_ping_interval',
    'auto_ping_timeout',
  ])('%s is off or at least a second', (key) => {
    for (const right of [0, 1000, 2_147_483_647]) expect(problemsOf(option(key)(right)), String(right)).toEqual([]);
    for (const wrong of [-1, 1, 999, 2_147_483_648, null])
      expect(problemsOf(option(key)(wrong)), String(wrong)).toHaveLength(1);
  });

  it('request_max_window_bits is 0 or from 9 to 15', () => {
    for (const right of [0, 9, 15]) expect(problemsOf(deflate('request_max_window_bits')(right))).toEqual([]);
    for (const wrong of [-1, 1, 8, 16]) expect(problemsOf(deflate('request_max_window_bits')(wrong))).toHaveLength(1);
  });

  it('null means "no limit" where it is documented', () => {
    expect(problemsOf(web('client_timeout')(null))).toEqual([]);
    expect(problemsOf(files('cache_timeout')(null))).toEqual([]);
  });
});

const name = (value: unknown) => node({ worker: { id: value } });
const realm = (value: unknown) => node({ worker: { realms: [{ name: value, roles: [{ name: 'anonymous' }] }] } });
const path = (value: string) => node({ web: { paths: { [value]: { type: 'nodeinfo' } } } });
const uri = (value: unknown) =>
  node({ worker: { realms: [{ name: 'realm1', roles: [{ name: 'anonymous', permissions: [{ uri: value }] }] }] } });

const patterns: readonly (readonly [string, (value: string) => unknown, readonly string[], readonly string[]])[] = [
  ['an id', name, ['abc', 'a_1', `a${'b'.repeat(63)}`], ['ab', 'Abc', '1bc', 'a-b', `a${'b'.repeat(64)}`]],
  ['a realm', realm, ['abc', 'Realm-1.x@y_z', 'a'.repeat(255)], ['ab', '1ab', 'a b', 'a/b', 'a'.repeat(256)]],
  ['a cookie name', cookie('name'), ['ab', 'a1', 'a_b'], ['a', 'A1', '1a', 'a-b', 'a=b', '__host-ab', '__Other-ab']],
  ['a cookie path', cookie('path'), ['/', '/a/b', '/a%20b'], ['', 'a', '/a;b', '/a b', '/ä', '/a\r\nX: 1']],
  ['a cookie domain', cookie('domain'), ['a.b', '.example.com', 'localhost'], ['', 'a..b', '-a', 'a;b', 'a b', 'a\n']],
  ['a path key', path, ['/', 'ws', 'a-B_9'], ['', 'a/b', '/a', 'a.b', 'ä', ' ']],
  ['a URI', uri, ['', 'com.example', 'com.', 'a..b', '*', 'ä.ö'], ['a b', 'a#', '\ta']],
];

describe('patterns', () => {
  it.each(patterns)('%s', (_name, place, right, wrong) => {
    for (const value of right) expect(problemsOf(place(value)), value).toEqual([]);
    for (const value of wrong) expect(problemsOf(place(value)), value).toHaveLength(1);
  });
});

describe('every option of a WebSocket that has one value only', () => {
  it.each([
    ['enable_rfc6455', false],
    ['apply_mask', false],
    ['mask_server_frames', true],
  ])('%s: %j is refused with a reason', (key, value) => {
    const [problem = ''] = problemsOf(option(key)(value));
    expect(problem).toMatch(/, not supported \(allowed: .+; .+\)$/);
  });
});

describe('every option of a WebSocket of which the other value has no effect', () => {
  it.each([
    ['enable_hybi10', false, true],
    ['require_masked_client_frames', false, true],
    ['enable_flash_policy', true, false],
    ['auto_fragment_size', 65_536, 0],
  ])('%s: %j is accepted with a reason, and is %j', (key, value, instead) => {
    const { config, notes } = check(option(key)(value));
    expect(notes.map(({ text }) => text)).toEqual([expect.stringMatching(/, which has no effect: .+/)]);
    expect(routerOf(config)?.transports[0]).toHaveProperty(['paths', 'ws', 'options', key], instead);
  });

  it.each([
    ['enable_hybi10', 'no'],
    ['auto_fragment_size', '65536'],
    ['auto_ping_size', -1],
    ['max_frame_size', -1],
  ])('%s: %j is still an error', (key, value) => {
    expect(() => check(option(key)(value))).toThrow(key);
  });
});

describe('values that are taken in another form', () => {
  it.each([
    ['auto_ping_size', option('auto_ping_size')(4), ['paths', 'ws', 'options', 'auto_ping_size'], 12],
    ['max_frame_size', option('max_frame_size')(16_777_216), ['paths', 'ws', 'options', 'max_frame_size'], 0],
    [
      'max_window_bits',
      deflate('max_window_bits')(8),
      ['paths', 'ws', 'options', 'compression', 'deflate', 'max_window_bits'],
      9,
    ],
    [
      'auth.cookie',
      node({ websocket: { auth: { cookie: null }, cookie: {} } }),
      ['paths', 'ws', 'auth', 'cookie'],
      { revalidate: true },
    ],
  ])('%s', (_name, value, path, instead) => {
    const { config, notes } = check(value);
    expect(notes).toHaveLength(1);
    expect(routerOf(config)?.transports[0]).toHaveProperty(path, instead);
  });
});
