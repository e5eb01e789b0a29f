/** The config of the node that is abused: every kind of transport, with and without cookies, and all that a realm can have. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Certificates } from '../support/certificates.js';
import type { Daemon } from '../support/daemon.js';
import { temporaryDirectory } from '../support/daemon.js';
import { LOOPBACK } from '../support/node-config.js';
import type { Place } from './wire.js';

/** A transport that clients can be sent to. */
export interface Target extends Place {
  readonly name: string;
  /** Speaks HTTP; undefined is one that does not. */
  readonly websocket?: readonly string[];
  readonly rawsocket: boolean;
  readonly spoken: 'wamp' | 'mqtt';
}

/** Of the good client. */
export const TICKET = 'secret of the good client';

const ALL = { call: true, register: true, publish: true, subscribe: true };
/** What strangers may do to those that behave: call them and hear them. */
const ROLES = [
  {
    name: 'stranger',
    permissions: [
      { uri: '', match: 'prefix', allow: ALL },
      { uri: 'honest', match: 'prefix', allow: { ...ALL, register: false, publish: false } },
      { uri: 'wamp.session.kill_all', allow: { ...ALL, call: false } },
    ],
  },
  { name: 'good', 'allow-by-default': true },
];
const MIB = 1024 * 1024;
const REALM = {
  name: 'realm1',
  // Both are kept when everybody has gone, and are not to be taken for a leak.
  options: { max_retained_events: 100, max_retained_bytes: MIB },
  store: { type: 'memory', max_bytes: 2 * MIB, 'event-history': [{ uri: 'fuzz', match: 'prefix', limit: 100 }] },
  roles: ROLES,
};
const AUTH = {
  anonymous: { type: 'static', realm: 'realm1', role: 'stranger' },
  ticket: { type: 'static', principals: { joe: { ticket: 'secret', role: 'stranger' } } },
  wampcra: { type: 'static', users: { joe: { secret: 'secret', role: 'stranger' } } },
  scram: {
    type: 'static',
    principals: {
      joe: {
        kdf: 'pbkdf2',
        iterations: 4096,
        salt: '5b6d99689d12358eeca04b141236fa81',
        'stored-key': '586e5df283e6dceb5c3e791d8b8528ec191e664045ce971792e2e6b5bb13e2a6',
        'server-key': 'c1f3cbc1c13a9d35a14c0990eed97629ea225863e566a4314ab99f3f00e5d9d5',
        role: 'stranger',
      },
    },
  },
};
const GOOD_AUTH = { ticket: { type: 'static', principals: { good: { ticket: TICKET, role: 'good' } } } };
/** Short, so that cookies of strangers have an end within the test. */
const COOKIE = { max_age: 2, authid: 'derived', store: { type: 'memory' } };
/** Kept clients have an end within the test, too. */
const MQTT = {
  realm: 'realm1',
  auth: { anonymous: AUTH.anonymous, ticket: AUTH.ticket },
  session_expiry: 1,
  hello_timeout: 1000,
};
const NATIVE = { '': { type: 'native', serializer: 'json' } };
const SERIALIZERS = ['json', 'msgpack', 'cbor', 'ubjson'];
const SPOKEN = { auth: AUTH, serializers: SERIALIZERS };
const WEBSOCKET = { type: 'websocket', auth: { ...AUTH, cookie: {} }, serializers: SERIALIZERS };
const BARE_WEBSOCKET = { type: 'websocket', ...SPOKEN };
const LARGE_BYTES = 2 * MIB;

export function abusedConfig(certificates: Certificates): object {
  const directory = temporaryDirectory();
  const socket = (name: string): object => ({ type: 'unix', path: path.join(directory, name) });
  const web = path.join(directory, 'pages');
  mkdirSync(web);
  writeFileSync(path.join(web, 'page.html'), 'p'.repeat(35_000));
  writeFileSync(path.join(web, 'large.bin'), Buffer.alloc(LARGE_BYTES, 'b'));
  const files = { type: 'static', directory: web, options: { enable_directory_listing: true } };
  const paths = {
    ...{ '/': { type: 'json', value: { here: true } }, files, info: { type: 'nodeinfo' } },
    ...{ old: { type: 'redirect', url: '/api/value' } },
    api: { type: 'path', paths: { value: { type: 'json', value: { answer: 42 } } } },
  };
  const ws = (type: object): object => ({
    ws: type,
    deflate: { ...type, options: { compression: { deflate: {} } } },
  });
  const tls = {
    key: certificates.file('server.key'),
    certificate: certificates.file('server.pem'),
    chain_certificates: [certificates.file('intermediate.pem')],
  };
  const stored = { ...COOKIE, store: { type: 'file', filename: 'cookies.dat' } };
  const good = { type: 'websocket', auth: GOOD_AUTH };
  const transports = [
    { type: 'web', id: 'web', endpoint: LOOPBACK, cookie: COOKIE, paths: { ...paths, ...ws(WEBSOCKET), good } },
    { type: 'web', id: 'bare_web', endpoint: socket('web'), paths: { ...paths, ...ws(BARE_WEBSOCKET) } },
    { type: 'websocket', id: 'bare_websocket', endpoint: LOOPBACK, ...SPOKEN },
    { ...WEBSOCKET, id: 'websocket', endpoint: socket('websocket'), cookie: COOKIE },
    {
      ...{ type: 'universal', id: 'universal', endpoint: LOOPBACK, rawsocket: SPOKEN },
      ...{ websocket: ws(WEBSOCKET), web: { paths, cookie: COOKIE } },
    },
    {
      ...{ type: 'universal', id: 'bare_universal', endpoint: socket('universal'), rawsocket: SPOKEN },
      ...{ websocket: ws(BARE_WEBSOCKET), web: { paths } },
    },
    { type: 'web', id: 'tls', endpoint: { ...LOOPBACK, tls }, cookie: stored, paths: { ...paths, ...ws(WEBSOCKET) } },
    { type: 'rawsocket', id: 'rawsocket', endpoint: LOOPBACK, ...SPOKEN },
    { type: 'rawsocket', id: 'rawsocket_file', endpoint: socket('rawsocket'), ...SPOKEN },
    { type: 'mqtt', id: 'mqtt', endpoint: LOOPBACK, options: MQTT },
    { type: 'mqtt', id: 'mqtt_native', endpoint: LOOPBACK, options: { ...MQTT, payload_mapping: NATIVE } },
    { type: 'mqtt', id: 'mqtt_file', endpoint: socket('mqtt'), options: { ...MQTT, topic_mapping: 'crossbar' } },
  ];
  return { version: 2, controller: {}, workers: [{ type: 'router', realms: [REALM], transports }] };
}

/** Where the transports of {@link abusedConfig} listen. */
export function targetsOf(daemon: Daemon, ca: string): readonly Target[] {
  return daemon.listening().map((record) => {
    const [name, port] = [String(record['transport']), record['port']];
    const [, socketFile = ''] = /unix:(.+?):?\/?$/.exec(String(record['url'])) ?? [];
    const at = typeof port === 'number' ? { port, host: '127.0.0.1' } : { path: socketFile };
    const rawsocket = /rawsocket|universal/.test(name);
    const spoken = name.startsWith('mqtt') ? 'mqtt' : 'wamp';
    if (spoken === 'mqtt') return { name, at, rawsocket, spoken };
    if (name.startsWith('rawsocket')) return { name, at, rawsocket, spoken };
    const websocket = name.endsWith('websocket') ? ['/'] : ['/ws', '/deflate'];
    return { name, at, rawsocket, spoken, websocket, ...(name === 'tls' && { ca }) };
  });
}
