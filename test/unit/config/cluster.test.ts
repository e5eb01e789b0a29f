/** The section `cluster`, the realms that take part, and what is refused of both. */
import { describe, expect, it } from 'vitest';

import { checkConfig } from '../../../src/config/check.js';
import type { CheckedConfig } from '../../../src/config/check.js';
import { ConfigError } from '../../../src/config/error.js';
import { privateFilesOf, placesOf } from '../../../src/config/places.js';
import { Cursor } from '../../../src/config/cursor.js';
import { parseJson } from '../../../src/config/source/json.js';

const NATS = { type: 'nats', servers: ['nats://127.0.0.1:4222'] } as const;
const ROLES = [{ name: 'anonymous' }];
const REALM = { name: 'realm1', cluster: true, roles: ROLES };

function config(cluster: object | undefined, ...workers: readonly (readonly object[])[]): object {
  const transports = [{ type: 'rawsocket', endpoint: { type: 'tcp', port: 0 } }];
  return {
    version: 2,
    ...(cluster && { cluster }),
    workers: workers.map((realms) => ({ type: 'router', realms, transports })),
  };
}

function check(value: object): CheckedConfig {
  return checkConfig(JSON.stringify(value), 'config.json', {
    parse: parseJson,
    cbdir: '/node',
    env: { NATS_PASSWORD: 'of NATS' },
    secretFiles: () => ({ secret: 'from a file' }),
  });
}

function problemsOf(value: object): string[] {
  try {
    check(value);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ pointer, text }) => `${pointer}: ${text}`);
  }
}

describe('a section cluster', () => {
  it('is complete with servers alone', () => {
    const { cluster, workers } = check(config(NATS, [REALM])).config;
    expect(cluster).toEqual({
      ...NATS,
      ...{ name: 'crossbar', heartbeat: 1000, suspect_after: 3000, fence_after: 3000, remove_after: 5000 },
      ...{ max_pending: 16_777_216, connect_timeout: 60 },
    });
    expect(workers).toMatchObject([{ realms: [{ name: 'realm1', cluster: true }] }]);
  });

  it('has its secrets in their places, and its files absolute and private', () => {
    const tls = { ca_certificates: ['ca.pem'], certificate: 'n1.pem', key: 'n1-key.pem' };
    const section = { ...NATS, user: 'crossbar', password: '${NATS_PASSWORD}', tls };
    expect(check(config(section, [REALM])).config.cluster).toMatchObject({
      password: 'of NATS',
      tls: { ca_certificates: ['/node/ca.pem'], certificate: '/node/n1.pem', key: '/node/n1-key.pem' },
    });
    expect(check(config({ ...NATS, nkey: { file: 'seed' } }, [REALM])).config.cluster).toMatchObject({
      nkey: 'from a file',
    });
    const files = privateFilesOf(placesOf(new Cursor(config({ ...NATS, tls, nkey: { file: 'seed' } }, [REALM]))));
    expect([...files].sort()).toEqual(['n1-key.pem', 'seed']);
  });

  it('of memory needs nothing else', () => {
    expect(check(config({ type: 'memory' }, [REALM])).config.cluster).toMatchObject({
      type: 'memory',
      name: 'crossbar',
    });
  });

  it('that no realm uses gets a note', () => {
    const { notes } = check(config(NATS, [{ name: 'realm1', roles: ROLES }]));
    expect(notes.map(({ pointer, text }) => `${pointer}: ${text}`)).toEqual([
      '/cluster: no realm has "cluster": true, so nothing is shared with other nodes',
    ]);
  });

  it.each<[string, object, readonly string[]]>([
    ['an engine that there is not', { type: 'redis' }, ['/cluster/type: found "redis" (allowed: "nats", "memory")']],
    [
      'a secret that is not there',
      { ...NATS, user: 'crossbar', password: '${NOT_SET}' },
      ['/cluster/password: the environment variable "NOT_SET" is not set (allowed: one that holds the secret)'],
    ],
    [
      'a user alone',
      { ...NATS, user: 'crossbar' },
      ['/cluster/user: found without "password" (allowed: both, or none of them)'],
    ],
    [
      'a password alone',
      { ...NATS, password: 'x' },
      ['/cluster/password: found without "user" (allowed: both, or none of them)'],
    ],
    [
      'two ways to log in',
      { ...NATS, user: 'crossbar', password: 'x', nkey: 'SUAB' },
      ['/cluster/nkey: found beside "user" (allowed: one of "user", "nkey" and "credentials")'],
    ],
    [
      'a certificate without its key',
      { ...NATS, tls: { certificate: 'n1.pem' } },
      ['/cluster/tls/certificate: found without "key" (allowed: both, or none of them)'],
    ],
    [
      'a heartbeat that is too slow',
      { ...NATS, heartbeat: 3000 },
      [
        '/cluster/fence_after: is not more than "heartbeat", 3000 (allowed: more)',
        '/cluster/suspect_after: is not more than "heartbeat", 3000 (allowed: more)',
      ],
    ],
    [
      'others that take over too early',
      { ...NATS, remove_after: 3000 },
      [
        '/cluster/remove_after: is not more than "fence_after", 3000 (allowed: more, or others take the place of a node that still serves)',
      ],
    ],
  ])('is refused with %s', (_what, section, problems) => {
    expect(problemsOf(config(section, [REALM]))).toEqual(problems);
  });
});

describe('messages that may be larger than those between nodes', () => {
  const sized = (cluster: object, bytes: number, realm: object = REALM): readonly string[] => {
    const options = { max_message_size: bytes };
    const transports = [{ type: 'rawsocket', endpoint: { type: 'tcp', port: 0 }, options }];
    const worker = { type: 'router', realms: [realm], transports };
    const { warnings } = check({ version: 2, cluster, workers: [worker] });
    return warnings
      .map(({ pointer, text }) => `${pointer}: ${text}`)
      .filter((each) => each.includes('max_message_size'));
  };

  it('get a warning: the servers must take them', () => {
    expect(sized(NATS, 1_044_481)).toEqual([
      '/workers/0/transports/0/options/max_message_size: 1044481 bytes are more than 1044480, which NATS carries from node to node by default: without a "max_payload" of 1048577 or more in its configuration the node does not start',
    ]);
  });

  it('get none where they fit, have nothing to do with the cluster, or do not leave the process', () => {
    expect(sized(NATS, 1_044_480)).toEqual([]);
    expect(sized(NATS, 2_000_000, { name: 'realm1', roles: ROLES })).toEqual([]);
    expect(sized({ type: 'memory' }, 2_000_000)).toEqual([]);
  });
});

describe('a realm in the cluster', () => {
  it('needs the section', () => {
    expect(problemsOf(config(undefined, [REALM]))).toEqual([
      '/workers/0/realms/0/cluster: found true, but the node has no section "cluster" (allowed: false, or such a section)',
    ]);
  });

  it('is there once', () => {
    expect(problemsOf(config(NATS, [REALM], [REALM]))).toEqual([
      '/workers/1/realms/0/cluster: the realm "realm1" of another worker is in the cluster already (allowed: one of this name)',
    ]);
  });

  it('may have a namesake that is not', () => {
    expect(problemsOf(config(NATS, [REALM], [{ name: 'realm1', roles: ROLES }]))).toEqual([]);
  });

  it('has no history', () => {
    const store = { type: 'memory', 'event-history': [{ uri: 'com.example' }] };
    expect(problemsOf(config(NATS, [{ ...REALM, store }]))).toEqual([
      '/workers/0/realms/0/store: found beside "cluster": true: no history of several nodes is built yet, each node would remember other events than the next (allowed: none)',
    ]);
  });
});
