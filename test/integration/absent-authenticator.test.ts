/**
 * Authenticators and authorizers that are clients, and are not back yet: after a start of the node, or for a moment. What
 * passes must not be told by what clients take for final.
 */
import autobahn from 'autobahn';
import { afterEach, describe, expect, it } from 'vitest';
import { startDaemon } from '../support/daemon.js';
import type { Daemon } from '../support/daemon.js';
import { ALLOW_ALL, LOOPBACK, nodeConfig } from '../support/node-config.js';
import { WampClient } from '../support/wamp-client.js';

const AUTHENTICATOR = 'com.app.authenticate';
const AUTHORIZER = 'com.app.authorize';
const ROLES = { caller: {}, callee: {}, publisher: {}, subscriber: {} };

const config = nodeConfig({
  realms: [
    {
      name: 'realm1',
      roles: [
        { name: 'backend', permissions: ALLOW_ALL },
        { name: 'user', permissions: [] },
        { name: 'asked', authorizer: AUTHORIZER },
      ],
    },
  ],
  websocket: {
    auth: { ticket: { type: 'dynamic', authenticator: AUTHENTICATOR, 'authenticator-realm': 'realm1' } },
  },
  paths: {
    backend: { type: 'websocket', auth: { anonymous: { type: 'static', role: 'backend' } } },
    asked: { type: 'websocket', auth: { anonymous: { type: 'static', role: 'asked' } } },
  },
  transport: { endpoint: { ...LOOPBACK, port: '$PORT' } },
});

let daemon: Daemon;
const ends: (() => void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) end();
  await daemon.dispose();
});
autobahn.log.warn = () => undefined;

/** A client of autobahn-js as a page makes it, which tries again for ever. Gives what happens to it, in order. */
function page(url: string) {
  const connection = new autobahn.Connection({
    realm: 'realm1',
    transports: [{ type: 'websocket', url }],
    authmethods: ['ticket'],
    authid: 'joe',
    onchallenge: () => 'secret',
    max_retries: -1,
    initial_retry_delay: 0.05,
    max_retry_delay: 0.2,
    use_es6_promises: true,
    on_user_error: () => undefined,
  });
  ends.push(() => connection.close());
  const happened: string[] = [];
  const waiting = new Set<() => void>();
  const happens = (what: string): void => {
    happened.push(what);
    for (const wake of waiting) wake();
    waiting.clear();
  };
  connection.onopen = () => happens('in');
  connection.onclose = (_reason, details) => {
    happens((details as { will_retry?: boolean }).will_retry === true ? 'tries again' : 'gave up');
    return false;
  };
  connection.open();
  /** Resolves when it is in for the n-th time. @throws when it gave up. */
  const isIn = async (times: number): Promise<void> => {
    while (happened.filter((what) => what === 'in').length < times) {
      if (happened.includes('gave up')) throw new Error(`the client gave up: ${happened.join(', ')}`);
      await new Promise<void>((resolve) => waiting.add(resolve));
    }
  };
  return { happened, isIn };
}

async function backend(procedure: string, answer: unknown): Promise<WampClient> {
  const client = await WampClient.connect(daemon.url('/backend', 'ws'));
  ends.push(() => client.socket.terminate());
  await client.ask([1, 'realm1', { roles: ROLES }]);
  expect(await client.ask([64, 1, {}, procedure])).toMatchObject([65, 1, expect.any(Number)]);
  void client.next().then(
    ([, id]) => client.send([70, id, {}, [answer]]),
    () => undefined,
  );
  return client;
}

describe('an authenticator that is not back yet after a restart', () => {
  it('is waited for: a page that comes back before it does is let in, and has not given up', async () => {
    daemon = await startDaemon({ config });
    await backend(AUTHENTICATOR, 'user');
    const joe = page(daemon.url('/ws', 'ws'));
    await joe.isIn(1);
    daemon = await daemon.restart();
    const asked = daemon.waitForLog('authenticator is not there, clients wait for it');
    await Promise.race([asked, joe.isIn(2)]);
    await backend(AUTHENTICATOR, 'user');
    await joe.isIn(2);
    expect(joe.happened).not.toContain('gave up');
  });

  it('and does not come in time: the connection is closed so that clients come back', async () => {
    daemon = await startDaemon({ config });
    const client = await WampClient.connect(daemon.url('/ws', 'ws'));
    expect(await client.ask([1, 'realm1', { roles: ROLES, authmethods: ['ticket'], authid: 'joe' }])).toMatchObject([
      4,
      'ticket',
      {},
    ]);
    client.send([5, 'secret', {}]);
    expect(await client.closed).toMatchObject({ code: 1013 });
    const line = await daemon.waitForLog('authenticator is not available, clients are to come back');
    expect(line).toMatchObject({ level: 'warn', authenticator: AUTHENTICATOR, realm: 'realm1' });
    expect(daemon.output).not.toContain('secret');
  });
});

describe('an authorizer that is not back yet', () => {
  it('is waited for: what a session asked meanwhile is decided when it is there', async () => {
    daemon = await startDaemon({ config });
    const client = await WampClient.connect(daemon.url('/asked', 'ws'));
    ends.push(() => client.socket.terminate());
    await client.ask([1, 'realm1', { roles: ROLES }]);
    const subscribed = client.ask([32, 1, {}, 'com.app.news']);
    await Promise.race([daemon.waitForLog('authorizer is not there, requests wait for it'), subscribed]);
    await backend(AUTHORIZER, true);
    expect(await subscribed).toMatchObject([33, 1, expect.any(Number)]);
  });
});
