/**
 * Sessions whose role has an authorizer: real sessions on a real router, with fake transports and authorizers that
 * answer when the test says so.
 */
import { describe, expect, it } from 'vitest';

import type { AuthMethod } from '../../../../src/auth/method.js';
import { createLogger, silentLogger } from '../../../../src/log/logger.js';
import { Router } from '../../../../src/router/router.js';
import type { RoleConfig } from '../../../../src/router/schema.js';
import { ATTENDANCE_MS } from '../../../../src/session/attendance.js';
import { CALL_DEADLINE_MS } from '../../../../src/session/internal-caller.js';
import { DECISION_LIFETIME_MS } from '../../../../src/session/authorizer/decision-cache.js';
import { Session } from '../../../../src/session/session.js';
import { parseMessage, payloadPosition } from '../../../../src/wamp/parse.js';
import { NO_PAYLOAD, payloadOf } from '../../../../src/wamp/payload.js';
import { FakeTransport } from '../../../support/fake-transport.js';
import { FakeClock } from '../../../support/realm.js';

const ROLES: readonly RoleConfig[] = [
  { name: 'user', authorizer: 'com.app.authorize' },
  { name: 'tenant', authorizer: 'com.app.authorize' },
  { name: 'backend', 'allow-by-default': true },
];

/** A client on a transport of its own. */
class Client {
  readonly transport = new FakeTransport();
  readonly session: Session;

  constructor(router: Router, role: string, lines: string[], more: object = {}) {
    const log = createLogger({ level: 'debug', destination: { write: (line: string) => void lines.push(line) } });
    const method: AuthMethod = {
      start: ({ realm }) => ({
        type: 'accept',
        principal: {
          realm,
          authid: `${role}1`,
          authrole: role,
          authmethod: 'anonymous',
          authprovider: 'static',
          ...(role === 'tenant' && { authextra: { tenant: 7 } }),
        },
      }),
    };
    this.session = new Session(this.transport, { router, log, authMethods: new Map([['anonymous', method]]) });
    const features = { call_canceling: true, ...more };
    this.tell(1, 'realm1', { roles: { caller: { features }, callee: { features }, publisher: {}, subscriber: {} } });
    this.heard();
  }

  tell(...fields: unknown[]): this {
    const position = payloadPosition(fields[0]);
    const payload =
      position === undefined || fields.length <= position
        ? NO_PAYLOAD
        : payloadOf(fields[position] as unknown[], fields[position + 1] as Record<string, unknown> | undefined);
    this.session.receive(parseMessage(fields, fields.length, payload));
    return this;
  }

  heard(): unknown[][] {
    return this.transport.sent.splice(0);
  }
}

/** What was decided has come through when this resolves: every promise under way has been settled. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

function testNode(roles = ROLES) {
  let lastId = 100;
  const clock = new FakeClock();
  const router = new Router([{ name: 'realm1', roles }], {
    randomId: () => ++lastId,
    clock: () => clock.now,
    scheduler: clock,
  });
  const lines: string[] = [];
  const open = (role: string, features?: object) => new Client(router, role, lines, features);
  const authorizer = open('backend').tell(64, 1, {}, 'com.app.authorize');
  authorizer.heard();
  /** The questions that came in since the last look: invocation id and arguments. */
  const questions = () =>
    authorizer.heard().map((message) => ({ id: message[1] as number, args: message[4] as unknown[], message }));
  const answer = async (id: number, result: unknown, ...more: unknown[]) => {
    authorizer.tell(70, id, {}, [result], ...more);
    await settled();
  };
  /** Answers whatever is asked until nothing is. */
  const answerAll = async (decide: (uri: string, action: string) => unknown) => {
    for (let asked = questions(); asked.length > 0; asked = questions()) {
      for (const { id, args } of asked) await answer(id, decide(args[1] as string, args[2] as string));
    }
  };
  return { router, clock, lines, open, authorizer, questions, answer, answerAll };
}

const REQUESTS = [
  ['PUBLISH', [16, 1, { acknowledge: true }, 'com.app.x'], 'publish', 17],
  ['SUBSCRIBE', [32, 1, {}, 'com.app.x'], 'subscribe', 33],
  ['REGISTER', [64, 1, {}, 'com.app.x'], 'register', 65],
] as const;

describe('a role with an authorizer', () => {
  it('asks it with who wants what: details, URI, action, options', () => {
    const { open, questions } = testNode();
    const user = open('user').tell(32, 1, { match: 'prefix', get_retained: true }, 'com.app.');
    const [question] = questions();
    expect(question?.args).toEqual([
      {
        session: user.session.id,
        realm: 'realm1',
        authid: 'user1',
        authrole: 'user',
        authmethod: 'anonymous',
        authprovider: 'static',
        transport: { peer: '192.0.2.1:1' },
      },
      'com.app.',
      'subscribe',
      { match: 'prefix', get_retained: true },
    ]);
    expect(user.heard()).toEqual([]);
  });

  it('is told what the authenticator said of the session, and nobody else is', () => {
    const { open, questions } = testNode();
    const tenant = open('tenant').tell(32, 1, {}, 'com.app.x');
    expect(questions()[0]?.args[0]).toMatchObject({ authrole: 'tenant', authextra: { tenant: 7 } });
    expect(tenant.session.details).not.toHaveProperty('authextra');
  });

  it.each(REQUESTS)(
    'serves %s when it says true, and refuses it when it says false',
    async (_what, request, ...rest) => {
      const [action, reply] = rest;
      for (const [result, allowed] of [
        [true, true],
        [{ allow: true }, true],
        [{ allow: true, disclose: null, cache: null, validate: null, comment: 'unknown' }, true],
        [false, false],
        [{ allow: false }, false],
      ]) {
        const { open, questions, answer } = testNode();
        const user = open('user').tell(...request);
        const [question] = questions();
        expect(question?.args.slice(1, 3)).toEqual(['com.app.x', action]);
        await answer(question?.id ?? 0, result);
        if (allowed === true) expect(user.heard()).toEqual([[reply, 1, expect.any(Number)]]);
        else expect(user.heard()[0]?.slice(0, 5)).toEqual([8, request[0], 1, {}, 'wamp.error.not_authorized']);
      }
    },
  );

  it('says nothing of an unacknowledged PUBLISH that is denied or cannot be decided; the log does', async () => {
    const { open, questions, answer, lines } = testNode();
    const subscriber = open('backend').tell(32, 1, {}, 'com.app.x');
    subscriber.heard();
    const user = open('user').tell(16, 1, {}, 'com.app.x').tell(16, 2, {}, 'com.app.x');
    await answer(questions()[0]?.id ?? 0, false);
    await answer(questions()[0]?.id ?? 0, 'yes');
    expect([user.heard(), subscriber.heard()]).toEqual([[], []]);
    const denied = lines.filter((line) => line.includes('action denied')).map((line) => JSON.parse(line) as object);
    expect(denied).toMatchObject([
      { authrole: 'user', action: 'publish', uri: 'com.app.x', rule: 'the authorizer "com.app.authorize"' },
    ]);
    expect(lines.filter((line) => line.includes('authorizer failed'))).toHaveLength(1);
  });

  it('is asked before it is said whether a procedure exists, and about the meta API as well', async () => {
    const { open, answerAll } = testNode();
    const user = open('user').tell(48, 1, {}, 'com.app.nothing').tell(48, 2, {}, 'wamp.session.count');
    await answerAll(() => false);
    const errors = user.heard().map((message) => message.slice(0, 5));
    expect(errors).toEqual([
      [8, 48, 1, {}, 'wamp.error.not_authorized'],
      [8, 48, 2, {}, 'wamp.error.not_authorized'],
    ]);
  });

  it('is not asked about what is no URI', () => {
    const { open, questions } = testNode();
    const user = open('user').tell(32, 1, {}, 'a..b').tell(48, 2, {}, 'a b').tell(16, 3, {}, '#');
    expect(questions()).toEqual([]);
    expect(user.heard().map((message) => message[4])).toEqual(['wamp.error.invalid_uri', 'wamp.error.invalid_uri']);
  });

  it.each([
    ['nothing', false, false],
    [true, true, true],
    [{ caller: true }, true, false],
    [{ publisher: true }, false, true],
  ])('discloses what it says: %j', async (disclose, caller, publisher) => {
    const { open, answerAll, authorizer } = testNode();
    authorizer.tell(64, 2, {}, 'com.app.procedure').tell(32, 3, {}, 'com.app.topic');
    authorizer.heard();
    const user = open('user').tell(48, 1, {}, 'com.app.procedure').tell(16, 2, {}, 'com.app.topic');
    const told: unknown[][] = [];
    const hear = () => {
      const messages = authorizer.heard();
      told.push(...messages.filter((message) => !isQuestion(message)));
      return messages.filter(isQuestion);
    };
    const verdict = disclose === 'nothing' ? true : { allow: true, disclose };
    for (let asked = hear(); asked.length > 0; asked = hear()) {
      for (const [, id] of asked) authorizer.tell(70, id, {}, [verdict]);
      await settled();
    }
    await answerAll(() => true);
    const { id } = user.session;
    const identity = { caller: id, caller_authid: 'user1', caller_authrole: 'user' };
    const publisherIdentity = { publisher: id, publisher_authid: 'user1', publisher_authrole: 'user' };
    expect(told.find(([code]) => code === 68)?.[3]).toEqual(caller ? identity : {});
    expect(told.find(([code]) => code === 36)?.[3]).toEqual(publisher ? publisherIdentity : {});
  });
});

const isQuestion = (message: unknown[]): boolean => message[0] === 68 && Array.isArray(message[4]);

describe('an authorizer that does not answer as it should', () => {
  it.each<[string, unknown[]]>([
    ['a text', ['yes']],
    ['a number', [1]],
    ['null', [null]],
    ['a list', [[true]]],
    ['nothing', []],
    ['two values', [true, true]],
    ['keywords besides', [true, { allow: false }]],
    ['a dictionary without "allow"', [{ cache: true }]],
    ['an "allow" that is no boolean', [{ allow: 1 }]],
    ['a "disclose" that is no boolean', [{ allow: true, disclose: 'all' }]],
    ['a "caller" that is no boolean', [{ allow: true, disclose: { caller: 1 } }]],
    ['a "cache" that is no boolean', [{ allow: true, cache: 'yes' }]],
    ['a "validate" that nobody would do', [{ allow: true, validate: { args: 'x' } }]],
  ])('fails the request when it says %s', async (what, result) => {
    const { open, questions, authorizer, lines } = testNode();
    const user = open('user').tell(32, 1, {}, 'com.app.x');
    const keywords = what === 'keywords besides';
    authorizer.tell(70, questions()[0]?.id, {}, ...(keywords ? [[true], { allow: false }] : [result]));
    await settled();
    expect(user.heard()[0]?.slice(0, 5)).toEqual([8, 32, 1, {}, 'wamp.error.authorization_failed']);
    expect(lines.filter((line) => line.includes('authorizer failed'))).toHaveLength(1);
  });

  it('fails the request when it answers with an error, and says which in the log only', async () => {
    const { open, questions, authorizer, lines } = testNode();
    const user = open('user').tell(64, 1, {}, 'com.app.x');
    authorizer.tell(8, 68, questions()[0]?.id, {}, 'com.app.error.database_is_down', ['at 10.0.0.1']);
    await settled();
    const [error] = user.heard();
    expect(error?.slice(0, 5)).toEqual([8, 64, 1, {}, 'wamp.error.authorization_failed']);
    expect(JSON.stringify(error)).not.toContain('database');
    const record = JSON.parse(lines.find((line) => line.includes('authorizer failed')) ?? '{}') as object;
    expect(record).toMatchObject({
      fault: 'com.app.error.database_is_down',
      authorizer: 'com.app.authorize',
      action: 'register',
      uri: 'com.app.x',
      sessionId: user.session.id,
    });
  });

  it('is waited for when it is not there, and decides when it comes', async () => {
    const { open, authorizer, clock } = testNode();
    authorizer.session.transportLost();
    const user = open('user').tell(32, 1, {}, 'com.app.x').tell(34, 2, 99);
    await settled();
    expect(user.transport.reading).toEqual(['paused']);
    clock.advance(ATTENDANCE_MS - 1);
    const next = open('backend').tell(64, 1, {}, 'com.app.authorize');
    await settled();
    const [, [, id] = []] = next.heard();
    next.tell(70, id, {}, [true]);
    await settled();
    expect(user.heard().map(([code, request]) => [code, request])).toEqual([
      [33, 1],
      [8, 34],
    ]);
    expect(clock.waiting).toBe(0);
  });

  it('is waited for once as long as it is missing, not for each request again', async () => {
    const { open, authorizer, clock } = testNode();
    authorizer.session.transportLost();
    const user = open('user').tell(32, 1, {}, 'com.app.x').tell(32, 2, {}, 'com.app.y');
    await settled();
    clock.advance(ATTENDANCE_MS);
    await settled();
    expect(user.heard().map(([, , request]) => request)).toEqual([1, 2]);
    // It came and went: it may come again.
    open('backend').tell(64, 1, {}, 'com.app.authorize');
    user.tell(32, 3, {}, 'com.app.x');
    expect(clock.waiting).toBe(1);
  });

  it('never waits for itself', async () => {
    const { open, authorizer, clock } = testNode();
    authorizer.session.transportLost();
    const user = open('user').tell(64, 1, {}, 'com.app.authorize').tell(64, 2, { match: 'prefix' }, 'com.');
    await settled();
    expect(user.heard().map((message) => message[4])).toEqual([
      'wamp.error.authorization_failed',
      'wamp.error.authorization_failed',
    ]);
    expect(clock.waiting).toBe(0);
  });

  it('is not waited for on behalf of a session that is gone', async () => {
    const { open, authorizer, clock, lines } = testNode();
    authorizer.session.transportLost();
    const user = open('user').tell(32, 1, {}, 'com.app.x');
    await settled();
    user.session.transportLost();
    await settled();
    expect(clock.waiting).toBe(0);
    expect(lines.join('')).not.toContain('authorizer failed');
  });

  it('fails the request when nobody has registered it', async () => {
    const { open, authorizer, clock } = testNode();
    authorizer.session.transportLost();
    const user = open('user').tell(48, 1, {}, 'com.app.x');
    await settled();
    clock.advance(ATTENDANCE_MS);
    await settled();
    expect(user.heard()[0]?.slice(0, 5)).toEqual([8, 48, 1, {}, 'wamp.error.authorization_failed']);
  });

  it('fails the request when it leaves, and those that waited behind', async () => {
    const { open, authorizer, clock } = testNode();
    const user = open('user').tell(48, 1, {}, 'com.app.x').tell(32, 2, {}, 'com.app.y').tell(34, 3, 99);
    authorizer.session.transportLost();
    await settled();
    clock.advance(ATTENDANCE_MS);
    await settled();
    expect(user.heard().map((message) => [message[2], message[4]])).toEqual([
      [1, 'wamp.error.authorization_failed'],
      [2, 'wamp.error.authorization_failed'],
      [3, 'wamp.error.no_such_subscription'],
    ]);
  });

  it('fails the request when it is too slow; a late answer changes nothing', async () => {
    const { open, questions, answer, clock } = testNode();
    const user = open('user').tell(32, 1, {}, 'com.app.x');
    const [question] = questions();
    clock.advance(CALL_DEADLINE_MS - 1);
    await settled();
    expect(user.heard()).toEqual([]);
    clock.advance(1);
    await settled();
    expect(user.heard()[0]?.slice(0, 5)).toEqual([8, 32, 1, {}, 'wamp.error.authorization_failed']);
    await answer(question?.id ?? 0, true);
    expect(user.heard()).toEqual([]);
    expect(clock.waiting).toBe(0);
  });

  it('fails its own requests, when its role has the same authorizer, rather than let them through', async () => {
    const providers = ['backend', 'user'].map((role) => ({
      name: role === 'user' ? 'user' : 'tenant',
      authorizer: 'com.app.authorize',
      'authorizer-callee-role': role,
    }));
    const { open, authorizer, clock, questions } = testNode([...providers, ...ROLES.slice(2)]);
    authorizer.tell(66, 2, 1).heard();
    const nested = open('user');
    // It gets the registration by the one who may, and then loses its own way out.
    const backend = open('backend').tell(64, 1, {}, 'com.app.authorize');
    nested.tell(64, 1, { invoke: 'single' }, 'com.app.authorize');
    const [, id] = backend.heard()[1] ?? [];
    backend.tell(66, 2, 2).tell(70, id, {}, [true]);
    await settled();
    expect(nested.heard()[0]?.[0]).toBe(65);
    nested.tell(32, 2, {}, 'com.app.x');
    const [invocation] = nested.heard();
    nested.tell(70, invocation?.[1], {}, [true]);
    await settled();
    expect(nested.heard()).toEqual([]);
    clock.advance(CALL_DEADLINE_MS);
    await settled();
    const error = nested.heard().find(([code]) => code === 8);
    expect(error?.slice(0, 5)).toEqual([8, 32, 2, {}, 'wamp.error.authorization_failed']);
    expect(questions()).toEqual([]);
  });
});

describe('while an authorizer is asked', () => {
  it('nothing of the same session overtakes, whatever it is, and other sessions go on', async () => {
    const { open, questions, answer, answerAll } = testNode();
    const other = open('backend').tell(32, 1, {}, 'com.app.x');
    const user = open('user').tell(32, 1, {}, 'com.app.own');
    await answerAll(() => true);
    const subscription = user.heard()[0]?.[2];
    other.heard();

    user.tell(16, 2, {}, 'com.app.x', ['first']).tell(34, 3, subscription).tell(16, 4, {}, 'com.app.x', ['second']);
    user.tell(6, {}, 'wamp.close.close_realm');
    const [first] = questions();
    other.tell(16, 2, { acknowledge: true, exclude_me: false }, 'com.app.x', ['of another']);
    expect(other.heard().map((message) => message[4] ?? message[0])).toEqual([['of another'], 17]);
    expect(user.heard()).toEqual([]);

    await answer(first?.id ?? 0, true);
    // The UNSUBSCRIBE came right after the first PUBLISH; the second is being asked about now.
    expect(user.heard()).toEqual([[35, 3]]);
    expect(other.heard().map((message) => message[4])).toEqual([['first']]);
    await answerAll(() => true);
    expect(other.heard().map((message) => message[4])).toEqual([['second']]);
    expect(user.heard()).toEqual([[6, {}, 'wamp.close.goodbye_and_out']]);
  });

  it('every event of a publisher arrives in order, however long each decision takes', async () => {
    const { open, authorizer, questions } = testNode();
    const subscriber = open('backend').tell(32, 1, { match: 'exact' }, 'com.app.a').tell(32, 2, {}, 'com.app.b');
    subscriber.heard();
    const publishers = [open('user'), open('user'), open('user')];
    for (let i = 0; i < 40; i++) {
      for (const [who, publisher] of publishers.entries()) {
        publisher.tell(16, i + 1, {}, i % 3 === 0 ? 'com.app.b' : 'com.app.a', [who, i]);
      }
    }
    // The answers come in the opposite order of the questions.
    for (let asked = questions(); asked.length > 0; asked = questions()) {
      for (const { id } of asked.reverse()) authorizer.tell(70, id, {}, [true]);
      await settled();
    }
    const events = subscriber.heard().map((message) => message[4] as [number, number]);
    for (const who of publishers.keys()) {
      expect(events.filter(([publisher]) => publisher === who).map(([, i]) => i)).toEqual([...Array(40).keys()]);
    }
  });

  it('a client that sends on and on is not read from for a while', async () => {
    const { open, answerAll } = testNode();
    const subscriber = open('backend').tell(32, 1, {}, 'com.app.x');
    const user = open('user');
    for (let i = 0; i < 65; i++) user.tell(16, i + 1, {}, 'com.app.x', [i]);
    expect(user.transport.reading).toEqual(['paused']);
    await answerAll(() => {
      expect(user.transport.reading).toEqual(['paused']);
      return true;
    });
    expect(user.transport.reading).toEqual(['paused', 'resumed']);
    expect(subscriber.heard()).toHaveLength(66);
  });

  it.each([
    ['is lost', (user: Client) => user.session.transportLost()],
    ['is killed', (user: Client) => user.session.kill('wamp.close.killed')],
    ['aborts', (user: Client) => user.tell(3, {}, 'com.app.enough')],
  ])('a session that %s leaves nothing behind', async (_what, end) => {
    const { open, questions, answer, authorizer, router, clock } = testNode();
    const subscriber = open('backend').tell(32, 1, {}, 'com.app.x');
    subscriber.heard();
    const user = open('user');
    for (let i = 0; i < 100; i++) user.tell(16, i + 1, {}, 'com.app.x');
    const [question] = questions();
    end(user);
    // The authorizer is told that nobody waits for it, and answers all the same.
    expect(authorizer.heard()).toEqual([[69, question?.id, { mode: 'killnowait' }]]);
    await answer(question?.id ?? 0, true);
    expect(subscriber.heard()).toEqual([]);
    expect(user.transport.reading).toEqual(['paused', 'resumed']);
    expect(clock.waiting).toBe(0);
    authorizer.session.transportLost();
    subscriber.session.transportLost();
    expect(Object.values(router.size.realm1 ?? {}).every((count) => count === 0)).toBe(true);
  });

  it('calls that wait are answered when the node stops, and nothing else happens', async () => {
    const { open, authorizer, questions, answer } = testNode();
    const user = open('user').tell(32, 1, {}, 'com.app.x').tell(48, 2, {}, 'com.app.x').tell(48, 3, {}, 'com.app.y');
    const [question] = questions();
    expect(user.session.isBusy).toBe(true);
    user.session.shutdown(false);
    const canceled = (id: number) => [8, 48, id, {}, 'wamp.error.canceled', ['the router is shutting down']];
    expect(user.heard()).toEqual([canceled(2), canceled(3)]);
    await answer(question?.id ?? 0, true);
    expect([user.heard(), authorizer.heard()]).toEqual([[], [[69, question?.id, { mode: 'killnowait' }]]]);
  });

  it('a violation among the waiting messages ends the session when its turn comes', async () => {
    const { open, questions, answer } = testNode();
    const user = open('user').tell(32, 1, {}, 'com.app.x').tell(70, 77, {}).tell(32, 2, {}, 'com.app.y');
    await answer(questions()[0]?.id ?? 0, true);
    expect(user.heard().map(([code, , reason]) => [code, code === 3 ? reason : undefined])).toEqual([
      [33, undefined],
      [3, 'wamp.error.protocol_violation'],
    ]);
    expect(questions()).toEqual([]);
  });
});

describe('a call in parts', () => {
  const features = { progressive_call_invocations: true };

  it.each([
    ['allowed', [true], 'com.app.done'],
    ['denied', [false], 'wamp.error.not_authorized'],
    ['not decided', ['perhaps'], 'wamp.error.authorization_failed'],
  ])('is asked about once, and %s it gets one answer', async (_what, result, outcome) => {
    const { open, questions, authorizer } = testNode();
    const callee = open('backend', features).tell(64, 1, {}, 'com.app.upload');
    callee.heard();
    const user = open('user', features);
    for (const part of [1, 2, 3]) user.tell(48, 1, part < 3 ? { progress: true } : {}, 'com.app.upload', [part]);
    authorizer.tell(70, questions()[0]?.id, {}, result);
    await settled();
    expect(questions()).toEqual([]);
    const parts = callee.heard();
    expect(parts.map((message) => message[4])).toEqual(outcome === 'com.app.done' ? [[1], [2], [3]] : []);
    if (parts.length > 0) callee.tell(8, 68, parts[0]?.[1], {}, 'com.app.done');
    expect(user.heard().map((message) => message[4])).toEqual([outcome]);
  });
});

describe('a decision that may be kept', () => {
  const subscribe = (requestId: number, topic = 'com.app.x', options = {}) => [32, requestId, options, topic] as const;

  it('is used again for the same action on the same URI by the same session', async () => {
    const { open, questions, answer } = testNode();
    const user = open('user').tell(...subscribe(1));
    await answer(questions()[0]?.id ?? 0, { allow: true, cache: true });
    user.tell(...subscribe(2));
    expect(user.heard().map(([code]) => code)).toEqual([33, 33]);
    expect(questions()).toEqual([]);
    for (const [client, message] of [
      [user, [16, 3, {}, 'com.app.x']],
      [open('user'), subscribe(1)],
    ] as const) {
      client.tell(...message);
      expect(questions()).toHaveLength(1);
    }
  });

  it('is not used for a pattern of the same text', async () => {
    const { open, questions, answer } = testNode();
    const user = open('user').tell(...subscribe(1));
    await answer(questions()[0]?.id ?? 0, { allow: true, cache: true });
    user.tell(...subscribe(2, 'com.app.x', { match: 'prefix' }));
    expect(questions()).toHaveLength(1);
  });

  it('is asked for again when nothing was said of keeping it', async () => {
    const { open, questions, answer } = testNode();
    const user = open('user').tell(...subscribe(1));
    await answer(questions()[0]?.id ?? 0, { allow: true });
    user.tell(...subscribe(2));
    expect(questions()).toHaveLength(1);
  });

  it.each([
    ['registers again', (authorizer: Client) => authorizer.tell(66, 2, 1).tell(64, 3, {}, 'com.app.authorize')],
    [
      'is taken over by another session',
      (authorizer: Client, open: (role: string) => Client) => {
        authorizer.tell(66, 2, 1);
        open('backend').tell(64, 1, {}, 'com.app.authorize');
      },
    ],
    ['is gone', (authorizer: Client) => authorizer.session.transportLost()],
  ])('is forgotten when the authorizer %s', async (what, change) => {
    const { open, questions, answer, authorizer, clock } = testNode();
    const user = open('user').tell(...subscribe(1));
    await answer(questions()[0]?.id ?? 0, { allow: true, cache: true });
    user.heard();
    change(authorizer, open);
    authorizer.heard();
    user.tell(...subscribe(2));
    await settled();
    if (what === 'is gone') clock.advance(ATTENDANCE_MS);
    await settled();
    expect(user.heard().map((message) => message[4])).toEqual(
      what === 'is gone' ? ['wamp.error.authorization_failed'] : [],
    );
    expect(questions()).toHaveLength(what === 'registers again' ? 1 : 0);
  });

  it('holds for a denial, too, and not for ever', async () => {
    const { open, questions, answer, clock } = testNode();
    const user = open('user').tell(...subscribe(1));
    await answer(questions()[0]?.id ?? 0, { allow: false, cache: true });
    clock.advance(DECISION_LIFETIME_MS - 1);
    user.tell(...subscribe(2));
    expect(user.heard().map((message) => message[4])).toEqual(Array(2).fill('wamp.error.not_authorized'));
    expect(questions()).toEqual([]);
    clock.advance(1);
    user.tell(...subscribe(3));
    expect(questions()).toHaveLength(1);
  });
});

describe('a testament of a session whose role has an authorizer', () => {
  const ADD = 'wamp.session.add_testament';
  const allowed = [[50, 1, {}]];
  const refused = (uri: string) => [[8, 48, 1, {}, uri, [expect.any(String)]]];

  /** @returns what a user hears when it adds a testament, and what an heir hears when the user is gone. */
  async function add(node: ReturnType<typeof testNode>, decide: (uri: string, action: string) => unknown) {
    const heir = node.open('backend').tell(32, 1, {}, 'com.will');
    heir.heard();
    const user = node
      .open('user')
      .tell(48, 1, {}, ADD, ['com.will', ['gone'], {}], { publish_options: { retain: true } });
    const asked: unknown[] = [];
    await node.answerAll((uri, action) => (asked.push([action, uri]), decide(uri, action)));
    const heard = user.heard();
    user.session.transportLost();
    return { asked, heard, inherited: heir.heard().map((event) => event[4]) };
  }

  it('is asked about twice: the call, and to publish to its topic', async () => {
    const { asked, heard, inherited } = await add(testNode(), () => true);
    expect(asked).toEqual([
      ['call', ADD],
      ['publish', 'com.will'],
    ]);
    expect(heard).toEqual(allowed);
    expect(inherited).toEqual([['gone']]);
  });

  it('shows the authorizer the options of the publication', async () => {
    const { open, questions, answer } = testNode();
    open('user').tell(48, 1, {}, ADD, [], {
      topic: 'com.will',
      args: [],
      kwargs: {},
      publish_options: { retain: true },
    });
    await answer(questions()[0]?.id ?? 0, true);
    expect(questions()[0]?.args.slice(1)).toEqual(['com.will', 'publish', { retain: true }]);
  });

  it.each(['call', 'publish'])('is refused when the authorizer does not allow to %s', async (denied) => {
    const { asked, heard, inherited } = await add(testNode(), (_, action) => action !== denied);
    expect(asked).toHaveLength(denied === 'call' ? 1 : 2);
    expect(heard).toEqual(refused('wamp.error.not_authorized'));
    expect(inherited).toEqual([]);
  });

  it('is refused as failed when the authorizer fails at the second question', async () => {
    const { heard, inherited } = await add(testNode(), (_, action) => action === 'call' || 'nonsense');
    expect(heard).toEqual(refused('wamp.error.authorization_failed'));
    expect(inherited).toEqual([]);
  });

  it('names its publisher when the second answer says so', async () => {
    const node = testNode();
    const heir = node.open('backend').tell(32, 1, {}, 'com.will');
    const user = node.open('user').tell(48, 1, {}, ADD, ['com.will', [], {}]);
    await node.answerAll((_, action) => ({ allow: true, disclose: action === 'publish' }));
    heir.heard();
    user.session.transportLost();
    expect(heir.heard()[0]?.[3]).toMatchObject({ publisher: user.session.id });
  });

  it('is not asked about again when both answers may be used again', async () => {
    const { open, questions, answerAll } = testNode();
    const user = open('user').tell(48, 1, {}, ADD, ['com.will', [], {}]);
    await answerAll(() => ({ allow: true, cache: true }));
    user.heard();
    user.tell(48, 2, {}, ADD, ['com.will', [], {}]);
    expect(user.heard()).toEqual([[50, 2, {}]]);
    user.tell(48, 3, {}, ADD, ['com.other', [], {}]);
    expect(questions().map(({ args }) => args.slice(1, 3))).toEqual([['com.other', 'publish']]);
  });

  it.each([
    ['without a topic', [], 'wamp.error.invalid_argument'],
    ['to a topic of the router', ['wamp.x', [], {}], 'wamp.error.invalid_uri'],
    ['to what is no URI', ['com..#', [], {}], 'wamp.error.invalid_uri'],
  ])('%s is refused without a second question', async (_, args, uri) => {
    const { open, answerAll } = testNode();
    const user = open('user').tell(48, 1, {}, ADD, args);
    const asked: string[] = [];
    await answerAll((_uri, action) => asked.push(action) > 0);
    expect(asked).toEqual(['call']);
    expect(user.heard()).toEqual(refused(uri));
  });

  it('holds up what comes after it, and ends with its session between the two questions', async () => {
    const { open, questions, answer } = testNode();
    const user = open('user').tell(48, 1, {}, ADD, ['com.will', [], {}]).tell(32, 2, {}, 'com.x');
    await answer(questions()[0]?.id ?? 0, true);
    const [second] = questions();
    expect(second?.args[2]).toBe('publish');
    user.session.transportLost();
    await answer(second?.id ?? 0, true);
    // Nothing but that the call is of no use any more.
    expect(questions().map(({ message }) => message[0])).toEqual([69]);
    expect(user.heard()).toEqual([]);
  });
});

describe('a role that gets other rules while its sessions are on', () => {
  const OPEN: RoleConfig = { name: 'user', 'allow-by-default': true };
  const ASKED: RoleConfig = { name: 'user', authorizer: 'com.app.authorize' };

  function changingNode(role: RoleConfig) {
    const node = testNode([role, { name: 'backend', 'allow-by-default': true }]);
    return { ...node, update: (config: RoleConfig) => node.router.realm('realm1')?.updateRole(config) };
  }

  const heads = (client: Client) => client.heard().map((message) => message.slice(0, 2));

  it('asks the authorizer that it gets about their next request', async () => {
    const { open, update, questions, answer } = changingNode(OPEN);
    const user = open('user').tell(32, 1, {}, 'com.app.before');
    expect(heads(user)).toEqual([[33, 1]]);
    update(ASKED);
    user.tell(32, 2, {}, 'com.app.behind');
    expect(user.heard()).toEqual([]);
    const [question] = questions();
    expect(question?.args.slice(1, 3)).toEqual(['com.app.behind', 'subscribe']);
    await answer(question?.id ?? 0, false);
    expect(user.heard()[0]?.slice(0, 5)).toEqual([8, 32, 2, {}, 'wamp.error.not_authorized']);
  });

  it('asks another authorizer when it gets that', async () => {
    const { open, update, questions, answer } = changingNode(ASKED);
    const other = open('backend').tell(64, 1, {}, 'com.app.other');
    other.heard();
    const user = open('user').tell(32, 1, {}, 'com.app.x');
    await answer(questions()[0]?.id ?? 0, true);
    update({ ...ASKED, authorizer: 'com.app.other' });
    user.heard();
    user.tell(32, 2, {}, 'com.app.y');
    expect(questions()).toEqual([]);
    const [[type, , , , args] = []] = other.heard();
    expect([type, (args as unknown[]).slice(1, 3)]).toEqual([68, ['com.app.y', 'subscribe']]);
  });

  it('goes on in order with what waits, and by its rules when the authorizer is gone', async () => {
    const { open, update, questions, answer } = changingNode(ASKED);
    const user = open('user').tell(32, 1, {}, 'com.app.x').tell(32, 2, {}, 'com.app.y');
    const [asked] = questions();
    update(OPEN);
    user.tell(32, 3, {}, 'com.app.z');
    expect(user.heard()).toEqual([]);
    await answer(asked?.id ?? 0, true);
    expect(heads(user)).toEqual([
      [33, 1],
      [33, 2],
      [33, 3],
    ]);
    expect(questions()).toEqual([]);
  });

  it('loses nothing that waits when it keeps the authorizer', async () => {
    const { open, update, questions, answer, answerAll } = changingNode(ASKED);
    const user = open('user').tell(32, 1, {}, 'com.app.x').tell(32, 2, {}, 'com.app.y');
    const [asked] = questions();
    update({ ...ASKED, 'authorizer-callee-role': 'backend' });
    user.tell(32, 3, {}, 'com.app.z');
    await answer(asked?.id ?? 0, true);
    await answerAll(() => true);
    expect(heads(user)).toEqual([
      [33, 1],
      [33, 2],
      [33, 3],
    ]);
  });

  it('is of no consequence to a session that is over, or has not come about', () => {
    const { open, update, router } = changingNode(OPEN);
    const user = open('user').tell(6, {}, 'wamp.close.normal');
    const opening = new Session(new FakeTransport(), { router, log: silentLogger(), authMethods: new Map() });
    update(ASKED);
    expect(() => {
      user.session.roleChanged();
      opening.roleChanged();
    }).not.toThrow();
    expect(user.heard()).toEqual([[6, {}, 'wamp.close.goodbye_and_out']]);
  });
});
