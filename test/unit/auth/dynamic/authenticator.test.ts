import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  authenticatorDetails,
  AuthenticatorRefusal,
  createAuthenticator,
  FUNCTION_DEADLINE_MS,
  MAX_PENDING,
} from '../../../../src/auth/dynamic/authenticator.js';
import type { DynamicConfig, FunctionConfig } from '../../../../src/auth/dynamic/schema.js';
import type { AuthContext } from '../../../../src/auth/method.js';
import { AUTH_URIS } from '../../../../src/auth/verdict.js';
import { CallError, Result } from '../../../../src/client/api.js';
import type { Endpoint } from '../../../../src/client/api.js';
import { createLogger } from '../../../../src/log/logger.js';
import { RepeatedLog } from '../../../../src/log/repeated.js';
import { ATTENDANCE_MS, MAX_ATTENDING, MAX_ATTENDING_BYTES } from '../../../../src/session/attendance.js';
import { CALL_DEADLINE_MS } from '../../../../src/session/internal-caller.js';
import { InternalCallers } from '../../../../src/session/internal-callers.js';
import { NOBODY_TO_ASK, visitorOf } from '../../../support/client.js';
import { componentWorld } from '../../../support/component.js';

const PROCEDURE = 'com.app.authenticate';
const FAILED = { type: 'deny', reason: 'wamp.error.authentication_failed', message: 'the authenticator failed' };
const NOT_NOW = { type: 'unavailable', message: 'no login at the moment, please try again later' };

async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** What methods do with what goes wrong. */
async function refusal(answer: Promise<unknown>): Promise<unknown> {
  const error = await answer.then(
    () => new Error('it was answered'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof AuthenticatorRefusal)) throw error as Error;
  return error.verdict;
}

function depsOf(world: ReturnType<typeof componentWorld>, run?: (...args: readonly unknown[]) => unknown) {
  const write = (line: string) => void world.lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = createLogger({ level: 'debug', destination: { write } });
  const calls = new InternalCallers(world.router, new RepeatedLog(log));
  return {
    log,
    clock: () => world.clock.now,
    siblings: new Map(),
    admits: () => true,
    uris: AUTH_URIS.wamp,
    call: calls.call.bind(calls),
    after: NOBODY_TO_ASK.after,
    logins: NOBODY_TO_ASK.logins,
    load: () => (run === undefined ? Promise.reject(new Error('no such module')) : Promise.resolve(run)),
  };
}

/** A dynamic authenticator whose procedure is `endpoint`. */
async function dynamic(endpoint?: Endpoint, config: Partial<DynamicConfig> = {}) {
  const roles = [
    { name: 'anonymous', 'allow-by-default': true },
    { name: 'asking', permissions: [{ uri: PROCEDURE, allow: { call: true } }] },
    { name: 'mute', permissions: [] },
  ];
  const world = componentWorld({ roles });
  const { session } = await world.join();
  if (endpoint !== undefined) await session.register(PROCEDURE, endpoint);
  const ask = await createAuthenticator({ type: 'dynamic', authenticator: PROCEDURE, ...config }, depsOf(world));
  return { ...world, session, ask };
}

describe('a dynamic authenticator', () => {
  it('is asked with realm, authid and details; its answer comes back as it is', async () => {
    const { ask } = await dynamic((args, kwargs) => ({ args, kwargs }));
    const details = { session: 1, ticket: 'secret' };
    expect(await ask('realm1', 'joe', details)).toEqual({ args: ['realm1', 'joe', details], kwargs: {} });
    expect(await ask('realm1', undefined, {})).toEqual({ args: ['realm1', null, {}], kwargs: {} });
  });

  it('may be on another realm than the one that the client asks for', async () => {
    const { ask } = await dynamic(([realm]) => realm, { 'authenticator-realm': 'realm1' });
    expect(await ask('realm2', undefined, {})).toBe('realm2');
  });

  it('is asked on the realm of the client otherwise, which must be there', async () => {
    const { ask, lines } = await dynamic(([realm]) => realm);
    const message = 'no realm "realm2" exists on this router';
    expect(await refusal(ask('realm2', undefined, {}))).toEqual({
      type: 'deny',
      reason: 'wamp.error.no_such_realm',
      message,
    });
    // Strangers choose the realm: that is no news for the operator.
    expect(lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('is asked in the role that the config says', async () => {
    const { ask } = await dynamic(() => 'user', { 'authenticator-role': 'asking' });
    expect(await ask('realm1', undefined, {})).toBe('user');
  });

  it.each([
    ['mute', 'role "mute" may not call "com.app.authenticate"'],
    ['missing', 'realm "realm1" has no role "missing"'],
  ])('lets nobody in when the role %s cannot ask it', async (role, fault) => {
    const { ask, lines } = await dynamic(() => 'user', { 'authenticator-role': role });
    expect(await refusal(ask('realm1', undefined, {}))).toEqual(FAILED);
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', authenticator: PROCEDURE, fault }));
  });

  it('denies by throwing an error of its own: the client sees URI and text', async () => {
    const { ask, lines } = await dynamic(([, authid]) => {
      throw new CallError('com.app.error.no_such_user', authid === 'long' ? ['x'.repeat(1000)] : ['go away', 'secret']);
    });
    const verdict = { type: 'deny', reason: 'com.app.error.no_such_user', message: 'go away' };
    expect(await refusal(ask('realm1', 'joe', { ticket: 'hunter2' }))).toEqual(verdict);
    expect(await refusal(ask('realm1', 'long', {}))).toEqual({ ...verdict, message: 'x'.repeat(500) });
    expect(JSON.stringify(lines)).not.toContain('hunter2');
  });

  it.each([[[]], [[{ code: 1 }]]])('may deny without a text: %j', async (args) => {
    const { ask } = await dynamic(() => {
      throw new CallError('wamp.error.not_authorized', args);
    });
    const message = 'the authenticator denies';
    expect(await refusal(ask('realm1', 'joe', {}))).toEqual({
      type: 'deny',
      reason: 'wamp.error.not_authorized',
      message,
    });
  });

  it('lets nobody in when it crashes, and keeps its words from the client', async () => {
    const { ask, lines } = await dynamic(() => {
      throw new CallError('wamp.error.runtime_error', ['at line 7: the password is hunter2']);
    });
    expect(await refusal(ask('realm1', 'joe', {}))).toEqual(FAILED);
    const fault = 'wamp.error.runtime_error: at line 7: the password is hunter2';
    expect(lines).toContainEqual(
      expect.objectContaining({ msg: 'authenticator failed, client refused', realm: 'realm1', fault }),
    );
  });

  it('is waited for when it is not there, and asked when it comes', async () => {
    const { ask, session, clock, lines } = await dynamic();
    const answer = ask('realm1', 'joe', {});
    await settled();
    clock.advance(ATTENDANCE_MS - 1);
    await session.register('com.app.something', () => 'else');
    await session.register('com.app.', ([, authid]) => `user ${String(authid)}`, { match: 'prefix' });
    expect(await answer).toBe('user joe');
    const msg = 'authenticator is not there, clients wait for it';
    expect(lines).toContainEqual(expect.objectContaining({ msg, realm: 'realm1', authenticator: PROCEDURE }));
    expect(clock.waiting).toBe(0);
  });

  it('that does not come lets nobody in, and nobody is told that this is final', async () => {
    const { ask, clock, lines } = await dynamic();
    const answer = refusal(ask('realm1', 'joe', {}));
    await settled();
    clock.advance(ATTENDANCE_MS);
    expect(await answer).toEqual(NOT_NOW);
    const msg = 'authenticator is not available, clients are to come back';
    expect(lines).toContainEqual(expect.objectContaining({ level: 'warn', msg, fault: 'it is not registered' }));
  });

  it.each([
    ['many', MAX_ATTENDING, {}],
    ['much', 32, { authextra: 'x'.repeat(MAX_ATTENDING_BYTES / 32) }],
  ])(
    'that is missing has not any number of clients waiting: of too %s the oldest goes',
    async (_what, count, details) => {
      const { ask, session, clock } = await dynamic();
      const answers = Promise.allSettled(Array.from({ length: count + 1 }, () => ask('realm1', 'joe', details)));
      await settled();
      await session.register(PROCEDURE, () => 'user');
      const given = (await answers).map(({ status }) => status);
      expect(given[0]).toBe('rejected');
      expect(given.filter((status) => status === 'fulfilled').length).toBeGreaterThanOrEqual(count - 1);
      expect(clock.waiting).toBe(0);
    },
  );

  it('may say itself that it cannot decide at the moment', async () => {
    const { ask } = await dynamic(() => throwing(new CallError('wamp.error.unavailable', ['no database'])));
    expect(await refusal(ask('realm1', 'joe', {}))).toEqual(NOT_NOW);
  });

  it('lets nobody in when it leaves in the middle', async () => {
    const { ask, session } = await dynamic(() => new Promise(() => undefined));
    const answer = refusal(ask('realm1', 'joe', {}));
    await settled();
    session.leave();
    expect(await answer).toEqual(NOT_NOW);
  });

  it('lets nobody in when it is slow, and is told to stop', async () => {
    let signal: AbortSignal | undefined;
    const { ask, clock, lines, router } = await dynamic((_args, _kwargs, details) => {
      ({ signal } = details);
      return new Promise(() => undefined);
    });
    const answer = refusal(ask('realm1', 'joe', {}));
    await settled();
    clock.advance(CALL_DEADLINE_MS - 1);
    expect(signal?.aborted).toBe(false);
    clock.advance(1);
    expect(await answer).toEqual(NOT_NOW);
    await settled();
    expect(router.size.realm1?.calls).toBe(0);
    expect(lines).toContainEqual(expect.objectContaining({ fault: 'no answer within 5000 ms' }));
  });

  it.each([
    ['two values', { args: [1, 2], kwargs: {} }],
    ['keywords', { args: [1], kwargs: { a: 1 } }],
    ['nothing', undefined],
  ])('lets nobody in when it answers with %s', async (_what, result) => {
    const { ask } = await dynamic((_args, _kwargs, _details) => asResult(result));
    expect(await refusal(ask('realm1', 'joe', {}))).toEqual(FAILED);
  });

  it('has many clients waiting, but not any number of them', async () => {
    const { ask, lines } = await dynamic(() => new Promise(() => undefined));
    for (let i = 0; i < MAX_PENDING; i++) ask('realm1', 'joe', {}).catch(() => undefined);
    expect(await refusal(ask('realm1', 'joe', {}))).toEqual(NOT_NOW);
    expect(lines).toContainEqual(expect.objectContaining({ fault: `${MAX_PENDING} clients wait for it already` }));
  });
});

/** As a component returns several values. */
function asResult(result: { args: unknown[]; kwargs: Record<string, unknown> } | undefined): unknown {
  return result && new Result(result.args, result.kwargs);
}

describe('a function as authenticator', () => {
  afterEach(() => void vi.useRealTimers());
  const config: FunctionConfig = { type: 'function', module: './auth.js', name: 'default' };
  const made = async (run: (...args: readonly unknown[]) => unknown) => {
    const world = componentWorld();
    return { ...world, ask: await createAuthenticator(config, depsOf(world, run)) };
  };

  it.each([
    ['at once', (...args: readonly unknown[]) => args],
    ['later', (...args: readonly unknown[]) => Promise.resolve(args)],
  ])('may answer %s', async (_when, run) => {
    const { ask } = await made(run);
    expect(await ask('realm1', undefined, { session: 1 })).toEqual(['realm1', null, { session: 1 }]);
  });

  it.each([
    ['at once', () => throwing(new CallError('com.app.no', ['go away']))],
    ['later', () => Promise.reject(new CallError('com.app.no', ['go away']))],
  ])('may deny %s', async (_when, run) => {
    const { ask } = await made(run);
    expect(await refusal(ask('realm1', 'joe', {}))).toEqual({ type: 'deny', reason: 'com.app.no', message: 'go away' });
  });

  it.each([
    ['an Error', new Error('the password is hunter2')],
    // As libraries for OAuth throw.
    ['an error that only looks like one of WAMP', Object.assign(new Error('hunter2'), { error: 'invalid_grant' })],
    ['what is no URI', { error: 'hunter2 #', args: [] }],
    ['a text', 'hunter2'],
  ])('lets nobody in when it throws %s, which only the log tells', async (_what, error) => {
    const { ask, lines } = await made(() => throwing(error));
    expect(await refusal(ask('realm1', 'joe', {}))).toEqual(FAILED);
    expect(JSON.stringify(lines)).toContain('hunter2');
  });

  it('lets nobody in when it is slow', async () => {
    vi.useFakeTimers();
    const { ask } = await made(() => new Promise(() => undefined));
    const answer = refusal(ask('realm1', 'joe', {}));
    await vi.advanceTimersByTimeAsync(FUNCTION_DEADLINE_MS);
    expect(await answer).toEqual(NOT_NOW);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('must be there when the transport is set up', async () => {
    await expect(createAuthenticator(config, depsOf(componentWorld()))).rejects.toThrow('no such module');
  });
});

function throwing(error: unknown): never {
  throw error;
}

describe('the details that an authenticator gets', () => {
  const facts = { peer: '192.0.2.1:1' };
  const client = { peer: facts.peer, address: '192.0.2.1', liveCookie: undefined, headers: undefined, tls: undefined };
  const context: AuthContext = { sessionId: 7, client, facts: () => facts };
  const request = { authmethod: 'ticket', realm: 'realm1', authid: undefined, authextra: undefined };

  it('have nothing in them that is not known', () => {
    const details = authenticatorDetails(request, context);
    expect(Object.entries(details)).toEqual([
      ['session', 7],
      ['authmethod', 'ticket'],
      ['transport', facts],
    ]);
  });

  it('have what nobody else gets: headers, the cookie itself, the certificate, the ticket', () => {
    const certificate = { sha1: 'AA', sha256: 'BB', commonName: 'joe' };
    const known = {
      ...client,
      liveCookie: visitorOf('cookie-id'),
      headers: { cookie: 'connect.sid=1' },
      tls: { certificate, channelBinding: () => undefined },
    };
    const asked = { ...request, authid: 'joe', authextra: { a: 1 } };
    expect(authenticatorDetails(asked, { ...context, client: known }, { ticket: 'secret' })).toEqual({
      session: 7,
      authmethod: 'ticket',
      authid: 'joe',
      authextra: { a: 1 },
      ticket: 'secret',
      transport: {
        ...facts,
        http_headers_received: { cookie: 'connect.sid=1' },
        http_cbtid: 'cookie-id',
        peer_cert: { sha1: 'AA', sha256: 'BB', cn: 'joe' },
      },
    });
  });
});
