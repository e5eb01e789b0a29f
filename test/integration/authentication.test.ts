/** Authentication against the daemon: every method that asks for a secret, played by hand. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { answerAbout, ASKABLE_CLIENTS, AUTH_CLIENTS, sectionOf } from '../support/auth-clients.js';
import type { AuthClient } from '../support/auth-clients.js';
import type { Daemon } from '../support/daemon.js';
import { startDaemon } from '../support/daemon.js';
import { directoryWith } from '../support/node-directory.js';
import { ALLOW_ALL, nodeConfig } from '../support/node-config.js';
import { ALL_ROLES, WampClient } from '../support/wamp-client.js';

type Extra = Readonly<Record<string, unknown>>;

/** Knows joe: a function for each client. */
const USERS = ASKABLE_CLIENTS.map(
  (player) => `
    export function ${player.name}(realm, authid, { ticket }) {
      const joe = ${JSON.stringify(answerAbout(player))};
      if (authid === 'joe' && (ticket ?? joe.ticket) === joe.ticket) return joe;
      throw Object.assign(new Error('no'), { error: 'com.app.error.unknown', args: ['never heard of'] });
    }`,
).join('');

let daemon: Daemon;
beforeAll(async () => {
  const realm = (name: string, role: string): object => ({ name, roles: [{ name: role, permissions: ALLOW_ALL }] });
  const options = { max_auth_failures: 0, max_auth_failures_per_address: 0 };
  const paths = Object.fromEntries(
    AUTH_CLIENTS.map(({ name, config }) => [name, { type: 'websocket', auth: config, options }]),
  );
  const asked = Object.fromEntries(
    ASKABLE_CLIENTS.map((player) => {
      const section = { type: 'function', module: './users.mjs', name: player.name };
      return [`${player.name}_asked`, { type: 'websocket', auth: { [sectionOf(player)]: section }, options }];
    }),
  );
  const wamp = { type: 'websocket', auth: AUTH_CLIENTS[0]?.config, options: { ...options, auth_error_uris: 'wamp' } };
  const strict = { type: 'websocket', auth: AUTH_CLIENTS[0]?.config, options: { max_auth_failures: 2 } };
  const hasty = { type: 'websocket', auth: AUTH_CLIENTS[0]?.config, options: { authenticate_timeout: 1000 } };
  daemon = await startDaemon({
    cbdir: directoryWith({ 'users.mjs': USERS }),
    config: nodeConfig({
      realms: [realm('realm1', 'user'), realm('realm2', 'another')],
      websocket: { auth: Object.assign({}, ...AUTH_CLIENTS.map(({ config }) => config)) as object, options },
      paths: { ...paths, ...asked, wamp, strict, hasty },
    }),
  });
});
afterAll(() => daemon.dispose());

interface Try {
  readonly authid?: string;
  readonly knows?: boolean;
  readonly realm?: string;
  readonly path?: string;
}

const refusal = (reason: string): unknown => [3, { message: expect.any(String) as string }, reason];

async function challengeFor(player: AuthClient, { authid = 'joe', realm = 'realm1', path = player.name }: Try = {}) {
  const client = await WampClient.connect(daemon.url(`/${path}`, 'ws'));
  const hello = { roles: ALL_ROLES, authmethods: [player.authmethod], ...player.hello(authid) };
  const [type, authmethod, extra] = await client.ask([1, realm, hello]);
  expect([type, authmethod]).toEqual([4, player.authmethod]);
  return { client, extra: extra as Extra };
}

/** Logs in. @returns the answer to AUTHENTICATE. */
async function login(player: AuthClient, attempt: Try = {}): Promise<unknown[]> {
  const { client, extra } = await challengeFor(player, attempt);
  const { signature, extra: answer = {} } = player.answer({ extra }, attempt.authid ?? 'joe', attempt.knows ?? true);
  const verdict = await client.ask([5, signature, answer]);
  if (verdict[0] === 3) await client.closed;
  else await client.drop();
  return verdict;
}

describe.each(AUTH_CLIENTS)('$name', (player) => {
  it('lets in who knows the secret, and says as whom', async () => {
    const [type, , details] = await login(player);
    expect(type).toBe(2);
    expect(details).toMatchObject({
      realm: 'realm1',
      authid: 'joe',
      authrole: 'user',
      authmethod: player.authmethod,
      authprovider: player.vouchedBy ?? 'static',
    });
  });

  it('refuses a wrong secret and an unknown user in the same words, and closes', async () => {
    const wrong = await login(player, { knows: false });
    expect(wrong).toEqual(refusal('wamp.error.not_authorized'));
    expect(await login(player, { authid: 'nobody' })).toEqual(wrong);
  });

  it('says only to those who know the secret that realm or role are not there', async () => {
    expect(await login(player, { realm: 'realm2' })).toEqual(refusal('wamp.error.no_such_role'));
    expect(await login(player, { realm: 'nosuchrealm' })).toEqual(refusal('wamp.error.no_such_realm'));
    for (const realm of ['realm2', 'nosuchrealm']) {
      expect(await login(player, { realm, knows: false })).toEqual(refusal('wamp.error.not_authorized'));
    }
  });

  if (player.replayable !== true) {
    it('takes no answer that was heard on another connection', async () => {
      const [first, second] = [await challengeFor(player), await challengeFor(player)];
      const { signature, extra = {} } = player.answer(first, 'joe', true);
      expect((await first.client.ask([5, signature, extra]))[0]).toBe(2);
      expect(await second.client.ask([5, signature, extra])).toEqual(refusal('wamp.error.not_authorized'));
      await first.client.drop();
    });
  }

  if (player.vouchedBy === undefined) {
    it('asks a function who it is, where the config says so', async () => {
      const path = `${player.name}_asked`;
      const [type, , details] = await login(player, { path });
      expect([type, details]).toMatchObject([2, { authid: 'joe', authrole: 'user', authprovider: 'function' }]);
      const unknown = refusal('com.app.error.unknown');
      const isAskedLater = player.authmethod === 'ticket';
      const wrong = await login(player, { path, knows: false });
      expect(wrong).toEqual(isAskedLater ? unknown : refusal('wamp.error.not_authorized'));
      const client = await WampClient.connect(daemon.url(`/${path}`, 'ws'));
      const hello = { roles: ALL_ROLES, authmethods: [player.authmethod], ...player.hello('nobody') };
      if (!isAskedLater) expect(await client.ask([1, 'realm1', hello])).toEqual(unknown);
      await client.drop();
    });
  }

  it('takes nothing else than the answer', async () => {
    for (const message of [
      [32, 1, {}, 'com.example'],
      [1, 'realm1', { roles: ALL_ROLES }],
      [6, {}, 'wamp.close.normal'],
    ]) {
      const { client } = await challengeFor(player);
      expect(await client.ask(message)).toEqual(refusal('wamp.error.protocol_violation'));
      await client.closed;
    }
  });

  it('takes an answer once, and none before the question', async () => {
    const { client, extra } = await challengeFor(player);
    const { signature, extra: answer = {} } = player.answer({ extra }, 'joe', true);
    expect((await client.ask([5, signature, answer]))[0]).toBe(2);
    expect(await client.ask([5, signature, answer])).toEqual(refusal('wamp.error.protocol_violation'));
    const early = await WampClient.connect(daemon.url(`/${player.name}`, 'ws'));
    expect(await early.ask([5, signature, answer])).toEqual(refusal('wamp.error.protocol_violation'));
  });

  it('ends silently when the client gives up', async () => {
    const { client } = await challengeFor(player);
    client.send([3, {}, 'wamp.error.cannot_authenticate']);
    await client.closed;
  });
});

describe('the methods that a client offers', () => {
  const offer = async (path: string, ...authmethods: string[]): Promise<unknown[]> => {
    const client = await WampClient.connect(daemon.url(path, 'ws'));
    const answer = await client.ask([1, 'realm1', { roles: ALL_ROLES, authmethods, authid: 'joe' }]);
    await client.drop();
    return answer;
  };

  it('are taken in its order, and unknown ones passed over', async () => {
    expect((await offer('/ws', 'nosuch', 'wampcra', 'ticket'))[1]).toBe('wampcra');
    expect((await offer('/ws', 'nosuch', 'ticket', 'wampcra'))[1]).toBe('ticket');
  });

  it('are refused by the names of Crossbar.io when none is there', async () => {
    expect(await offer('/ticket', 'wampcra')).toEqual(refusal('wamp.error.no_auth_method'));
    expect(await offer('/ticket')).toEqual(refusal('wamp.error.no_auth_method'));
  });

  it('are refused by the names of the specification where the config says so', async () => {
    expect(await offer('/wamp', 'wampcra')).toEqual(refusal('wamp.error.no_matching_auth_method'));
    expect(await offer('/wamp')).toEqual(refusal('wamp.error.authentication_required'));
    const [ticket] = AUTH_CLIENTS;
    if (ticket === undefined) throw new Error('there is no client');
    const denied = refusal('wamp.error.authentication_denied');
    expect(await login(ticket, { path: 'wamp', knows: false })).toEqual(denied);
    expect(await login(ticket, { path: 'wamp', authid: 'nobody' })).toEqual(denied);
  });
});

it('takes no answer that comes too late', async () => {
  const [ticket] = AUTH_CLIENTS;
  if (ticket === undefined) throw new Error('there is no client');
  const { client } = await challengeFor(ticket, { path: 'hasty' });
  expect(await client.next()).toEqual(refusal('wamp.error.timeout'));
  await client.closed;
});

it('whoever fails too often has to wait', async () => {
  const [ticket] = AUTH_CLIENTS;
  if (ticket === undefined) throw new Error('there is no client');
  // Behind the second failure one more in two seconds is looked at: clients of this machine may come through a proxy.
  for (let i = 0; i < 3; i++) await login(ticket, { path: 'strict', knows: false });
  const client = await WampClient.connect(daemon.url('/strict', 'ws'));
  const hello = { roles: ALL_ROLES, authmethods: ['ticket'], authid: 'joe' };
  const [, details, reason] = await client.ask([1, 'realm1', hello]);
  expect([details, reason]).toEqual([
    { message: expect.stringContaining('too many') as string },
    'wamp.error.not_authorized',
  ]);
});

it('the log tells of failures, and no secret', () => {
  const failures = daemon.logs.filter(({ msg }) => msg === 'authentication failed');
  expect(failures.length).toBeGreaterThan(AUTH_CLIENTS.length);
  expect(failures[0]).toMatchObject({
    level: 'info',
    authid: 'joe',
    peer: expect.stringMatching(/^127\.0\.0\.1:\d+$/) as string,
  });
  const secrets = AUTH_CLIENTS.flatMap((client) => client.secrets);
  expect(secrets.filter((secret) => daemon.output.includes(secret))).toEqual([]);
});
