/** The role `trusted`, which every realm has, and who is let in with it. */
import { beforeEach, describe, expect, it } from 'vitest';

import { Router } from '../../../src/router/router.js';
import { admit } from '../../../src/session/admission.js';
import { createSessionDeps } from '../../../src/session/deps.js';
import { silentLogger } from '../../../src/log/logger.js';
import { SHIPPED } from '../../../src/worker/registry.js';
import { NOBODY_TO_ASK } from '../../support/client.js';
import { FakeClock, ScriptedSession } from '../../support/realm.js';

let router: Router;

beforeEach(() => {
  let lastId = 0;
  router = new Router(
    [
      { name: 'realm1', roles: [{ name: 'anonymous' }] },
      {
        name: 'ruled',
        roles: [{ name: 'trusted', permissions: [{ uri: 'com.app.', match: 'prefix', allow: { call: true } }] }],
      },
    ],
    { randomId: () => ++lastId, clock: () => 0, scheduler: new FakeClock() },
  );
});

const realmOf = (name = 'realm1') => {
  const realm = router.realm(name);
  if (realm === undefined) throw new Error(`no realm ${name}`);
  return realm;
};

function roleOf(name = 'realm1') {
  const role = realmOf(name).role('trusted');
  if (role === undefined) throw new Error('no role trusted');
  return role;
}

function admitted(authprovider: string, realm = 'realm1') {
  return admit(
    { principal: { realm, authid: 'joe', authrole: 'trusted', authmethod: 'ticket', authprovider } },
    router,
  );
}

describe('the role trusted', () => {
  it.each(['call', 'register', 'publish', 'subscribe'] as const)('may %s everything, and is disclosed', (action) => {
    const expected = { discloseCaller: true, disclosePublisher: true, namesManagement: false };
    expect(roleOf().authorize(action, 'com.app.x')).toMatchObject(expected);
    expect(roleOf().authorizePattern(action, { uri: '', match: 'prefix' })).toMatchObject(expected);
  });

  it('is seen by callees, and has no procedures that manage the node', () => {
    const [callee, caller] = [
      new ScriptedSession(realmOf(), 11, roleOf()),
      new ScriptedSession(realmOf(), 12, roleOf()),
    ];
    callee.tell(64, 1, {}, 'com.app.x').heard();
    caller.tell(48, 1, {}, 'com.app.x').tell(48, 2, {}, 'crossbar.cookie.list');
    expect(callee.heard()).toMatchObject([
      [68, expect.any(Number), expect.any(Number), { caller: 12, caller_authrole: 'trusted' }],
    ]);
    expect(caller.heard()).toMatchObject([[8, 48, 2, {}, 'wamp.error.no_such_procedure', expect.anything()]]);
  });

  it('has the rules of the config where a realm has it there', () => {
    expect(() => roleOf('ruled').authorize('call', 'com.other')).toThrow('not authorized');
    expect(admitted('dynamic', 'ruled')).toMatchObject({ type: 'admit' });
  });

  it('cannot be added, changed or removed', () => {
    expect(() => realmOf().addRole({ name: 'trusted' })).toThrow(TypeError);
    expect(() => realmOf().updateRole({ name: 'trusted' })).toThrow('built in');
    expect(realmOf().removeRole('trusted')).toBe(false);
    expect(roleOf().authorize('call', 'com.app.x').call).toBe(true);
  });

  it('is for principals of the config', () => {
    expect(admitted('static')).toMatchObject({ type: 'admit', role: roleOf() });
  });

  it.each(['dynamic', 'function', 'cookie'])('is not for principals of %s', (authprovider) => {
    expect(admitted(authprovider)).toMatchObject({ type: 'deny', reason: 'wamp.error.no_such_role' });
  });

  it('is not remembered by cookies', async () => {
    let admits: ((realm: string, role: string) => boolean) | undefined;
    const { anonymous } = SHIPPED.methods;
    const methods = {
      ...SHIPPED.methods,
      anonymous: {
        ...anonymous,
        create: (...[config, deps]: Parameters<typeof anonymous.create>) => {
          ({ admits } = deps);
          return anonymous.create(config, deps);
        },
      },
    };
    const { load, logins } = NOBODY_TO_ASK;
    const parts = { router, log: silentLogger(), load, logins, families: { ...SHIPPED, methods } };
    await createSessionDeps({ auth: undefined, options: { auth_error_uris: 'wamp' } } as never, parts);
    expect([admits?.('realm1', 'trusted'), admits?.('realm1', 'anonymous'), admits?.('ruled', 'trusted')]).toEqual([
      false,
      true,
      true,
    ]);
  });
});
