import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import type { AuthMethod, Verdict } from '../../../src/auth/method.js';
import type { AnonymousConfig } from '../../../src/auth/schema.js';
import type { LiveCookie } from '../../../src/cookie/live/live-cookie.js';
import { createLogger, silentLogger } from '../../../src/log/logger.js';
import { Router } from '../../../src/router/router.js';
import { Session } from '../../../src/session/session.js';
import { parseMessage } from '../../../src/wamp/parse.js';
import { NO_PAYLOAD } from '../../../src/wamp/payload.js';
import { clientInfo, everybody, visitorOf } from '../../support/client.js';
import { FakeTransport } from '../../support/fake-transport.js';
import { ALLOW_ALL, FakeClock, wire } from '../../support/realm.js';

const CBTID = 'abcdefghijklmnopqrstuvwx';

function testSession(
  options: {
    methods?: ReadonlyMap<string, AuthMethod>;
    cbtid?: string;
    liveCookie?: LiveCookie;
    log?: (line: string) => void;
  } = {},
) {
  const realms = [
    { name: 'realm1', roles: [ALLOW_ALL] },
    { name: 'realm2', roles: [] },
    { name: 'realm3', roles: [ALLOW_ALL], compat: { goodbye_with_normal: true } },
  ];
  let lastId = 100;
  const router = new Router(realms, { randomId: () => ++lastId, clock: Date.now, scheduler: new FakeClock() });
  const write = options.log;
  const log = write === undefined ? silentLogger() : createLogger({ level: 'trace', destination: { write } });
  const transport = new FakeTransport(
    clientInfo({ liveCookie: options.cbtid === undefined ? options.liveCookie : visitorOf(options.cbtid) }),
  );
  const session = new Session(transport, { router, log, authMethods: options.methods ?? everybody() });
  const tell = (...fields: unknown[]) => {
    session.receive(parseMessage(fields, fields.length, NO_PAYLOAD));
    return transport.sent.splice(0);
  };
  return { router, transport, session, tell };
}

const roles = { caller: {}, callee: { features: { call_canceling: true } }, publisher: {}, subscriber: {} };
const hello = [1, 'realm1', { roles }] as const;
const abort = (reason: string) => [[3, { message: expect.any(String) as string }, reason]];

/** Runs the garbage collector, which Node.js offers only to those who ask for it. */
function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}

describe('opening', () => {
  it('keeps nothing of what a HELLO says beyond what the router understands', async () => {
    const { session, router } = testSession();
    const details = { roles: { ...roles, unheard: { of: [{}, {}] } }, authextra: { much: [{}, {}] } };
    const kept = [new WeakRef(details), new WeakRef(details.roles), new WeakRef(details.authextra)];
    (() => session.receive(parseMessage([1, 'realm1', details], 3, NO_PAYLOAD)))();
    expect(router.size.realm1?.sessions).toBe(1);
    for (const key of Object.keys(details)) Reflect.deleteProperty(details, key);
    // A WeakRef holds its target until the turn is over.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(kept.slice(1).map((each) => each.deref())).toEqual([undefined, undefined]);
    expect(session.announced('callee', 'call_canceling')).toBe(true);
  });

  it('welcomes an anonymous client and tells it who it is', () => {
    const { tell, session, transport, router } = testSession();
    const [welcome] = tell(...hello);
    expect(welcome?.slice(0, 2)).toEqual([2, 101]);
    expect(welcome?.[2]).toEqual({
      realm: 'realm1',
      authid: expect.stringMatching(/^([A-Z2-9]{4}-){5}[A-Z2-9]{4}$/) as string,
      authrole: 'anonymous',
      authmethod: 'anonymous',
      authprovider: 'static',
      roles: {
        broker: { features: expect.objectContaining({ publisher_exclusion: true }) as object },
        dealer: { features: expect.objectContaining({ caller_identification: true }) as object },
      },
    });
    expect(session.announced('callee', 'call_canceling')).toBe(true);
    expect(session.announced('caller', 'call_canceling')).toBe(false);
    expect(transport.opened).toBe(1);
    expect(router.size.realm1?.sessions).toBe(1);
  });

  it.each([
    ['an unknown realm', [1, 'nowhere', { roles }], 'wamp.error.no_such_realm'],
    ['an invalid realm', [1, 'no where', { roles }], 'wamp.error.invalid_uri'],
    ['a realm without the role', [1, 'realm2', { roles }], 'wamp.error.no_such_role'],
    [
      'methods that are not there',
      [1, 'realm1', { roles, authmethods: ['ticket', 'cookie'] }],
      'wamp.error.no_auth_method',
    ],
  ])('refuses %s with ABORT and closes', (_what, message, reason) => {
    const { tell, transport } = testSession();
    expect(tell(...message)).toEqual(abort(reason));
    expect(transport.closed?.cause).toBe('denied');
    expect(tell(...hello)).toEqual([]);
  });

  it('takes the first method that it has, and none or an empty list for anonymous', () => {
    for (const authmethods of [['ticket', 'anonymous'], [], undefined]) {
      const { tell } = testSession();
      expect(tell(1, 'realm1', { roles, ...(authmethods && { authmethods }) })[0]?.[0]).toBe(2);
    }
  });

  it.each([
    [6, {}, 'a.b'],
    [16, 1, {}, 'a.b'],
    [5, 'x', {}],
    [70, 1, {}],
  ])('takes message %i before HELLO for a violation', (...message) => {
    const { tell, transport } = testSession();
    expect(tell(...message)).toEqual(abort('wamp.error.protocol_violation'));
    expect(transport.closed?.cause).toBe('protocol_violation');
  });

  it('ends silently when the client aborts', () => {
    const { tell, transport } = testSession();
    expect(tell(3, {}, 'a.b')).toEqual([]);
    expect(transport.closed?.cause).toBe('goodbye');
  });
});

describe('the authid of anonymous clients', () => {
  const authid = (config: Partial<AnonymousConfig>, cbtid?: string) => {
    const { tell } = testSession({ methods: everybody(config), ...(cbtid && { cbtid }) });
    return (tell(...hello)[0]?.[2] as { authid: string }).authid;
  };

  it('is the cookie id where cookies are tracked', () => {
    expect(authid({}, CBTID)).toBe(CBTID);
  });

  it('is the configured one where one is configured', () => expect(authid({ authid: 'guest' }, CBTID)).toBe('guest'));

  it('is another one each time otherwise', () => expect(authid({})).not.toBe(authid({})));

  it('does not write the cookie id to the log', () => {
    let written = '';
    const { tell } = testSession({ cbtid: CBTID, log: (line) => (written += line) });
    tell(...hello);
    tell(6, {}, 'wamp.close.normal');
    expect(written).toContain('session joined');
    expect(written).toContain('session left');
    expect(written).not.toContain(CBTID);
  });
});

describe('a refusal in the log', () => {
  const wish = [1, 'realm1', { roles, authid: CBTID, authmethods: ['x', 'ticket'] }] as const;
  const DENIED: Verdict = { type: 'deny', reason: 'a.b', message: 'no' };

  /** @param start what the method says to the HELLO. */
  function refusing(start: AuthMethod['start'], liveCookie = visitorOf(CBTID)) {
    const lines: string[] = [];
    const options = { methods: new Map([['ticket', { start }]]), liveCookie, log: (line: string) => lines.push(line) };
    const told = () =>
      lines.flatMap((line) => {
        const { msg, realm, authid, authmethods } = JSON.parse(line) as Record<string, unknown>;
        return msg === 'session refused' ? [{ realm, authid, authmethods }] : [];
      });
    return { ...testSession(options), liveCookie, told, written: () => lines.join('') };
  }

  const REFUSED = { realm: 'realm1', authid: 'abcdef…', authmethods: ['x', 'ticket'] };

  it('says what the client asked for, and no cookie id', () => {
    const { tell, told, written } = refusing(() => DENIED);
    tell(...wish);
    expect(told()).toEqual([REFUSED]);
    expect(written()).not.toContain(CBTID);
  });

  it('does so when the cookie has got another id since the client was challenged', () => {
    const { tell, told, written, liveCookie } = refusing(() => ({
      ...{ type: 'challenge', authmethod: 'ticket', extra: {} },
      resume: () => DENIED,
    }));
    expect(tell(...wish)).toEqual([[4, 'ticket', {}]]);
    liveCookie.renamed('zyxwvutsrqponmlkjihgfedc');
    tell(5, 'wrong', {});
    expect(told()).toEqual([REFUSED]);
    expect(written()).not.toContain(CBTID);
  });

  it('does so when the cookie has got another id while the method decided', async () => {
    let decide = (_: Verdict): void => undefined;
    const verdict = new Promise<Verdict>((resolve) => (decide = resolve));
    const { tell, told, written, liveCookie } = refusing(() => verdict);
    tell(...wish);
    liveCookie.renamed('zyxwvutsrqponmlkjihgfedc');
    decide(DENIED);
    await verdict;
    await new Promise((resolve) => setImmediate(resolve));
    expect(told()).toEqual([REFUSED]);
    expect(written()).not.toContain(CBTID);
  });
});

describe('an established session', () => {
  it('answers GOODBYE with goodbye_and_out, leaves the realm, and gives the transport back', () => {
    const { tell, transport, router } = testSession();
    tell(...hello);
    tell(32, 1, {}, 'a.b');
    expect(tell(6, {}, 'com.example.bye')).toEqual([[6, {}, 'wamp.close.goodbye_and_out']]);
    expect(transport).toMatchObject({ ended: 1, closed: undefined });
    expect(router.size.realm1).toMatchObject({ sessions: 0, subscriptions: 0 });
    expect(tell(16, 1, { acknowledge: true }, 'a.b')).toEqual([]);
  });

  it('answers GOODBYE with normal where the realm asks for it', () => {
    const { tell } = testSession();
    tell(1, 'realm3', { roles: { caller: {} } });
    expect(tell(6, {}, 'com.example.bye')).toEqual([[6, {}, 'wamp.close.normal']]);
  });

  it('ends on ABORT without an answer', () => {
    const { tell, transport, router } = testSession();
    tell(...hello);
    expect(tell(3, {}, 'a.b')).toEqual([]);
    expect(transport.closed?.cause).toBe('goodbye');
    expect(router.size.realm1?.sessions).toBe(0);
  });

  it.each([[...hello], [5, 'x', {}], [70, 1, {}], [8, 68, 1, {}, 'a.b'], [8, 68, 1, {}, 'a..b']])(
    'ends with ABORT and frees everything when it gets message %i, which is not allowed',
    (...message) => {
      const { tell, transport, router } = testSession();
      tell(...hello);
      tell(64, 1, {}, 'a.b');
      expect(tell(...message)).toEqual(abort('wamp.error.protocol_violation'));
      expect(transport.closed?.cause).toBe('protocol_violation');
      expect(router.size.realm1).toMatchObject({ sessions: 0, registrations: 0 });
      expect(tell(48, 2, {}, 'a.b')).toEqual([]);
    },
  );

  it.each([
    ['before HELLO', (): void => undefined],
    ['established', (tell: (...message: unknown[]) => unknown): unknown => tell(...hello)],
  ])('closes without a word when the node stops: clients that hear one do not come back (%s)', (_state, prepare) => {
    const { tell, transport, session, router } = testSession();
    prepare(tell);
    transport.sent.splice(0);
    session.shutdown(false);
    expect(transport.sent).toEqual([]);
    expect(transport.closed?.cause).toBe('system_shutdown');
    expect(router.size.realm1?.sessions).toBe(0);
  });

  it.each([false, true])('answers its calls before it closes when the node stops (with GOODBYE: %s)', (saysGoodbye) => {
    const { tell, transport, session } = testSession();
    tell(...hello);
    tell(64, 1, { concurrency: 1 }, 'a.b');
    tell(48, 2, {}, 'a.b');
    tell(48, 3, {}, 'a.b');
    session.shutdown(saysGoodbye);
    const canceled = (id: number) => [8, 48, id, {}, 'wamp.error.canceled', ['the router is shutting down']];
    // The one that waits for room does not get it.
    expect(transport.sent.slice(0, 3)).toEqual([canceled(3), [69, 1, { mode: 'killnowait' }], canceled(2)]);
    expect(transport.sent.slice(3).map(([type]) => type)).toEqual(saysGoodbye ? [6] : []);
  });

  it('says GOODBYE when the node stops, ignores what comes in between, and closes on the answer', () => {
    const { tell, transport, session, router } = testSession();
    tell(...hello);
    session.shutdown(true);
    expect(transport.sent.splice(0)).toEqual([
      [6, { message: expect.any(String) as string }, 'wamp.close.system_shutdown'],
    ]);
    expect(router.size.realm1?.sessions).toBe(0);
    expect(tell(16, 1, { acknowledge: true }, 'a.b')).toEqual([]);
    expect(tell(6, {}, 'wamp.close.goodbye_and_out')).toEqual([]);
    expect(transport.closed?.cause).toBe('system_shutdown');
  });

  it('leaves the realm when the transport is lost', () => {
    const { tell, session, router } = testSession();
    tell(...hello);
    session.transportLost();
    expect(router.size.realm1?.sessions).toBe(0);
  });

  it('survives a fault of ours only as long as it takes to say so', () => {
    const { tell, session, transport } = testSession();
    tell(...hello);
    session.fail(new TypeError('secret detail'));
    expect(transport.sent).toEqual([[3, { message: 'internal error' }, 'wamp.error.runtime_error']]);
    expect(transport.closed?.cause).toBe('internal_error');
  });
});

/** Until everything that waits for nothing but promises is done. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('methods that take their time', () => {
  const accept: Verdict = {
    type: 'accept',
    principal: { realm: 'realm1', authid: 'joe', authrole: 'anonymous', authmethod: 'slow', authprovider: 'static' },
  };

  /** A method whose verdict comes when the test says so. */
  function slowMethod() {
    let decide: (verdict: Verdict) => void = () => undefined;
    let fail: (error: Error) => void = () => undefined;
    const verdict = new Promise<Verdict>((resolve, reject) => ([decide, fail] = [resolve, reject]));
    const methods = new Map<string, AuthMethod>([['slow', { start: () => verdict }]]);
    return {
      methods,
      decide: (value: Verdict) => decide(value),
      fail: (error: Error) => fail(error),
    };
  }
  const slowHello = [1, 'realm1', { roles, authmethods: ['slow'] }];

  it('keep what arrives meanwhile, in order, for after WELCOME', async () => {
    const { methods, decide } = slowMethod();
    const { tell, transport } = testSession({ methods });
    tell(...slowHello);
    expect([...tell(32, 1, {}, 'a.b'), ...tell(16, 2, { acknowledge: true, exclude_me: false }, 'a.b')]).toEqual([]);
    decide(accept);
    await turn();
    expect(transport.sent.map((message) => message[0])).toEqual([2, 33, 36, 17]);
  });

  it('are of no consequence when the client has left', async () => {
    const { methods, decide } = slowMethod();
    const { tell, session, transport, router } = testSession({ methods });
    tell(...slowHello);
    session.transportLost();
    decide(accept);
    await turn();
    expect(transport.sent).toEqual([]);
    expect(router.size.realm1?.sessions).toBe(0);
  });

  it('end the session when their answer cannot be sent', async () => {
    const { methods, decide } = slowMethod();
    const { tell, transport, router } = testSession({ methods });
    tell(...slowHello);
    const send = transport.send.bind(transport);
    transport.send = (message) => {
      if (wire(message)[0] === 2) throw new Error('this cannot be written');
      send(message);
    };
    decide(accept);
    await turn();
    expect(transport.sent).toEqual([[3, { message: 'internal error' }, 'wamp.error.runtime_error']]);
    expect(router.size.realm1?.sessions).toBe(0);
  });

  it('end the session when they fail', async () => {
    const { methods, fail } = slowMethod();
    const { tell, transport } = testSession({ methods });
    tell(...slowHello);
    fail(new Error('database down'));
    await turn();
    expect(transport.sent).toEqual([[3, { message: 'internal error' }, 'wamp.error.runtime_error']]);
  });

  it('have the client not read from meanwhile: what it sends stays bytes', async () => {
    const { methods, decide } = slowMethod();
    const { tell, transport } = testSession({ methods });
    tell(...slowHello);
    expect(transport.reading).toEqual(['paused']);
    decide(accept);
    await turn();
    expect(transport.sent.map(([type]) => type)).toEqual([2]);
    expect(transport.reading).toEqual(['paused', 'resumed']);
  });

  it('bound what may wait', () => {
    const { methods } = slowMethod();
    const { tell, transport } = testSession({ methods });
    tell(...slowHello);
    for (let i = 1; i <= 16; i++) tell(32, i, {}, 'a.b');
    expect(tell(32, 17, {}, 'a.b')).toEqual(abort('wamp.error.protocol_violation'));
    expect(transport.closed?.cause).toBe('protocol_violation');
  });

  it('may challenge; only AUTHENTICATE and ABORT are answers', () => {
    const resume = (signature: string): Verdict =>
      signature === 'right' ? accept : { type: 'deny', reason: 'wamp.error.not_authorized', message: 'wrong' };
    const methods = new Map<string, AuthMethod>([
      ['slow', { start: () => ({ type: 'challenge', authmethod: 'slow', extra: { nonce: 1 }, resume }) }],
    ]);
    const first = testSession({ methods });
    expect(first.tell(...slowHello)).toEqual([[4, 'slow', { nonce: 1 }]]);
    expect(first.tell(5, 'right', {})[0]?.slice(0, 1)).toEqual([2]);
    const second = testSession({ methods });
    second.tell(...slowHello);
    expect(second.tell(5, 'wrong', {})).toEqual(abort('wamp.error.not_authorized'));
    for (const message of [slowHello, [32, 1, {}, 'a.b'], [6, {}, 'a.b']]) {
      const other = testSession({ methods });
      other.tell(...slowHello);
      expect(other.tell(...message)).toEqual(abort('wamp.error.protocol_violation'));
    }
  });
});
