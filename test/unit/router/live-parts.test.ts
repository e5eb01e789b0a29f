/** A router whose realms and roles come, change and go while sessions are on. */
import { beforeEach, describe, expect, it } from 'vitest';

import type { Realm } from '../../../src/router/realm.js';
import { Router } from '../../../src/router/router.js';
import type { PermissionConfig, RoleConfig } from '../../../src/router/schema.js';
import { FakeClock, ScriptedSession } from '../../support/realm.js';

const SUBSCRIBE = 32;
const CALL = 48;
const REGISTER = 64;
const YIELD = 70;
const OPEN: RoleConfig = { name: 'user', 'allow-by-default': true };
const DENIED = [8, CALL, 2, {}, 'wamp.error.not_authorized', [expect.any(String)]];

let router: Router;
let lastId: number;

beforeEach(() => {
  lastId = 0;
  router = new Router([{ name: 'realm1', roles: [OPEN] }], {
    randomId: () => ++lastId,
    clock: () => 0,
    scheduler: new FakeClock(),
  });
});

function realmOf(name = 'realm1'): Realm {
  const realm = router.realm(name);
  if (realm === undefined) throw new Error(`no realm ${name}`);
  return realm;
}

function session(realm = realmOf(), name = 'user'): ScriptedSession {
  const role = realm.role(name);
  if (role === undefined) throw new Error(`no role ${name}`);
  return new ScriptedSession(realm, ++lastId, role);
}

describe('a realm', () => {
  it('is added while the router runs, with ids from the count of the router', () => {
    const [, , first] = session().tell(SUBSCRIBE, 1, {}, 'com.app.a').heard()[0] ?? [];
    const added = router.addRealm({ name: 'realm2', roles: [OPEN] });
    expect(router.realm('realm2')).toBe(added);
    const [, , second] = session(added).tell(SUBSCRIBE, 1, {}, 'com.app.a').heard()[0] ?? [];
    expect(second).toBe(Number(first) + 1);
    expect(() => router.addRealm({ name: 'realm2', roles: [] })).toThrow('realm2');
  });

  it('ends its sessions when it is removed, says why, and keeps nothing', () => {
    const realm = realmOf();
    const [callee, caller, watcher] = [session(), session(), session()];
    watcher.tell(SUBSCRIBE, 1, {}, 'wamp.session.on_leave').tell(SUBSCRIBE, 2, {}, 'com.app.gone').heard();
    callee.tell(REGISTER, 1, { concurrency: 1 }, 'com.app.slow').heard();
    caller.tell(CALL, 1, {}, 'com.app.slow').tell(CALL, 2, {}, 'com.app.slow');
    caller.tell(CALL, 3, {}, 'wamp.session.add_testament', ['com.app.gone', [], {}]).heard();
    const other = session(router.addRealm({ name: 'realm2', roles: [OPEN] }));
    expect(router.keptBytes).toBeGreaterThan(0);

    expect(router.removeRealm('realm1')).toBe(true);

    for (const each of [callee, caller, watcher]) {
      expect(each.heard().at(-1)).toEqual([6, { message: 'the realm was removed' }, 'wamp.close.close_realm']);
    }
    expect(other.heard()).toEqual([]);
    for (const count of Object.values(realm.size)) expect(count).toBe(0);
    expect(router.keptBytes).toBe(0);
    expect(router.realm('realm1')).toBeUndefined();
    expect(router.removeRealm('realm1')).toBe(false);
  });

  it('says what it keeps when it is asked', () => {
    const publisher = session();
    publisher.tell(16, 1, { retain: true }, 'com.app.kept', ['text']);
    const { retainedEvents, retainedBytes, sessions } = realmOf().stats;
    expect({ retainedEvents, sessions }).toEqual({ retainedEvents: 1, sessions: 1 });
    expect(retainedBytes).toBeGreaterThan(0);
  });

  it('says how its calls stand when it is asked', () => {
    const [callee, caller] = [session(), session()];
    callee.tell(REGISTER, 1, { concurrency: 1 }, 'com.app.slow').heard();
    caller.tell(CALL, 1, {}, 'com.app.slow').tell(CALL, 2, { timeout: 1000 }, 'com.app.slow');
    expect(realmOf().stats).toMatchObject({ calls: 2, queuedCalls: 1, timedCalls: 1 });
    callee.tell(YIELD, 1, {});
    expect(realmOf().stats).toMatchObject({ calls: 1, queuedCalls: 0, timedCalls: 1 });
    callee.tell(YIELD, 2, {});
    expect(realmOf().stats).toMatchObject({ calls: 0, queuedCalls: 0, timedCalls: 0 });
  });

  it('tells nobody of what ends with it', () => {
    const [watcher, leaver] = [session(), session()];
    watcher.tell(SUBSCRIBE, 1, {}, 'wamp.session.on_leave').tell(SUBSCRIBE, 2, {}, 'com.app.gone').heard();
    leaver.tell(CALL, 3, {}, 'wamp.session.add_testament', ['com.app.gone', [], {}]);
    leaver.heard();
    router.removeRealm('realm1');
    expect(watcher.heard().map(([type]) => type)).toEqual([6]);
  });
});

describe('a role', () => {
  const rule = (uri: string, call: boolean): PermissionConfig => ({ uri, match: 'exact', allow: { call } });

  it('gets other rules in place: they count for the next request of sessions that are on', () => {
    const realm = realmOf();
    const user = session();
    const role = realm.role('user');
    expect(user.tell(CALL, 1, {}, 'com.app.a').heard()[0]?.[4]).toBe('wamp.error.no_such_procedure');
    realm.updateRole({ name: 'user', permissions: [rule('com.app.b', true)] });
    expect(realm.role('user')).toBe(role);
    expect(user.tell(CALL, 2, {}, 'com.app.a').heard()).toEqual([DENIED]);
    expect(user.tell(CALL, 3, {}, 'com.app.b').heard()[0]?.[4]).toBe('wamp.error.no_such_procedure');
    expect(() => realm.updateRole({ name: 'nobody' })).toThrow('nobody');
  });

  it('drops what authorizers decided before', () => {
    const realm = realmOf();
    const before = realm.authorizersVersion;
    realm.updateRole(OPEN);
    expect(realm.authorizersVersion).not.toBe(before);
  });

  it('is added and removed; its sessions end, those of others go on', () => {
    const realm = realmOf();
    realm.addRole({ ...OPEN, name: 'guest' });
    expect(() => realm.addRole({ ...OPEN, name: 'guest' })).toThrow('guest');
    const [user, guest] = [session(), session(realm, 'guest')];
    expect(realm.removeRole('guest')).toBe(true);
    expect(guest.heard()).toEqual([[6, { message: 'role "guest" was removed' }, 'wamp.error.no_such_role']]);
    expect(user.heard()).toEqual([]);
    expect(realm.role('guest')).toBeUndefined();
    expect(realm.size).toMatchObject({ sessions: 1 });
    expect(realm.removeRole('guest')).toBe(false);
  });

  describe('that gets an authorizer', () => {
    const GATE = 'com.app.authorize';
    const guarded = (role?: string): RoleConfig => ({
      name: 'guest',
      authorizer: GATE,
      ...(role === undefined ? {} : { 'authorizer-callee-role': role }),
    });

    it('lets those keep the procedure who have it, and nobody else have it', () => {
      const realm = realmOf();
      realm.addRole({ ...OPEN, name: 'guest' });
      session().tell(REGISTER, 1, {}, GATE);
      realm.updateRole(guarded());
      expect(realm.hasCallee(GATE)).toBe(true);
      const thief = session(realm, 'guest').tell(REGISTER, 1, { force_reregister: true }, GATE);
      expect(thief.heard()[0]?.[4]).toBe('wamp.error.not_authorized');
    });

    it('takes the procedure from callees of a role that the config does not name', () => {
      const realm = realmOf();
      realm.addRole({ ...OPEN, name: 'guest' });
      realm.addRole({ ...OPEN, name: 'backend' });
      const first = session();
      first.tell(REGISTER, 1, {}, GATE);
      realm.updateRole(guarded('backend'));
      expect(realm.hasCallee(GATE)).toBe(false);
      expect(realm.size).toMatchObject({ registrations: 0 });
      session(realm, 'backend').tell(REGISTER, 1, {}, GATE);
      expect(realm.hasCallee(GATE)).toBe(true);
    });
  });
});
