/**
 * What a stranger can make the node hold before WELCOME, and while somebody else decides: on every transport, in every
 * serializer, against the daemon.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { nodeConfig } from '../support/node-config.js';
import { RAWSOCKET_TRANSPORTS, TRANSPORTS } from '../support/transports.js';
import { ALL_ROLES, WampClient, within } from '../support/wamp-client.js';

let daemon: Daemon;
beforeAll(async () => {
  // A path whose violations are on no other's account in the log.
  const paths = { feature: { type: 'websocket' } };
  daemon = await startDaemon({ config: nodeConfig({ paths, transports: RAWSOCKET_TRANSPORTS }) });
});
afterAll(() => daemon.dispose());

const LIMIT = 65_536;

describe.each(TRANSPORTS)('$transport in $serializer', ({ connect }) => {
  it('takes nothing apart that a stranger sends and that is larger than a HELLO needs', async () => {
    const client = await connect(daemon);
    client.send([1, 'realm1', { roles: { caller: {}, x: { garbage: 'x'.repeat(LIMIT) } } }]);
    const [type, details, reason] = await client.next();
    expect([type, reason]).toEqual([3, 'wamp.error.protocol_violation']);
    expect(details).toEqual({ message: expect.stringContaining(`${LIMIT} bytes`) as string });
    await within(client.closed, 'close');
  });

  it('takes a large token in authextra, and large messages once there is a session', async () => {
    const client = await connect(daemon);
    client.send([1, 'realm1', { roles: ALL_ROLES, authextra: { token: 't'.repeat(LIMIT - 1000) } }]);
    expect((await client.next())[0]).toBe(2);
    client.send([16, 1, { acknowledge: true }, 'com.example.topic', ['x'.repeat(4 * LIMIT)]]);
    expect((await client.next())[0]).toBe(17);
    await client.leave();
  });

  it('refuses an authid that would take long to prepare, and a list of methods without end', async () => {
    const long = await connect(daemon);
    long.send([1, 'realm1', { roles: ALL_ROLES, authmethods: ['wamp-scram'], authid: '\u0315\u0300'.repeat(5000) }]);
    expect(await long.next()).toEqual([
      3,
      { message: 'HELLO.Details.authid must have at most 1024 characters' },
      'wamp.error.protocol_violation',
    ]);
    const many = await connect(daemon);
    many.send([1, 'realm1', { roles: ALL_ROLES, authmethods: Array.from({ length: 65 }, (_, n) => `m${n}`) }]);
    expect((await many.next())[2]).toBe('wamp.error.protocol_violation');
  });

  it('lets nobody in who names no realm, and says so', async () => {
    const client = await connect(daemon);
    client.send([1, null, { roles: ALL_ROLES }]);
    const message = 'the client names no realm, and nothing here names one for it';
    expect(await client.next()).toEqual([3, { message }, 'wamp.error.no_such_realm']);
  });
});

describe('the log of a refused session', () => {
  it('says what was asked for, and no more of it than a line can bear', async () => {
    const client = await WampClient.connect(daemon.url('/ws', 'ws'));
    const authid = 'joe'.repeat(300);
    client.send([1, 'no.such.realm', { roles: ALL_ROLES, authmethods: ['ticket', 'anonymous'], authid }]);
    expect((await client.next())[2]).toBe('wamp.error.no_such_realm');
    const line = await daemon.waitForLog(
      (record) => record.msg === 'session refused' && record['realm'] === 'no.such.realm',
    );
    expect(line).toMatchObject({
      reason: 'wamp.error.no_such_realm',
      message: 'no realm "no.such.realm" exists on this router',
      authmethods: ['ticket', 'anonymous'],
      authid: `${authid.slice(0, 200)}…`,
      peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
    });
  });

  it('is one short line, whatever the name of a feature is', async () => {
    const client = await WampClient.connect(daemon.url('/feature', 'ws'));
    client.send([1, 'realm1', { roles: { caller: { features: { ['f'.repeat(60_000)]: 'no boolean' } } } }]);
    expect((await client.next())[2]).toBe('wamp.error.protocol_violation');
    await daemon.waitForLog(
      (record) => record.msg === 'protocol violation' && String(record['violation']).includes('fff'),
    );
    for (const line of daemon.stdout.split('\n')) expect(line.length).toBeLessThan(2000);
  });
});
