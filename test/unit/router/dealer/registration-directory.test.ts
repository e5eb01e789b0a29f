/** The dealer as the meta API sees it, and its options that no config of a realm sets by default. */
import { describe, expect, it } from 'vitest';
import { Budget } from '../../../../src/router/budget.js';
import { Dealer } from '../../../../src/router/dealer/dealer.js';
import { Role } from '../../../../src/router/role.js';
import { CALL, CANCEL, REGISTER, UNREGISTER } from '../../../../src/wamp/message.js';
import { NO_PAYLOAD } from '../../../../src/wamp/payload.js';
import { ALLOW_ALL, FakeClock, wire } from '../../../support/realm.js';
import type { RegistrationView } from '../../../../src/router/observer.js';
import type { RouterSession } from '../../../../src/router/session.js';
import type { Call, RegisterOptions, RouterMessage } from '../../../../src/wamp/message.js';

const CREATED = '2026-01-01T00:00:00.000Z';
const role = new Role(ALLOW_ALL);

function testDealer(more: { cancelWithoutError?: boolean } = {}) {
  const told: unknown[][] = [];
  const tell =
    (what: string) =>
    (session: RouterSession, { id, callees }: RegistrationView): void =>
      void told.push([what, session.id, id, callees.map((callee) => callee.id)]);
  const clock = new FakeClock();
  let lastId = 0;
  const dealer = new Dealer({
    uriRule: 'loose',
    randomId: () => 1,
    nextRouterId: () => ++lastId,
    clock: () => clock.now,
    scheduler: clock,
    observer: { created: tell('created'), joined: tell('joined'), left: tell('left'), deleted: tell('deleted') },
    budget: new Budget(),
    maxRegistrations: 10_000,
    ...more,
  });
  /** What the observer was told since the last time. */
  const observed = () => told.splice(0);
  return { dealer, clock, observed };
}

function testSession(id: number, ...features: string[]) {
  const heard: unknown[][] = [];
  const session: RouterSession = {
    id,
    authid: `authid${id}`,
    authrole: role.name,
    role,
    keptBytes: 0,
    get details(): never {
      throw new Error('the dealer has no use for the details of a session');
    },
    get status(): never {
      throw new Error('the dealer has no use for the status of a session');
    },
    announced: (name, feature) => features.includes(`${name}.${feature}`),
    kill: () => undefined,
    send: (message: RouterMessage) => void heard.push(wire(message)),
  };
  return { session, heard: () => heard.splice(0) };
}

function register(dealer: Dealer, session: RouterSession, procedure: string, options: RegisterOptions = {}): void {
  dealer.onRegister(session, { type: REGISTER, requestId: 1, options, procedure });
}

const callOf = (procedure: string): Call => ({ type: CALL, requestId: 1, options: {}, procedure, payload: NO_PAYLOAD });

describe('the directory of registrations', () => {
  it('shows a registration as the meta API does', () => {
    const { dealer } = testDealer();
    const [a, b] = [testSession(1), testSession(2)];
    register(dealer, a.session, 'com.a', { invoke: 'last' });
    register(dealer, b.session, 'com.a', { invoke: 'last' });
    const view = { id: 1, created: CREATED, uri: 'com.a', match: 'exact', invoke: 'last' };
    expect(dealer.get(1)).toMatchObject(view);
    expect(dealer.get(1)?.callees).toEqual([a.session, b.session]);
    expect(dealer.get(2)).toBeUndefined();
    expect(dealer.lookup('com.a', 'exact')).toBe(dealer.get(1));
    expect(dealer.lookup('com.a', 'prefix')).toBeUndefined();
  });

  it('lists ids by match policy and finds the one that a call would go to', () => {
    const { dealer } = testDealer();
    const { session } = testSession(1);
    register(dealer, session, 'com.a');
    register(dealer, session, 'com.', { match: 'prefix' });
    register(dealer, session, '.b', { match: 'wildcard' });
    register(dealer, session, 'com.b');
    expect(dealer.list()).toEqual({ exact: [1, 4], prefix: [2], wildcard: [3] });
    const found = ['com.a', 'com.x', 'org.b', 'org', 'wamp.b'].map((uri) => dealer.best(uri)?.id);
    expect(found).toEqual([1, 2, 3, undefined, undefined]);
  });

  it('tells what happened, after it has happened', () => {
    const { dealer, observed } = testDealer();
    const [a, b, c] = [testSession(1), testSession(2), testSession(3)];
    register(dealer, a.session, 'com.a', { invoke: 'first' });
    expect(observed()).toEqual([
      ['created', 1, 1, [1]],
      ['joined', 1, 1, [1]],
    ]);
    register(dealer, b.session, 'com.a', { invoke: 'first' });
    register(dealer, b.session, 'com.a', { invoke: 'first' });
    expect(observed()).toEqual([['joined', 2, 1, [1, 2]]]);
    dealer.onUnregister(a.session, { type: UNREGISTER, requestId: 2, registration: 1 });
    expect(observed()).toEqual([['left', 1, 1, [2]]]);
    register(dealer, c.session, 'com.a', { force_reregister: true });
    expect(observed()).toEqual([
      ['left', 2, 1, []],
      ['deleted', 2, 1, []],
      ['created', 3, 2, [3]],
      ['joined', 3, 2, [3]],
    ]);
    dealer.remove(c.session);
    expect(observed()).toEqual([
      ['left', 3, 2, []],
      ['deleted', 3, 2, []],
    ]);
    dealer.remove(a.session);
    dealer.remove(b.session);
    expect(observed()).toEqual([]);
  });
});

describe('registration revocation', () => {
  it.each([
    ['wamp.error.reason', { registration: 1, reason: 'wamp.error.reason' }],
    [undefined, { registration: 1 }],
  ])('tells the callee that can hear it, with reason %s', (reason, details) => {
    const { dealer, observed } = testDealer();
    const { session, heard } = testSession(1, 'callee.registration_revocation');
    register(dealer, session, 'com.a');
    observed();
    heard();
    expect(dealer.revoke(1, session, reason)).toBe(true);
    expect(heard()).toEqual([[67, 0, details]]);
    expect(observed().map(([what]) => what)).toEqual(['left', 'deleted']);
    expect(dealer.revoke(1, session, reason)).toBe(false);
    expect(dealer.size).toMatchObject({ registrations: 0 });
  });

  it('is silent for others, and leaves the other callees alone', () => {
    const { dealer } = testDealer();
    const [a, b] = [testSession(1), testSession(2)];
    register(dealer, a.session, 'com.a', { invoke: 'first' });
    expect(dealer.revoke(1, b.session)).toBe(false);
    register(dealer, b.session, 'com.a', { invoke: 'first' });
    a.heard();
    expect(dealer.revoke(1, a.session)).toBe(true);
    expect(a.heard()).toEqual([]);
    expect(dealer.get(1)?.callees).toEqual([b.session]);
  });
});

describe('CANCEL without ERROR', () => {
  it.each([
    ['skip', []],
    ['killnowait', []],
    ['kill', ['wamp.error.canceled']],
  ] as const)('%s', (mode, answers) => {
    const { dealer } = testDealer({ cancelWithoutError: true });
    const [a, b] = [testSession(1), testSession(2)];
    register(dealer, b.session, 'com.a');
    dealer.onCall(a.session, callOf('com.a'));
    dealer.onCancel(a.session, { type: CANCEL, requestId: 1, options: { mode } });
    expect(a.heard().map((message) => message[4])).toEqual(answers);
    expect(dealer.size).toMatchObject({ calls: 0 });
  });

  it('gives the room of the call to the next one', () => {
    const { dealer } = testDealer({ cancelWithoutError: true });
    const [a, b] = [testSession(1), testSession(2)];
    register(dealer, b.session, 'com.a', { concurrency: 1 });
    dealer.onCall(a.session, callOf('com.a'));
    dealer.onCall(a.session, { ...callOf('com.a'), requestId: 2 });
    b.heard();
    dealer.onCancel(a.session, { type: CANCEL, requestId: 1, options: {} });
    expect(b.heard().map(([type]) => type)).toEqual([68]);
  });
});
