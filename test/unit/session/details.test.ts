import { describe, expect, it } from 'vitest';
import { cookieDigest } from '../../../src/cookie/digest.js';
import { silentLogger } from '../../../src/log/logger.js';
import { Router } from '../../../src/router/router.js';
import { Session } from '../../../src/session/session.js';
import { parseMessage } from '../../../src/wamp/parse.js';
import { NO_PAYLOAD, payloadOf } from '../../../src/wamp/payload.js';
import type { RouterMessage } from '../../../src/wamp/message.js';
import { clientInfo, everybody, visitorOf } from '../../support/client.js';
import { FakeTransport } from '../../support/fake-transport.js';
import { ALLOW_ALL, FakeClock, wire } from '../../support/realm.js';

const CBTID = 'abcdefghijklmnopqrstuvwx';

/** A realm whose visitors are all called `visitor`, and a way to join it. */
function testRouter() {
  let lastId = 100;
  const deps = { randomId: () => ++lastId, clock: Date.now, scheduler: new FakeClock() };
  const router = new Router([{ name: 'realm1', roles: [ALLOW_ALL] }], deps);
  const authMethods = everybody({ authid: 'visitor' });
  const open = (cbtid?: string) => {
    const sent: unknown[][] = [];
    const nothing = () => undefined;
    const transport = {
      facts: { peer: '192.0.2.1:1', is_secure: true },
      waitingBytes: 7,
      client: clientInfo({ liveCookie: cbtid === undefined ? undefined : visitorOf(cbtid) }),
      send: (message: RouterMessage) => void sent.push(wire(message)),
      close: nothing,
      challenged: nothing,
      sessionOpened: nothing,
      sessionClosing: nothing,
      sessionEnded: nothing,
      pauseReading: nothing,
      resumeReading: nothing,
    };
    const session = new Session(transport, { router, log: silentLogger(), authMethods });
    const tell = (fields: unknown[], args: unknown[] = []) => {
      session.receive(parseMessage(fields, fields.length, args.length === 0 ? NO_PAYLOAD : payloadOf(args)));
      return sent.splice(0);
    };
    return { session, tell, sent };
  };
  const join = (cbtid?: string) => {
    const opened = open(cbtid);
    opened.tell([1, 'realm1', { roles: { caller: {}, subscriber: {} }, authextra: { secret: 'x' } }]);
    return opened;
  };
  return { router, open, join };
}

describe('the details of a session', () => {
  it('are shown by wamp.session.get and wamp.session.on_join', () => {
    const { join } = testRouter();
    const watcher = join();
    watcher.tell([32, 1, {}, 'wamp.session.on_join']);
    const { session } = join();
    const details = {
      session: session.id,
      realm: 'realm1',
      authid: 'visitor',
      authrole: 'anonymous',
      authmethod: 'anonymous',
      authprovider: 'static',
      transport: { peer: '192.0.2.1:1', is_secure: true },
    };
    expect(watcher.sent.splice(0)).toMatchObject([[36, 1, expect.any(Number), {}, [details]]]);
    expect(watcher.tell([48, 1, {}, 'wamp.session.get'], [session.id])).toEqual([[50, 1, {}, [details]]]);
  });

  it('show a digest of the tracking cookie, never its value', () => {
    const { join } = testRouter();
    const { session, tell } = join(CBTID);
    expect(session.details.transport).toEqual({
      peer: '192.0.2.1:1',
      is_secure: true,
      http_cbtid: cookieDigest(CBTID),
    });
    expect(JSON.stringify(tell([48, 1, {}, 'wamp.session.get'], [session.id]))).not.toContain(CBTID);
  });

  it('name it to the operator by that digest, where the authid is the cookie', () => {
    const clock = new FakeClock();
    let lastId = 0;
    const deps = { randomId: () => ++lastId, clock: () => clock.now, scheduler: clock };
    const router = new Router([{ name: 'realm1', roles: [ALLOW_ALL] }], deps);
    const named = (authid: string) => {
      const transport = new FakeTransport(clientInfo({ liveCookie: visitorOf(CBTID) }));
      transport.waitingBytes = 7;
      const session = new Session(transport, { router, log: silentLogger(), authMethods: everybody({ authid }) });
      const fields = [1, 'realm1', { roles: { caller: {} } }];
      session.receive(parseMessage(fields, fields.length, NO_PAYLOAD));
      return session.status;
    };
    expect(named(CBTID)).toEqual({
      name: cookieDigest(CBTID),
      joinedMs: clock.now,
      waitingBytes: 7,
      received: 1,
      sent: 1,
    });
    expect(named('joe').name).toBe('joe');
  });

  it('are not there before WELCOME', () => {
    const { open } = testRouter();
    expect(() => open().session.details).toThrow(TypeError);
  });
});

describe('a session that leaves', () => {
  it.each<[string, (leaver: ReturnType<ReturnType<typeof testRouter>['join']>) => void]>([
    ['with GOODBYE', ({ tell }) => void tell([6, {}, 'wamp.close.normal'])],
    ['with its transport', ({ session }) => session.transportLost()],
    ['killed', ({ session }) => session.kill('wamp.close.killed')],
    ['because the node stops', ({ session }) => session.shutdown(false)],
    ['because the node stops, with GOODBYE', ({ session }) => session.shutdown(true)],
  ])('%s is told of once, and hears nothing of it', (_how, leave) => {
    const { router, join } = testRouter();
    const [watcher, leaver] = [join(), join()];
    for (const { tell } of [watcher, leaver]) tell([32, 1, {}, 'wamp.session.on_leave']);
    leave(leaver);
    leaver.session.transportLost();
    expect(watcher.sent).toEqual([
      [36, expect.any(Number), expect.any(Number), {}, [leaver.session.id, 'visitor', 'anonymous']],
    ]);
    expect(leaver.sent.filter(([type]) => type === 36)).toEqual([]);
    expect(router.size.realm1).toMatchObject({ sessions: 1 });
  });
});
