/** The store `nats` of a `cookie` section: where it finds NATS, what is refused of it, and which of its files are private. */
import { describe, expect, it } from 'vitest';

import { natsFilesOf, natsKeys } from '../../../src/engine/nats/schema.js';
import { privateFilesOf } from '../../../src/cookie/registry.js';
import type { CookieStoreConfig } from '../../../src/cookie/schema.js';
import { privatePathsOf } from '../../../src/node/private-paths.js';
import { SHIPPED } from '../../../src/worker/registry.js';
import { check, node, problemsOf } from './configs.js';

const SERVERS = ['nats://127.0.0.1:4222'];
const NATS = { type: 'nats', bucket: 'cookies' } as const;
const STORE = '/workers/0/transports/0/paths/ws/cookie/store';
const ENV = { NATS_PASSWORD: 'of NATS' };

function config(store: object, cluster?: object): object {
  const value = node({ websocket: { cookie: { store: { ...NATS, ...store } } } });
  return { ...value, ...(cluster && { cluster: { type: 'nats', servers: SERVERS, ...cluster } }) };
}

function privateOf(value: object): string[] {
  const checked = check(value, ENV);
  return privatePathsOf({ ...checked, file: '/node/config.json' }, '/node', SHIPPED);
}

describe('a store in NATS', () => {
  it('takes from the section "cluster" all that this says of NATS when it names no servers', () => {
    const tls = { ca_certificates: ['ca.pem'], certificate: 'n1.pem', key: 'n1-key.pem' };
    const more = { user: 'crossbar', password: '${NATS_PASSWORD}', tls, replicas: 3, connect_timeout: 5, name: 'prod' };
    expect(JSON.parse(JSON.stringify(check(config({}, more), ENV).config.workers))).toMatchObject([
      {
        transports: [
          {
            paths: {
              ws: {
                cookie: {
                  store: {
                    ...NATS,
                    servers: SERVERS,
                    user: 'crossbar',
                    password: 'of NATS',
                    tls: { ca_certificates: ['/node/ca.pem'], certificate: '/node/n1.pem', key: '/node/n1-key.pem' },
                    replicas: 3,
                    connect_timeout: 5,
                  },
                },
              },
            },
          },
        ],
      },
    ]);
  });

  it('takes nothing when it names its own', () => {
    const own = ['nats://cookies:4222'];
    const { workers } = check(config({ servers: own }, { nkey: 'SUAB', replicas: 5 })).config;
    expect(workers).toMatchObject([{ transports: [{ paths: { ws: { cookie: { store: { servers: own } } } } }] }]);
    expect(JSON.stringify(workers)).not.toMatch(/SUAB|replicas/);
  });

  it.each<[string, object, object | undefined, string]>([
    [
      'servers, where no section "cluster" names them',
      {},
      undefined,
      ': "servers" is missing, and there is no section "cluster" that names those of NATS (allowed: a list of servers, or such a section)',
    ],
    [
      'servers for its user',
      { nkey: 'SUAB' },
      {},
      '/nkey: found without "servers" (allowed: both, or none of them: then all is as the section "cluster" says)',
    ],
    [
      'a password for its user',
      { servers: SERVERS, user: 'crossbar' },
      undefined,
      '/user: found without "password" (allowed: both, or none of them)',
    ],
    [
      'one way to log in',
      { servers: SERVERS, nkey: 'SUAB', credentials: 'app.creds' },
      undefined,
      '/credentials: found beside "nkey" (allowed: one of "user", "nkey" and "credentials")',
    ],
    [
      'the key of its certificate',
      { servers: SERVERS, tls: { certificate: 'n1.pem' } },
      undefined,
      '/tls/certificate: found without "key" (allowed: both, or none of them)',
    ],
  ])('needs %s', (_what, store, cluster, problem) => {
    expect(problemsOf(config(store, cluster))).toEqual([`${STORE}${problem}`]);
  });

  it('has nothing of a connection of its own without servers: it would have no effect', () => {
    const own = {
      ...{ user: 'crossbar', password: '${NATS_PASSWORD}', nkey: 'SUAB', credentials: 'app.creds', tls: {} },
      ...{ replicas: 3, max_pending: 65_536, connect_timeout: 60 },
    };
    expect(Object.keys(own).sort()).toEqual(
      Object.keys(natsKeys)
        .filter((key) => key !== 'servers')
        .sort(),
    );
    const allowed = '(allowed: both, or none of them: then all is as the section "cluster" says)';
    expect(problemsOf(config(own, {}), ENV)).toEqual(
      Object.keys(own).map((key) => `${STORE}/${key}: found without "servers" ${allowed}`),
    );
  });

  it('keeps its credentials and its key to the node, and so does the section "cluster"', () => {
    const files = {
      credentials: 'app.creds',
      tls: { ca_certificates: ['ca.pem'], certificate: 'c.pem', key: 'k.pem' },
    };
    const expected = ['/node', '/node/config.json', '/node/app.creds', '/node/k.pem'];
    expect(privateOf(config({ servers: SERVERS, ...files }))).toEqual(expected);
    expect(privateOf(config({}, files))).toEqual(expected);
    expect(privateOf(config({ servers: SERVERS }, files))).toEqual(expected);
    expect(privateOf(config({ servers: SERVERS }))).toEqual(['/node', '/node/config.json']);
  });

  it('has no bucket among its files', () => {
    const store: CookieStoreConfig = { ...NATS, servers: SERVERS, max_pending: 65_536, connect_timeout: 60 };
    expect(privateFilesOf(store)).toEqual([]);
    expect(privateFilesOf({ ...store, credentials: '/c' })).toEqual(natsFilesOf({ credentials: '/c' }));
  });
});
