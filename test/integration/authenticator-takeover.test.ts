/**
 * Strangers who may register anything, on the realm of an authenticator: they must not become the one who decides.
 */
import { afterEach, describe, expect, it } from 'vitest';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { ALLOW_ALL } from '../support/node-config.js';
import { configWith, directoryWith } from '../support/node-directory.js';
import { WampClient } from '../support/wamp-client.js';

const PROCEDURE = 'com.app.authenticate';
const ROLES = { caller: {}, callee: {}, publisher: {}, subscriber: {} };
const MODULES = {
  'logins.mjs': `
    export default async function (session, { CallError }) {
      await session.register('${PROCEDURE}', ([, , { ticket }]) => {
        if (ticket !== 'right') throw new CallError('com.app.error.wrong_ticket', ['no']);
        return 'root';
      });
    }`,
};

let daemon: Daemon;
afterEach(() => daemon.dispose());

/** @param components the authenticator; without it a client is. */
async function start(components: readonly object[], section: object = {}): Promise<void> {
  const everybody = ['anonymous', 'backend', 'root'].map((name) => ({ name, permissions: ALLOW_ALL }));
  const dynamic = { type: 'dynamic', authenticator: PROCEDURE, 'authenticator-realm': 'realm1', ...section };
  const config = configWith(components, {
    realms: [{ name: 'realm1', roles: everybody }],
    websocket: { auth: { ticket: dynamic, anonymous: { type: 'static' } } },
    paths: { backend: { type: 'websocket', auth: { anonymous: { type: 'static', role: 'backend' } } } },
  });
  daemon = await startDaemon({ cbdir: directoryWith(MODULES), config });
}

const join = (path = '/ws'): Promise<WampClient> => WampClient.join(daemon.url(path, 'ws'));

async function logInWith(ticket: string): Promise<unknown[]> {
  const client = await WampClient.connect(daemon.url('/ws', 'ws'));
  await client.ask([1, 'realm1', { roles: ROLES, authid: 'mallory', authmethods: ['ticket'] }]);
  return client.ask([5, ticket, {}]);
}

const refused = (requestId: number): unknown => [
  8,
  64,
  requestId,
  {},
  'wamp.error.not_authorized',
  [`"${PROCEDURE}" decides about others, and is not for role "anonymous" to register`],
];

describe('a stranger who may register anything', () => {
  it('does not take the authenticator away from its component, and is not let in as root by a wrong ticket', async () => {
    await start([{ module: './logins.mjs', role: 'backend' }]);
    const stranger = await join();
    expect(await stranger.ask([64, 1, { force_reregister: true }, PROCEDURE])).toEqual(refused(1));
    expect(await stranger.ask([64, 2, { invoke: 'last' }, PROCEDURE])).toEqual(refused(2));
    // A pattern is no harm as long as the procedure is there.
    expect(await stranger.ask([64, 3, { match: 'prefix' }, 'com.app.'])).toMatchObject([65, 3, expect.any(Number)]);
    expect(await logInWith('wrong')).toMatchObject([3, {}, 'com.app.error.wrong_ticket']);
    expect((await logInWith('right'))[0]).toBe(2);
    const line = await daemon.waitForLog('registration of an authenticator or authorizer refused');
    expect(line).toMatchObject({ level: 'warn', realm: 'realm1', procedure: PROCEDURE, authrole: 'anonymous' });
  });

  it('does not stand in for a client that was the authenticator and is away', async () => {
    await start([]);
    const backend = await join('/backend');
    expect((await backend.ask([64, 1, {}, PROCEDURE]))[0]).toBe(65);
    const stranger = await join();
    expect((await stranger.ask([64, 1, { match: 'prefix' }, 'com.']))[0]).toBe(65);
    await backend.drop();
    await daemon.waitForLog(({ msg, authrole }) => msg === 'session left' && authrole === 'backend');
    expect(await stranger.ask([64, 2, {}, PROCEDURE])).toEqual(refused(2));
    // Only the right one is waited for.
    const login = logInWith('secret');
    await daemon.waitForLog('authenticator is not there, clients wait for it');
    const next = await join('/backend');
    expect((await next.ask([64, 1, {}, PROCEDURE]))[0]).toBe(65);
    const [, id] = await next.next();
    next.send([70, id, {}, ['root']]);
    expect((await login)[0]).toBe(2);
    // Nothing has come before this answer.
    expect((await stranger.ask([48, 3, {}, 'wamp.session.count']))[0]).toBe(50);
  });

  it('does not come first where the config says whose the procedure is', async () => {
    await start([], { 'authenticator-callee-role': 'backend' });
    const stranger = await join();
    expect(await stranger.ask([64, 1, {}, PROCEDURE])).toEqual(refused(1));
    const backend = await join('/backend');
    expect((await backend.ask([64, 1, {}, PROCEDURE]))[0]).toBe(65);
  });
});
