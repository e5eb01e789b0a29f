/** The `rawsocket` transport and unix endpoints in a config. */
import { describe, expect, it } from 'vitest';

import { check, node, problemsOf, strictProblemsOf } from './configs.js';
import { routerOf } from '../../support/checked.js';

const SOCKET = { type: 'unix', path: 'run/node.sock' } as const;
const withTransport = (transport: object) => node({ worker: { transports: [transport] } });
const raw = (options: object) => withTransport({ type: 'rawsocket', endpoint: SOCKET, options });

describe('a rawsocket transport', () => {
  it('gets all its defaults', () => {
    const [transport] =
      routerOf(check(withTransport({ type: 'rawsocket', endpoint: SOCKET })).config)?.transports ?? [];
    expect(transport).toEqual({
      type: 'rawsocket',
      id: 'transport001',
      endpoint: { type: 'unix', path: '/node/run/node.sock', mode: '0660', backlog: 1024 },
      serializers: ['json', 'msgpack', 'cbor'],
      options: {
        max_message_size: 16_777_216,
        hello_timeout: 5000,
        authenticate_timeout: 10_000,
        auth_error_uris: 'crossbar',
        max_auth_failures: 10,
        max_auth_failures_per_address: 100,
        max_unsent_bytes: 16_777_216,
        slow_consumer: 'disconnect',
        max_connections: 0,
        max_unauthenticated: 1000,
        max_unauthenticated_per_address: 100,
        auto_ping_interval: 0,
        auto_ping_timeout: 20_000,
        tcp_nodelay: true,
      },
    });
  });

  it.each([
    ['max_message_size', 1, 16_777_216],
    ['max_unsent_bytes', 65_536, 1_073_741_824],
    ['max_connections', 0, 2_147_483_647],
    ['max_unauthenticated', 0, 2_147_483_647],
    ['max_unauthenticated_per_address', 0, 2_147_483_647],
  ])('%s has its ends', (key, lowest, highest) => {
    for (const right of [lowest, highest]) expect(problemsOf(raw({ [key]: right }))).toEqual([]);
    for (const wrong of [lowest - 1, highest + 1]) expect(strictProblemsOf(raw({ [key]: wrong }))).toHaveLength(1);
  });

  it.each<[string, object, object]>([
    ['max_message_size', { max_message_size: 65_536 }, { options: { max_message_size: 65_536, tcp_nodelay: false } }],
    ['more than frames can have', { max_message_size: 33_554_432 }, { options: { max_message_size: 16_777_216 } }],
    ['serializer', { serializer: 'cbor' }, { serializers: ['cbor'] }],
  ])('takes keys that stand beside "options": %s', (_what, beside, expected) => {
    const keys = { type: 'rawsocket', endpoint: SOCKET, options: { tcp_nodelay: false } };
    for (const transport of [
      { ...keys, ...beside },
      { ...beside, ...keys },
    ]) {
      const [taken] = routerOf(check(withTransport(transport)).config)?.transports ?? [];
      expect(taken).toMatchObject(expected);
      for (const key of Object.keys(beside)) expect(taken).not.toHaveProperty(key);
    }
  });

  it.each<[string, object, object]>([
    ['max_message_size', { max_message_size: 65_536, options: { max_message_size: 4096 } }, { max_message_size: 4096 }],
    ['serializer', { serializer: 'cbor', serializers: ['json'] }, {}],
  ])('of two %s the one at its own place counts', (_what, keys, options) => {
    const { config, notes } = check(withTransport({ type: 'rawsocket', endpoint: SOCKET, ...keys }));
    const [taken] = routerOf(config)?.transports ?? [];
    expect(taken).toMatchObject({ options, ...('serializers' in keys && { serializers: keys.serializers }) });
    expect(notes).toHaveLength(1);
  });

  it.each([
    ['max_message_size', 0],
    ['max_message_size', '65536'],
    ['serializer', 'xml'],
    ['serializer', ['json']],
  ])('%s beside "options" has to be right: %j', (key, value) => {
    expect(problemsOf(withTransport({ type: 'rawsocket', endpoint: SOCKET, [key]: value }))).toEqual([
      expect.stringContaining(`/${key}: found`),
    ]);
  });

  it('warns when nobody could join', () => {
    const realms = [{ name: 'realm1', roles: [{ name: 'backend', 'allow-by-default': true }] }];
    const config = node({ worker: { realms, transports: [{ type: 'rawsocket', endpoint: SOCKET }] } });
    expect(check(config).warnings.map(({ text }) => text)).toEqual([
      'clients of this RawSocket get the role "anonymous", but no realm of the worker has it',
    ]);
  });
});

describe('a TLS endpoint', () => {
  it('names its files relative to the node directory', () => {
    const tls = { key: 'k.pem', certificate: '/etc/c.pem', chain_certificates: ['sub/i.pem'], dhparam: '../dh.pem' };
    const endpoint = { type: 'tcp', port: 8443, tls };
    const [first] = routerOf(check(withTransport({ type: 'rawsocket', endpoint })).config)?.transports ?? [];
    expect(first?.endpoint).toMatchObject({
      tls: {
        key: '/node/k.pem',
        certificate: '/etc/c.pem',
        chain_certificates: ['/node/sub/i.pem'],
        dhparam: '/dh.pem',
      },
    });
    expect(first?.endpoint).not.toHaveProperty('tls.ca_certificates');
  });
});

describe('a unix endpoint', () => {
  it.each(['web', 'websocket', 'rawsocket'])('suits a %s transport', (type) => {
    const transport = { type, endpoint: { ...SOCKET, path: '/run/node.sock' }, ...(type === 'web' && { paths: {} }) };
    const [first] = routerOf(check(withTransport(transport)).config)?.transports ?? [];
    expect(first?.endpoint).toEqual({ type: 'unix', path: '/run/node.sock', mode: '0660', backlog: 1024 });
  });
});

describe('a unix endpoint', () => {
  const withSocket = (keys: object) => withTransport({ type: 'rawsocket', endpoint: { ...SOCKET, ...keys } });

  it.each([{ mode: '660' }, { mode: '0666' }, { group: 'www-data' }, { group: 0 }])('takes %j', (keys) => {
    expect(problemsOf(withSocket(keys))).toEqual([]);
  });

  it.each([
    { mode: 660 },
    { mode: 432 },
    { mode: '0o660' },
    { mode: '668' },
    { mode: '4660' },
    { group: '' },
    { group: -1 },
  ])('does not take %j: octal digits are text, so that nobody means one number and writes another', (keys) => {
    expect(problemsOf(withSocket(keys))).toHaveLength(1);
  });
});
