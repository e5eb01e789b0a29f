/** What a client hears, and what the log says, when a role may not do something: real sessions on a real router. */
import { describe, expect, it } from 'vitest';

import { createLogger } from '../../../src/log/logger.js';
import { RepeatedLog } from '../../../src/log/repeated.js';
import { Router } from '../../../src/router/router.js';
import type { RoleConfig } from '../../../src/router/schema.js';
import { Session } from '../../../src/session/session.js';
import { parseMessage } from '../../../src/wamp/parse.js';
import { NO_PAYLOAD, payloadOf } from '../../../src/wamp/payload.js';
import { everybody } from '../../support/client.js';
import { FakeTransport } from '../../support/fake-transport.js';
import { FakeClock } from '../../support/realm.js';

const ALL = { call: true, register: true, publish: true, subscribe: true };

const REQUESTS = {
  call: (uri: string) => [48, 7, {}, uri],
  register: (uri: string) => [64, 7, {}, uri],
  publish: (uri: string) => [16, 7, { acknowledge: true }, uri],
  subscribe: (uri: string) => [32, 7, {}, uri],
} as const;
type Action = keyof typeof REQUESTS;

/** A client with the role of the test, and the lines about denied actions. */
function client(role: Omit<RoleConfig, 'name'>) {
  let lastId = 0;
  const scheduler = new FakeClock();
  const router = new Router([{ name: 'realm1', roles: [{ name: 'user', ...role }] }], {
    randomId: () => ++lastId,
    clock: () => 0,
    scheduler,
    management: { 'crossbar.cookie.list': () => payloadOf([[]]) },
  });
  const lines: Record<string, unknown>[] = [];
  const write = (text: string): void => {
    const line = JSON.parse(text) as Record<string, unknown>;
    if (line['msg'] === 'action denied') lines.push(line);
  };
  const log = createLogger({ level: 'debug', destination: { write } });
  const repeated = new RepeatedLog(log, () => scheduler.elapsed());
  const transport = new FakeTransport();
  const session = new Session(transport, { router, log, repeated, authMethods: everybody({ role: 'user' }) });
  const tell = (fields: readonly unknown[]): unknown[] => {
    session.receive(parseMessage([...fields], fields.length, NO_PAYLOAD));
    const [type, , , , error, args] = transport.sent[0] ?? [];
    if (transport.sent.splice(0).length === 0) return [];
    return [type === 8 ? [error, (args as unknown[])[0]] : type];
  };
  tell([1, 'realm1', { roles: { caller: {}, callee: {}, publisher: {}, subscriber: {} } }]);
  return { tell, lines, scheduler };
}

const NOT_AUTHORIZED = 'wamp.error.not_authorized';

describe('a denied action', () => {
  it.each<[Action, string]>([
    ['call', 'call procedure'],
    ['register', 'register procedure'],
    ['publish', 'publish to topic'],
    ['subscribe', 'subscribe to topic'],
  ])('%s: client and log are told', (action, does) => {
    const { tell, lines } = client({ permissions: [{ uri: 'com.shop.*', allow: { ...ALL, [action]: false } }] });
    expect(tell(REQUESTS[action]('com.shop.add'))).toEqual([
      [NOT_AUTHORIZED, `role "user" is not authorized to ${does} "com.shop.add"`],
    ]);
    const others = Object.keys(ALL).filter((each) => each !== action);
    expect(lines).toMatchObject([
      {
        level: 'warn',
        realm: 'realm1',
        authrole: 'user',
        action,
        uri: 'com.shop.add',
        rule: `"com.shop.*" (prefix) allows ${others.join(', ')}`,
      },
    ]);
    expect(Object.keys(lines[0] ?? {})).toEqual(expect.arrayContaining(['sessionId', 'authid']));
  });

  it('by no rule, and of a pattern', () => {
    const { tell, lines } = client({ permissions: [{ uri: 'com.shop.secret', allow: {} }] });
    tell([48, 1, {}, 'com.other']);
    tell([32, 2, { match: 'prefix' }, 'com.shop.']);
    expect(lines).toMatchObject([
      { action: 'call', uri: 'com.other', rule: 'no rule matches' },
      { action: 'subscribe', uri: 'com.shop.', match: 'prefix', rule: '"com.shop.secret" (exact) allows nothing' },
    ]);
  });

  it('is in the log also where the client hears nothing: an unacknowledged publication', () => {
    const { tell, lines } = client({});
    expect(tell([16, 1, {}, 'com.lost'])).toEqual([]);
    expect(lines).toMatchObject([{ action: 'publish', uri: 'com.lost', rule: 'no rule matches' }]);
  });

  it('is a warning once a minute for each action, and else for debug', () => {
    const { tell, lines, scheduler } = client({});
    for (const uri of ['com.a', 'com.b', 'com.c']) tell([48, 1, {}, uri]);
    tell([64, 2, {}, 'com.a']);
    scheduler.advance(60_000);
    tell([48, 3, {}, 'com.d']);
    const found = lines.map(({ level, action, uri, omitted }) => [level, action, uri, omitted]);
    expect(found).toEqual([
      ['warn', 'call', 'com.a', undefined],
      ['debug', 'call', 'com.b', undefined],
      ['debug', 'call', 'com.c', undefined],
      ['warn', 'register', 'com.a', undefined],
      ['warn', 'call', 'com.d', 2],
    ]);
  });

  it('is short in the log, however long the URI is', () => {
    const { tell, lines } = client({});
    tell([48, 1, {}, 'a'.repeat(1000)]);
    expect(JSON.stringify(lines).length).toBeLessThan(600);
  });

  it('is none when nobody is there to do what is allowed', () => {
    const { tell, lines } = client({ permissions: [{ uri: 'com.*', allow: ALL }] });
    expect(tell([48, 1, {}, 'com.nobody'])).toMatchObject([['wamp.error.no_such_procedure', expect.anything()]]);
    expect(lines).toEqual([]);
  });
});

describe('URIs of the router that only a broad rule covers', () => {
  const FOR_ALL: Omit<RoleConfig, 'name'> = { permissions: [{ uri: '*', allow: ALL }] };
  const ASKED = 'role "user" is not authorized to call procedure "crossbar.cookie.list"';
  const CURE = 'is not enough, name crossbar.cookie.';

  it.each<[string, Omit<RoleConfig, 'name'>, string]>([
    ['a rule for everything', FOR_ALL, `a rule for everything ${CURE}`],
    ['allow-by-default', { 'allow-by-default': true }, `a rule for everything ${CURE}`],
    ['a short prefix', { permissions: [{ uri: 'cross*', allow: ALL }] }, `the rule "cross*" (prefix) ${CURE}`],
    [
      'a wildcard',
      { permissions: [{ uri: '..list', match: 'wildcard', allow: ALL }] },
      `the rule "..list" (wildcard) ${CURE}`,
    ],
  ])('%s is not enough to call them, and client and log say so', (_what, role, why) => {
    const { tell, lines } = client(role);
    expect(tell([48, 1, {}, 'crossbar.cookie.list'])).toEqual([[NOT_AUTHORIZED, `${ASKED} (${why})`]]);
    expect(lines).toMatchObject([
      { action: 'call', uri: 'crossbar.cookie.list', rule: expect.stringContaining(`(${why})`) as string },
    ]);
  });

  it('is denied in the plain words where no rule matches, or one that names them forbids it', () => {
    for (const role of [{}, { permissions: [{ uri: 'crossbar.*', allow: {} }] }]) {
      expect(client(role).tell([48, 1, {}, 'crossbar.cookie.list'])).toEqual([[NOT_AUTHORIZED, ASKED]]);
    }
  });

  it('the other actions say that they are reserved, or are allowed', () => {
    const reserved = (uri: string) => [['wamp.error.invalid_uri', `"${uri}" is reserved for the router`]];
    const { tell, lines } = client(FOR_ALL);
    expect(tell(REQUESTS.register('crossbar.cookie.list'))).toEqual(reserved('crossbar.cookie.list'));
    expect(tell(REQUESTS.register('wamp.session.list'))).toEqual(reserved('wamp.session.list'));
    expect(tell(REQUESTS.publish('wamp.session.on_join'))).toEqual(reserved('wamp.session.on_join'));
    expect(tell(REQUESTS.publish('crossbar.news'))).toEqual([17]);
    expect(tell(REQUESTS.subscribe('crossbar.news'))).toEqual([33]);
    expect(tell(REQUESTS.subscribe('wamp.session.on_join'))).toEqual([33]);
    expect(tell(REQUESTS.call('wamp.session.count'))).toEqual([50]);
    expect(lines).toEqual([]);
  });
});
