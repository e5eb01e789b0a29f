/** Procedures that decide about others: whose they are, and who is kept from them. */
import { describe, expect, it } from 'vitest';

import { Router } from '../../../src/router/router.js';
import type { Decider } from '../../../src/router/deciders.js';
import type { RoleConfig } from '../../../src/router/schema.js';
import { FakeClock, ScriptedSession } from '../../support/realm.js';

const URI = 'com.app.authenticate';
const REFUSED = 'wamp.error.not_authorized';

function testRouter(decider: Partial<Decider> = {}, roles: readonly RoleConfig[] = []) {
  const refused: string[] = [];
  const open = ['backend', 'user'].map((name) => ({ name, 'allow-by-default': true }));
  let lastId = 0;
  const router = new Router([{ name: 'realm1', roles: [...open, ...roles] }], {
    randomId: () => ++lastId,
    clock: () => 0,
    scheduler: new FakeClock(),
    authenticators: [{ procedure: URI, realm: undefined, role: undefined, ...decider }],
    refused: (realm, { authrole }, procedure) => refused.push(`${realm} ${authrole} ${procedure}`),
  });
  const realm = router.realm('realm1');
  if (realm === undefined) throw new Error('no realm');
  const session = (name: string): ScriptedSession => {
    const role = realm.role(name);
    if (role === undefined) throw new Error(`no role ${name}`);
    return new ScriptedSession(realm, ++lastId, role);
  };
  let lastRequest = 0;
  /** @returns undefined when it was registered, else the error. */
  const register = (who: ScriptedSession, options: object = {}, uri = URI): unknown => {
    const requestId = ++lastRequest;
    const answers = who.tell(64, requestId, options, uri).heard();
    const error = answers.find(([type, , request]) => type === 8 && request === requestId);
    return error?.[4];
  };
  return { realm, session, register, refused };
}

describe('a procedure that decides about others', () => {
  it('belongs to the role that registers it first, also while that is away', () => {
    const { session, register, refused, realm } = testRouter();
    const [backend, user] = [session('backend'), session('user')];
    expect(register(backend)).toBeUndefined();
    expect(register(user, { force_reregister: true })).toBe(REFUSED);
    backend.leave();
    expect(register(user)).toBe(REFUSED);
    expect(register(session('backend'))).toBeUndefined();
    expect(realm.hasCallee(URI)).toBe(true);
    expect(refused).toEqual(Array(2).fill(`realm1 user ${URI}`));
  });

  it('may be taken over and shared within its role', () => {
    const { session, register } = testRouter();
    expect(register(session('backend'), { invoke: 'roundrobin' })).toBeUndefined();
    expect(register(session('backend'), { invoke: 'roundrobin' })).toBeUndefined();
    expect(register(session('user'), { invoke: 'roundrobin' })).toBe(REFUSED);
    expect(register(session('backend'), { force_reregister: true })).toBeUndefined();
  });

  it('is not asked where a pattern of another role stands in for it', () => {
    const { session, register, realm } = testRouter();
    const backend = session('backend');
    expect(register(session('user'), { match: 'prefix' }, 'com.')).toBeUndefined();
    // Nobody has it yet, so a gateway for everything may be meant.
    expect(realm.hasCallee(URI)).toBe(true);
    expect(register(backend)).toBeUndefined();
    backend.leave();
    expect(realm.hasCallee(URI)).toBe(false);
    let came = false;
    realm.expectCallee(URI, () => (came = true));
    expect(register(session('user'), { match: 'wildcard' }, 'com..authenticate')).toBeUndefined();
    expect(came).toBe(false);
    register(session('backend'));
    expect(came).toBe(true);
  });

  it('belongs to the role of the config from the start', () => {
    const { session, register, realm } = testRouter({ role: 'backend' });
    expect(register(session('user'))).toBe(REFUSED);
    expect(register(session('user'), { match: 'prefix' }, '')).toBeUndefined();
    expect(realm.hasCallee(URI)).toBe(false);
    expect(register(session('backend'))).toBeUndefined();
    expect(realm.hasCallee(URI)).toBe(true);
  });

  it('is one on its realm only', () => {
    const { session, register } = testRouter({ realm: 'realm2' });
    expect(register(session('backend'))).toBeUndefined();
    expect(register(session('user'), { force_reregister: true })).toBeUndefined();
  });

  it('may be an authorizer', () => {
    const asked = { name: 'asked', authorizer: 'com.app.authorize', 'authorizer-callee-role': 'backend' };
    const { session, register } = testRouter({}, [asked]);
    expect(register(session('user'), {}, 'com.app.authorize')).toBe(REFUSED);
    expect(register(session('user'), {}, 'com.app.other')).toBeUndefined();
  });
});
