/** Components without a config: sessions on a router in this process. */
import { AUTH_URIS } from '../../src/auth/verdict.js';
import { InProcessSession } from '../../src/client/session.js';
import { LocalTransport } from '../../src/client/local-transport.js';
import { createLogger } from '../../src/log/logger.js';
import { Router } from '../../src/router/router.js';
import type { RealmConfig } from '../../src/router/schema.js';
import type { AuthMethod } from '../../src/auth/method.js';
import { ALLOW_ALL, FakeClock } from './realm.js';

/** A router, and a way to open component sessions on it. Lines are what they log, as JSON. */
export function componentWorld(realm: Partial<RealmConfig> = {}) {
  let lastId = 100;
  const clock = new FakeClock();
  const config: RealmConfig = { name: 'realm1', roles: [ALLOW_ALL], ...realm };
  const router = new Router([config], { randomId: () => ++lastId, clock: () => clock.now, scheduler: clock });
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const log = createLogger({ level: 'debug', destination: { write } });
  const make = (role = 'anonymous') => {
    const principal = {
      realm: 'realm1',
      authid: 'tester',
      authrole: role,
      authmethod: 'component',
      authprovider: 'static',
    };
    const method: AuthMethod = { start: () => ({ type: 'accept', principal }) };
    const session: InProcessSession = new InProcessSession({
      tell: (message) => transport.tell(message),
      uriRule: realm.options?.uri_check ?? 'loose',
      log,
      owner: 'a component',
    });
    const authMethods = new Map([['component', method]]);
    const transport = new LocalTransport(session, { router, authMethods, authUris: AUTH_URIS.wamp, log }, 'component');
    return { session, transport };
  };
  const join = async (role?: string) => {
    const made = make(role);
    await made.session.join('realm1', { authmethods: ['component'] });
    return made;
  };
  return { router, clock, lines, make, join };
}
