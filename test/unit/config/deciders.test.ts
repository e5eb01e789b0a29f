/** The warnings about procedures that decide about others, where somebody else may register them. */
import { describe, expect, it } from 'vitest';

import { check, node, problemsOf } from './configs.js';

const AUTHENTICATOR = 'com.app.authenticate';
const CLOSED = { name: 'backend', permissions: [{ uri: 'com.app.*', allow: { register: true } }] };

interface Parts {
  /** What strangers may do. */
  readonly permissions?: readonly object[];
  readonly roles?: readonly object[];
  readonly dynamic?: object;
  readonly auth?: object;
}

function configOf({ permissions = [], roles = [CLOSED], dynamic = {}, auth }: Parts): object {
  const realms = [{ name: 'realm1', roles: [{ name: 'anonymous', permissions }, ...roles] }];
  const ticket = { type: 'dynamic', authenticator: AUTHENTICATOR, ...dynamic };
  return node({ websocket: { auth: auth ?? { anonymous: { type: 'static' }, ticket } }, worker: { realms } });
}

function warningsOf(parts: Parts): string[] {
  return check(configOf(parts)).warnings.map(({ pointer, text }) => `${pointer}: ${text}`);
}

describe('an authenticator that strangers may register', () => {
  it.each([
    ['by an exact rule', { uri: AUTHENTICATOR, allow: { register: true } }],
    ['by a prefix', { uri: 'com.*', allow: { register: true } }],
    ['by a wildcard', { uri: 'com..authenticate', match: 'wildcard', allow: { register: true } }],
  ])('is warned of: %s', (_how, rule) => {
    const [warning, ...more] = warningsOf({ permissions: [rule] });
    expect(warning).toContain(
      '/workers/0/transports/0/paths/ws/auth/ticket/authenticator: strangers get the role "anonymous"',
    );
    expect(warning).toContain(
      '(set "authenticator-callee-role", or leave the procedure out of what they may register)',
    );
    expect(more).toEqual([]);
  });

  it.each([
    ['they may only call it', { permissions: [{ uri: 'com.*', allow: { call: true } }] }],
    [
      'a rule keeps them out',
      {
        permissions: [
          { uri: '*', allow: { register: true } },
          { uri: 'com.app.*', allow: {} },
        ],
      },
    ],
    [
      'the config says whose it is',
      { permissions: [{ uri: '*', allow: { register: true } }], dynamic: { 'authenticator-callee-role': 'backend' } },
    ],
  ])('is not warned of when %s', (_why, parts) => {
    expect(warningsOf(parts)).toEqual([]);
  });

  it('is warned of when the config says that it is theirs', () => {
    expect(warningsOf({ dynamic: { 'authenticator-callee-role': 'anonymous' } })).toEqual([
      '/workers/0/transports/0/paths/ws/auth/ticket/authenticator-callee-role: strangers get the role "anonymous", and may decide then',
    ]);
  });
});

it('an authenticator that several roles may register is warned of', () => {
  const [warning] = warningsOf({ roles: [CLOSED, { name: 'user', 'allow-by-default': true }] });
  expect(warning).toContain(`several roles on realm "realm1" may register "${AUTHENTICATOR}": "backend", "user"`);
});

it('an authorizer that strangers may register is warned of', () => {
  const auth = { anonymous: { type: 'static' } };
  const asked = { name: 'asked', authorizer: 'com.app.authorize' };
  const [warning] = warningsOf({
    auth,
    roles: [CLOSED, asked],
    permissions: [{ uri: '*', allow: { register: true } }],
  });
  expect(warning).toContain('/workers/0/realms/0/roles/2/authorizer: strangers get the role "anonymous"');
});

it('a role that is not there cannot provide anything', () => {
  const asked = { name: 'asked', authorizer: 'com.app.authorize', 'authorizer-callee-role': 'nobody' };
  const dynamic = { 'authenticator-callee-role': 'nobody' };
  expect(
    problemsOf(configOf({ roles: [CLOSED, asked, { name: 'x', 'authorizer-callee-role': 'x' }], dynamic })),
  ).toEqual([
    '/workers/0/realms/0/roles/2/authorizer-callee-role: the realm has no role "nobody" (allowed: one of its roles)',
    '/workers/0/realms/0/roles/3/authorizer-callee-role: found without "authorizer" (allowed: both, or none of them)',
    '/workers/0/transports/0/paths/ws/auth/ticket/authenticator-callee-role: the worker has no realm with a role "nobody" (allowed: "anonymous", "backend", "asked", "x")',
  ]);
});

it('the procedures that decide about clients are told of each worker, without those of its roles', () => {
  const backend = { 'authenticator-realm': 'realm1', 'authenticator-callee-role': 'backend' };
  const authorized = { name: 'guest', authorizer: 'com.app.authorize' };
  const ticket = { type: 'dynamic', authenticator: AUTHENTICATOR, ...backend };
  const wampcra = { type: 'dynamic', authenticator: 'com.app.secret' };
  const { workers } = configOf({ roles: [CLOSED, authorized], auth: { ticket, wampcra } }) as ReturnType<typeof node>;
  const [without] = node().workers;
  expect(check({ version: 2, workers: [{ ...without, transports: [] }, ...workers] }).authenticators).toEqual([
    [],
    [
      { procedure: AUTHENTICATOR, realm: 'realm1', role: 'backend' },
      { procedure: 'com.app.secret', realm: undefined, role: undefined },
    ],
  ]);
});
